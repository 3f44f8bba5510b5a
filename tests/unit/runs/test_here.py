"""Tasks through the local runner, over a model without weights and a real store: resumed, kept once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import AppError, Stopped
from core.metrics import aggregate, measure, metric
from core.models.language_model import Capabilities
from core.models.manager import ModelManager
from core.records import Example, GenerationParams, Message, digest
from core.runs import (
    TASKS,
    AskTable,
    Desk,
    Generate,
    LocalRunner,
    MeasureEffects,
    Report,
    ScoreAnswers,
    ScoreTargets,
    SummariseSalience,
    measured,
    metric_rows,
    runner,
    to_effects,
)
from core.runs.metrics_task import target_scores
from core.service import Service
from core.settings import Settings
from core.store.work import WorkList
from core.store.workspace import Workspace
from tests.unit.fake_model import SPEC, FakeModel, loader

LONG = 20.0
ROWS = [
    Example("a", "abc", "cba"),
    Example("b", "xyz", "zzz"),
    Example("c", "one\ntwo\n", None),
    Example("d", "later", "retal"),
]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def service(model: FakeModel, tmp_path: Path) -> Iterator[Service]:
    made = Service(Settings(data_dir=tmp_path, _env_file=None), manager=ModelManager(loader(model)))
    yield made
    made.close()


@pytest.fixture
def here(service: Service) -> Workspace:
    return service.store.workspace()


@pytest.fixture
def dataset(here: Workspace) -> str:
    return here.datasets.add("rows", ROWS).id


def after(row: Example) -> Example:
    """`row` as a chat with a system message."""
    return replace(row, fields={"earlier_turns": [{"role": "system", "content": "!?"}]})


def run(service: Service, here: Workspace, task, rows=ROWS) -> Report:  # type: ignore[no-untyped-def]
    return LocalRunner(service).run(task, rows, SPEC, workspace=here, owner="o").get(LONG)


def test_answers_are_kept_and_never_made_twice(service: Service, here: Workspace, model: FakeModel) -> None:
    report = run(service, here, Generate(batch=2))
    assert (report.done, report.known, report.failed, report.left_out) == (4, 0, (), 0)
    kept = service.answers.known("xyz", SPEC)
    assert kept is not None and kept.text == "zyx"
    calls = list(model.calls)
    again = run(service, here, Generate(batch=2))
    assert (again.done, again.known) == (0, 4)
    more = run(service, here, Generate(batch=2), [*ROWS, Example("e", "new")])
    assert (more.done, more.known) == (1, 4)
    assert [c for c in model.calls[len(calls) :] if c != "generate"] == ["batch of 1"]
    assert more.sentence.startswith("1 done, 4 known already, in ")


def test_stopped_work_goes_on_where_it_was(service: Service, here: Workspace, model: FakeModel) -> None:
    rows = [Example(f"r{i}", f"prompt {i}") for i in range(6)]
    job = None

    def step(_: str) -> None:
        if model.calls.count("generate") == 3 and job is not None:
            job.stop()

    gate = service.jobs.submit(lambda context: context.stop.wait(LONG), kind="gate", key="gate", owner="x")
    job = LocalRunner(service).run(Generate(batch=1), rows, SPEC, workspace=here, owner="o")
    model.step = step
    gate.stop()
    with pytest.raises(Stopped):
        job.get(LONG)
    (listed,) = WorkList(here).all("generate")
    assert (listed.state, listed.done, listed.total) == ("stopped", 2, 6)
    model.step = lambda _: None
    report = run(service, here, Generate(batch=1), rows)
    assert (report.done, report.known) == (4, 2)
    assert model.calls.count("generate") == 3 + 4  # the third was stopped and is done again


def test_a_bad_row_costs_only_itself(service: Service, here: Workspace) -> None:
    rows = [*ROWS, Example("long", "x" * 300)]
    report = run(service, here, Generate(batch=8), rows)
    assert report.done == 4
    assert report.failed == (("long", "The prompt is 300 tokens long."),)
    assert WorkList(here).get(report.work_id).state == "failed"


def test_a_row_that_never_comes_back_is_not_called_done(service: Service, here: Workspace) -> None:
    class Lossy(Generate):
        def compute(self, items, model, stop):  # type: ignore[no-untyped-def]
            return super().compute(items, model, stop)[:-1]

    report = run(service, here, Lossy(batch=4))
    assert report.done == 3
    assert [reason for _, reason in report.failed] == ["No result came back. Run it again."]
    assert run(service, here, Lossy(batch=4)).known == 3


def test_no_rows_and_nothing_to_do(service: Service, here: Workspace) -> None:
    with pytest.raises(AppError, match="no examples to run"):
        run(service, here, Generate(), [])
    with pytest.raises(AppError, match="None of the 1 chosen examples"):
        run(service, here, ScoreTargets(), ROWS[2:3])


def test_targets_are_scored(service: Service, here: Workspace) -> None:
    report = run(service, here, ScoreTargets())
    assert (report.done, report.left_out) == (3, 1)
    scores = target_scores(ROWS, Desk(service.store, here, SPEC))
    assert scores == {"a": (-0.75, 3), "b": (-0.75, 3), "d": (-1.25, 5)}


def test_metrics_are_computed_once_and_come_back_whole(
    service: Service, here: Workspace, dataset: str
) -> None:
    run(service, here, Generate(), ROWS[:3])
    run(service, here, ScoreTargets(), ROWS[:1])
    task = ScoreAnswers(dataset, ("exact_match", "bleu", "target_perplexity"))
    desk = Desk(service.store, here, SPEC)
    assert measured(task, metric_rows(ROWS, dataset, desk), desk) is None
    report = run(service, here, task)
    assert (report.done, report.left_out) == (2, 2)
    found = measured(task, metric_rows(ROWS, dataset, desk), desk)
    assert found is not None
    exact = aggregate(found["exact_match"])
    assert (exact.value, exact.rows) == (0.5, 2)
    assert dict(exact.left_out) == {"no target": 1, "missing": 1}
    perplexity = aggregate(found["target_perplexity"])
    assert perplexity.value == pytest.approx(np.exp(0.25))
    assert dict(perplexity.left_out) == {"no target": 1, "no logprob": 2}
    table = here.results.metrics(dataset)
    assert sorted(table[table["name"] == "exact_match"]["value"]) == [0, 1]
    assert table[table["name"] == "bleu"]["detail"].iloc[0].startswith("nrefs:1|")
    assert table[table["name"] == "bleu"]["value"].max() == pytest.approx(100)
    assert run(service, here, task).done == 2  # a finished run is begun anew only when it is asked for
    run(service, here, Generate(), ROWS)
    assert (
        measured(task, metric_rows(ROWS, dataset, desk), desk) is None
    )  # a new answer: other items, another run


def test_rows_that_ended_in_an_error_are_counted_as_such(service: Service, here: Workspace) -> None:
    rows = [ROWS[0], Example("long", "x" * 300, "y"), Example("later", "not run", "y")]
    dataset = here.datasets.add("rows", rows).id
    run(service, here, Generate(), rows[:2])
    known = metric_rows(rows, dataset, Desk(service.store, here, SPEC))
    assert [row.state for row in known] == ["ok", "error", "missing"]
    found = aggregate(measure(known, metric("exact_match")))
    assert dict(found.left_out) == {"error": 1, "missing": 1}


class TestChat:
    """Prompts as turns of a chat: another answer, kept apart from that to plain text in every task."""

    @pytest.fixture
    def model(self) -> FakeModel:
        made = FakeModel()
        made.capabilities = Capabilities(gradients=False, chat=True)
        return made

    def test_both_answers_are_kept(self, service: Service, here: Workspace, dataset: str) -> None:
        short = [after(Example("s", "a"))]
        # The answer is what was sent, its last three characters reversed.
        assert run(service, here, Generate(), short).done == 1
        assert run(service, here, Generate(send_as="chat"), short).done == 1
        assert run(service, here, Generate(send_as="chat"), short).known == 1
        texts = [service.answers.known(short[0].sent(way), SPEC) for way in ("plain", "chat")]
        assert [made and made.text for made in texts] == ["a", "a?!"]
        assert service.answers.known((Message("user", "a"),), SPEC) is None

    def test_metrics_are_of_the_answers_that_were_sent_so(self, service: Service, here: Workspace) -> None:
        rows = [after(Example("s", "a", "a")), after(Example("long", "x" * 199, "y"))]
        dataset = here.datasets.add("rows", rows).id
        desk = Desk(service.store, here, SPEC)
        for way in ("plain", "chat"):
            run(service, here, Generate(send_as=way), rows)
        run(service, here, ScoreTargets(send_as="chat"), rows[:1])
        plain, chat = (metric_rows(rows, dataset, desk, way) for way in ("plain", "chat"))
        assert [(row.response, row.state) for row in plain] == [("a", "ok"), ("xxx", "ok")]
        assert [(row.response, row.state) for row in chat] == [("a?!", "ok"), (None, "error")]
        assert [row.target_logprob_nats for row in (*plain, *chat)] == [None, None, -0.25, None]
        exact = []
        for way in ("plain", "chat"):
            task = ScoreAnswers(dataset, ("exact_match",), send_as=way)
            run(service, here, task, rows)
            found = measured(task, metric_rows(rows, dataset, desk, way), desk)
            assert found is not None
            exact.append(aggregate(found["exact_match"]).value)
        assert exact == [0.5, 0.0]
        kept = here.results.metrics(dataset)
        assert kept[kept["id"] == "s"].groupby("model_key")["value"].first().nunique() == 2

    def test_effects_are_measured_as_the_prompts_are_sent(self, service: Service, here: Workspace) -> None:
        task = MeasureEffects((("a", "abc", "cba"),), send_as="chat")
        report = run(service, here, task, [after(Example("a1", "b", parent_id="a"))])
        assert WorkList(here).results(report.work_id)["a1"]["response"] == "b?!"

    def test_salience_of_a_template_sets_earlier_turns_apart(self, service: Service, here: Workspace) -> None:
        task = SummariseSalience(template="Q: {word}", send_as="chat")
        report = run(service, here, task, [after(Example("a", "Q: hot"))])
        parts = WorkList(here).results(report.work_id)["a"]["parts"]
        # "!?Q: hot" and an answer of 3: token i gets the sum over targets t of (t - i).
        scores = [sum(t - i for t in (8, 9, 10)) for i in range(8)]
        sums = [sum(scores[:2]), sum(scores[2:5]), sum(scores[5:])]
        assert [name for name, _ in parts] == ["earlier turns", "Q:", "{word}"]
        assert [share for _, share in parts] == pytest.approx([value / sum(scores) for value in sums])

    def test_an_unfinished_run_remembers_how_it_sent(self, service: Service, here: Workspace) -> None:
        report = run(service, here, Generate(send_as="chat"), [Example("long", "x" * 300)])
        listed = WorkList(here).get(report.work_id)
        assert listed.payload["send_as"] == "chat"


def test_a_chat_with_a_model_that_has_no_template_is_refused(service: Service, here: Workspace) -> None:
    report = run(service, here, Generate(send_as="chat"), ROWS[:1])
    assert report.done == 0
    assert "fake has no chat template" in report.failed[0][1]


def test_metrics_of_no_rows_is_a_sentence(service: Service, here: Workspace, dataset: str) -> None:
    with pytest.raises(AppError, match="selection is empty"):
        measured(ScoreAnswers(dataset, ("bleu",)), [], Desk(service.store, here, SPEC))


def test_salience_of_parts_adds_to_one(service: Service, here: Workspace) -> None:
    rows = [ROWS[2]]
    report = run(service, here, SummariseSalience("grad_l2", "line"), rows)
    parts = WorkList(here).results(report.work_id)["c"]["parts"]
    # 8 prompt characters, answer of 3: token i gets sum over targets t of (t - i)
    scores = [sum(t - i for t in (8, 9, 10)) for i in range(8)]
    total = sum(scores)
    assert [name for name, _ in parts] == ["one", "two"]
    assert [share for _, share in parts] == pytest.approx([sum(scores[:4]) / total, sum(scores[4:]) / total])
    assert service.answers.known(rows[0].prompt, SPEC) is not None


def test_salience_of_a_template(service: Service, here: Workspace) -> None:
    rows = [Example("a", "Q: hot\nA:"), Example("b", "Q: very cold\nA:"), Example("c", "no")]
    report = run(service, here, SummariseSalience(template="Q: {word}\nA:"), rows)
    results = WorkList(here).results(report.work_id)
    assert {name: [label for label, _ in r["parts"]] for name, r in results.items()} == {
        "a": ["Q:", "{word}", "A:"],
        "b": ["Q:", "{word}", "A:"],
    }
    for result in results.values():
        assert sum(share for _, share in result["parts"]) == pytest.approx(1)
    assert report.failed == (("c", "This prompt does not fit the template."),)


def test_effects_of_counterfactuals(service: Service, here: Workspace) -> None:
    parent = ROWS[0]
    changed = [
        Example("a1", "abd", "cba", parent_id="a", edit="c → d"),
        Example("a2", "ab", "cba", parent_id="a", edit="without c"),
        Example("o", "orphan"),
    ]
    task = MeasureEffects((("a", "abc", "cba"),))
    report = run(service, here, task, changed)
    assert (report.done, report.left_out) == (2, 1)
    effects = to_effects(
        changed, {"a": (parent, "cba")}, WorkList(here).results(report.work_id), metric("exact_match")
    )
    assert [(e.example.id, e.response_after, e.changed, e.metric_change) for e in effects] == [
        ("a1", "dba", True, -1.0),
        ("a2", "ba", True, -1.0),
    ]
    assert effects[0].logprob_before_nats == effects[0].logprob_after_nats == -0.75
    assert service.answers.known("abd", SPEC) is not None


@pytest.mark.parametrize("kind", TASKS, ids=lambda t: t.__name__)
def test_tasks_can_be_sent_and_told_apart(kind: type) -> None:
    of_kind: dict[type, tuple[object, ...]] = {
        ScoreAnswers: ("d", ("bleu",)),
        MeasureEffects: ((("a", "p", "r"),),),
        AskTable: ("t", "{}"),
    }
    arguments = of_kind.get(kind, ())
    one, other = kind(*arguments), kind(*arguments)
    assert one == other and repr(one) == repr(other) and hash(one) == hash(other)
    assert one.kind and one.label and one.batch >= 1
    assert digest(repr(Generate(GenerationParams(seed=1)))) != digest(repr(Generate()))


def test_the_settings_choose_the_runner(service: Service) -> None:
    assert runner(service).name == "local"
