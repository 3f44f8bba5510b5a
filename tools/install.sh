#!/bin/sh
# install.sh PYTHON REQUIREMENTS: install a requirements file, torch first.
# Torch goes first and alone: a pinned local or CPU build is then kept instead of a newer one with CUDA packages.
set -eu
python=$1
requirements=$2
echo "Installing $requirements (the first time takes a few minutes) ..."
if ! "$python" -c 'import torch' 2>/dev/null; then
    torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
    "$python" -m pip install --quiet --disable-pip-version-check "$torch"
fi
"$python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
