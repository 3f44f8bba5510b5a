"""Shuts the ways by which libraries fetch compiled code from the hub and run it. Knows no model.

Where the optional package `kernels` is installed, bitsandbytes (nf4 on a processor with bf16 instructions, when it
is imported) and transformers (a `config.json` that names `owner/kernel` as its attention, packed `.gguf` weights)
download a shared library and run it in this process. Nothing here needs that: Whence runs the code that its lock
names, and weights.
"""

from __future__ import annotations

import os
import sys


def shut() -> None:
    """From now on `import kernels` fails in this process, and transformers is told to use none.

    A process that had imported the package itself before Whence keeps it: that was its own choice.
    """
    os.environ["USE_HUB_KERNELS"] = "NO"
    sys.modules.setdefault("kernels", None)  # type: ignore[arg-type]  # None: Python's own mark for "not to be had"
