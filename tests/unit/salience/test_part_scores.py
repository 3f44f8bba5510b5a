"""Take-out test, Shapley values, coarse to fine, and contrasts: against scikit-learn, enumeration and rules."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

from core.cause import CauseRequest
from core.errors import AppError, Stopped
from core.models.language_model import Capabilities
from core.part_scores import WAYS, PartScores, contrast_sentence
from core.records import ModelSpec, Tokens
from core.salience.contrast import contrast, instead_of
from core.salience.hierarchical import hierarchical
from core.salience.part_ways import score_parts
from core.salience.shapley import shapley
from core.salience.take_out_test import draw, lasso, spearman, take_out_test
from core.salience.taking_out import TakingOut, neutral, stand_ins, without

SPEC = ModelSpec("rule", "nowhere")


class Rule:
    """log p of each answer token is `nats(letters of the prompt, the token)`."""

    spec = SPEC
    capabilities = Capabilities(gradients=False, salience=False)

    def __init__(self, nats: Callable[[str, int], float]) -> None:
        self.nats, self.asked = nats, []

    def logprobs(self, tokens: Tokens) -> np.ndarray:
        prompt = tokens.text[: tokens.prompt_chars]
        self.asked.append(prompt)
        return np.array([self.nats(prompt, int(i)) for i in tokens.ids[tokens.prompt_len :]], np.float32)

    def tokenize(self, prompt: str, response: str | None = None) -> Tokens:
        return letters(prompt, response or "")


def letters(prompt: str, answer: str = "!") -> Tokens:
    text, size = prompt + answer, len(prompt) + len(answer)
    return Tokens(
        np.array([ord(c) for c in text]), text, np.array([(i, i + 1) for i in range(size)]).reshape(-1, 2),
        np.zeros(size, bool), np.arange(size) >= len(prompt), len(prompt),
    )  # fmt: skip


def question(tokens: Tokens, locked: tuple[int, ...] = ()) -> CauseRequest:
    end = tokens.prompt_len
    parts = tuple((i, i + 1) for i in range(end))
    return CauseRequest(SPEC, tuple(tokens.ids.tolist()), end, ((end, len(tokens)),), parts, locked)


def test_lasso_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for parts in (3, 12, 40):
        masks = draw(parts, 32, seed=parts)
        masks[:, 0] = True  # a column that never changes
        outcomes = masks @ rng.normal(size=parts) + 0.1 * rng.normal(size=32)
        scaler = StandardScaler().fit(masks.astype(float))
        theirs = Lasso(alpha=0.01, tol=1e-16, max_iter=1_000_000).fit(
            scaler.transform(masks.astype(float)), outcomes
        )
        expected = theirs.coef_ / np.where(scaler.scale_ == 0, 1, scaler.scale_)
        np.testing.assert_allclose(lasso(masks, outcomes), expected, atol=1e-6)


def test_rank_correlation_by_hand() -> None:
    assert spearman(np.array([1.0, 2, 3]), np.array([10.0, 20, 30])) == pytest.approx(1)
    assert spearman(np.array([1.0, 2, 3]), np.array([3.0, 1, 2])) == pytest.approx(-0.5)
    assert spearman(np.array([1.0, 1, 2]), np.array([0.0, 0, 5])) == pytest.approx(1)
    assert spearman(np.ones(3), np.arange(3.0)) == 0


def test_what_adds_up_is_found_and_said() -> None:
    tokens = letters("abcdefgh?")
    found = take_out_test(Rule(lambda p, _: 2.0 * ("c" in p) - ("f" in p)), question(tokens, (8,)), tokens)
    assert found.order[0] == 2 and found.order[-1] == 5 and np.isnan(found.score_nats[8])
    np.testing.assert_allclose(found.score_nats[[2, 5]], [2, -1], atol=0.1)
    assert found.lds is not None and found.lds > 0.9 and "rank correlation" in found.sentence


def test_what_does_not_add_up_says_so() -> None:
    tokens = letters("abcdef?")
    odd = Rule(lambda p, _: float(len(set(p) & set("abcdef")) % 2))  # the parity of what is left
    found = take_out_test(odd, question(tokens, (6,)), tokens, masks=64)
    assert found.lds is not None and found.lds < 0.5 and "do not add up" in found.sentence


def test_masks_share_beginnings_and_tell_what_whole_passes_tell(load_tiny) -> None:
    model = load_tiny("gemma2")
    tokens = model.tokenize("The soup has cheese.\nA vegan\nwould not\nlike it.\nWould they", " like")
    parts = ((1, 8), (8, 14), (14, 20), (20, tokens.prompt_len - 4))
    asked = CauseRequest(
        model.spec, tuple(tokens.ids.tolist()), tokens.prompt_len, ((tokens.prompt_len, len(tokens)),), parts
    )
    out = TakingOut(model, tokens, asked.targets, parts, chained=True)
    for gone in ((3,), (2, 3), (1, 2, 3), (0, 1), (0,)):
        rest = tokens
        for index in sorted(gone, reverse=True):
            rest = without(rest, *parts[index])
        expected = model.logprobs(tokens).sum() - model.logprobs(rest).sum()
        assert out(gone).effect_nats == pytest.approx(expected, abs=1e-4)
    found = take_out_test(model, asked, tokens)
    assert found.passes < 0.8 * found.runs


def test_shapley_values_are_those_of_all_orders() -> None:
    """Eight parts: the mean over very many orders comes to the sum over all subsets."""
    tokens = letters("abcdefgh?")

    def value(prompt: str, _: int = 0) -> float:
        return (
            3.0 * ("a" in prompt and "b" in prompt) + ("c" in prompt) + 2.0 * ("d" in prompt or "e" in prompt)
        )

    expected = np.zeros(8)
    for part in range(8):
        others = [i for i in range(8) if i != part]
        for size in range(8):
            for kept in combinations(others, size):
                text = "".join("abcdefgh"[i] for i in kept)
                expected[part] += (value(text + "abcdefgh"[part]) - value(text)) / (8 * comb(7, size))
    found = shapley(Rule(value), question(tokens, (8,)), tokens, orders=3000)
    np.testing.assert_allclose(found.score_nats[:8], expected, atol=0.1)
    assert found.low_nats is not None and found.high_nats is not None
    inside = (found.low_nats[:8] <= expected + 1e-9) & (expected - 1e-9 <= found.high_nats[:8])
    assert inside.sum() >= 6
    few = shapley(Rule(value), question(tokens, (8,)), tokens, orders=2)
    assert few.score_nats[:8].sum() == pytest.approx(value("abcdefgh") - value(""))


def test_coarse_to_fine_looks_into_the_best_blocks() -> None:
    tokens = letters("abcdefgh?")
    model = Rule(lambda p, _: 5.0 * ("f" in p) + 1.0 * ("a" in p))
    found = hierarchical(model, question(tokens, (8,)), tokens, [(0, 1), (2, 3), (4, 5), (6, 7, 8)])
    assert found.order[:2] == (5, 0) and np.isfinite(found.score_nats).sum() == 4
    assert found.runs == 8 and "can be missed" in found.sentence


def test_why_this_and_not_that() -> None:
    tokens = letters("ab", "x")
    other = instead_of(tokens, 2, [ord("y")], "y")
    assert other.response == "y" and other.prompt_len == 2

    def nats(prompt: str, token: int) -> float:
        return (3.0 if token == ord("x") else 1.0) * ("a" in prompt) + 2.0 * ("b" in prompt)

    found = contrast(Rule(nats), question(tokens), tokens, other)
    np.testing.assert_allclose(found.score_nats, [2, 0])  # a speaks for x, b for both alike
    with pytest.raises(AppError, match="those that were written"):
        contrast(Rule(nats), question(tokens), tokens, tokens)
    with pytest.raises(AppError, match="same prompt"):
        contrast(Rule(nats), question(tokens), tokens, letters("ac", "y"))
    with pytest.raises(AppError, match="within the answer"):
        instead_of(tokens, 1, [1], "y")


def test_what_stands_in_the_place_of_a_part_is_an_option(load_tiny) -> None:
    tokens = letters("a\nb\n?")
    model = Rule(lambda p, _: float(len(p)))
    parts = ((0, 2), (2, 4))
    out = TakingOut(model, tokens, ((5, 6),), parts, instead=neutral(model, tokens, parts))
    assert out((0,)).effect_nats == 0 and model.asked[-1] == "…\nb\n?"
    out = TakingOut(
        model, tokens, ((5, 6),), parts, instead=stand_ins(model, tokens, parts, ["other", "line"])
    )
    assert out((0, 1)).effect_nats == -7 and model.asked[-1] == "other\nline\n?"
    real = load_tiny("llama")
    text = real.tokenize("The soup.\nA vegan.\nWould they", " like")
    own = ((1, 6), (6, 11))
    effect = TakingOut(real, text, ((text.prompt_len, len(text)),), own, instead=neutral(real, text, own))(
        (0,)
    )
    assert np.isfinite(effect.effect_nats)


def blocks_of_two(model: Rule, request: CauseRequest, tokens: Tokens, **watch: Any) -> PartScores:
    return hierarchical(model, request, tokens, [(0, 1), (2, 3)], **watch)


def against_a_question_mark(model: Rule, request: CauseRequest, tokens: Tokens, **watch: Any) -> PartScores:
    return contrast(model, request, tokens, instead_of(tokens, tokens.prompt_len, [ord("?")], "?"), **watch)


def few_masks(model: Rule, request: CauseRequest, tokens: Tokens, **watch: Any) -> PartScores:
    return take_out_test(model, request, tokens, masks=6, fresh=2, **watch)


def two_orders(model: Rule, request: CauseRequest, tokens: Tokens, **watch: Any) -> PartScores:
    return shapley(model, request, tokens, orders=2, **watch)


searches = pytest.mark.parametrize(
    "search", [blocks_of_two, against_a_question_mark, few_masks, two_orders], ids=lambda one: one.__name__
)
Search = Callable[..., PartScores]


@searches
def test_every_search_tells_how_far_it_is_and_what_it_read(search: Search) -> None:
    tokens, shares, before = letters("abcd?"), [], []
    model = Rule(lambda p, _: float("a" in p))
    found = search(
        model, question(tokens, (4,)), tokens, on_share=shares.append, between=lambda: before.append(1)
    )
    assert shares == sorted(set(shares)) and shares[0] > 0 and shares[-1] == 1
    # One pass over the prompt's letters and the answer is as many tokens as there are letters.
    assert found.passes == pytest.approx(sum(map(len, model.asked)) / len("abcd?"))
    assert len(before) == len(model.asked)
    assert found.note == ""
    assert found.method in ("hierarchical", "contrast", "take_out_test", "shapley")


@searches
def test_every_search_stops_before_its_next_pass(search: Search) -> None:
    tokens, stop = letters("abcd?"), threading.Event()
    model = Rule(lambda p, _: float("a" in p))
    asked: list[int] = []

    def heard(_share: float) -> None:
        asked.append(len(model.asked))
        stop.set()

    with pytest.raises(Stopped):
        search(model, question(tokens, (4,)), tokens, on_share=heard, stop=stop)
    assert len(set(asked)) == 1 and len(model.asked) == asked[0]


@searches
def test_every_search_puts_in_place_of_a_part_what_it_is_told_to(search: Search) -> None:
    tokens, model = letters("abcd?"), Rule(lambda p, _: float(len(p)))
    parts = tuple((i, i + 1) for i in range(5))
    found = search(model, question(tokens, (4,)), tokens, instead=neutral(model, tokens, parts, "_"))
    assert {len(prompt) for prompt in model.asked} == {5} and any("_" in prompt for prompt in model.asked)
    np.testing.assert_allclose(found.score_nats[:4], 0, atol=1e-9)


def test_parts_that_were_not_asked_about_have_no_contrast() -> None:
    tokens = letters("ab", "x")
    model = Rule(lambda p, token: float(token == ord("x")) * ("a" in p) - ("b" in p))
    found = contrast(model, question(tokens), tokens, instead_of(tokens, 2, [ord("y")], "y"), parts=[0])
    np.testing.assert_array_equal(found.score_nats, [1, np.nan])
    assert found.runs == 2


def test_other_words_of_several_tokens_stand_where_they_begin() -> None:
    tokens = letters("ab", "xy")
    other = instead_of(tokens, 3, [7, 8, 9], "zz")
    assert (other.text, other.ids.tolist()) == ("abxzz", [*map(ord, "abx"), 7, 8, 9])
    assert other.char_spans.tolist() == [[0, 1], [1, 2], [2, 3], [3, 3], [3, 3], [3, 5]]
    assert other.role.tolist() == [0, 0, 1, 1, 1, 1] and not other.special.any()
    assert other.ids.dtype == tokens.ids.dtype and other.char_spans.dtype == tokens.char_spans.dtype


def test_coarse_to_fine_tells_how_many_blocks_it_looked_into() -> None:
    tokens = letters("abcdef?")
    found = hierarchical(
        Rule(lambda p, _: float("a" in p)), question(tokens, (6,)), tokens, [(0, 1), (2, 3), (4, 5)], best=1
    )
    assert "Only the 1 strongest of 3 blocks" in found.note
    np.testing.assert_array_equal(found.score_nats, [1, 0, *[np.nan] * 5])


def test_the_take_out_test_draws_by_its_seed_and_scales_by_the_words() -> None:
    tokens = letters("abcdefgh?", "!!")
    model = Rule(lambda p, _: 1.0 * ("c" in p))
    found = take_out_test(model, question(tokens, (8,)), tokens)
    again = take_out_test(model, question(tokens, (8,)), tokens)
    np.testing.assert_array_equal(found.score_nats, again.score_nats)
    # Two words of 1 nat; the LASSO takes 0.01 / 0.5 of each away, where half of the masks keep the part.
    assert found.score_nats[2] == pytest.approx(2 * (1 - 0.02), abs=0.01)
    other = take_out_test(model, question(tokens, (8,)), tokens, seed=1)
    assert (found.score_nats[:8] != other.score_nats[:8]).any()
    assert take_out_test(model, question(tokens, (8,)), tokens, fresh=1).lds is None


def test_why_this_and_not_that_in_words() -> None:
    asked = question(letters("abc?"), (3,))
    scores = np.array([0.05, np.log(20.0), -1.0, np.nan])
    names = ["line 1", "line 2", "line 3", "line 4"]
    told = contrast_sentence(PartScores(asked, "contrast", scores), names, "low", "high")
    assert told == "Line 2 speaks most for “low” rather than “high”: without it the odds fall 20 times."
    flat = PartScores(asked, "contrast", np.array([0.05, 0.0, -1.0, np.nan]))
    assert contrast_sentence(flat, names, "low", "high").startswith("No part by itself speaks")
    sure = PartScores(asked, "contrast", np.array([60.0, 0.0, 0.0, np.nan]))
    assert "more than a million times" in contrast_sentence(sure, names, "low", "high")


def test_every_way_is_asked_by_its_name_and_says_how_parts_were_taken_out() -> None:
    tokens = letters("abcdef?")
    asked = question(tokens, (6,))
    for way in WAYS:
        model = Rule(lambda p, _: 2.0 * ("c" in p))
        found = score_parts(model, asked, tokens, way.name)
        assert found.method == way.name and found.order[0] == 2 and "cut out" in found.note
        given = {field.name: field.default for field in way.options}
        assert found.runs == way.runs(6, given)
        found = score_parts(model, asked, tokens, way.name, {"how": "neutral"})
        assert found.order[0] == 2 and "says nothing" in found.note
        assert any("…" in prompt for prompt in model.asked)
    with pytest.raises(AppError, match="no other example"):
        score_parts(Rule(lambda p, _: 0.0), asked, tokens, "shapley", {"how": "other"}, lines=[" "])
    with pytest.raises(AppError, match="every one is locked"):
        score_parts(Rule(lambda p, _: 0.0), question(tokens, tuple(range(7))), tokens, "shapley")
    with pytest.raises(AppError, match="no way of scoring"):
        score_parts(Rule(lambda p, _: 0.0), asked, tokens, "guess")
