"""What a prompt of the grammar is, and how one is put together line by line.

A `GrammarPrompt` knows the character spans of its prompt that cause the answer, the spans that merely look
alike, and a mended prompt whose answer is another one. Knows nothing of tokens or of any model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

Span = tuple[int, int]  # half-open, in characters


@dataclass(frozen=True)
class Mend:
    """The prompt with its cause changed or removed, and the answer that it must then get."""

    prompt: str
    response: str
    target: str


@dataclass(frozen=True)
class GrammarPrompt:
    """One prompt with its expected answer and the reason for it.

    `target` is the part of `response` to be explained (its last occurrence there). `causes` and `lookalikes`
    are spans of `prompt`; several causes say the same thing, and each suffices. `learnable` are spans of the
    prompt that its earlier text already determines, worth training on. `checks` is what a family needs to
    judge a free answer.
    """

    family: str
    task: str
    prompt: str
    response: str
    target: str
    causes: tuple[Span, ...] = ()
    lookalikes: tuple[Span, ...] = ()
    learnable: tuple[Span, ...] = ()
    mend: Mend | None = None
    checks: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.target not in self.response:
            raise ValueError(f"target {self.target!r} is not in the response {self.response!r}")
        for start, end in (*self.causes, *self.lookalikes, *self.learnable):
            if not 0 <= start < end <= len(self.prompt):
                raise ValueError(
                    f"span ({start}, {end}) lies outside a prompt of {len(self.prompt)} characters"
                )

    @property
    def target_span(self) -> Span:
        """Returns the characters of `response` that `target` takes."""
        start = self.response.rindex(self.target)
        return start, start + len(self.target)

    def lines_of(self, spans: tuple[Span, ...]) -> tuple[int, ...]:
        """Returns the indices of the prompt's lines (split at newlines) that the spans begin in, in order."""
        return tuple(sorted({self.prompt.count("\n", 0, start) for start, _ in spans}))


@dataclass(frozen=True)
class Line:
    """A line of a prompt under construction. Spans in `learn` and `marks` count from the line's start.

    `role` is 'cause', 'lookalike' or 'plain'; `marks` narrow the role to parts of the line. `mended` replaces
    the text in the mended prompt; `dropped` leaves the line out there.
    """

    text: str
    role: str = "plain"
    marks: tuple[Span, ...] = ()
    learn: tuple[Span, ...] = ()
    mended: str | None = None
    dropped: bool = False


@dataclass(frozen=True)
class Draft:
    """The lines of a prompt before they are joined; edits that people make act on it (see `edits`)."""

    family: str
    task: str
    lines: tuple[Line, ...]
    response: str
    target: str
    mended_response: str | None = None
    mended_target: str | None = None
    checks: tuple[tuple[str, str], ...] = ()

    def map_lines(self, change: Callable[[Line], Line]) -> Draft:
        """Returns the draft with every line changed by the function."""
        return replace(self, lines=tuple(change(line) for line in self.lines))

    def join(self) -> GrammarPrompt:
        """Returns the finished prompt: lines joined by newlines, spans counted from the prompt's start."""
        marks = _Marks()
        offset = 0
        for line in self.lines:
            marks.add(line, offset)
            offset += len(line.text) + 1
        mend = None
        if self.mended_response is not None and self.mended_target is not None:
            kept = [
                line.mended if line.mended is not None else line.text
                for line in self.lines
                if not line.dropped
            ]
            mend = Mend("\n".join(kept), self.mended_response, self.mended_target)
        return GrammarPrompt(
            family=self.family,
            task=self.task,
            prompt="\n".join(line.text for line in self.lines),
            response=self.response,
            target=self.target,
            causes=tuple(marks.spans["cause"]),
            lookalikes=tuple(marks.spans["lookalike"]),
            learnable=tuple(marks.learn),
            mend=mend,
            checks=self.checks,
        )


@dataclass
class _Marks:
    spans: dict[str, list[Span]] = field(default_factory=lambda: {"cause": [], "lookalike": [], "plain": []})
    learn: list[Span] = field(default_factory=list)

    def add(self, line: Line, offset: int) -> None:
        for start, end in line.marks or ((0, len(line.text)),):
            if end > start:
                self.spans[line.role].append((offset + start, offset + end))
        self.learn += [(offset + a, offset + b) for a, b in line.learn]
