"""One workspace: what one person, or those who share a link, see and add.

Rows of the shared workspace are seen by all and changed by none. Knows no model: what was answered is found by the
prompt's digest.
"""

from __future__ import annotations

from sqlalchemy import Engine

from core.store.dataset_list import DatasetList
from core.store.example_list import ExampleList
from core.store.kept_tables import KeptTables
from core.store.limits import Quotas
from core.store.marks import Marks
from core.store.results import ResultStore
from core.store.reviews import Reviews
from core.store.scope import Scope


class Workspace(Scope):
    """Made by `Store.workspace`; its parts hold what can be asked of it."""

    def __init__(self, engine: Engine, name: str, limits: Quotas) -> None:
        super().__init__(engine, name, limits)
        self.datasets = DatasetList(self)
        self.examples = ExampleList(self, self.datasets)
        self.marks = Marks(self)
        self.results = ResultStore(self, self.marks)
        self.tables = KeptTables(self, self.examples)
        self.reviews = Reviews(self)
