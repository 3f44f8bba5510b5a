"""An OpenID Connect provider on the loopback address: discovery, keys, consent at once, tokens signed with RS256.

It plays the other side of Streamlit's own sign-in. It lets `who` in without asking, checks the client's secret and that
each code is used once and comes back to the address that it was made for.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "whence", "a secret of the test"


class Provider:
    """`url` is its issuer; `who` the account that signs in; `spoil` makes its tokens another key's."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
        self.other = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
        self.who, self.spoil = {"sub": "7", "email": "ada@id.example", "name": "Ada"}, False
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                owner.answer(self, urlsplit(self.path).path, parse_qs(urlsplit(self.path).query))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                owner.answer(self, urlsplit(self.path).path, parse_qs(body))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, http: BaseHTTPRequestHandler, path: str, given: dict[str, list[str]]) -> None:
        self.asked.append(path)
        said = {name: values[0] for name, values in given.items()}
        if path == "/authorize":
            code = secrets.token_urlsafe(16)
            self._codes[code] = said
            back = urlencode({"code": code, "state": said["state"]})
            http.send_response(302)
            http.send_header("Location", f"{said['redirect_uri']}?{back}")
            http.end_headers()
            return
        pages = {
            "/.well-known/openid-configuration": self._discovery,
            "/keys": lambda: {"keys": [self.key.as_dict(private=False)]},
        }
        found = self._token(http, said) if path == "/token" else pages.get(path, dict)()
        body = json.dumps(found).encode()
        http.send_response(200 if found and "error" not in found else 400)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def _token(self, http: BaseHTTPRequestHandler, said: dict[str, str]) -> dict[str, Any]:
        asked = self._codes.pop(said.get("code", ""), None)
        basic = http.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(basic).decode().partition(":")
        known = (name or said.get("client_id"), secret or said.get("client_secret"))
        if asked is None or asked["redirect_uri"] != said.get("redirect_uri"):
            return {"error": "invalid_grant"}
        if known[0] != CLIENT or known[1].replace("+", " ").replace("%20", " ") != SECRET:
            return {"error": "invalid_client"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 600, **self.who}
        claims |= {"nonce": asked["nonce"]} if "nonce" in asked else {}
        key = self.other if self.spoil else self.key
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
        return {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "id_token": token}
