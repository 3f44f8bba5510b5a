"""Deployment files, read as Docker, Compose and Spaces would read them. No engine is needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import ROOT, Settings

COMPOSE = ("compose.yaml", "deploy/compose.gpu.yaml")


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(word.upper(), rest) for word, rest in (line.split(maxsplit=1) for line in lines)]


def values(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def test_hadolint_finds_nothing() -> None:
    found = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not installed: it comes with requirements-dev.txt on Linux (x86-64)")
    done = subprocess.run([found, "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_user_1000_and_checks_its_health() -> None:
    assert values("USER") == ["1000"]
    assert any("--uid 1000" in run for run in values("RUN"))
    (check,) = values("HEALTHCHECK")
    assert "deploy/health.py" in check
    order = [word for word, _ in instructions()]
    assert order.index("USER") > max(i for i, word in enumerate(order) if word == "RUN")


def test_all_that_is_copied_or_run_exists() -> None:
    for source in values("COPY"):
        for part in source.split()[:-1]:
            assert (ROOT / part).exists(), part
    text = " ".join(values("RUN") + values("CMD") + values("HEALTHCHECK"))
    for path in re.findall(r"(?:deploy|tools)/[a-z_.]+\.(?:sh|py)", text):
        assert (ROOT / path).is_file(), path


def test_no_model_but_the_demo_and_no_secret_is_baked_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".env", ".venv"} <= set(ignored)
    assert ignored.index("data/models/*") < ignored.index("!data/models/demo")
    assert not any("TOKEN" in text or "PASSWORD" in text for text in values("ENV") + values("ARG"))


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_files_are_what_compose_reads(name: str) -> None:
    """Service by service: known keys, things referred to that exist."""
    known = {
        "build", "image", "restart", "environment", "ports", "volumes", "depends_on", "healthcheck",
        "stop_grace_period", "deploy",
    }  # fmt: skip
    whole = compose(name)
    assert set(whole) <= {"services", "volumes"}
    for service in whole["services"].values():
        assert set(service) <= known
        for needed in service.get("depends_on", {}):
            assert needed in whole["services"]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(("${", ".", "/")) or source in whole["volumes"], volume


def test_compose_asks_for_its_secrets_and_listens_on_the_loopback_address_only() -> None:
    services = compose()["services"]
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for secret in ("POSTGRES_PASSWORD", "WHENCE_SERVER_TOKEN"):
        assert len(re.findall(rf"\$\{{{secret}:\?", text)) == len(re.findall(rf"\$\{{{secret}\b", text)) > 0
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_variable_of_compose_is_a_setting_and_has_a_line_in_the_sample() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    sample = (ROOT / "deploy" / "compose.env").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    offered = set(re.findall(r"^([A-Z_]+)=", sample, re.MULTILINE))
    assert asked <= offered
    assert offered <= set(re.findall(r"\$\{([A-Z_]+)", text))


def test_the_apps_settings_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment that Compose gives the app, with its defaults filled in, makes valid settings."""
    for name, value in compose()["services"]["app"]["environment"].items():
        filled = re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)\}", lambda found: found[1] or "", str(value))
        monkeypatch.setenv(name, filled)
    chosen = Settings(_env_file=None)
    assert chosen.mode == "hosted"
    assert chosen.database_url.startswith("postgresql+psycopg://whence:")
    from core.models.configured import configured_specs

    demo, server = configured_specs(chosen)
    assert (demo.name, demo.backend) == ("demo", "hugging_face")
    assert (server.name, server.backend, server.path) == ("server", "lit_server", "http://server:8080")


def test_spaces_front_matter() -> None:
    _, front, _ = (ROOT / "deploy" / "spaces" / "README.md").read_text(encoding="utf-8").split("---", 2)
    told = yaml.safe_load(front)
    assert told["sdk"] == "docker"
    assert str(told["app_port"]) in values("EXPOSE")
    assert len(told["short_description"]) <= 60
    colors = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {told["colorFrom"], told["colorTo"]} <= colors


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "streamlit run streamlit_app.py --server.address 0.0.0.0 --server.port 8080"),
        ({"PORT": "7860", "SPACE_ID": "a/b"}, "--server.port 7860 xsrf=false"),
        ({"WHENCE_ROLE": "server", "PORT": "9"}, "core.server --host 0.0.0.0 --port 9"),
    ],
)
def test_the_start_script_starts_what_the_role_says(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" "xsrf=$STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["sh", "deploy/run.sh"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected in done.stdout


def test_an_unknown_role_is_told() -> None:
    environment = os.environ | {"WHENCE_ROLE": "cook"}
    done = subprocess.run(["sh", "deploy/run.sh"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "'cook'" in done.stderr
