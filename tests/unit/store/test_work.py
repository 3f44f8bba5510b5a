"""Long work goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import AppError
from core.store import Store, WorkList

OpenStore = Callable[..., Store]


def test_work_is_resumed_where_it_stopped_after_a_restart(open_store: OpenStore) -> None:
    first = WorkList(open_store().workspace())
    begun = first.begin("run", "model:rows", ["c", "a", "b", "a"], {"model": "demo"})
    assert (begun.total, begun.done, begun.state, begun.payload) == (3, 0, "running", {"model": "demo"})
    assert first.pending(begun.id) == ("c", "a", "b")
    first.finish(begun.id, {"a": {"tokens": 3}})
    first.finish(begun.id, {"c": "too long"}, failed=True)
    first.set_state(begun.id, "stopped", "Stopped by hand.")
    again = WorkList(open_store().workspace())
    (left,) = again.all("run", unfinished=True)
    assert (left.done, left.failed, left.state, left.message) == (1, 1, "stopped", "Stopped by hand.")
    resumed = again.begin("run", "model:rows", ["c", "a", "b"], {"model": "demo"})
    assert (resumed.id, resumed.state, resumed.done, resumed.failed) == (begun.id, "running", 1, 0)
    assert again.pending(begun.id) == ("c", "b")
    assert again.results(begun.id) == {"a": {"tokens": 3}}


def test_finished_work_is_not_taken_up_again(store: Store) -> None:
    work = WorkList(store.workspace())
    begun = work.begin("run", "k", ["a"], {})
    work.finish(begun.id, {"a": 1})
    work.set_state(begun.id, "done")
    assert work.all(unfinished=True) == ()
    assert work.begin("run", "k", ["a"], {}).id != begun.id
    assert work.begin("run", "empty", [], {}).total == 0


def test_work_belongs_to_its_workspace(open_store: OpenStore) -> None:
    store = open_store(hosted=True)
    mine, yours = WorkList(store.new_workspace()), WorkList(store.new_workspace())
    begun = mine.begin("run", "k", ["a"], {})
    assert yours.all() == ()
    assert yours.begin("run", "k", ["a"], {}).id != begun.id
    yours.remove(begun.id)
    assert mine.get(begun.id).total == 1
    mine.remove(begun.id)
    with pytest.raises(AppError, match="does not exist"):
        mine.get(begun.id)
