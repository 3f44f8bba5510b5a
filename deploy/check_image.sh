#!/bin/sh
# check_image.sh [FOLDER]: the image's steps without Docker, in an empty folder and a clean virtual environment:
# copy what the Dockerfile copies, install, verify, then start both roles and ask the health check of each.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-$(mktemp -d)}
mkdir -p "$folder/app" "$folder/data"
if [ -n "$(ls -A "$folder/app")" ]; then
    echo "$folder/app is not empty." >&2
    exit 2
fi
echo "1. Copy the commit to $folder/app, without what .dockerignore leaves out"
git archive HEAD | tar -x -C "$folder/app"
sed -n 's|^\([A-Za-z._][A-Za-z._/-]*\)$|\1|p' .dockerignore | while read -r left; do
    rm -rf "${folder:?}/app/$left"
done
cd "$folder/app"

echo "2. Install into a clean virtual environment"
python3 -m venv "$folder/venv"
PATH="$folder/venv/bin:$PATH"
export PATH
export PIP_DISABLE_PIP_VERSION_CHECK=1 WHENCE_DATA_DIR="$folder/data" HOST=127.0.0.1
sh deploy/install.sh python "${TORCH_INDEX:-}"
sh deploy/sbom.sh python sbom.cdx.json

echo "3. Verify"
sh deploy/verify.sh python

for role in server app; do
    WHENCE_ROLE=$role
    PORT=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export WHENCE_ROLE PORT
    echo "4. Start the $role on port $PORT and ask its health check"
    sh deploy/run.sh > "$folder/$role.log" 2>&1 &
    started=$!
    healthy=no
    for _ in $(seq 120); do
        if python deploy/health.py 2> /dev/null; then
            healthy=yes
            break
        fi
        sleep 1
    done
    kill -TERM "$started"
    wait "$started" || true
    if [ "$healthy" = no ]; then
        echo "The $role did not become healthy; its log:" >&2
        tail -20 "$folder/$role.log" >&2
        exit 1
    fi
    echo "   healthy, and it ended when told to"
done
echo "All steps work."
