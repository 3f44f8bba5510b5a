"""Models that run on this machine with transformers: folders, `.gguf` files and names on the hub.

Before anything else of it is imported, the ways by which libraries fetch compiled code are shut.
"""

from core.models.local import downloaded_code

downloaded_code.shut()
