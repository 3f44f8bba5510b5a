"""The one exception that is written for the person in front of the page.

An `AppError` says what happened, the figures (expected and got), and what to do. Pages, the server and the
command line show its text as it is; every other exception is a bug and is logged whole.
"""


class AppError(Exception):
    """A fault that the person can understand and mend.

    `message` is one or two plain sentences; `hint` says what to do next; `code` is a stable word for
    programs (the server maps it to a status). Neither ever carries a secret or a traceback.
    """

    def __init__(self, message: str, *, hint: str = "", code: str = "invalid") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
        self.code = code


class Stopped(AppError):
    """The person pressed Stop, or a newer request of the same kind replaced this one."""

    def __init__(self, message: str = "Stopped.") -> None:
        super().__init__(message, code="stopped")
