#!/bin/sh
# newest.sh PYTHON: the newest versions that the requirement lists allow, in .venv-newest, and the suite there.
# Tells early what a later `make lock ARGS=--upgrade` would bring; it is no part of `make test`.
set -eu
python=$1
test -x .venv-newest/bin/python || "$python" -m venv .venv-newest
bin=.venv-newest/bin
torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
"$bin/python" -m pip install --quiet --disable-pip-version-check "$torch"
"$bin/python" -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager \
    "$torch" -r requirements-dev.txt -r requirements-postgres.txt
"$bin/python" -m tools.lock.newer requirements-dev.lock requirements-postgres.lock
exec "$bin/python" -m pytest ${ARGS:-}
