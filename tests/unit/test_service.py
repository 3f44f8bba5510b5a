"""The service over a model without weights and a real store: what runs, what is kept, what runs only once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import AppError
from core.models.manager import ModelManager
from core.records import GenerationParams, Message, ModelSpec, SalienceRequest, Tokens
from core.service import Recent, Service, batches
from core.settings import ROOT, Settings
from core.store.store import Store
from tests.unit.fake_model import SPEC, FakeModel, loader, tokens_of

LONG = 20.0


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, batch_size=2, _env_file=None)


@pytest.fixture
def service(model: FakeModel, settings: Settings) -> Iterator[Service]:
    service = Service(settings, manager=ModelManager(loader(model)))
    yield service
    service.close()


def test_an_answer_streams_and_is_kept(service: Service, model: FakeModel) -> None:
    seen: list[str] = []
    job = service.answers.generate("abc", SPEC, owner="a", example_id="e1")
    model.step = lambda text: seen.append(job.partial)
    made = job.get(LONG)
    assert (made.text, made.example_id, made.stop_reason) == ("cba", "e1", "eos")
    assert service.answers.known("abc", SPEC) is not None
    again = service.answers.generate("abc", SPEC, owner="b", example_id="e2").get(LONG)
    assert (again.text, again.example_id) == ("cba", "e2")
    assert model.calls == ["load", "generate"]
    assert service.answers.known("abc", SPEC, GenerationParams(max_new_tokens=2)) is None
    assert service.answers.known("abd", SPEC) is None


def test_a_restart_loses_nothing(service: Service, model: FakeModel, settings: Settings) -> None:
    tokens = service.answers.generate("abc", SPEC, owner="a").get(LONG).tokens
    matrix = service.maps.fill(tokens, SPEC, "grad_dot_input", owner="a").get(LONG)["grad_dot_input"]
    service.close()
    fresh = Service(settings, manager=ModelManager(loader(model)))
    before = list(model.calls)
    again = fresh.answers.known("abc", SPEC, example_id="e")
    assert again is not None
    assert (again.text, again.example_id) == ("cba", "e")
    request = fresh.maps.request(tokens, SPEC, "grad_dot_input")
    kept = fresh.maps.known(request)
    assert kept is not None
    assert np.array_equal(kept.values, matrix.values)
    assert model.calls == before
    fresh.close()


def test_stop_keeps_what_was_written_on_the_page_but_not_in_the_store(
    service: Service, model: FakeModel
) -> None:
    started, go = threading.Event(), threading.Event()

    def step(text: str) -> None:
        started.set()
        assert go.wait(LONG)

    model.step = step
    job = service.answers.generate("abc", SPEC, owner="a")
    assert started.wait(LONG)
    job.stop()
    go.set()
    assert job.wait(LONG)
    assert job.state == "stopped"
    assert job.result is not None
    assert (job.result.text, job.result.stop_reason) == ("c", "stopped")
    assert service.answers.known("abc", SPEC) is None


def test_a_typed_answer_is_scored_and_nothing_is_written(service: Service, model: FakeModel) -> None:
    made = service.answers.generate("abc", SPEC, owner="a", response="xy").get(LONG)
    assert (made.text, made.tokens.prompt_len, made.logprob_nats.tolist()) == ("xy", 3, [-0.25, -0.25])
    assert model.calls == ["load", "logprobs"]
    kept = service.answers.known("abc", SPEC, response="xy")
    assert kept is not None
    assert kept.text == "xy"
    assert service.answers.known("abc", SPEC) is None


def test_a_model_without_logprobs_scores_nan(service: Service, model: FakeModel) -> None:
    model.capabilities = replace(model.capabilities, logprobs=False)
    made = service.answers.score("abc", "xy", SPEC, owner="a").get(LONG)
    assert np.isnan(made.logprob_nats).all()


def test_a_chat_is_a_prompt_too(service: Service) -> None:
    turns = [Message("user", "hello")]
    assert service.answers.generate(turns, SPEC, owner="a").get(LONG).text == "oll"
    assert service.answers.known(turns, SPEC) is not None


def test_salience_goes_from_coarse_to_fine(service: Service, model: FakeModel) -> None:
    tokens = tokens_of("abc", "xyz")
    held = service.manager

    job = service.maps.fill(tokens, SPEC, "grad_dot_input", owner="a", first=(3, 5))
    assert held is service.manager
    matrix = job.get(LONG)["grad_dot_input"]
    assert matrix.values.tolist() == [[3, 2, 1, 0, 0, 0], [4, 3, 2, 1, 0, 0], [5, 4, 3, 2, 1, 0]]
    partial = job.partial.of("grad_dot_input")
    assert list(partial) == [(3, 5), (3, 4), (4, 5), (5, 6)]
    assert partial[3, 5].tolist() == [7, 5, 3, 1, 0, 0]
    assert np.array_equal([partial[i, i + 1] for i in (3, 4, 5)], matrix.values)
    assert model.calls == ["load", "salience of 1", "salience of 3"]
    service.maps.fill(tokens, SPEC, "grad_dot_input", owner="b", first=(5, 6)).get(LONG)
    assert len(model.calls) == 3


def test_rows_arrive_one_after_the_other(service: Service, model: FakeModel) -> None:
    reached, go = threading.Event(), threading.Event()

    def step(what: str) -> None:
        if what == "row 1":
            reached.set()
            assert go.wait(LONG)

    model.step = step
    job = service.maps.fill(tokens_of("abc", "xyz"), SPEC, "grad_dot_input", owner="a")
    assert reached.wait(LONG)
    assert list(job.partial.of("grad_dot_input")) == [(3, 4), (4, 5)]
    assert job.progress == pytest.approx(2 / 3)
    go.set()
    job.get(LONG)


def test_a_span_costs_one_backward_once(service: Service, model: FakeModel) -> None:
    tokens = tokens_of("abc", "xyz")
    scores = service.maps.span(tokens, SPEC, "grad_dot_input", (4, 6), owner="a").get(LONG)
    assert scores.tolist() == [9, 7, 5, 3, 1, 0]
    service.maps.span(tokens, SPEC, "grad_dot_input", (4, 6), owner="b").get(LONG)
    assert model.calls == ["load", "salience of 1"]


def test_a_later_click_passes_between_two_rows(service: Service, model: FakeModel) -> None:
    reached, go = threading.Event(), threading.Event()

    def step(what: str) -> None:
        if what == "row 0":
            reached.set()
            assert go.wait(LONG)

    model.step = step
    tokens = tokens_of("abc", "xyz")
    matrix = service.maps.fill(tokens, SPEC, "grad_dot_input", owner="a")
    assert reached.wait(LONG)
    click = service.maps.span(tokens, SPEC, "grad_dot_input", (4, 6), owner="a")
    order: list[str] = []
    click.on_change(lambda job: order.append("click") if job.finished else None)
    matrix.on_change(lambda job: order.append("matrix") if job.finished else None)
    go.set()
    assert click.get(LONG).tolist() == [9, 7, 5, 3, 1, 0]
    assert matrix.get(LONG)["grad_dot_input"].values.shape == (3, 6)
    assert order[0] == "click"


def test_nothing_to_explain_is_said(service: Service) -> None:
    with pytest.raises(AppError, match="nothing to explain"):
        service.maps.fill(tokens_of("abc"), SPEC, "grad_dot_input", owner="a").get(LONG)


def test_texts_of_all_who_wait_share_a_pass(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:

    from core.service import batched

    groups: list[list[str]] = []
    compute = batched._both

    def noted(model: FakeModel, texts: list[batched.Text], context: object) -> object:
        groups.append([text.tokens.text for text in texts])
        return compute(model, texts, context)  # type: ignore[arg-type]

    monkeypatch.setattr(batched, "_both", noted)
    reached, go = threading.Event(), threading.Event()

    def hold(model: object, context: object) -> None:
        reached.set()
        assert go.wait(LONG)

    service.with_model(hold, SPEC, kind="hold", asks=(), owner="x")  # type: ignore[arg-type]
    assert reached.wait(LONG)
    asked = [("abc", "xy"), ("abcdef", "g"), ("dab", "no")]
    jobs = [
        service.batches.both_scores([(tokens_of(*text), np.array([4]))], SPEC, owner=str(i))
        for i, text in enumerate(asked[:1] + asked[2:])
    ]
    longer = [(tokens_of(*asked[1]), np.array([6])), (tokens_of(*asked[0]), np.array([4]))]
    jobs.append(service.batches.both_scores(longer, SPEC, owner="z"))
    go.set()
    first, second, (third, again) = (job.get(LONG) for job in jobs)
    assert groups == [["abcxy", "dabno"], ["abcdefg"]]
    assert first[0][1].tolist() == again[1].tolist() == second[0][1].tolist() == [4, 3, 2, 1, 0]
    assert third[1].tolist() == [6, 5, 4, 3, 2, 1, 0]
    assert not service.batches._waiting


def test_a_text_that_fails_does_not_spoil_its_company(service: Service, model: FakeModel) -> None:
    good, bad = tokens_of("abc", "xy"), tokens_of("abc", "!!")
    compute = model.salience

    def refuse(request: SalienceRequest, *given: object, **named: object) -> object:
        if ord("!") in request.ids:
            raise AppError("These scores are not numbers.", code="not_finite")
        return compute(request, *given, **named)  # type: ignore[arg-type]

    model.salience = refuse  # type: ignore[method-assign, assignment]
    reached, go = threading.Event(), threading.Event()

    def hold(model: object, context: object) -> None:
        reached.set()
        assert go.wait(LONG)

    service.with_model(hold, SPEC, kind="hold", asks=(), owner="x")  # type: ignore[arg-type]
    assert reached.wait(LONG)
    jobs = [
        service.batches.both_scores([(tokens, np.array([4]))], SPEC, owner=str(i))
        for i, tokens in enumerate((good, bad))
    ]
    go.set()
    assert jobs[0].get(LONG)[0][1].tolist() == [4, 3, 2, 1, 0]
    with pytest.raises(AppError, match="not numbers"):
        jobs[1].get(LONG)


@pytest.mark.parametrize(
    ("lengths", "padding", "expected"),
    [
        ([5, 9, 5, 9, 5], False, [[1, 3], [0, 2], [4]]),
        ([100, 80, 74, 60], True, [[0, 1], [2, 3]]),
        ([100, 10], True, [[0], [1]]),
        ([], True, []),
    ],
)
def test_batches_hold_like_lengths(lengths: list[int], padding: bool, expected: list[list[int]]) -> None:
    assert batches(lengths, 2, padding=padding) == expected


def test_leaving_one_out_shows_how_far_it_is(
    service: Service, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = tokens_of("abcd", "xyz")
    seen: list[float | None] = []
    known = model.logprobs
    started = threading.Event()

    def logprobs(tokens: Tokens) -> NDArray[np.float32]:
        assert started.wait(LONG)
        seen.append(job.progress)
        return known(tokens)

    monkeypatch.setattr(model, "logprobs", logprobs)
    columns = (("columns", "0:1,1:2,2:3,3:4"),)
    job = service.maps.fill(tokens, SPEC, "leave_one_out", owner="a", options=columns)
    started.set()
    job.get(LONG)
    # The whole prompt first; then each of the four is gone before the next is tried. Rows do not set it back.
    assert seen[2:] == [0.25, 0.5, 0.75] and not any(seen[:2])
    assert job.progress == 1.0


def test_stopped_salience_is_not_kept(service: Service, model: FakeModel) -> None:
    reached, go = threading.Event(), threading.Event()

    def step(what: str) -> None:
        reached.set()
        assert go.wait(LONG)

    model.step = step
    tokens = tokens_of("abc", "xyz")
    job = service.maps.fill(tokens, SPEC, "grad_dot_input", owner="a")
    assert reached.wait(LONG)
    job.stop()
    go.set()
    assert job.wait(LONG)
    assert job.state == "stopped"
    assert service.maps.known(service.maps.request(tokens, SPEC, "grad_dot_input")) is None


def test_exactly_the_rows_asked_for(service: Service) -> None:
    tokens = tokens_of("abc", "xyz")
    ids = tuple(int(i) for i in tokens.ids)
    request = SalienceRequest(service.resolve(SPEC), ids, 3, "grad_dot_input", ((3, 6),))
    matrix = service.maps.explain(request, tokens, owner="a").get(LONG)["grad_dot_input"]
    assert matrix.values.tolist() == [[12, 9, 6, 3, 1, 0]]


def test_many_answers_go_in_batches_and_only_new_ones_are_written(service: Service, model: FakeModel) -> None:
    service.answers.generate("bb", SPEC, owner="x").get(LONG)
    asked = [("1", "dddd"), ("2", "bb"), ("3", "c"), ("4", "eee")]
    job = service.answers.answer_prompts(asked, SPEC, owner="a")
    made = job.get(LONG)
    assert {name: one.text for name, one in made.items()} == {"1": "ddd", "2": "bb", "3": "c", "4": "eee"}
    assert list(made) == ["1", "2", "3", "4"]
    assert [one.example_id for one in made.values()] == ["1", "2", "3", "4"]
    assert [call for call in model.calls if "batch" in call] == ["batch of 2", "batch of 1"]
    assert service.answers.answer_prompts(asked, SPEC, owner="b").get(LONG).keys() == made.keys()
    assert len([call for call in model.calls if "batch" in call]) == 2


def test_a_click_passes_between_two_batches(service: Service, model: FakeModel) -> None:
    order: list[str] = []
    reached, go = threading.Event(), threading.Event()

    def step(what: str) -> None:
        order.append(what)
        if what == "batch":
            reached.set()
            assert go.wait(LONG)

    model.step = step
    many = service.answers.answer_prompts([("1", "a"), ("2", "bb"), ("3", "ccc")], SPEC, owner="a")
    assert reached.wait(LONG)
    click = service.maps.span(tokens_of("q", "r"), SPEC, "grad_dot_input", (1, 2), owner="b")
    go.set()
    many.get(LONG)
    click.get(LONG)
    assert order.index("row 0") < len(order) - 1 - order[::-1].index("batch")


def test_the_operators_limit_is_told_with_figures(model: FakeModel, tmp_path: Path) -> None:
    short = Settings(data_dir=tmp_path, sequence_length=4, _env_file=None)
    service = Service(short, manager=ModelManager(loader(model)))
    with pytest.raises(AppError, match="5 tokens long, but this installation takes at most 4") as caught:
        service.answers.generate("abcde", SPEC, owner="a").get(LONG)
    assert caught.value.code == "too_long"
    service.close()


def test_a_full_disk_does_not_hide_the_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Store, "save_generation", full)
    assert service.answers.generate("abc", SPEC, owner="a").get(LONG).text == "cba"
    assert "No space left" in caplog.text


def test_anything_else_can_run_with_the_model(service: Service) -> None:
    job = service.with_model(lambda model, context: model.parameters, SPEC, kind="count", asks=(), owner="a")
    assert job.get(LONG) == 1_000


def test_one_question_to_two_precisions_at_once_is_two_pieces_of_work(settings: Settings) -> None:
    def load(spec: ModelSpec, **_: object) -> FakeModel:
        return FakeModel(spec)

    service = Service(settings, manager=ModelManager(load))
    go = threading.Event()

    def measured(model: FakeModel, context: object) -> str:
        assert go.wait(LONG)
        return model.spec.precision

    specs = [SPEC, replace(SPEC, quantization="nf4"), replace(SPEC, name="the same, by another name")]
    jobs = [
        service.with_model(measured, spec, kind="what if", asks=("without line 9",), owner=str(place))  # type: ignore[arg-type]
        for place, spec in enumerate(specs)
    ]
    other = service.with_model(measured, SPEC, kind="what if", asks=("without line 8",), owner="x")  # type: ignore[arg-type]
    go.set()
    assert [job.get(LONG) for job in jobs] == ["float32", "nf4", "float32"]
    assert jobs[2].id == jobs[0].id != other.id
    service.close()


def test_info_tells_only_of_a_loaded_model(service: Service) -> None:
    assert service.info(SPEC) is None
    service.answers.generate("abc", SPEC, owner="a").get(LONG)
    info = service.info(SPEC)
    assert info is not None
    assert (info["parameters"], info["context"], info["precision"]) == (1_000, 200, "float32")


def test_a_folder_of_the_project_has_the_same_key_wherever_the_project_stands(
    service: Service, tmp_path: Path
) -> None:
    inside = service.resolve(replace(SPEC, path=str(ROOT / "core" / "server")))
    assert inside.path == "core/server"
    (tmp_path / "config.json").write_text("{}")
    outside = service.resolve(replace(SPEC, path=str(tmp_path)))
    assert outside.path == str(tmp_path)
    assert outside.revision
    (tmp_path / "config.json").write_text('{"changed": 1}')
    assert service.resolve(replace(SPEC, path=str(tmp_path))).revision != outside.revision


def test_memory_holds_the_newest_up_to_its_bytes() -> None:
    recent: Recent[str] = Recent(max_bytes=10)
    recent.put("a", "A", 4)
    recent.put("b", "B", 4)
    assert recent.get("a") == "A"
    recent.put("c", "C", 4)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == ("A", None, "C")
    recent.put("a", "A2", 6)
    assert (recent.get("a"), recent.get("c")) == ("A2", "C")
    recent.put("huge", "H", 100)
    assert (recent.get("huge"), recent.get("a")) == ("H", None)


def test_looking_things_up_never_imports_torch(tmp_path: Path) -> None:
    code = f"""
import sys, pathlib, numpy
from core.service import Service
from core.settings import Settings
from tests.unit.fake_model import tokens_of
service = Service(Settings(data_dir=pathlib.Path({str(tmp_path)!r})))
spec = service.spec()
assert service.answers.known("nobody asked this", spec) is None
request = service.maps.request(tokens_of("ab", "c"), spec, "grad_l2")
assert service.maps.known(request) is None
assert service.info(spec) is None
service.close()
heavy = {{"torch", "transformers", "streamlit", "plotly"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_hosted_installation_asks_only_the_operators_models(tmp_path: Path, model: FakeModel) -> None:
    """A stranger's address would get the operator's tokens, and a stranger's name the operator's HF_TOKEN."""
    chosen = Settings(mode="hosted", data_dir=tmp_path, _env_file=None, MODEL_CONFIG="mine:fake/model")
    service = Service(chosen, manager=ModelManager(loader(model)))
    theirs = (
        replace(SPEC, path="someone/private"),
        replace(SPEC, backend="openai_compatible", path="https://api.openai.com/v1"),
    )
    for spec in theirs:
        with pytest.raises(AppError, match="not one of the models of this site") as told:
            service.answers.generate("abc", spec, owner="a").get(LONG)
        assert told.value.code == "forbidden"
    assert model.calls == []
    assert service.answers.generate("abc", service.spec(), owner="a").get(LONG).text == "cba"
    service.close()


def test_a_click_passes_between_two_tokens_of_long_work(service: Service, model: FakeModel) -> None:
    order: list[str] = []
    reached, go = threading.Event(), threading.Event()

    def step(what: str) -> None:
        order.append(what)
        if what == "a":
            reached.set()
            assert go.wait(LONG)

    model.step = step
    many = service.answers.answer_prompts([("1", "cba"), ("2", "zyx")], SPEC, owner="ann")
    assert reached.wait(LONG)
    click = service.maps.span(tokens_of("q", "r"), SPEC, "grad_dot_input", (1, 2), owner="bob")
    go.set()
    click.get(LONG)
    many.get(LONG)
    assert order == ["batch", "a", "row 0", "ab", "abc", "x", "xy", "xyz"]


def test_two_runs_over_many_prompts_take_turns(service: Service, model: FakeModel) -> None:
    order: list[str] = []
    reached, go = threading.Event(), threading.Event()

    def hold(model: object, context: object) -> None:
        reached.set()
        assert go.wait(LONG)

    service.with_model(hold, SPEC, kind="hold", asks=(), owner="x")  # type: ignore[arg-type]
    assert reached.wait(LONG)
    model.step = lambda what: order.append(what) if len(what) == 3 else None
    runs = [
        service.answers.answer_prompts(
            [(f"{name}{n}", name * (3 + n)) for n in range(6)], SPEC, owner=f"person-{name}"
        )
        for name in "ab"
    ]
    go.set()
    for run in runs:
        run.get(LONG)
    assert order == ["aaa", "aaa", "bbb", "bbb"] * 3


def test_an_earlier_answer_is_a_draft_where_the_model_takes_one(service: Service, model: FakeModel) -> None:
    given: list[object] = []
    plain = model.generate

    def generate(
        tokens: Tokens, params: GenerationParams, *, draft: object = None, **named: object
    ) -> object:
        given.append(draft)
        return plain(tokens, params, **named)  # type: ignore[arg-type]

    model.generate = generate  # type: ignore[assignment, method-assign]
    before = service.answers.generate("abc", SPEC, owner="a").get(LONG)
    service.answers.generate("abcd", SPEC, owner="a", draft=before).get(LONG)
    model.capabilities = replace(model.capabilities, drafts=True)
    service.answers.generate("abcde", SPEC, owner="a", draft=before).get(LONG)
    drawn = GenerationParams(temperature=1.0)
    service.answers.generate("abcde", SPEC, drawn, owner="a", draft=before).get(LONG)
    assert given == [None, None, [ord(char) for char in "cba"], None]
