"""Repairs: what could be changed about the parts that carried wrong answers. Proposals only; `trials` runs them.

For a suspect part: take it out (with its whole example, too); make it consistent (an example's answer becomes that of
the examples whose reasons read most like its own); move it; state first, as a rule, what the agreeing examples do; and
what a model rewrote, where one is asked. Knows no row and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.improve.few_shot import FewShotExample, agreeing_answers, called, conclusion, examples_of
from core.improve.prompt_parts import PromptParts

Kind = Literal["make consistent", "take out", "move", "rule first", "rewrite"]
KINDS: tuple[Kind, ...] = ("make consistent", "take out", "rule first", "move", "rewrite")
Rewrite = Callable[[str, int], str]
"""Another wording of a part, the `n`-th."""
REWRITES, ANSWERS, SUSPECTS = 3, 2, 3
INSTRUCTION = (
    "Rewrite the following line of a prompt so that its meaning is clear and cannot be misread. Keep its form and its "
    "language. Answer with the rewritten line alone.\n\nLine: {line}\n\nRewritten line:"
)


@dataclass(frozen=True, slots=True)
class Repair:
    """A changed prompt text, what was done in words, and to which part (its index)."""

    kind: Kind
    said: str
    text: str
    part: int


def propose(
    parts: PromptParts, suspects: Sequence[int], rewrite: Rewrite | None = None
) -> tuple[Repair, ...]:
    """Candidates for the first suspects (indices of free parts, the worst first), each text once."""
    found: list[Repair] = []
    for index in list(dict.fromkeys(suspects))[:SUSPECTS]:
        found += _for_part(parts, index, rewrite)
    seen = {parts.text}
    out = []
    for one in found:
        if one.text not in seen and one.text.strip():
            seen.add(one.text)
            out.append(one)
    return tuple(out)


def _for_part(parts: PromptParts, index: int, rewrite: Rewrite | None) -> list[Repair]:
    text, span = parts.text, parts.spans[index]
    name = called(text, span)
    examples = examples_of(text)
    own = next((one for one in examples if one.chars[0] <= span[0] < one.chars[1]), None)
    found: list[Repair] = []
    if own is not None and own.answer.start < span[1] and own.answer.text[1] > span[0]:
        for answer in agreeing_answers(text, own, examples)[:ANSWERS]:
            said = f"{name} says “{_short(answer)}”, as the examples that agree with its reasons"
            found.append(Repair("make consistent", said, _put(text, own.answer.text, answer), index))
    found.append(Repair("take out", f"without {name}", parts.without([index]), index))
    if own is not None:
        found.append(Repair("take out", f"without example {own.number}", _cut_example(text, own), index))
        found += _rules(text, own, examples, index)
        found += _moved_examples(text, own, examples, index)
    else:
        found += _moved_line(parts, index, name)
    if rewrite is not None:
        found += _rewritten(parts, index, name, rewrite)
    return found


def _rules(text: str, own: FewShotExample, examples: Sequence[FewShotExample], index: int) -> list[Repair]:
    """What the examples that agree do, stated before everything else."""
    wanted = agreeing_answers(text, own, examples)[:1]
    concluded = conclusion(text, own).rstrip(".!?。")
    if not wanted or not concluded:
        return []
    reason = own.reason.label if own.reason else ""
    rule = f"Rule: where the {reason} says “{concluded}”, the {own.answer.label} is “{wanted[0]}”."
    return [
        Repair("rule first", f"the rule first: {rule.removeprefix('Rule: ')}", f"{rule}\n\n{text}", index)
    ]


def _moved_examples(
    text: str, own: FewShotExample, examples: Sequence[FewShotExample], index: int
) -> list[Repair]:
    """The example before all others, and after all others."""
    if len(examples) < 2:
        return []
    bodies = [text[slice(*one.chars)] for one in examples]
    at = own.number - 1
    out = []
    for said, order in (
        ("first", [at, *(i for i in range(len(bodies)) if i != at)]),
        ("last", [*(i for i in range(len(bodies)) if i != at), at]),
    ):
        made, done = [], 0
        for place, which in zip(examples, order):
            made += [text[done : place.chars[0]], bodies[which]]
            done = place.chars[1]
        out.append(
            Repair(
                "move", f"example {own.number} is the {said} example", "".join([*made, text[done:]]), index
            )
        )
    return out


def _moved_line(parts: PromptParts, index: int, name: str) -> list[Repair]:
    line = parts.of(index).rstrip("\r\n")
    rest = parts.without([index])
    last_free = max((i for i in parts.free if i != index), default=None)
    out = [Repair("rule first", f"{name} stands first", f"{line}\n\n{rest.lstrip(chr(10))}", index)]
    if last_free is not None:
        shift = len(parts.of(index)) if index < last_free else 0
        at = parts.spans[last_free][1] - shift
        before = rest[:at] if not rest[:at] or rest[:at].endswith("\n") else f"{rest[:at]}\n"
        out.append(
            Repair("move", f"{name} stands right before the question", f"{before}{line}\n{rest[at:]}", index)
        )
    return out


def _rewritten(parts: PromptParts, index: int, name: str, rewrite: Rewrite) -> list[Repair]:
    whole = parts.of(index)
    line = whole.strip()
    out = []
    for number in range(REWRITES):
        new = " ".join(rewrite(line, number).split())
        if new and new != line:
            said = f"{name} reads “{_short(new)}”"
            out.append(
                Repair("rewrite", said, _put(parts.text, parts.spans[index], whole.replace(line, new)), index)
            )
    return out


def _cut_example(text: str, example: FewShotExample) -> str:
    start, stop = example.chars
    rest = text[stop:]
    return (
        text[:start] + rest.lstrip("\r\n ")
        if text[:start].endswith("\n\n") or not start
        else text[:start] + rest
    )


def _put(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


def _short(text: str, most: int = 60) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[: most - 1]}…"
