#!/bin/sh
# run.sh: starts what WHENCE_ROLE says (app or server) on HOST and PORT, in this process, so that a stop
# signal reaches it.
set -eu
role=${WHENCE_ROLE:-app}
host=${HOST:-0.0.0.0}
port=${PORT:-8080}
export TOKENIZERS_PARALLELISM=false
if [ -n "${SPACE_ID:-}" ]; then
    # A Space shows the app inside a frame of another site, where the XSRF cookie is refused and uploads
    # would fail. Nowhere else is the protection switched off.
    export STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false
fi
case $role in
    app)
        exec python -m streamlit run streamlit_app.py --server.address "$host" --server.port "$port"
        ;;
    server)
        exec python -m core.server --host "$host" --port "$port"
        ;;
    *)
        echo "WHENCE_ROLE is '$role'; it should be app or server." >&2
        exit 2
        ;;
esac
