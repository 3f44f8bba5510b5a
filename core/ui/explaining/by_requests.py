"""Models that are asked over the network: which method fits them, and what it costs before it starts."""

from __future__ import annotations

from core.aggregate import countable
from core.records import ModelSpec
from core.salience import METHODS, Method
from core.ui.asking.answering import Answer
from core.ui.explaining import locks
from core.ui.explaining.maps import Parts
from core.ui.shell import state
from core.ui.shell.services import service


def fitting(wanted: Method, spec: ModelSpec) -> Method:
    """`wanted`, or the method that measures by taking out where the model can be explained by that alone.

    A model that is not loaded yet is taken to be able to do what is wanted.
    """
    info = service().info(spec)
    if info is None or wanted.available(info["capabilities"]):
        return wanted
    if wanted.instead is not None and wanted.instead[0].available(info["capabilities"]):
        return wanted
    measured = next(one for one in METHODS if one.needs == "logprobs")
    return measured if measured.available(info["capabilities"]) else wanted


def text_alone(spec: ModelSpec) -> bool:
    """Whether the model is known to give text and nothing that a map could be made of."""
    info = service().info(spec)
    return info is not None and not any(one.available(info["capabilities"]) for one in METHODS)


def waits(answer: Answer) -> bool:
    """Whether there is no map to be had, or it costs requests that nobody has agreed to yet."""
    if text_alone(answer.spec):
        return True
    info = service().info(answer.spec)
    asked = info is not None and info["capabilities"].requests
    return asked and answer.key not in state.REQUESTS_AGREED.get(set())


def agree(answer: Answer) -> None:
    """Ask the server as often as the map of this answer takes."""
    state.REQUESTS_AGREED.set({*state.REQUESTS_AGREED.get(set()), answer.key})


def price(answer: Answer, here: Parts, unit: str) -> str:
    """How often the server is asked, in words: at least once a part, at most once a token of the answer more."""
    assert answer.generation is not None
    own = [part for part, keep in zip(here.prompt, countable(here.prompt)) if keep]
    parts = len(own) - len(locks.locked_parts(here.prompt)) + 1
    tokens = answer.generation.tokens
    most = parts * (len(tokens) - tokens.prompt_len + 1)
    return (
        f"Each {unit} is taken out and the server asked how likely it finds its words then: {parts:,} requests, and "
        f"one more for each word that it would write otherwise, {most:,} at most."
    )
