"""Maps whose rows come as they are asked for, on a tiny model of transformers and a real queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.jobs import Job
from core.models.manager import ModelManager
from core.salience import method, request_for
from core.segments import segments
from core.service import Service
from core.settings import Settings
from core.ui.explaining.maps import rows_so_far

LONG = 60.0
PROMPT = "The soup has cheese in it.\nSo a vegan"
ANSWER = " would not.\nA guest\nwill eat it.\nYes"
Span = tuple[int, int]


class Held:
    """A model that stops before each forward pass and each row until it is let go on."""

    def __init__(self, model, monkeypatch) -> None:
        from core.salience import gradient_rows

        self.order: list[Span] = []
        self.first, self.go = threading.Event(), threading.Event()
        take = gradient_rows.GradientRows._take

        def noted(rows, row, gradient, embeddings):
            take(rows, row, gradient, embeddings)
            self.order.append(rows.request.targets[row])
            self.first.set()
            assert self.go.wait(LONG)

        monkeypatch.setattr(gradient_rows.GradientRows, "_take", noted)


@pytest.fixture
def model(load_tiny):
    return load_tiny("gemma2")


@pytest.fixture
def service(model, tmp_path: Path) -> Iterator[Service]:
    settings = Settings(data_dir=tmp_path, _env_file=None)
    service = Service(settings, manager=ModelManager(lambda spec, **_: model))
    service.manager.evict = lambda spec=None: None  # type: ignore[method-assign]  # the tests share the model
    yield service
    service.close()


@pytest.fixture
def tokens(model):
    return model.tokenize(PROMPT, ANSWER)


@pytest.fixture
def lines(tokens) -> list[Span]:
    return [part.tokens for part in segments(tokens, "line", "response")]


def fill(service: Service, model, tokens, lines, name: str = "grad_l2", **more) -> Job:
    return service.maps.fill(tokens, model.spec, name, rows=lines, owner=more.pop("owner", "ann"), **more)


def test_the_clicked_row_comes_first_then_what_was_clicked_since_then_reading_order(
    service, model, tokens, lines, monkeypatch
):
    held = Held(model, monkeypatch)
    job = fill(service, model, tokens, lines, first=lines[2])
    assert held.first.wait(LONG)
    service.maps.prefer(job, lines[3])
    held.go.set()
    matrix = job.get(LONG)["grad_l2"]
    assert held.order == [lines[2], lines[3], lines[0], lines[1]]
    assert matrix.request.targets == tuple(lines)
    asked = request_for(model, tokens, "grad_l2", targets=tuple(lines))
    plain = method("grad_l2").run(model, asked)
    np.testing.assert_allclose(matrix.values, plain.values, rtol=1e-4, atol=1e-6)


def test_all_that_needs_one_row_works_as_soon_as_it_is_there(service, model, tokens, lines, monkeypatch):
    held = Held(model, monkeypatch)
    heard = threading.Event()
    job = fill(service, model, tokens, lines, first=lines[1])
    job.on_change(lambda job: heard.set() if job.partial is not None else None)
    assert held.first.wait(LONG)
    held.first.clear()
    held.go.set()
    assert heard.wait(LONG)
    for name in ("grad_l2", "grad_dot_input"):
        there = rows_so_far(method(name), job)
        asked = request_for(model, tokens, name, targets=(lines[1],))
        np.testing.assert_allclose(
            there[lines[1]], method(name).run(model, asked).values[0], rtol=1e-4, atol=1e-6
        )
    job.get(LONG)


def test_a_second_method_on_the_same_rows_costs_nothing(service, model, tokens, lines, monkeypatch):
    held = Held(model, monkeypatch)
    first = fill(service, model, tokens, lines)
    assert held.first.wait(LONG)
    other = fill(service, model, tokens, lines, "grad_dot_input", owner="bob")
    assert other.id == first.id
    held.go.set()
    found = other.get(LONG)["grad_dot_input"]
    assert len(held.order) == len(lines)
    options = ()
    for name in ("grad_l2", "grad_dot_input"):
        known = service.maps.known_for(tokens, model.spec, name, options, lines)
        assert known is not None
        assert known.request.method == name
    plain = method("grad_dot_input").run(
        model, request_for(model, tokens, "grad_dot_input", targets=tuple(lines))
    )
    np.testing.assert_allclose(found.values, plain.values, rtol=1e-4, atol=1e-6)
    again = fill(service, model, tokens, lines, "grad_dot_input", owner="cem").get(LONG)
    assert again["grad_dot_input"] is service.maps.known(found.request)
    assert len(held.order) == len(lines)


def test_stop_ends_a_map_within_one_row_and_what_is_there_is_kept_in_the_job(
    service, model, tokens, lines, monkeypatch
):
    held = Held(model, monkeypatch)
    job = fill(service, model, tokens, lines, first=lines[0])
    assert held.first.wait(LONG)
    job.stop()
    held.go.set()
    assert job.wait(LONG)
    assert (job.state, job.unseen, held.order) == ("stopped", False, [lines[0]])
    assert service.depth == 0


def test_an_answer_and_a_load_pass_a_map_between_two_rows(service, model, tokens, lines, monkeypatch):
    held = Held(model, monkeypatch)
    job = fill(service, model, tokens, lines, first=lines[0])
    assert held.first.wait(LONG)
    seen: list[int] = []
    load = service.with_model(
        lambda model, context: seen.append(len(held.order)), model.spec, kind="load", asks=(), owner="bob"
    )
    held.go.set()
    load.get(LONG)
    job.get(LONG)
    assert seen == [1]


def test_a_map_survives_that_its_model_went_between_two_rows(service, model, tokens, lines, monkeypatch):
    held = Held(model, monkeypatch)
    job = fill(service, model, tokens, lines)
    assert held.first.wait(LONG)

    def evict(context: object) -> None:
        service.manager._models.clear()

    out = service.submit(evict, model.spec, kind="evict", key="evict", owner="bob")
    held.go.set()
    out.get(LONG)
    assert job.get(LONG)["grad_l2"].values.shape[0] == len(lines)


def test_what_was_known_by_the_token_serves_every_granularity(service, model, tokens, lines):
    finest = service.maps.fill(tokens, model.spec, "grad_l2", owner="ann").get(LONG)["grad_l2"]
    found = service.maps.known_for(tokens, model.spec, "grad_l2", (), lines)
    assert found is finest
