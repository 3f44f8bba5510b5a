#!/bin/sh
# sbom.sh PYTHON OUT: what the environment of PYTHON holds, as a CycloneDX 1.6 list (packages, licences, what needs what)
# in OUT, checked against CycloneDX's own schema. The tool has an environment of its own, so it is not on its list.
set -eu
python=$1
out=$2
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
"$python" -m venv "$tool"
"$tool/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-sbom.lock
"$tool/bin/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible --sv 1.6 --output-file "$out" \
    "$("$python" -c 'import sys; print(sys.prefix)')/bin/python3"
