"""What Streamlit's server gets around it: the middleware, and `/healthz` and `/readyz` beside the pages."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import config

from core.errors import AppError
from core.hosts import LOOPBACK, Names, listed
from core.settings import Settings, settings
from core.ui.web.browsers import KnownBrowsers, Signer
from core.ui.web.first_paint import FirstPaint

if TYPE_CHECKING:
    from starlette.requests import Request

SPACES = "https://huggingface.co https://*.hf.space"
"""Where Hugging Face shows a Space inside a frame."""
_CONTENT = {
    "default-src": "'self'",
    # Components come as blob:; of scripts in a page only Streamlit's own may run, known by their hashes.
    "script-src": "'self' blob: {hashes}",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self' ws: wss:",
    "frame-src": "'self' blob: data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}


def framing(chosen: Settings) -> str:
    """The sites that may frame the app, as the operator set them; those of Spaces where this is one; or none."""
    return chosen.frame_ancestors.strip() or (SPACES if os.environ.get("SPACE_ID") else "")


def headers(chosen: Settings) -> dict[str, str]:
    """The headers that depend on the settings: what a page may load, and who may frame it."""
    sites = framing(chosen)
    policy = {**_CONTENT, "frame-ancestors": sites or "'none'"}
    policy["script-src"] = policy["script-src"].format(hashes=" ".join(inline_hashes()))
    found = {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items())}
    return found if sites else {**found, "X-Frame-Options": "DENY"}


def inline_hashes() -> list[str]:
    """The inline scripts of Streamlit's own page, as a Content-Security-Policy names them."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    return [f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts]


def allowed_names(chosen: Settings) -> tuple[str, ...]:
    """Names that a browser may ask under: loopback, the operator's, the address served on, a Space's own."""
    served = str(config.get_option("server.address") or "")
    space = os.environ.get("SPACE_HOST", "")
    return (*LOOPBACK, *listed(chosen.allowed_hosts), *(name for name in (served, space) if name))


def middleware(given: Settings | None = None) -> list[Middleware]:
    """What every request passes before Streamlit sees it. Ends the process with a sentence where nothing can start."""
    try:
        return _middleware(given or settings())
    except AppError as fault:
        print(fault, file=sys.stderr)
        raise SystemExit(2) from fault


def _middleware(chosen: Settings) -> list[Middleware]:
    # The check here knows more than Streamlit's own, which would refuse addresses of digits.
    config.set_option("server.allowedHosts", ["*"])
    found = [Middleware(Names, allowed=allowed_names(chosen), headers=headers(chosen))]
    if chosen.mode == "hosted":
        found.append(Middleware(KnownBrowsers, signer=Signer.of(chosen), framed=bool(framing(chosen))))
    return [*found, Middleware(FirstPaint)]


async def _healthy(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _ready(request: Request) -> JSONResponse:
    """503 when the database or the disk cannot serve; the reason is in the log, since anybody may ask."""
    from core.ui.shell.services import readiness

    code = await asyncio.to_thread(readiness)
    return JSONResponse(
        {"status": "failed", "code": code} if code else {"status": "ready"}, 503 if code else 200
    )


ROUTES = [Route("/healthz", _healthy), Route("/readyz", _ready)]
