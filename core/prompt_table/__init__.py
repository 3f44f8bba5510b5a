"""Rows × prompt versions × models × takes: the plan, the prompts of its cells, the kept answers, and who is better.

    plan = TablePlan(dataset_id, (PromptVersion("v1", "Q: {question}"), …), (TableAnswerer(spec),))
    table = workspace.tables.table(table_id)         # a PromptTable, from what is kept
    table.outcomes[row, column, take], table.answers[row, column, take], table.keys[…]
    standings(table)                                 # share right, better, worse, same, p; one a column

`core.runs.table_task` asks, `core.store.kept_tables` keeps, `core.library.table` asks without keeping.
"""

from __future__ import annotations

from core.prompt_table.plan import (
    PromptVersion,
    TableAnswerer,
    TableColumn,
    TablePlan,
    Take,
    from_json,
    seeds,
)
from core.prompt_table.prompts import aliases_of, prompt_of, row_values
from core.prompt_table.standing import (
    COUNTINGS,
    Counting,
    Standing,
    scores,
    standings,
    turned,
    turned_first,
)
from core.prompt_table.table import (
    FAILED,
    OPEN,
    RIGHT,
    SKIPPED,
    UNSURE,
    WRONG,
    CellAnswer,
    PromptTable,
    TableRow,
    put_together,
)

__all__ = [
    "COUNTINGS",
    "FAILED",
    "OPEN",
    "RIGHT",
    "SKIPPED",
    "UNSURE",
    "WRONG",
    "CellAnswer",
    "Counting",
    "PromptTable",
    "PromptVersion",
    "Standing",
    "TableAnswerer",
    "TableColumn",
    "TablePlan",
    "TableRow",
    "Take",
    "aliases_of",
    "from_json",
    "prompt_of",
    "put_together",
    "row_values",
    "scores",
    "seeds",
    "standings",
    "turned",
    "turned_first",
]
