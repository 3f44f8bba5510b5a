"""`/predict`, `/tokenize` and `/salience` on the wire of LIT 1.3.1, for its client as it is.

Where LIT's own server errs, the wire stays and the behaviour is mended: no mask explains the whole target,
a mask of another length is refused with both lengths, and what the model wrote is explained by its own ids.
The wire's optional mean embeddings are not sent: they would cost another pass of the model for each answer.
"""

from __future__ import annotations

from fastapi import APIRouter, Request

from core.answer_defaults import default_of_many
from core.jobs import JobContext
from core.models.language_model import LanguageModel
from core.records import GenerationParams, Tokens
from core.server import wire
from core.server.errors import DOCUMENTED
from core.server.forms import Explained, LitRequest, Predicted, Tokenized
from core.server.state import State
from core.server.waiting import result
from core.service import CLICK

router = APIRouter(tags=["LIT"], responses=DOCUMENTED)


def _state(request: Request, body: LitRequest) -> State:
    state: State = request.app.state.whence
    for item in body.inputs:
        state.check_text(item.prompt, item.target or "")
    return state


@router.post("/predict")
async def predict(request: Request, body: LitRequest) -> list[Predicted]:
    """What the model writes after each prompt, greedily."""
    state = _state(request, body)
    if not body.inputs:
        return []
    proposed = default_of_many(item.prompt for item in body.inputs)
    params = GenerationParams(max_new_tokens=state.limits.max_new_tokens or proposed.max_new_tokens)
    asked = [(str(index), item.prompt) for index, item in enumerate(body.inputs)]
    job = state.service.answers.answer_prompts(asked, state.spec, params, owner=state.owner(), priority=0)
    made = await result(request, job, state.limits.request_seconds)
    for name, prompt in asked:
        state.written.remember(prompt, made[name])
        state.figures.tokens.inc(len(made[name].logprob_nats))
    return [Predicted(response=made[name].text) for name, _ in asked]


@router.post("/tokenize")
async def tokenize(request: Request, body: LitRequest) -> list[Tokenized]:
    """The tokens of each prompt and target, special ones included."""
    state = _state(request, body)
    found = await _tokens(request, state, body) if body.inputs else []
    return [Tokenized(tokens=strings) for _, strings in found]


@router.post("/salience")
async def salience(request: Request, body: LitRequest) -> list[Explained]:
    """Scores of each token for the loss of the masked tokens; 0 from the last of them on."""
    state = _state(request, body)
    if not body.inputs:
        return []
    found = await _tokens(request, state, body)
    examples = [
        (tokens, wire.explained(tokens, item.target_mask, f"inputs.{index}"))
        for index, (item, (tokens, _)) in enumerate(zip(body.inputs, found))
    ]
    job = state.service.batches.both_scores(examples, state.spec, owner=state.owner())
    scores = await result(request, job, state.limits.request_seconds)
    return [
        Explained(tokens=strings, grad_l2=norms.tolist(), grad_dot_input=wire.lit_sign(products).tolist())
        for (_, strings), (norms, products) in zip(found, scores)
    ]


async def _tokens(request: Request, state: State, body: LitRequest) -> list[tuple[Tokens, list[str]]]:
    """Tokens and their strings on the wire, for each input."""

    def work(model: LanguageModel, context: JobContext) -> list[tuple[Tokens, list[str]]]:
        name = getattr(model, "token_name", None)
        made = [state.tokens(model, item.prompt, item.target) for item in body.inputs]
        return [(tokens, wire.token_strings(tokens, name)) for tokens in made]

    owner = state.owner()
    job = state.service.with_model(
        work, state.spec, kind="tokenize", asks=(owner,), owner=owner, priority=CLICK
    )
    return await result(request, job, state.limits.request_seconds)
