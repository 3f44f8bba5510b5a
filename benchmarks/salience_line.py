"""One line of the salience benchmark in one process: `python -m benchmarks.salience_line NAME`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.llama_40m import PROMPT, RESPONSE, ids, measure, model, text, tokenizer

SPAN = (PROMPT + 20, PROMPT + 30)


def whence() -> tuple[Any, Any, list[int]]:
    """The product's model around the benchmark's, its method grad L2, and the ids."""
    from core.models.local.hugging_face import HuggingFaceModel
    from core.records import ModelSpec
    from core.salience import method

    return HuggingFaceModel(model(), tokenizer(), ModelSpec("bench", "bench")), method("grad_l2"), ids()


def request(held: Any, all_ids: list[int], targets: Any) -> Any:
    from core.records import SalienceRequest

    return SalienceRequest(held.spec, tuple(all_ids), PROMPT, "grad_l2", tuple(targets))


def whence_matrix() -> None:
    held, method, all_ids = whence()
    every = [(i, i + 1) for i in range(PROMPT, PROMPT + RESPONSE)]
    warm = request(held, all_ids, every[:1])
    measure(
        "whence matrix",
        lambda: method.run(held, request(held, all_ids, every)),
        warm=lambda: method.run(held, warm),
    )


def whence_span() -> None:
    held, method, all_ids = whence()
    one = request(held, all_ids, [SPAN])
    measure("whence span", lambda: method.run(held, one), repeats=5, warm=lambda: method.run(held, one))


def training_step() -> None:
    """One forward pass and one backward pass from the span's loss through trainable parameters."""
    net, all_ids = model(), torch.tensor(ids())[None]
    labels = torch.full_like(all_ids, -100)
    labels[:, slice(*SPAN)] = all_ids[:, slice(*SPAN)]

    def work() -> None:
        net.zero_grad()
        net(input_ids=all_ids, labels=labels, use_cache=False).loss.backward()

    measure("forward + backward, trainable", work, repeats=5, warm=work)


def gram_selection() -> None:
    """A selection of every other row from the matrix that is there already; milliseconds, best of 50."""
    import numpy as np

    from core.aggregate import select
    from core.records import SalienceMatrix

    held, _, all_ids = whence()
    total = len(all_ids)
    factors = np.random.default_rng(0).normal(size=(total, RESPONSE, 64)).astype(np.float32)
    gram = factors @ factors.transpose(0, 2, 1)
    values = np.sqrt(np.einsum("tnn->nt", gram))
    asked = request(held, all_ids, [(i, i + 1) for i in range(PROMPT, total)])
    matrix = SalienceMatrix(asked, values, gram, signed=False, units="")
    every, half = np.ones(RESPONSE), (np.arange(RESPONSE) % 2).astype(np.float32)
    measure("gram selection, all rows", lambda: select(matrix, every), repeats=50)
    measure("gram selection, every other row", lambda: select(matrix, half), repeats=50)


def inseq_saliency() -> None:
    import inseq

    all_ids = ids()
    peer = inseq.load_model(model(), "saliency", tokenizer=tokenizer(), device="cpu")
    prompt, whole = text(all_ids[:PROMPT]), text(all_ids)

    def work(end: int | None = None) -> Any:
        return peer.attribute(
            prompt,
            whole,
            attributed_fn="probability",
            logprob=True,
            attr_pos_end=end,
            show_progress=False,
            pretty_progress=False,
        )

    out = measure("inseq saliency", work, warm=lambda: work(PROMPT + 1))
    assert [token.id for token in out.sequence_attributions[0].target] == all_ids


def captum_gradient_x_activation(keep: int = 0) -> None:
    """With `keep` 1 the model is told to compute the last logits only, which captum asks of nobody."""
    from captum.attr import LayerGradientXActivation

    net, all_ids = model(), torch.tensor(ids())[None]

    def logprob(part: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(net(input_ids=part, use_cache=False, logits_to_keep=keep).logits[:, -1], -1)

    layer = LayerGradientXActivation(logprob, net.get_input_embeddings())

    def row(at: int) -> Any:
        return layer.attribute(all_ids[:, :at], target=int(all_ids[0, at]))

    measure(
        "captum, last logits only" if keep else "captum gradient x activation",
        lambda: [row(at) for at in range(PROMPT, PROMPT + RESPONSE)],
        warm=lambda: row(PROMPT),
    )


LINES: dict[str, Callable[[], None]] = {
    "whence_matrix": whence_matrix,
    "inseq_saliency": inseq_saliency,
    "captum_gradient_x_activation": captum_gradient_x_activation,
    "captum_last_logits_only": lambda: captum_gradient_x_activation(keep=1),
    "whence_span": whence_span,
    "training_step": training_step,
    "gram_selection": gram_selection,
}

if __name__ == "__main__":
    LINES[sys.argv[1]]()
