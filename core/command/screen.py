"""What a terminal shows: colours where one reads along, plain text in pipes; all text from models goes in as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.cause import less_likely
from core.figures import palette
from core.figures.style import percent
from core.prompt_table.table import OUTCOME_OF
from core.records import Role


def clean(text: str) -> str:
    """`text` without characters that would steer a terminal."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() and c != "\x1b") else "\N{REPLACEMENT CHARACTER}" for c in text
    )


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """Says `message` on the standard error while it is open, where somebody sits before it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(message):
        yield


def show_explanation(explanation: Any, count: int) -> None:
    """The question, the answer in sentence, the coloured prompt and its strongest parts."""
    console = Console(file=sys.stdout, soft_wrap=True, highlight=False)
    shown = explanation.shown()
    console.print(Text(f"Why did it write “{clean(explanation.chosen.strip())}”?", style="bold"))
    console.print(Text(explanation.sentence))
    if explanation.note:
        console.print(Text(explanation.note, style="dim"))
    if console.is_terminal:
        prompt = Text()
        for segment, share in zip(shown.columns, shown.shares.tolist()):
            counts = segment.role is not Role.TEMPLATE
            colour = palette.colour(
                share if shown.coloured and counts else 0.0, shown.top, "light", shown.signed
            )
            prompt.append(clean(segment.text), style=f"#1f1b2d on {colour}" if counts else "dim")
        prompt.append(clean(explanation.tokens.response), style="bold")
        console.print(prompt)
    else:
        console.print(Text(f"\n{clean(explanation.answer.strip())}\n"))
    rows = [
        (
            percent(part.share),
            "not measured" if part.effect_nats is None else less_likely(part.effect_nats),
            f"{part.name}: {clean(' '.join(part.text.split()))}",
        )
        for part in explanation.top(count)
    ]
    if not console.is_terminal:
        print("\n".join("\t".join(row) for row in [("share", "without it", "part"), *rows]))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("share", justify="right")
    table.add_column("without it")
    table.add_column("part")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
    console.print(Text(f"{shown.model.name}, {shown.model.precision} · {shown.method}", style="dim"))


@contextmanager
def counting(message: str) -> Iterator[Any]:
    """Counts on the standard error while it is open, where somebody sits before it: call it with done and all."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status(message) as status:
        yield lambda done, total: status.update(f"{message}: {done:,} of {total:,}")


def show_table(table: Any, most: int = 10) -> None:
    """How often each version is right, against the first; then the rows whose verdict turned."""
    console = Console(file=sys.stdout, soft_wrap=True, highlight=False)
    drawn = Table(box=None, pad_edge=False)
    lines = [("version", "right", "interval", "rows", "against the first", "p")]
    for name, value, test in zip(table.versions, table.values, table.tests):
        against, p = ("", "") if test is None else (f"{test.difference:+.1%}", f"{test.p:.3g}")
        lines.append(
            (
                clean(name),
                f"{value.value:.1%}",
                f"{value.low:.1%} to {value.high:.1%}",
                f"{value.rows:,}",
                against,
                p,
            )
        )
    if not console.is_terminal:
        print("\n".join("\t".join(line) for line in lines))
    else:
        for head in lines[0]:
            drawn.add_column(head)
        for line in lines[1:]:
            drawn.add_row(*map(Text, line))
        console.print(drawn)
    whole, turned = table.table, table.turned
    if turned:
        console.print(Text(f"\n{len(turned)} of {len(whole.rows)} rows turned:"))
    for row in turned[:most]:
        said = "; ".join(
            f"{clean(name)}: {OUTCOME_OF[int(whole.outcomes[row, at, 0])] or 'open'} ({clean(whole.whys[row, at, 0])})"
            for at, name in enumerate(table.versions)
        )
        console.print(Text(f"  {clean(whole.rows[row].called)}: {said}"))
    if table.left_out:
        console.print(Text(f"{len(table.left_out)} rows of the file were left out: {table.left_out[0][1]}"))
