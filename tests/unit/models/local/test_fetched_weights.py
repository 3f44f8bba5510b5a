"""Models named by address: fetched over a real loopback connection, checked, unpacked into a model folder alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from core.datasets import zip_directory
from core.errors import AppError, Stopped
from core.models.configured import configured_specs, parse_model_config
from core.models.loading import Steps
from core.models.local import archive, fetched_weights, folder, weights_address
from core.models.local.hugging_face import load
from core.models.manager import ModelManager
from core.records import ModelSpec
from core.settings import DEMO_MODEL, ROOT, Settings

DEMO = ROOT / DEMO_MODEL
LITTLE = {"config.json": b"{}", "model.safetensors": b"\0" * 100}


def settings_of(models: str, **more: object) -> Settings:
    return Settings(_env_file=None, MODEL_CONFIG=models, precision="float32", device="cpu", **more)


def tar(
    files: dict[str, bytes], *, mode: str = "w:gz", more: Callable[[tarfile.TarFile], None] | None = None
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
        if more is not None:
            more(packed)
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


class Shelf(BaseHTTPRequestHandler):
    """Gives what `files` of its server holds."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        held = self.server.files.get(self.path.partition("?")[0])  # type: ignore[attr-defined]
        if isinstance(held, str):
            self.send_response(302)
            self.send_header("Location", held)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200 if held is not None else 404)
        body = held or b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the loopback address, signed by its own key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shelf) as made:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        made.socket = context.wrap_socket(made.socket, server_side=True)
        made.daemon_threads = True
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def shelf(
    server: ThreadingHTTPServer, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., str]:
    """Puts a file on the server and gives its https address; the data folder is empty."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    chosen = settings_of("demo:demo", data_dir=tmp_path / "data", max_weights_bytes=20_000_000)
    for module in (fetched_weights, weights_address):
        monkeypatch.setattr(module, "settings", lambda: chosen)
    server.files, server.asked = {}, []  # type: ignore[attr-defined]

    def put(name: str, data: bytes | str) -> str:
        server.files[f"/{name}"] = data  # type: ignore[attr-defined]
        return f"https://127.0.0.1:{server.server_address[1]}/{name}"

    return put


def fetched(address: str) -> Path:
    fetched_weights.fetch(address, Steps())
    return weights_address.model_of(address)


def test_the_demo_in_an_archive_is_the_demo(shelf: Callable[..., str], server: ThreadingHTTPServer) -> None:
    """From `MODEL_CONFIG` to log-probabilities; asked once, with one model in memory before and after."""
    packed = tar({f"demo-1/{file.name}": file.read_bytes() for file in DEMO.iterdir() if file.is_file()})
    address = shelf("demo.tar.gz", packed)
    hashed = hashlib.sha256(packed).hexdigest()
    (spec,) = configured_specs(settings_of(f"mine:{address}?signature=secret#sha256={hashed}"))
    assert (spec.backend, spec.path) == ("hugging_face", f"{address}#sha256={hashed}")
    models = ModelManager(load)
    with models.get(spec) as model:
        text = model.tokenize("Two plus two is", " four")
        found = model.logprobs(text)
    assert server.asked == ["/demo.tar.gz?signature=secret"]  # type: ignore[attr-defined]
    exact = ModelSpec(
        "mine", spec.path, revision=folder.present_revision(spec), dtype="float32", device="cpu"
    )
    assert exact.revision == folder.revision(weights_address.model_of(spec.path))
    with models.get(exact) as again:
        assert again is model  # the address has its revision now: the model is not loaded twice
    models.evict(exact)
    assert models.loaded == ()
    from_folder = load(ModelSpec("demo", str(DEMO), dtype="float32", device="cpu"))
    assert found.tolist() == from_folder.logprobs(text).tolist()
    note = (weights_address.place_of(spec.path) / weights_address.NOTE).read_text()
    assert hashed in note
    assert "secret" not in note


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tgz", ".tar.gz"])
def test_only_the_models_own_files_come_out(shelf: Callable[..., str], kind: str) -> None:
    files = {f"a/b/{name}": data for name, data in LITTLE.items()}
    files |= {
        "a/b/model.py": b"import os",
        "a/b/pytorch_model.bin": b"pickle",
        "a/b/onnx/config.json": b"[]",
        "x.txt": b"",
    }
    data = zipped(files) if kind == ".zip" else tar(files, mode="w" if kind == ".tar" else "w:gz")
    here = fetched(shelf(f"m{kind}", data))
    assert {file.name: file.read_bytes() for file in here.iterdir()} == LITTLE


def test_a_gguf_file_is_taken_as_it_is_or_out_of_an_archive(shelf: Callable[..., str]) -> None:
    for name, data in (("a.gguf", b"GGUFrest"), ("b.zip", zipped({"x/some.gguf": b"GGUFrest"}))):
        here = fetched(shelf(name, data))
        assert here.name == "model.gguf"
        assert here.read_bytes() == b"GGUFrest"


def _link(packed: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("model.safetensors")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    packed.addfile(entry)


def _hard(packed: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("model.safetensors")
    entry.type, entry.linkname = tarfile.LNKTYPE, "../../etc/passwd"
    packed.addfile(entry)


def _device(packed: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("model.safetensors")
    entry.type, entry.devmajor, entry.devminor = tarfile.CHRTYPE, 1, 5
    packed.addfile(entry)


def _zip_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("config.json", "{}")
        entry = zipfile.ZipInfo("model.safetensors")
        entry.external_attr = 0o120777 << 16
        packed.writestr(entry, "/etc/passwd")
    return out.getvalue()


def _twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("config.json", "{}")
        packed.writestr("config.json", "[]")
    return out.getvalue()


def _claims_much() -> bytes:
    entry = tarfile.TarInfo("notes.md")
    entry.size = 1 << 60
    return entry.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024


def _long_name() -> bytes:
    """A name of 30 MB, which tarfile would read whole."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 30_000_000
    return gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + b"a" * 30_000_000)


def _secret() -> bytes:
    """Says of its one file that it is encrypted."""
    data = bytearray(zipped({"config.json": b"{}"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("m.tar", lambda: tar(LITTLE, mode="w", more=_link), "is a link or no ordinary file"),
        ("m.tar", lambda: tar(LITTLE, mode="w", more=_hard), "is a link or no ordinary file"),
        ("m.tar", lambda: tar(LITTLE, mode="w", more=_device), "is a link or no ordinary file"),
        ("m.zip", _zip_link, "is a link or no ordinary file"),
        ("m.tar.gz", lambda: tar({"../config.json": b"{}"}), "leads out of it"),
        ("m.tar.gz", lambda: tar({"/etc/config.json": b"{}"}), "leads out of it"),
        ("m.zip", lambda: zipped({"a/../../config.json": b"{}"}), "leads out of it"),
        ("m.zip", lambda: zipped({"C:\\config.json": b"{}"}), "leads out of it"),
        ("m.zip", lambda: zipped({"..\\config.json": b"{}"}), "leads out of it"),
        ("m.zip", _twice, "holds 'config.json' twice"),
        ("m.zip", lambda: zipped({"config.json": b"{}", "pytorch_model.bin": b"x"}), "only pickled weights"),
        ("m.zip", lambda: zipped({"config.json": b"{}"}), "holds no weights"),
        ("m.zip", lambda: zipped({"readme.md": b"hello"}), "is not a model: expected a config.json"),
        ("m.zip", lambda: zipped({"a/config.json": b"{}", "b/config.json": b"{}"}), "holds 2 models"),
        ("m.zip", lambda: zipped({"a.gguf": b"GGUF", "b.gguf": b"GGUF"}), "holds 2 models"),
        ("m.zip", lambda: b"no zip at all", "is not a whole .zip file"),
        ("m.zip", lambda: zipped(LITTLE)[:60], "is not a whole .zip file"),
        ("m.zip", _secret, "is not a whole .zip file: .*encrypt"),
        ("m.tar.gz", lambda: tar(LITTLE)[:-30], "is not a whole .tar.gz file"),
        ("m.tar.gz", lambda: b"\x1f\x8b\x08" + b"junk" * 30, "is not a whole .tar.gz file"),
        ("m.tar", lambda: b"no tar at all" * 100, "is not a whole .tar file"),
        ("m.tar", _claims_much, "unpacks to 1,152,921,504,606,846,976 bytes"),
        ("m.tar.gz", _long_name, "has a header of 3"),
        ("m.tar.gz", lambda: tar(LITTLE | {"big.json": b"\0" * 21_000_000}), "unpacks to 2[01],"),
        ("m.zip", lambda: zipped(LITTLE | {"big.json": b"\0" * 21_000_000}), "unpacks to 2[01],"),
        ("m.gguf", lambda: b"\0" * 20_000_001, "has 20,000,001 bytes or more"),
    ],
)  # fmt: skip
def test_what_is_no_clean_model_is_refused_and_leaves_nothing(
    shelf: Callable[..., str], name: str, data: Callable[[], bytes], said: str
) -> None:
    address = shelf(name, data())
    with pytest.raises(AppError, match=said):
        fetched(address)
    models = weights_address.place_of(address).parent
    assert list(models.iterdir()) == []


def test_many_entries_are_refused(shelf: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_directory, "MOST_ENTRIES", 50)
    many = {f"{number}.txt": b"" for number in range(51)}
    for name, data in (("m.zip", zipped(many)), ("m.tar", tar(many, mode="w"))):
        with pytest.raises(AppError, match="entries"):
            fetched(shelf(name, data))


def test_another_file_than_the_one_whose_hash_was_given_is_refused(shelf: Callable[..., str]) -> None:
    with pytest.raises(AppError, match="is not the one that was named: its SHA-256 is"):
        fetched(shelf("m.zip", zipped(LITTLE)) + f"#sha256={'0' * 64}")


def test_a_redirect_into_a_private_network_is_refused(shelf: Callable[..., str]) -> None:
    with pytest.raises(AppError, match="leads on to a place that is refused"):
        fetched(shelf("m.zip", shelf("other.zip", zipped(LITTLE))))


def test_what_is_not_there_is_told_without_the_signature(shelf: Callable[..., str]) -> None:
    shelf("x", b"")
    address = weights_address.checked(shelf("m.zip", b"").replace("m.zip", "none.zip") + "?signature=secret")
    with pytest.raises(AppError, match="answered 404 instead of the file") as told:
        fetched(address)
    assert "secret" not in f"{told.value}{address}"


def test_cancel_ends_it_and_leaves_nothing(shelf: Callable[..., str]) -> None:
    address, stop = shelf("m.zip", zipped(LITTLE)), threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        fetched_weights.fetch(address, Steps(None, stop))
    assert list(weights_address.place_of(address).parent.iterdir()) == []


def test_a_full_disk_is_not_called_a_network_fault(
    shelf: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetched_weights._Room, "took", full)
    with pytest.raises(AppError, match=r"could not be kept in .*: No space left on device"):
        fetched(shelf("m.zip", zipped(LITTLE)))
    monkeypatch.undo()


def test_too_little_room_is_told_before(shelf: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = shutil.disk_usage(ROOT)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nothing)
    with pytest.raises(AppError, match="There is no room for the model"):
        fetched(shelf("m.zip", zipped(LITTLE)))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("https://a.example/model.safetensors", "weights alone"),
        ("http://a.example/model.zip", "may be changed on its way"),
        ("https://a.example/model.zip#sha256=12", "expected nothing, or the file's hash"),
        ("https://me:word@a.example/model.zip", "holds a user name or password"),
        ("gs://bucket/model#sha256=" + "0" * 64, "A hash is of one file"),
        ("s3://bucket/model", "of buckets only gs:// is read"),
        ("file:///etc/model.zip", "of buckets only gs:// is read"),
    ],
)
def test_an_address_that_is_not_taken_is_told_at_the_start(path: str, said: str) -> None:
    with pytest.raises(AppError, match=said):
        configured_specs(settings_of(f"m:{path}"))


def test_a_keras_preset_is_not_fetched_by_address() -> None:
    with pytest.raises(AppError, match="presets of KerasHub are taken by name or from a folder"):
        configured_specs(settings_of("m:gs://bucket/gemma", DL_FRAMEWORK="kerasnlp"))


def test_an_address_names_itself() -> None:
    told = "https://a.example/mine.tar.gz?x=1,gs://bucket/a/gemma,https://b.example:8080"
    assert [name for name, _ in parse_model_config(told)] == ["mine", "gemma", "b.example:8080"]


def test_the_unpacked_names_are_bare() -> None:
    """Whatever passes the check of names, only a bare name of letters and the like is ever written."""
    for name in (
        "a/b.json",
        "..json/x",
        ".hidden.json",
        "a\u202egnosj.json",
        "a\nb.json",
        "x" * 300 + ".json",
    ):
        assert not archive._NAME.fullmatch(name)
