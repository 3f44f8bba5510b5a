"""What outlives the process: workspaces, datasets, examples, answers, matrices, long work.

    store = Store.of(settings())
    workspace = store.workspace()                       # hosted: store.new_workspace(), then its id
    dataset = workspace.datasets.add("menu", examples)
    key = generation_key(prompt, spec, params)
    store.generation(key) or store.save_generation(key, made, prompt=prompt)

Tables change through the Alembic migrations in `migrations/`, which run when the store opens.
"""

from core.store.bundle import Bundle
from core.store.dataset_list import Dataset
from core.store.keys import Prompt, answerer_key, generation_key, model_key, prompt_key
from core.store.limits import Quotas
from core.store.rows import new_id
from core.store.store import Store
from core.store.tables import LOCAL
from core.store.work import PieceOfWork, WorkList
from core.store.workspace import Workspace

__all__ = [
    "LOCAL",
    "Bundle",
    "Dataset",
    "PieceOfWork",
    "Prompt",
    "Quotas",
    "Store",
    "WorkList",
    "Workspace",
    "answerer_key",
    "generation_key",
    "model_key",
    "new_id",
    "prompt_key",
]
