"""Find the cause against models whose causes are known by hand, and against whole passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.cause import Cause, CauseRequest, CauseSettings, sentence
from core.errors import AppError, Stopped
from core.models.language_model import Capabilities
from core.records import ModelSpec, Tokens
from core.salience.find_cause import find_cause

SPEC = ModelSpec("rule", "nowhere")


class Rule:
    """Tells log-probabilities alone: `nats(letters of the prompt)` for the one answer token."""

    spec = SPEC
    capabilities = Capabilities(gradients=False, salience=False)

    def __init__(self, nats: Callable[[str], float]) -> None:
        self.nats, self.asked = nats, []

    def logprobs(self, tokens: Tokens) -> np.ndarray:
        prompt = tokens.text[: tokens.prompt_chars]
        self.asked.append(prompt)
        return np.array([self.nats(prompt)], np.float32)


def ask(
    prompt: str,
    nats: Callable[[str], float],
    scores: str | np.ndarray | None = None,
    locked: tuple[int, ...] = (),
    watch: dict[str, Any] | None = None,
    **settings: Any,
) -> tuple[Cause, Rule]:
    """Each letter of `prompt` is a part; `scores` are letters, the map's strongest first, or the map's own."""
    size = len(prompt) + 1
    role = np.arange(size) >= len(prompt)
    tokens = Tokens(
        np.arange(size), prompt + "!", np.array([(i, i + 1) for i in range(size)]), np.zeros(size, bool),
        role, len(prompt),
    )  # fmt: skip
    request = CauseRequest(
        SPEC, tuple(range(size)), len(prompt), ((len(prompt), size),),
        tuple((i, i + 1) for i in range(len(prompt))), locked, CauseSettings(**settings),
    )  # fmt: skip
    order = scores
    if isinstance(scores, str):
        order = np.array([-scores.index(c) if c in scores else -99 for c in prompt], np.float32)
    model = Rule(nats)
    return find_cause(model, request, tokens, map_scores=order, **(watch or {})), model


LONG = "abcdefghijklmnopqrst"


def test_one_cause_costs_the_candidates_and_two_passes() -> None:
    cause, model = ask(LONG, lambda p: -1.0 if "h" in p else -6.0, "abhcd")
    assert cause.verdict == "one" and cause.parts == (7,)
    assert cause.candidates == (0, 1, 7, 2, 3)
    assert cause.joint is not None and cause.joint.effect_nats == 5.0
    assert len(model.asked) == 1 + 1 + 5 and not cause.escalated
    known = np.isfinite(cause.effect_nats)
    assert np.flatnonzero(known).tolist() == [0, 1, 2, 3, 7]  # the others are not measured, and not 0
    assert (
        sentence(cause)
        == "Without these lines the words are 148 times less likely; line 8 alone explains it."
    )


def test_copies_are_found_as_a_pair_and_three_copies_as_three() -> None:
    cause, _ = ask(LONG, lambda p: -1.0 if "c" in p or "m" in p else -6.0, "cmxab")
    assert cause.verdict == "several" and cause.parts == (2, 12)
    assert "Lines 3 and 13 say the same" in sentence(cause)
    cause, _ = ask(LONG, lambda p: -1.0 if set("cmt") & set(p) else -6.0, "cmtabde", candidates=6)
    assert cause.verdict == "several" and cause.parts == (2, 12, 19)


def test_copies_in_more_than_half_of_what_was_looked_at_are_no_group() -> None:
    def four(prompt: str) -> float:
        return -1.0 if set("cmth") & set(prompt) else -6.0

    cause, _ = ask(LONG, four, "cmthabdefg", candidates=8)
    assert (cause.verdict, cause.parts) == ("several", (2, 7, 12, 19))
    cause, _ = ask(LONG, four, "cmthabdefg", candidates=6)
    assert (cause.verdict, cause.parts) == ("spread", ())


def test_it_is_said_where_there_was_no_map() -> None:
    cause, _ = ask(LONG, lambda p: -1.0)
    assert cause.map_note == "This model cannot be mapped, so every part is measured."
    cause, _ = ask(LONG, lambda p: -1.0, map_method="")
    assert cause.map_note == "" and cause.map_scores is None


def test_two_that_add_up_do_not_say_the_same() -> None:
    cause, _ = ask(LONG, lambda p: -1.0 - 2.0 * ("a" not in p) - 2.0 * ("b" not in p), "cdabe")
    assert cause.verdict == "one" and cause.also == (1,)  # each carries half
    cause, _ = ask(LONG, lambda p: -1.0 - sum(c not in p for c in "abc"), "abcde")
    assert cause.verdict == "several" and not cause.redundant
    assert "carry it together" in sentence(cause)


def test_a_map_that_missed_is_noticed_and_looked_past() -> None:
    cause, _ = ask(LONG, lambda p: -1.0 if "t" in p else -6.0, LONG)
    assert cause.escalated and cause.verdict == "one" and cause.parts == (19,)


def test_what_the_map_missed_is_found_by_blocks_and_their_lines() -> None:
    letters = "".join(chr(ord("a") + i) for i in range(26)) + "".join(chr(ord("A") + i) for i in range(24))
    cause, model = ask(letters, lambda p: -1.0 if "T" in p else -6.0, letters)
    assert cause.escalated and cause.verdict == "one" and cause.parts == (letters.index("T"),)
    # The whole, five, all, seven blocks of eight (six and a rest of two), two of them together, their 16 lines or less.
    assert len(model.asked) <= 1 + 1 + 1 + 7 + 1 + 16
    assert np.isfinite(cause.effect_nats).sum() < 22  # what is not looked into is not measured


def test_copies_in_two_blocks_that_the_map_missed_are_found() -> None:
    letters = "".join(chr(ord("a") + i) for i in range(26)) + "".join(chr(ord("A") + i) for i in range(24))
    cause, _ = ask(letters, lambda p: -1.0 if "T" in p or "h" in p else -6.0, letters)
    assert cause.escalated and cause.verdict == "several" and cause.parts == (7, letters.index("T"))


def test_of_lines_that_do_as_much_alone_the_map_says_which_leads() -> None:
    cause, _ = ask(LONG, lambda p: -1.0 - 30.0 * ("h" not in p or "k" not in p) - ("k" not in p), "hkbcd")
    assert cause.verdict == "one" and cause.parts == (7,) and cause.also == (10,)
    assert "line 8 leads, and line 11 is needed as well: without line 8 " in sentence(cause)
    cause, _ = ask(LONG, lambda p: -1.0 - 8.0 * ("h" not in p) - 14.0 * ("k" not in p), "hkbcd")
    assert cause.parts == (10,)  # clearly more: measurement decides


def test_words_that_are_impossible_without_a_line_need_no_second_one() -> None:
    """A copy elsewhere takes away more still, of words that were not to be had any more."""
    cause, _ = ask(
        LONG, lambda p: -1.0 - 40.0 * ("h" not in p) - 160.0 * ("h" not in p and "m" not in p), "hmbcd"
    )
    assert cause.verdict == "one" and cause.parts == (7,)
    cause, _ = ask(
        LONG, lambda p: -1.0 - 4.0 * ("h" not in p) - 12.0 * ("h" not in p and "m" not in p), "hmbcd"
    )
    assert cause.verdict == "several" and cause.parts == (7, 12)


def test_nothing_decides() -> None:
    cause, model = ask(LONG + "?", lambda p: -1.0 - 0.01 * (21 - len(p)), LONG, locked=(20,))
    assert cause.verdict == "none" and cause.parts == ()
    assert len(model.asked) == 1 + 2  # 5, then all 20 together
    assert np.isnan(cause.effect_nats).all()
    assert sentence(cause).startswith("Nothing that matters was found: without all 20 lines")


def test_something_stays_before_the_answer() -> None:
    cause, model = ask(LONG, lambda p: -1.0, LONG)
    assert cause.verdict == "none" and cause.joint is not None
    assert cause.joint.parts == tuple(range(19)) and min(map(len, model.asked)) == 1


def test_many_small_parts_are_no_single_cause() -> None:
    cause, _ = ask(LONG, lambda p: -1.0 - 0.6 * sum(c not in p for c in "abcde"), "abcde")
    assert cause.verdict == "spread" and cause.parts == ()
    assert "no single line carries it" in sentence(cause)


def test_few_parts_are_all_measured_whatever_the_map_says() -> None:
    cause, _ = ask("abcdefghijkl", lambda p: -1.0 if "l" in p else -6.0, "abcde")
    assert cause.verdict == "one" and cause.parts == (11,)
    assert np.isfinite(cause.effect_nats).all()


def test_what_measured_strongest_is_looked_at_first_where_the_map_missed_it() -> None:
    cause, _ = ask("abcdefghijkl", lambda p: -1.0 if "h" in p else -6.0, "abcde")
    assert cause.candidates == (7, 0, 1, 2, 3) and cause.parts == (7,)


def test_a_map_whose_sign_means_nothing_proposes_by_size() -> None:
    scores = np.linspace(1, 0, 20, dtype=np.float32)
    scores[7] = -3
    by_size, _ = ask(LONG, lambda p: -1.0 if "h" in p else -6.0, scores, map_method="grad_dot_input")
    assert by_size.candidates == (7, 0, 1, 2, 3) and not by_size.escalated
    by_value, _ = ask(LONG, lambda p: -1.0 if "h" in p else -6.0, scores, map_method="gim")
    assert by_value.candidates[:5] == (0, 1, 2, 3, 4) and by_value.escalated


def test_the_share_that_is_done_counts_what_is_still_to_be_measured() -> None:
    shares: list[float] = []
    before: list[int] = []
    watch = {"on_measured": lambda share, _: shares.append(share), "between": lambda: before.append(1)}
    cause, model = ask(LONG, lambda p: -1.0 if "h" in p else -6.0, "abhcd", watch=watch)
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert len(before) == len(model.asked) and cause.seconds > 0
    shares.clear()
    ask(LONG, lambda p: -1.0 if "c" in p or "m" in p else -6.0, "cmxab", watch=watch)
    assert shares[5:] == pytest.approx([1, 7 / 12])  # six pairs of four might be tried; the first is it


def test_pairs_of_strong_parts_are_tried_before_those_with_a_weak_one() -> None:
    cause, model = ask(
        LONG, lambda p: -1.0 if "c" in p or "m" in p else -6.0, "ecmabd", candidates=6, pairs_among=6
    )
    assert cause.verdict == "several" and cause.parts == (2, 12)
    assert len(model.asked) == 1 + 1 + 6 + 4  # the pairs 1+2, 1+3, 1+4 and 2+3 of the map's order


def test_two_parts_that_are_all_there_is() -> None:
    cause, _ = ask("ab", lambda p: -1.0 if "a" in p else -6.0)
    assert cause.verdict == "one" and cause.parts == (0,)
    assert cause.joint is not None and cause.joint.parts == (0,)


def test_without_a_map_every_part_is_measured() -> None:
    cause, _ = ask(LONG, lambda p: -1.0 if "h" in p else -6.0)
    assert cause.verdict == "one" and cause.parts == (7,) and np.isfinite(cause.effect_nats).all()


def test_locked_parts_stay_in() -> None:
    cause, model = ask(LONG, lambda p: -1.0 if "t" in p else -9.0, LONG[::-1], locked=(19,))
    assert cause.verdict == "none" and all("t" in prompt for prompt in model.asked)
    assert np.isnan(cause.effect_nats[19])
    with pytest.raises(AppError, match="every one is locked"):
        ask("ab", lambda p: 0.0, locked=(0, 1))


def test_what_would_leave_nothing_cannot_be_measured() -> None:
    cause, _ = ask("a", lambda p: -1.0)
    assert np.isnan(cause.effect_nats[0]) and cause.verdict == "none" and cause.candidates == (0,)


def test_effects_are_those_of_whole_passes(load_tiny) -> None:
    model = load_tiny("llama")
    tokens = model.tokenize("The soup has cheese.\nA vegan\nwould not\nlike it.\nWould they", " like")
    parts = ((1, 8), (8, 14), (14, 20), (20, tokens.prompt_len - 4))
    chosen = (tokens.prompt_len, len(tokens))
    request = CauseRequest(
        model.spec, tuple(tokens.ids.tolist()), tokens.prompt_len, (chosen,), parts,
        settings=CauseSettings(joint_nats=0.0),
    )  # fmt: skip
    cause = find_cause(model, request, tokens)
    whole = model.logprobs(tokens).sum()
    from core.salience.taking_out import without

    for one in cause.removals:
        rest = tokens
        for index in sorted(one.parts, reverse=True):
            rest = without(rest, *parts[index])
        assert one.effect_nats == pytest.approx(whole - model.logprobs(rest).sum(), abs=1e-4)
    assert 1 < cause.passes < len(cause.removals) + 1


def test_turning_is_told_from_the_likeliest_tokens(load_tiny) -> None:
    model = load_tiny("llama")
    from core.records import GenerationParams

    prompt = model.tokenize("The soup has cheese.\nA vegan\nwould not\nlike it.\nWould they")
    tokens = model.generate(prompt, GenerationParams(max_new_tokens=3)).tokens
    parts = ((1, 8), (8, 14), (14, 20))
    request = CauseRequest(
        model.spec, tuple(tokens.ids.tolist()), tokens.prompt_len, ((tokens.prompt_len, len(tokens)),), parts
    )
    cause = find_cause(model, request, tokens)
    from core.salience.taking_out import without

    for one in cause.singles:
        rest = without(tokens, *parts[one.parts[0]])
        logits = model.model(input_ids=model_ids(rest)).logits[0, rest.prompt_len - 1 : -1]
        assert one.turns == (logits.argmax(-1).tolist() != rest.ids[rest.prompt_len :].tolist())


def model_ids(tokens: Tokens):
    import torch

    return torch.tensor(tokens.ids)[None]


def test_stop_ends_before_the_next_pass() -> None:
    stop = threading.Event()
    seen: list[Cause] = []

    def watch(_share: float, cause: Cause) -> None:
        seen.append(cause)
        stop.set()

    size = len(LONG) + 1
    tokens = Tokens(
        np.arange(size), LONG + "!", np.array([(i, i + 1) for i in range(size)]), np.zeros(size, bool),
        np.arange(size) >= len(LONG), len(LONG),
    )  # fmt: skip
    request = CauseRequest(
        SPEC, tuple(range(size)), len(LONG), ((len(LONG), size),), tuple((i, i + 1) for i in range(len(LONG)))
    )
    with pytest.raises(Stopped):
        find_cause(Rule(lambda p: -1.0), request, tokens, on_measured=watch, stop=stop)
    assert len(seen) == 1 and seen[0].verdict == "measuring" and len(seen[0].removals) == 1


def test_settings_and_spans_that_are_none_are_refused() -> None:
    with pytest.raises(AppError, match="should be 1 to 100"):
        CauseSettings(candidates=0)
    with pytest.raises(AppError, match="parts should be token spans"):
        CauseRequest(SPEC, (1, 2, 3), 2, ((2, 3),), ((0, 3),))
    with pytest.raises(AppError, match="No words"):
        CauseRequest(SPEC, (1, 2, 3), 2, (), ((0, 1),))


def test_what_is_known_as_a_bound_says_at_least() -> None:
    from core.cause import Removal

    assert Removal((0,), 3.0, True, at_least=True).words == "at least 20 times less likely"
    assert Removal((0,), 30.0, True, at_least=True).words == "more than a million times less likely"
