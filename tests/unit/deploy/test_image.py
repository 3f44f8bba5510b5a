"""What an image is built from: exact bases, locks with hashes, a list of what is in it, and a first answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from dockerfile_parse import DockerfileParser
from fastapi.testclient import TestClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.server.app import create_app
from core.server.config import ServerSettings
from core.settings import ROOT, Settings
from deploy import verify

EXACT = re.compile(r"^[a-z/.-]+:\d+\.\d+(\.\d+)?-(slim-bookworm|alpine3\.\d+)(@sha256:[0-9a-f]{64})?$")
"""A patch version (PostgreSQL's has two parts), the system's release, and a digest where one is given."""
SECRET = re.compile(r"TOKEN|PASSWORD|SECRET|KEY$|DATABASE_URL")


@pytest.fixture
def dockerfile(tmp_path: Path) -> DockerfileParser:
    (tmp_path / "Dockerfile").write_text((ROOT / "Dockerfile").read_text(encoding="utf-8"), encoding="utf-8")
    return DockerfileParser(path=str(tmp_path))


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def lines(file: DockerfileParser, name: str) -> list[str]:
    return [one["value"] for one in file.structure if one["instruction"] == name]


def test_every_base_image_is_an_exact_version(dockerfile: DockerfileParser) -> None:
    pulled = [one["image"] for one in compose().values() if "build" not in one]
    defaults = [re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", image) for image in pulled]
    for image in (*dockerfile.parent_images, *defaults):
        assert EXACT.match(image), image
    for loose in ("python:3.11-slim", "postgres:17-alpine", "python:latest", "python", "python:3.11.15-slim"):
        assert not EXACT.match(loose)


def test_only_locks_with_hashes_are_installed(dockerfile: DockerfileParser) -> None:
    """All that the image's build runs, from script to script."""
    scripts, ran = ["Dockerfile"], "\n".join(lines(dockerfile, "RUN"))
    while found := set(re.findall(r"(?:deploy|tools)/\w+\.sh", ran)) - set(scripts):
        for script in found:
            scripts.append(script)
            ran += "\n" + (ROOT / script).read_text(encoding="utf-8").replace("\\\n", " ")
    assert {"deploy/install.sh", "tools/install.sh", "deploy/sbom.sh", "deploy/verify.sh"} <= set(scripts)
    commands = [line.strip() for line in ran.splitlines() if re.search(r"pip install", line)]
    assert len(commands) >= 3
    for command in commands:
        torch = command.endswith('"$torch"')  # the build for the device, at its exact version
        assert torch or ("--require-hashes" in command and "--no-deps" in command), command
    assert re.search(r"^torch==\d+\.\d+\.\d+$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)


def test_what_it_copies_before_the_sources_is_what_its_steps_read(dockerfile: DockerfileParser) -> None:
    early = " ".join(lines(dockerfile, "COPY")[:-1])
    for needed in (
        "requirements.lock",
        "requirements-postgres.lock",
        "requirements-sbom.lock",
        "pyproject.toml",
    ):
        assert needed in early


def test_no_secret_and_no_root_in_image_or_compose(dockerfile: DockerfileParser) -> None:
    assert lines(dockerfile, "USER") == ["1000"]
    told = {**dockerfile.envs, **dockerfile.args}
    assert not [name for name in told if SECRET.search(name)]
    for service in compose().values():
        assert service.get("user") != "root"
        for name, value in service["environment"].items():
            if SECRET.search(name):
                assert "${" in str(value), name
        for value in service["environment"].values():
            assert not re.search(r"://\w+:(?!\$\{)[^@/]+@", str(value)), "a password in an address"


def test_every_service_of_compose_has_a_health_check(dockerfile: DockerfileParser) -> None:
    assert lines(dockerfile, "HEALTHCHECK")
    for name, service in compose().items():
        assert "build" in service or service["healthcheck"]["test"], name
        assert not service.get("healthcheck", {}).get("disable"), name


def test_a_space_gets_every_file_that_its_image_is_built_from(dockerfile: DockerfileParser) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").replace("\\\n", " ")
    given = next(line for line in text.splitlines() if "cp -r Dockerfile" in line).split()
    needed = {part.split("/")[0] for copied in lines(dockerfile, "COPY")[:-1] for part in copied.split()[:-1]}
    matched = {path.name for pattern in given for path in ROOT.glob(pattern) if "/" not in pattern}
    assert needed <= matched
    assert {"core", "pages", "data", ".streamlit", "streamlit_app.py"} <= matched


def test_the_bundled_model_writes_one_token_and_one_map(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`deploy/verify.py` against this server, without a port between them."""
    chosen = Settings(_env_file=None, data_dir=tmp_path)
    app = create_app(chosen, ServerSettings(_env_file=None))
    with TestClient(app, base_url="http://localhost") as client:

        def ask(address: str, body: dict[str, Any] | None = None) -> tuple[str, Any]:
            answer = client.post(address, json=body)
            assert answer.status_code == 200, answer.text
            return answer.text, answer.headers

        monkeypatch.setattr(verify, "ask", ask)
        assert verify.server("http://localhost").startswith("demo (float32, cpu) wrote '")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0.5, 0.0, 0.0]], ""),
        ([[0.0, 0.0, 0.0]], "is 0 at every token"),
        ([[float("nan"), 1.0, 0.0]], "no numbers"),
        ([[1.0, 2.0]], "for 3 tokens"),
        ([], "for 3 tokens"),
    ],
)
def test_a_map_that_says_nothing_fails_the_build(values: list[list[float]], said: str) -> None:
    fault = verify.map_fault({"tokens": ["a", "b", "c"], "prompt_tokens": 2, "values": values})
    assert said in fault
    assert bool(fault) == bool(said)


def test_the_list_of_what_is_installed_is_valid_and_whole(tmp_path: Path) -> None:
    out = tmp_path / "list" / "sbom.cdx.json"
    subprocess.run(
        ["sh", "deploy/sbom.sh", sys.executable, str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=True,
        capture_output=True,
    )
    text = out.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert (
        JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace('"library"', '"book"')) is not None
    )
    listed = {canonicalize_name(one["name"]): one["version"] for one in json.loads(text)["components"]}
    named = {**here("requirements.lock"), **here("requirements-sbom.lock")}
    assert len(named) > 100
    expected = {
        name: version(name) for name in named
    }  # `make newest` runs this on other versions than the locks
    assert {name: listed.get(name) for name in expected} == expected
    assert "torch" in listed


def here(lock: str) -> dict[str, str]:
    """Name -> version of what a lock installs on this system and Python."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    kept = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in kept}


def test_a_variant_of_the_image_holds_what_it_is_told(tmp_path: Path, dockerfile: DockerfileParser) -> None:
    """`EXTRAS` reaches the script, which installs their locks; an extra that is none is told."""
    assert "EXTRAS" in dockerfile.args or any(line.startswith("EXTRAS") for line in lines(dockerfile, "ARG"))
    assert any('"${EXTRAS}"' in line for line in lines(dockerfile, "RUN"))
    early = " ".join(lines(dockerfile, "COPY")[:-1])
    assert all(f"requirements-{extra}.lock" in early for extra in ("keras", "gcs"))
    built = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["app"]["build"]
    assert built["args"]["EXTRAS"] == "${EXTRAS:-}"
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" >> "$LOG"\n')
    python.chmod(0o755)
    log = tmp_path / "log"
    command = ["sh", "deploy/install.sh", str(python), ""]
    run = {"cwd": ROOT, "env": {**os.environ, "LOG": str(log)}, "capture_output": True, "text": True}
    assert subprocess.run([*command, "keras gcs"], **run).returncode == 0
    for extra in ("keras", "gcs"):
        assert f"-r requirements-{extra}.lock" in log.read_text(encoding="utf-8")
    unknown = subprocess.run([*command, "jax"], **run)
    assert unknown.returncode == 2
    assert "no extra 'jax'" in unknown.stderr
