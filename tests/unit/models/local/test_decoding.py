"""The decoding loop on a made-up model whose next logits are known."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from core.models.local.decoding import choose, draw
from core.records import GenerationParams

END = 4


class Counter(torch.nn.Module):
    """After token n comes n + 1 (mod 5), nearly surely; 4 ends."""

    def __init__(self, margin: float = 20.0) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(5, 1)
        self.margin, self.calls = margin, 0

    def get_input_embeddings(self):
        return self.embedding

    def forward(self, input_ids, cache=None, **_):
        self.calls += 1
        logits = torch.zeros(*input_ids.shape, 5)
        logits.scatter_(2, ((input_ids + 1) % 5)[:, :, None], self.margin)
        return SimpleNamespace(logits=logits, cache=cache)


def run(prompts, model=None, **changes):
    params = GenerationParams(**{"max_new_tokens": 10, **changes.pop("params", {})})
    return draw(model or Counter(), prompts, params, end_ids=frozenset({END}), **changes)


def test_greedy_until_the_end_with_log_probabilities():
    (row,) = run([[0]])
    assert (row.ids, row.reason) == ([1, 2, 3], "eos")
    expected = 20 - math.log(4 + math.exp(20))
    assert row.logprob_nats == pytest.approx([expected] * 3, abs=1e-6)


def test_rows_of_a_batch_end_by_themselves():
    rows = run([[3], [0, 1, 2], [0]])
    assert [(row.ids, row.reason) for row in rows] == [([], "eos"), ([3], "eos"), ([1, 2, 3], "eos")]


def test_lengths():
    assert [run([[0]], params={"max_new_tokens": 2})[0].reason, run([[0, 0]], limit=3)[0].ids] == [
        "length",
        [1],
    ]


def test_accept_may_end_a_row():
    (row,) = run([[0]], accept=lambda _, drawn: "stop" if drawn.ids[-1] == 2 else None)
    assert (row.ids, row.reason) == ([1, 2], "stop")


def test_a_model_that_raises_ends_with_its_own_error():
    class Broken(Counter):
        def forward(self, input_ids, **_):
            if self.calls == 2:
                raise RuntimeError("the third step broke")
            return super().forward(input_ids, **_)

    seen: list[int] = []
    with pytest.raises(RuntimeError, match="the third step broke"):
        run([[0]], Broken(), accept=lambda _, drawn: seen.append(drawn.ids[-1]))
    assert seen == [1, 2]


def test_top_p_keeps_the_fewest_that_reach_it():
    logits = torch.log(torch.tensor([0.1, 0.5, 0.3, 0.1]))
    generator = torch.Generator().manual_seed(0)
    params = GenerationParams(temperature=1.0, top_p=0.7)
    drawn = {int(choose(logits, params, generator)) for _ in range(200)}
    assert drawn == {1, 2}


def test_temperature_flattens():
    logits = torch.tensor([2.0, 0.0])
    generator = torch.Generator().manual_seed(0)

    def share(temperature: float) -> float:
        params = GenerationParams(temperature=temperature)
        return sum(int(choose(logits, params, generator)) for _ in range(2000)) / 2000

    assert share(0.5) == pytest.approx(1 / (1 + math.exp(4)), abs=0.03)
    assert share(2.0) == pytest.approx(1 / (1 + math.exp(1)), abs=0.03)


def test_a_batch_samples_what_each_row_samples_alone():
    model = Counter(margin=1.0)
    params = {"temperature": 1.5, "seed": 7}
    together = run([[0], [2]], model, params=params)
    alone = [run([prompt], model, params=params)[0] for prompt in ([0], [2])]
    assert [row.ids for row in together] == [row.ids for row in alone]
