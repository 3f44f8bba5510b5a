#!/bin/sh
# Makes .venv-interop with LIT 1.3.1 in it, once; again only when the requirements change.
#   sh tests/interop/make_env.sh [python]
set -eu
cd "$(dirname "$0")/../.."
python=${1:-python3}
venv=.venv-interop
mark=$venv/.made
if [ -f "$mark" ] && cmp -s "$mark" tests/interop/requirements.txt; then
    exit 0
fi
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/interop/requirements.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps lit-nlp==1.3.1
cp tests/interop/requirements.txt "$mark"
