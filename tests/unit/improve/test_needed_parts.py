"""What an answer needs, with the demo model: the sets do what they say, and no smaller ones do."""

from __future__ import annotations

from itertools import combinations

import pytest

from core.cause import CauseSettings
from core.library.explaining import explain
from core.library.explanation import Explanation
from core.salience.taking_out import TakingOut

PROMPT = "Notes:\nAnna keeps bees.\nBo keeps goats.\nCarl keeps ducks.\n\nWhat does Anna keep?\nAnswer:"


@pytest.fixture(scope="module")
def explained() -> Explanation:
    return explain(PROMPT, max_new_tokens=4)


def test_both_sets_do_what_they_say_and_none_is_smaller(explained: Explanation) -> None:
    found = explained.needs()
    request = explained._request(None, CauseSettings())
    with explained.model.use() as held:
        out = TakingOut(held, explained.tokens, request.targets, request.parts)

        def kept(parts: tuple[int, ...]) -> bool:
            gone = [index for index in request.free if index not in parts]
            return not gone or out(gone).turns is False

        assert kept(found.keeps.parts)
        for size in range(len(found.keeps.parts)):
            assert not any(kept(some) for some in combinations(request.free, size))
        if found.turns is not None:
            assert out(found.turns.parts).turns
            for size in range(1, len(found.turns.parts)):
                assert not any(out(some).turns for some in combinations(request.free, size))
    assert set(found.keeps.parts) <= set(request.free) and found.parts == len(request.free)
