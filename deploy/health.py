"""The image's health check: exit status 0 when the app or the server answers on this machine."""

import os
import sys
import urllib.request

PATHS = {"app": "/_stcore/health", "server": "/healthz"}


def main() -> int:
    path = PATHS.get(os.environ.get("WHENCE_ROLE", "app"), "/")
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8080')}{path}"
    try:
        with urllib.request.urlopen(address, timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as error:
        print(f"{address}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
