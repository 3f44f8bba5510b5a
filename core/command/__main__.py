"""`python -m core.command`: the same as `whence`."""

import sys

from core.command import main

sys.exit(main())
