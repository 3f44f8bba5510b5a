"""What a reviewer is shown next, and which of two answers stands left: at random, but the same after a reload.

Each person has an order of their own, so that nobody's judgement hangs on what everybody saw first; what fewest people
have judged comes first, so that a queue is shared out by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.records import digest

Task = tuple[str, int, int]
"""(row, column, other column): other is -1 where one answer is judged alone."""


def open_tasks(
    tasks: Sequence[Task], done_by_me: set[Task], judged: Mapping[Task, int], reviewer: str, seed: str
) -> list[Task]:
    """The tasks that `reviewer` has not done: those that fewest people `judged` first, else in their own order."""
    left = [task for task in tasks if task not in done_by_me]
    return sorted(left, key=lambda task: (judged.get(task, 0), digest(seed, reviewer.strip(), list(task))))


def swapped(task: Task, reviewer: str, seed: str) -> bool:
    """Whether the second of two columns stands left for this person: half of the time."""
    return int(digest("sides", seed, reviewer.strip(), list(task))[:8], 16) % 2 == 1
