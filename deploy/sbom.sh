#!/bin/sh
# sbom.sh PYTHON OUT: what the environment of PYTHON holds, as a CycloneDX 1.6 list (packages, licences, what needs what)
# in OUT, checked against CycloneDX's own schema. Where the tool is not there already it gets an environment of its own,
# so that it is not on the list itself.
set -eu
python=$1
out=$2
prefix=$("$python" -c 'import sys; print(sys.prefix)')
tool=$prefix/bin
if [ ! -x "$tool/cyclonedx-py" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    "$python" -m venv "$folder"
    tool=$folder/bin
    "$tool/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        -r requirements-sbom.lock
fi
mkdir -p "$(dirname "$out")"
"$tool/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible --sv 1.6 --output-file "$out" \
    "$prefix/bin/python3"
