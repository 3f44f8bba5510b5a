"""What other programs have put on this machine is found, described, and opened or told why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.models import load
from core.models.local import address, found_models
from core.records import ModelSpec
from tests.unit.conftest import make_tokenizer
from tests.unit.models.local.gguf_files import write


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("WHENCE_DATA_DIR", str(tmp_path / "data"))
    address.settings.cache_clear()
    yield tmp_path
    address.settings.cache_clear()


def test_an_empty_machine_has_none(home):
    assert found_models.find() == ()


def test_each_programs_folder_is_read(home, model_folder):
    tiny = write(
        home / "tiny.gguf", "llama", make_tokenizer(), keys=lambda w: w.add_chat_template("{{ messages }}")
    )
    blobs, manifests = home / ".ollama/models/blobs", home / ".ollama/models/manifests/registry.ollama.ai"
    blobs.mkdir(parents=True)
    shutil.copy(tiny, blobs / "sha256-abc")
    (manifests / "library/smol").mkdir(parents=True)
    layer = {"mediaType": found_models.OLLAMA_WEIGHTS, "digest": "sha256:abc"}
    (manifests / "library/smol/135m").write_text(json.dumps({"layers": [layer]}))
    (manifests / "library/smol/broken").write_text("no json")
    escape = {"mediaType": found_models.OLLAMA_WEIGHTS, "digest": "../../../tiny.gguf"}
    (manifests / "library/smol/escape").write_text(json.dumps({"layers": [escape]}))
    studio = home / ".lmstudio/models/someone/Tiny-GGUF"
    studio.mkdir(parents=True)
    write(studio / "tiny-rwkv.gguf", "rwkv6", make_tokenizer())
    (home / ".cache/llama.cpp").mkdir(parents=True)
    (home / ".cache/llama.cpp/cut.gguf").write_bytes(tiny.read_bytes()[:500])
    snapshot = home / "hub/models--me--tiny/snapshots/1234"
    shutil.copytree(model_folder("llama"), snapshot)
    (home / "hub/models--me--half/snapshots/1").mkdir(parents=True)
    (home / "hub/models--me--half/snapshots/1/config.json").write_text("{}")

    found = {(one.program, one.name): one for one in found_models.find()}
    assert set(found) == {
        ("Hugging Face", "me/tiny"), ("Hugging Face", "me/half"), ("Ollama", "smol:135m"),
        ("LM Studio", "someone/tiny-rwkv"), ("llama.cpp", "cut"),
    }  # fmt: skip
    ollama = found["Ollama", "smol:135m"]
    assert (ollama.architecture, ollama.quantization, ollama.chat, ollama.why) == ("llama", "F32", True, "")
    assert found["Hugging Face", "me/tiny"].architecture == "llama" and found["Hugging Face", "me/tiny"].chat
    assert "holds no weights" in found["Hugging Face", "me/half"].why
    assert "architecture 'rwkv6'" in found["LM Studio", "someone/tiny-rwkv"].why
    assert "damaged" in found["llama.cpp", "cut"].why
    for name in (("Ollama", "smol:135m"), ("Hugging Face", "me/tiny")):
        assert load(ModelSpec("found", str(found[name].path))).parameters == found[name].parameters
