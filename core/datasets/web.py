"""One file from a web address, without being led astray.

http and https only; the size and the whole time are bounded. The name is resolved here, every address it has
is judged, and the connection goes to the very address that was judged, so a name that answers differently
the second time gains nothing. Each redirect is judged again: never into a private or loopback network, and
those are refused altogether where strangers ask (hosted mode). Proxies of the environment are not used.

Knows nothing of what the file holds.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from core.datasets.bounds import Bounds, too_large
from core.errors import AppError

MAX_REDIRECTS = 5
_CHUNK_SECONDS = 15.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Iterable[str]]
Sink = Callable[[bytes, int | None], None]
"""Takes a piece of the body and how many bytes the whole has, where the server said so."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file's bytes and the name at the end of its address."""

    data: bytes
    file_name: str
    url: str


class _Refused(Exception):
    """The address is not one to connect to; the text is for the person."""


def resolve(host: str, port: int) -> list[str]:
    """Every IP address of `host`. Raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether `address` is one of the open internet, also inside IPv6 forms that carry an IPv4 address."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


class _NotKept(Exception):
    """What arrived could not be kept: `fault` is of this machine, not of the network."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(str(fault))
        self.fault = fault


class _Judged(httpcore.NetworkBackend):
    """Connects only to addresses that were judged; a name with any private address is refused whole."""

    def __init__(self, allow_private: bool, find: Resolve) -> None:
        self.allow_private = allow_private
        self.find = find
        self.plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = list(self.find(host, port))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address for {host}") from error
        if not addresses:
            raise httpcore.ConnectError(f"no address for {host}")
        if not self.allow_private and not all(map(is_public, addresses)):
            raise _Refused(f"{host} is an address of this machine or of a private network")
        fault: Exception | None = None
        for address in addresses[:4]:
            try:
                return self.plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
        raise fault or httpcore.ConnectError(host)


def fetch(url: str, bounds: Bounds, *, find: Resolve = resolve) -> Fetched:
    """The file at `url`, in memory. Raises `AppError` with what the server, the name or a limit said."""
    body = bytearray()
    here = fetch_into(url, bounds, lambda part, whole: body.extend(part), find=find)
    name = unquote(urlsplit(here).path.rpartition("/")[2])
    return Fetched(bytes(body), name or "download", here)


def fetch_into(url: str, bounds: Bounds, sink: Sink, *, find: Resolve = resolve) -> str:
    """Gives the file at `url` to `sink` piece by piece; returns the address where redirects ended.

    Raises: AppError with what the server, the name or a limit said; what `sink` raises.
    """
    deadline = time.monotonic() + bounds.timeout_seconds
    here = url.strip()
    for hop in range(MAX_REDIRECTS + 1):
        _check_scheme(here)
        judged = _Judged(allow_private=hop == 0 and not bounds.hosted, find=find)
        try:
            with httpcore.ConnectionPool(network_backend=judged) as pool:
                onward = _ask(pool, here, bounds, deadline, sink)
        except _Refused as error:
            led = "The address leads on to a place that is refused: " if hop else ""
            raise AppError(
                f"{led}{error}, which is not read{' here' if bounds.hosted else ' after a redirect'}.",
                hint="Download the file and upload it.",
                code="forbidden",
            ) from error
        except _NotKept as error:
            raise error.fault from None
        except httpcore.TimeoutException as error:
            raise _too_slow(bounds) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, UnicodeError, ValueError) as error:
            host = urlsplit(here).hostname or here
            raise AppError(
                f"{host} cannot be reached ({type(error).__name__}).",
                hint="Check the address and the network, or download the file and upload it.",
                code="unreachable",
            ) from error
        if onward is None:
            return here
        here = urljoin(here, onward)
    raise AppError(f"The address leads on more than {MAX_REDIRECTS} times.", code="unreachable")


def _check_scheme(url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
        private = parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        fits, private = False, False
    if not fits:
        raise AppError("The address should begin with http:// or https:// and name a server.")
    if private:
        raise AppError("The address holds a user name or password, which is not sent.", hint="Take it out.")


def _ask(pool: httpcore.ConnectionPool, url: str, bounds: Bounds, deadline: float, sink: Sink) -> str | None:
    """Gives the body to `sink`, or returns where a redirect leads."""
    step = max(0.1, min(_CHUNK_SECONDS, deadline - time.monotonic()))
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), step)
    headers: dict[bytes | str, bytes | str] = {"Host": _host_header(url), "User-Agent": "whence"}
    headers["Accept-Encoding"] = "identity"
    with pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response:
        answer = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in (301, 302, 303, 307, 308) and "location" in answer:
            return answer["location"]
        if response.status != 200:
            raise AppError(
                f"{urlsplit(url).hostname} answered {response.status} instead of the file.",
                hint="Check the address in a browser.",
                code="unreachable",
            )
        if answer.get("content-encoding", "identity") != "identity":
            raise AppError("The server sent the file compressed, though it was asked not to.")
        if answer.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
            raise AppError(
                f"{urlsplit(url).hostname} answered with a web page instead of a file.",
                hint="Look there for the address of the file itself (often called “raw” or “download”).",
            )
        stated = answer.get("content-length", "")
        if stated.isdecimal() and int(stated) > bounds.max_bytes:
            raise too_large("The file", int(stated), bounds)
        whole, came = int(stated) if stated.isdecimal() else None, 0
        for part in response.iter_stream():
            came += len(part)
            if came > bounds.max_bytes:
                raise too_large("The file", None, bounds)
            if time.monotonic() > deadline:
                raise _too_slow(bounds)
            try:
                sink(part, whole)
            except OSError as fault:
                raise _NotKept(fault) from fault
        return None


def _host_header(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return f"{host}:{parts.port}" if parts.port else host


def _too_slow(bounds: Bounds) -> AppError:
    return AppError(
        f"The file did not arrive within {bounds.timeout_seconds:g} seconds.",
        hint="Try again, or download it and upload it.",
        code="timeout",
    )
