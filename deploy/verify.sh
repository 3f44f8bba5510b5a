#!/bin/sh
# verify.sh PYTHON: an image that lacks a file or a library, or whose libraries do not fit each other, fails while it is
# built: the server it holds writes one token and one map with the bundled model, and the app shows its page.
set -eu
python=$1
# keras-hub names TensorFlow's text package, which it does not need on torch (requirements-keras.txt).
broken=$("$python" -m pip check | grep -v -e '^No broken' -e '^keras-hub [^ ]* requires tensorflow-text' || true)
if [ -n "$broken" ]; then
    echo "$broken" >&2
    exit 1
fi
exec "$python" deploy/verify.py
