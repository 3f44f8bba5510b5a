#!/bin/sh
# verify.sh PYTHON: an image that lacks a file or a library fails while it is built, not when it is started.
set -eu
python=$1
"$python" - <<'END'
from pathlib import Path

from core.server.app import create_app
from core.settings import DEMO_MODEL, ROOT

create_app()
for needed in ("streamlit_app.py", "pages", ".streamlit/config.toml", f"{DEMO_MODEL}/model.safetensors"):
    assert (ROOT / needed).exists(), f"{needed} is missing"
import streamlit, torch, transformers  # noqa: E401, F401

print("complete, torch", torch.__version__)
END
