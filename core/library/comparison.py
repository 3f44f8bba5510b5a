"""Two explanations side by side: what changed in the words, and which parts gained or lost influence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from core.compare import Run, SalienceDifference, difference, word_diff

if TYPE_CHECKING:
    import pandas as pd

    from core.library.explanation import Explanation


@dataclass(frozen=True, eq=False)
class Comparison:
    """Made by `Explanation.compare`: `old` is as before, `new` as after."""

    old: Explanation
    new: Explanation

    @property
    def prompt(self) -> tuple[Run, ...]:
        """The way from the old prompt to the new one, word by word."""
        return word_diff(self.old.prompt, self.new.prompt)

    @property
    def answer(self) -> tuple[Run, ...]:
        """The way from the old answer to the new one, word by word."""
        return word_diff(self.old.answer, self.new.answer)

    @property
    def turned(self) -> bool:
        """Whether the answer is another one."""
        return self.old.answer.strip() != self.new.answer.strip()

    @cached_property
    def _difference(self) -> SalienceDifference:
        return difference(self.old.target_salience(), self.new.target_salience())

    def to_pandas(self) -> pd.DataFrame:
        """One row a part of either prompt, what gained most first: text, state, share before, after, gained."""
        import pandas as pd

        before, after = self.old._shares, self.new._shares
        rows = [
            {
                "text": pair.segment.text,
                "state": pair.state,
                "share_before": float(before[pair.old.index]) if pair.old else None,
                "share_after": float(after[pair.new.index]) if pair.new else None,
                "gained": float(gained),
            }
            for pair, gained in zip(self._difference.columns, self._difference.values[0])
        ]
        columns = ["text", "state", "share_before", "share_after", "gained"]
        table = pd.DataFrame(rows, columns=columns)
        return table.sort_values("gained", key=abs, ascending=False, kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        signs = {"kept": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
        words = "".join(signs[run.change].format(run.text) for run in self.answer)
        moved = [
            f"{gained:+7.1%}  {' '.join(pair.segment.text.split()):.70}"
            for pair, gained in zip(self._difference.columns, self._difference.values[0].tolist())
            if gained
        ]
        moved = sorted(moved, key=lambda line: -abs(float(line.split("%")[0])))[:5]
        return "\n".join([f"The answer {'turned' if self.turned else 'stayed'}: {words.strip()}", *moved])
