"""*Find the cause* on the page: asked once for each choice of words, shown while it is measured and after.

`core.cause` says what it is; indices of its parts count the person's own parts, here they are those of the
prompt's parts on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.cause import Cause, CauseRequest, CauseSettings, named
from core.errors import AppError
from core.records import Segment
from core.salience import method as method_called
from core.service.causes import asked_parts
from core.ui.asking.answering import Answer
from core.ui.explaining import locks
from core.ui.explaining.maps import Parts
from core.ui.salience_page import measuring
from core.ui.salience_text.why import ShownEffect
from core.ui.shell import looking, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job

ALL = 1_000
"""More parts than this are never all measured."""
Key = tuple[str, tuple[int, ...], tuple[tuple[int, int], ...], tuple[int, ...]]


def _held() -> dict[Key, Job[Cause]]:
    return state.CAUSES.setdefault({})


def _key(answer: Answer, here: Parts, chosen: Sequence[int]) -> Key:
    rows = measuring.rows_of(answer, here, chosen)
    parts = tuple(part.tokens for part in asked_parts(here.prompt))
    return answer.key, rows, parts, locks.locked_parts(here.prompt)


def _request(answer: Answer, here: Parts, chosen: Sequence[int], settings: CauseSettings) -> CauseRequest:
    assert answer.generation is not None
    return service().causes.request(
        answer.generation.tokens,
        answer.spec,
        [here.response[i].tokens for i in sorted(set(chosen))],
        here.prompt,
        locked=locks.locked_parts(here.prompt),
        settings=settings,
    )


def ask_cause(
    answer: Answer,
    here: Parts,
    chosen: Sequence[int],
    scores: NDArray[np.float32] | None,
    method: str,
    *,
    everything: bool = False,
) -> None:
    """Start measuring; `scores` (parts,) of the map on the screen, by `method`, propose what is tried."""
    generation = answer.generation
    assert generation is not None
    own = asked_parts(here.prompt)
    # Effects that are measured already propose nothing: every part is measured, what is known for nothing.
    proposes = "" if method_called(method).needs == "logprobs" else method
    most = ALL if everything else CauseSettings().measure_all
    settings = CauseSettings(map_method=proposes, measure_all=most)
    request = _request(answer, here, chosen, settings)
    proposed = (
        None if scores is None or not proposes else np.array([scores[part.index] for part in own], np.float32)
    )
    _held()[_key(answer, here, chosen)] = service().causes.find(
        request, generation.tokens, owner=owner(), map_scores=proposed, view=looking.view_on_show()
    )


def cause_job(answer: Answer, here: Parts, chosen: Sequence[int]) -> Job[Cause] | None:
    """The one for the words chosen, if it was asked for."""
    return _held().get(_key(answer, here, chosen))


def found(answer: Answer, here: Parts, chosen: Sequence[int]) -> Cause | None:
    """What is known by now; its verdict says whether that is all. What was found before, or ships, needs no asking."""
    held = cause_job(answer, here, chosen)
    if held is not None:
        return held.result or held.partial
    if answer.generation is None or not chosen:
        return None
    try:
        return service().causes.known(_request(answer, here, chosen, CauseSettings()))
    except AppError:
        return None


def parts_of(cause: Cause, here: Parts) -> tuple[Segment, ...]:
    """The prompt's parts that are the cause."""
    own = asked_parts(here.prompt)
    return tuple(own[index] for index in cause.parts)


def effects_of_cause(cause: Cause, here: Parts, *, running: bool) -> dict[int, ShownEffect]:
    """What was measured of single parts, by index of the prompt's part."""
    own = asked_parts(here.prompt)
    shown = {
        own[index].index: ShownEffect("measuring …", "asked")
        for index in (cause.candidates if running else ())
    }
    for one in cause.singles:
        shown[own[one.parts[0]].index] = measuring.effect_in_words(-one.effect_nats, one.turns)
    return shown


def numbers(here: Parts, names: Sequence[str]) -> list[int]:
    """The numbers that stand beside the person's own parts."""
    return [int(names[part.index].rsplit(" ", 1)[-1].replace(",", "")) for part in asked_parts(here.prompt)]


def name(cause: Cause, here: Parts, names: Sequence[str], unit: str) -> str:
    """What the page calls the cause: "lines 4 and 9"."""
    return named(cause.parts, unit, numbers(here, names))


def follow_up(answer: Answer, here: Parts, chosen: Sequence[int], names: Sequence[str], unit: str) -> None:
    """Once a cause is found, ask what the model writes without it."""
    held = cause_job(answer, here, chosen)
    cause = held.result if held is not None else None
    if cause is None or not cause.parts:
        return
    measuring.start_trial(answer, parts_of(cause, here), name(cause, here, names, unit), here, chosen)


def is_searching(answer: Answer | None, here: Parts | None, chosen: Sequence[int]) -> bool:
    """Whether it is being measured."""
    if answer is None or answer.generation is None or here is None:
        return False
    held = cause_job(answer, here, chosen)
    return held is not None and not held.finished


def stop_searching(answer: Answer, here: Parts, chosen: Sequence[int]) -> None:
    held = cause_job(answer, here, chosen)
    if held is not None:
        held.stop()
