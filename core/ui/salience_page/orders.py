"""What a person pressed or typed on the page, carried out before the page is drawn again.

Orders come from the browser through a callback, and wait in the session until the view follows them; an order
about texts that are no longer on the screen is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from core.errors import AppError
from core.records import Example, GenerationParams, ModelSpec
from core.token_view.names import part_names
from core.ui.asking import answering, parameters, prompt_box, stop_texts, versions
from core.ui.asking.answering import Answer
from core.ui.explaining import by_requests, controls, locks, maps
from core.ui.explaining.maps import Parts
from core.ui.salience_page import causes, keeping, measuring
from core.ui.salience_text import draft, order, prompt_id
from core.ui.shell import library, problem, rights, state

CHANGES = ("run", "stop at", "as text", "as control", "keep", "compare", "attach")
"""Orders after which there is an answer or a version more."""


def press(key: str) -> None:
    """A button was pressed in the browser; for the view's callback."""
    pressed = order(key)
    if pressed is not None:
        state.ORDERS.setdefault([]).append(dict(pressed))


def typed(key: str) -> None:
    """Text was typed; it is the draft of its example until it is run. For the view's callback."""
    told = draft(key)
    if told is None:
        return
    example_id = str(told["key"]).split(" (")[0]
    versions.hold_id(example_id, "prompt", str(told["text"]))


def follow(example: Example, spec: ModelSpec, params: GenerationParams) -> bool:
    """Carry out what waits. Returns whether the whole page has to be drawn anew."""
    waiting, again = state.ORDERS.setdefault([]), False
    while waiting:
        asked, fault = waiting[0], None
        done = _ORDERS.get(str(asked.get("order")), _unknown)
        try:
            if asked.get("order") in CHANGES and not rights.may_change():
                raise rights.refusal()
            again = done(example, spec, params, asked) or again
        except AppError as error:
            fault = error
        except Exception:
            waiting.pop(0)
            raise
        # Only now: a drawing may be cut off anywhere by a newer one, which then carries the order out. Twice does what
        # once does, since the same question is the same work.
        waiting.pop(0)
        if fault is not None:
            problem.show_error(fault)
    return again


def _unknown(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    return False


def _run(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    text = str(asked.get("text", versions.prompt_draft(example)))
    versions.hold_draft(example, "prompt", text)
    text, fields = prompt_box.filled(example, text)
    target = versions.draft_of(example, "target")
    state.CARD_CLOSED.pop()
    fields |= prompt_box.fields(example)
    sent = prompt_box.sent(text, versions.planned(example, text, target=target, fields=fields))
    keeps = partial(
        versions.keep_version,
        example,
        text,
        target=target,
        edit="edited under “Why this answer?”",
        fields=fields,
    )
    answering.ask_model(example, sent, spec, parameters.params(sent, spec=spec), keeps)
    return True


def _stop_at(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    """Stop where the next example would begin, and run again."""
    first = stop_texts.opening(str(asked.get("text") or example.prompt))
    if not first:
        return False
    parameters.add_stop(f"\n{first}")
    return _run(example, spec, params, asked)


def _as_text(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    """Send what looks like a control token as text, or read it as one again; and run."""
    parameters.send_as_text(asked.get("order") == "as text")
    return _run(example, spec, params, asked)


def _stop(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    running = answering.asked(example, spec)
    if running is not None and running.job is not None:
        running.job.stop()
    return False


def _screen(example: Example, spec: ModelSpec, params: GenerationParams) -> tuple[Answer, Parts] | None:
    answer = prompt_box.answer_to(example, spec, params)
    if answer is None or answer.generation is None:
        return None
    cut = controls.cut()
    return answer, maps.parts_or_lines(answer.generation, cut.granularity, cut.pattern)


def _remove(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    on = _screen(example, spec, params)
    if on is None or asked.get("prompt") != prompt_id(on[1].prompt) or asked.get("part") is None:
        return False
    answer, here = on
    part = int(asked["part"])
    if not 0 <= part < len(here.prompt):
        return False
    names = part_names(here.prompt, controls.cut().unit)
    measuring.start_trial(answer, (here.prompt[part],), names[part], here, _rows(asked, here))
    state.CARD_CLOSED.pop()
    return True


def _rows(asked: Mapping[str, Any], here: Parts) -> list[int]:
    return [int(row) for row in asked.get("rows", ()) if 0 <= int(row) < len(here.response)]


def _measure(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    on = _screen(example, spec, params)
    if on is None or asked.get("prompt") != prompt_id(on[1].prompt):
        return False
    answer, here = on
    rows = _rows(asked, here)
    if asked.get("value") == "stop":
        measuring.stop_measuring(answer)
        causes.stop_searching(answer, here, rows)
        return True
    if not rows:
        return False
    method = by_requests.fitting(controls.method(), answer.spec)
    matrix = maps.told(answer, method, here, rows)
    values = maps.column_scores(matrix, here, rows, controls.look().reduce) if matrix is not None else None
    causes.ask_cause(answer, here, rows, values, method.name, everything=asked.get("value") == "all")
    state.CARD_CLOSED.pop()
    return True


def _lock(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    """Keep a part in whatever is taken out, or let it be taken out again."""
    on = _screen(example, spec, params)
    if on is None or asked.get("prompt") != prompt_id(on[1].prompt) or asked.get("part") is None:
        return False
    locks.turn_lock(on[1].prompt, int(asked["part"]))
    return True


def _finer(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    finer = controls.finer(controls.cut())
    if finer is not None:
        controls.choose_granularity(finer.name)
    return True


def _keep(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    on = _screen(example, spec, params)
    if on is None:
        return False
    kept = keeping.keep_without(example, on[0], int(asked.get("value", -1)))
    if kept is None:
        return False
    if asked.get("order") == "compare":
        state.VERSIONS.set([example.id, kept.id])
        state.ORDERS.pop()  # this leaves the page, and the order is carried out
        st.switch_page("pages/compare_prompts.py")
    library.open_example(kept.id)
    return True


def _dismiss(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    state.CARD_CLOSED.set(True)
    return False


def _attach(example: Example, spec: ModelSpec, params: GenerationParams, asked: Mapping[str, Any]) -> bool:
    other = versions.apart(example)
    if other is None:
        return False
    library.open_example(versions.attach(example, other).id)
    return True


_ORDERS: Mapping[str, Callable[[Example, ModelSpec, GenerationParams, Mapping[str, Any]], bool]] = {
    "run": _run,
    "stop": _stop,
    "stop at": _stop_at,
    "as text": _as_text,
    "as control": _as_text,
    "remove": _remove,
    "measure": _measure,
    "lock": _lock,
    "finer": _finer,
    "keep": _keep,
    "compare": _keep,
    "dismiss": _dismiss,
    "attach": _attach,
}
