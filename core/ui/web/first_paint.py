"""Streamlit's own page and files, so that the first paint is already in shape.

Streamlit draws its page bare, and the sidebar, the frame's style and each kind of widget come later: everything on
the page moves each time. Here the page leaves the server with the frame's style in it and with the scripts of the
usual widgets named, so that they are there before they are drawn; and scripts and styles are sent compressed, each
compressed once. Plain ASGI; knows no page of Whence.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit

from core.figures import palette
from core.figures.room import ROOM_STEP, ROOM_STEPS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(streamlit.__file__).parent / "static"
STYLE = Path(__file__).parent / "assets" / "frame.css"
WIDGETS = (
    *(
        "BidiComponent",
        "Button",
        "ButtonGroup",
        "Checkbox",
        "DownloadButton",
        "Html",
        "Multiselect",
        "NumberInput",
    ),
    *("PageLink", "Progress", "Radio", "Selectbox", "TextArea", "TextInput"),
)
"""Streamlit's names for what nearly every page draws. What is left out (tables, figures) is large or rare."""
_KINDS = {".js": "application/javascript", ".css": "text/css; charset=utf-8"}
_FILE = re.compile(r"/static/((?:js|css)/[\w.-]+)$")
_IMPORT = re.compile(r"""(?:from|import)\s*[`"']\./([\w.-]+\.js)[`"']""")
_OF_THE_BODY = (b"content-length", b"content-encoding", b"vary", b"etag", b"last-modified", b"accept-ranges")
LEVEL = 6
LEAST_BYTES = 500


def style() -> str:
    """The frame's style sheet, with the palette's colours for text as variables, by theme."""
    pairs = {
        "page": (palette.BACKGROUND["light"], palette.BACKGROUND["dark"]),
        "muted": (palette.MUTED["light"], palette.MUTED["dark"]),
        "new": (palette.UNDERLINE["light"][0], palette.UNDERLINE["dark"][0]),
        "gone": (palette.UNDERLINE["light"][1], palette.UNDERLINE["dark"][1]),
    }
    named = (f"--whence-{name}:light-dark({light},{dark})" for name, (light, dark) in pairs.items())
    return f".stApp{{{';'.join(named)}}}{STYLE.read_text(encoding='utf-8')}{_rooms()}"


def _rooms() -> str:
    """Least heights for what the browser draws later, by the steps that its key names."""

    def rules(name: str) -> str:
        steps = range(1, ROOM_STEPS + 1)
        return "".join(f'[class*="{name}{n}-"]{{min-height:{n * ROOM_STEP}px}}' for n in steps)

    return f"@media (max-width:899px){{{rules('-narrow')}}}@media (min-width:900px){{{rules('-wide')}}}"


@cache
def widget_scripts(folder: Path = STATIC / "static" / "js") -> tuple[str, ...]:
    """The files of `WIDGETS` and what they import, in that order; those that are not there are left out."""
    found: dict[str, None] = {}

    def take(name: str) -> None:
        path = folder / name
        if name in found or not path.is_file():
            return
        found[name] = None
        for other in _IMPORT.findall(path.read_text(encoding="utf-8")):
            take(other)

    for widget in WIDGETS:
        for path in sorted(folder.glob(f"{widget}.*.js")):
            take(path.name)
    return tuple(found)


def page(html: str) -> str:
    """Streamlit's page with the widgets' scripts named in its head, and the style in its body: so it stands after
    Streamlit's own, which come into the head, and wins where both are equally exact.
    """
    named = (name for name in widget_scripts() if f"/{name}" not in html)
    links = "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in named)
    return html.replace("</head>", f"{links}</head>", 1).replace(
        "<body>", f"<body><style>{style()}</style>", 1
    )


@cache
def compressed(path: Path) -> bytes:
    """The file, compressed once for the life of the process: Streamlit's own never change under one name."""
    return gzip.compress(path.read_bytes(), LEVEL, mtime=0)


def packed(body: bytes, scope: Scope) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """`body` as this request can read it, and the headers that say so."""
    if len(body) < LEAST_BYTES or not _reads_gzip(scope):
        return body, [(b"vary", b"Accept-Encoding")]
    return gzip.compress(body, LEVEL, mtime=0), [
        (b"vary", b"Accept-Encoding"),
        (b"content-encoding", b"gzip"),
    ]


def _header(scope: Scope, wanted: bytes) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _reads_gzip(scope: Scope) -> bool:
    """Whether the request accepts gzip (RFC 9110, 12.5.3): named without a weight of 0."""
    for one in _header(scope, b"accept-encoding").lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return False


class FirstPaint:
    """Sends Streamlit's scripts and styles compressed, and its page as `page` makes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        found = _FILE.search(scope["path"])
        path = STATIC / "static" / found[1] if found else None
        if path is not None and path.suffix in _KINDS and _reads_gzip(scope) and path.is_file():
            await _send_file(path, scope, send)
            return
        await self.app(scope, receive, _Head(scope, send))


async def _send_file(path: Path, scope: Scope, send: Send) -> None:
    body = await asyncio.to_thread(compressed, path)
    headers = [
        (b"content-type", _KINDS[path.suffix].encode()),
        (b"content-encoding", b"gzip"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept-Encoding"),
        (b"cache-control", b"public, immutable, max-age=31536000"),  # the names hold their contents' hashes
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class _Head:
    """Passes an answer on; where it is Streamlit's page, adds what `page` adds."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self.send = scope, send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
        elif self.start is None or message["type"] != "http.response.body":
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self.finish(self.start)

    async def finish(self, start: Message) -> None:
        coded = any(name.lower() == b"content-encoding" for name, _ in start["headers"])
        body = gzip.decompress(self.body) if coded and self.body else self.body
        changed = page(body.decode("utf-8")).encode() if b'id="root"' in body else body
        headers = [pair for pair in start["headers"] if pair[0].lower() not in _OF_THE_BODY]
        shown, more = packed(changed, self.scope)
        if body:
            etag = blake2b(changed, digest_size=12).hexdigest()
            more += [(b"etag", f'"{etag}"'.encode()), (b"content-length", str(len(shown)).encode())]
        await self.send({**start, "headers": [*headers, *more]})
        await self.send({"type": "http.response.body", "body": shown})


def _is_page(start: Message) -> bool:
    kinds = [value for name, value in start.get("headers", ()) if name.lower() == b"content-type"]
    codings = [value for name, value in start.get("headers", ()) if name.lower() == b"content-encoding"]
    readable = codings in ([], [b"gzip"])
    return start["status"] == 200 and readable and bool(kinds) and kinds[0].startswith(b"text/html")
