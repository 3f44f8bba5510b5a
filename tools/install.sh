#!/bin/sh
# install.sh PYTHON LOCK: install what a lock names, torch first.
# Torch goes first and alone: a local or CPU build that is there is kept, and a newer one with CUDA packages never comes
# in its place. Everything else, direct and transitive, has its exact version and hash in the lock.
set -eu
python=$1
lock=$2
echo "Installing $lock (the first time takes a few minutes) ..."
torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
if ! "$python" -c "import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '${torch#torch==}')" 2>/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check "$torch"
fi
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
