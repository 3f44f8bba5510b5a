#!/bin/sh
# install.sh PYTHON [TORCH_INDEX [EXTRAS]]: what the image installs: the locks. With an index, torch comes from there (PyTorch
# lists one for each device); without, from the default one, which holds the CUDA build.
set -eu
python=$1
index=${2:-}
torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
if [ -n "$index" ]; then
    "$python" -m pip install --quiet --index-url "$index" "$torch"
fi
for lock in requirements.lock requirements-postgres.lock; do
    sh tools/install.sh "$python" "$lock"
done
for extra in ${3:-}; do
    if [ ! -f "requirements-$extra.lock" ]; then
        echo "There is no extra '$extra' for the image: keras and gcs are known." >&2
        exit 2
    fi
    sh tools/install.sh "$python" "requirements-$extra.lock"
done
