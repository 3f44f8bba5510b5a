"""The sentence for a fault that nobody foresaw."""

from __future__ import annotations

import errno

from core.errors import AppError


def plain(bug: BaseException, kind: str) -> AppError:
    """The sentence that a person sees for a fault nobody foresaw; the log has it whole."""
    if isinstance(bug, MemoryError):
        return AppError(
            "The computer's memory ran out during this.",
            hint="Try a shorter prompt or a shorter answer, or a smaller or quantised model.",
            code="memory",
        )
    if isinstance(bug, OSError) and bug.errno in (errno.ENOSPC, errno.EDQUOT):
        return AppError(
            f"The disk is full: {bug.filename or 'a file'} cannot grow.",
            hint="Free some space there, then try again; what this was making is not kept.",
            code="disk_full",
        )
    return AppError(
        f"Something went wrong inside Whence ({kind}); it is not your text's fault.",
        hint="Try again; if it comes back, the log holds the details for whoever runs this.",
        code="internal",
    )
