"""The Ray runner on a real local cluster of two actors, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import AppError
from core.models.language_model import Capabilities
from core.models.manager import ModelManager
from core.records import Example, ModelSpec
from core.runs import Generate, LocalRunner, runner
from core.service import Service
from core.settings import ROOT, Settings
from core.store.work import WorkList
from tests.unit.fake_model import SPEC, FakeModel, loader

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.lock")
pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = [Example(f"r{i:02}", f"prompt number {i}") for i in range(40)]


def load_fake(spec: ModelSpec) -> Any:
    """A worker's model; a little work a row, so that both workers have some when one is killed."""
    from tests.unit.fake_model import FakeModel

    model = FakeModel(spec)
    model.step = lambda what: sum(range(200_000)) if what == "batch" else None  # type: ignore[assignment]
    return model


def load_chat(spec: ModelSpec) -> Any:
    """A worker's model that has a chat template."""
    model = load_fake(spec)
    model.capabilities = Capabilities(gradients=False, chat=True)
    return model


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two processors' worth of cluster on this machine."""
    from core.runs import ray_data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init(
            num_cpus=3,
            include_dashboard=False,
            log_to_driver=False,
            object_store_memory=100 * 1024 * 1024,
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        )
        ray_data.connect()
        yield
        ray.shutdown()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(data_dir=tmp_path, backend="ray", _env_file=None)
    made = Service(settings, manager=ModelManager(loader(FakeModel())))
    yield made
    made.close()


@pytest.mark.timeout(280)
def test_a_killed_worker_loses_no_row_and_none_comes_twice(cluster: None, service: Service) -> None:
    from core.runs.ray_data import RayRunner

    killed: list[int] = []
    came: list[tuple[str, int]] = []

    class Watched(RayRunner):
        def stream(self, *arguments: Any) -> Any:
            for part in super().stream(*arguments):
                came.extend(zip(part["id"], part["process"]))
                if not killed:
                    killed.append(int(part["process"][0]))
                    os.kill(killed[0], signal.SIGKILL)
                yield part

    here = service.store.workspace()
    runner = Watched(service, actors=2, load=load_fake)
    report = runner.run(Generate(batch=1), ROWS, SPEC, workspace=here, owner="o").get(240)
    assert (report.done, report.known, report.failed) == (40, 0, ())
    assert killed and len({process for _, process in came}) >= 2
    assert sorted(name for name, _ in came) == [row.id for row in ROWS]
    results = WorkList(here).results(report.work_id)
    assert list(results) == [row.id for row in ROWS]
    for row in ROWS:
        kept = service.answers.known(row.prompt, SPEC)
        assert kept is not None and kept.text == row.prompt[::-1][:3]
    # What Ray has done, the local runner knows.
    again = LocalRunner(service).run(Generate(batch=1), ROWS, SPEC, workspace=here, owner="o").get(20)
    assert (again.done, again.known) == (0, 40)


@pytest.mark.timeout(280)
def test_a_chat_reaches_the_workers_as_a_chat(cluster: None, service: Service) -> None:
    from core.runs.ray_data import RayRunner

    row = Example("s", "a", fields={"earlier_turns": [{"role": "system", "content": "!?"}]})
    runner = RayRunner(service, actors=1, load=load_chat)
    here = service.store.workspace()
    report = runner.run(Generate(send_as="chat"), [row], SPEC, workspace=here, owner="o").get(200)
    assert (report.done, report.failed) == (1, ())
    kept = service.answers.known(row.sent("chat"), SPEC)
    assert kept is not None and kept.text == "a?!"
    assert service.answers.known("a", SPEC) is None


@pytest.mark.timeout(280)
def test_a_bad_row_costs_only_itself(cluster: None, service: Service) -> None:
    from core.runs.ray_data import RayRunner

    rows = [Example("good", "abc"), Example("long", "x" * 300)]
    runner = RayRunner(service, actors=1, load=load_fake)
    report = runner.run(Generate(batch=2), rows, SPEC, workspace=service.store.workspace(), owner="o").get(
        200
    )
    assert report.done == 1
    assert report.failed == (("long", "The prompt is 300 tokens long."),)


def test_the_settings_choose_it(cluster: None, service: Service) -> None:
    assert runner(service).name == "ray"


def test_without_ray_the_person_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(AppError, match="Ray is not installed"):
        runner(service)
