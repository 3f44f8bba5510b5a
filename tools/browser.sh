#!/bin/sh
# browser.sh PYTHON: make sure that the browser tests find a Chromium; say how to leave them out if none can be had.
set -eu
python=$1
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "${WHENCE_E2E:-1}" = 0 ]; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium for the browser tests ..."
    if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji >/dev/null; then exit 0; fi
fi
if "$python" -m playwright install chromium; then exit 0; fi
echo "No Chromium could be found or installed for the browser tests." >&2
echo "Leave them out with:  WHENCE_E2E=0 make test ARGS='-m \"not e2e\"'" >&2
exit 1
