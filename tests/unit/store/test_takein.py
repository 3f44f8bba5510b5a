"""A file of *Download all* comes back: whole, beside what is here, and never more than the bounds allow."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from core.datasets.bounds import Bounds
from core.errors import AppError
from core.records import Example
from core.store.limits import Quotas
from core.store.store import Store
from core.store.takein import take_in
from core.store.takeout import takeout

BOUNDS = Bounds(max_bytes=2_000_000, max_examples=1_000)


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store(hosted=True)


def file_of(**members: list[Any]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, rows in {"datasets": [], "examples": [], **members}.items():
            file.writestr(f"{name}.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    return out.getvalue()


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "dataset_id": "d", "prompt": "p", "target": None, "tags": "[]", "fields": {}, **more}


def test_what_one_workspace_gave_another_takes_in(store: Store) -> None:
    one = store.visitors.home("browser a", who="a browser")
    menu = one.datasets.add("menu", [Example("e1", "ab", "t", "s", tags=("x",), fields={"n": 1})])
    version = one.examples.add_one(menu.id, Example("e1-v2", "abc", None, "s", "e1", "edited"))
    one.examples.add_one(menu.id, Example("gone", "old"))
    one.examples.retire(["gone"])
    one.marks.star(["e1-v2"])
    two = store.visitors.home("browser b", who="a browser")
    told = take_in(two, takeout(one, store), BOUNDS)
    (dataset,) = [d for d in two.datasets.all() if not d.shared]
    assert (dataset.name, dataset.rows) == ("menu", 2)
    assert two.examples.get("e1") == one.examples.get("e1")
    assert two.examples.get("e1-v2") == version
    assert two.examples.retired(dataset.id) == ["gone"]
    assert two.marks.starred() == {"e1-v2"}
    assert told.sentence.startswith("3 examples in 1 new datasets, 1 stars were taken in. Answers and maps")


def test_what_is_here_stays_and_what_comes_gets_a_number(store: Store) -> None:
    here = store.visitors.home("browser a", who="a browser")
    menu = here.datasets.add("menu", [Example("e1", "mine"), Example("e1-2", "mine too")])
    here.examples.add_one(menu.id, Example("e1-v2", "a version", parent_id="e1"))
    data = takeout(here, store)
    told = take_in(here, data, BOUNDS)
    assert [d.name for d in here.datasets.all() if not d.shared] == ["menu", "menu (2)"]
    assert here.examples.get("e1").prompt == "mine"
    assert (here.examples.get("e1-3").prompt, here.examples.get("e1-2-2").prompt) == ("mine", "mine too")
    assert here.examples.get("e1-v2-2").parent_id == "e1-3"
    assert told.renamed == 3
    take_in(here, data, BOUNDS)  # and once more
    assert here.datasets.all()[-1].name == "menu (3)"


def bomb() -> bytes:
    """3 kB that unpack to 3 MB."""
    return file_of(examples=[row(str(n), prompt="a" * 100_000) for n in range(30)])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: b"", "not a file of"),
        (lambda: b"PK\x05\x06 no zip", "not a file of"),
        (lambda: file_of()[:-30], "not a file of"),
        (lambda: b"a" * 2_000_001, "it has 2,000,001 bytes"),
        (bomb, "the text in it comes to more than 2,000,000 bytes"),
        (lambda: file_of(examples=[row("a"), row("a")]), "Two of its examples have one id"),
        (lambda: file_of(examples=[row("")]), "not a file of"),
        (lambda: file_of(examples=[row("a", prompt=3)]), "not a file of"),
        (lambda: file_of(examples=[row("a", fields=[1])]), "not a file of"),
        (lambda: file_of(examples=[row("a", tags="{")]), "not a file of"),
        (lambda: file_of(examples=["text"]), "not a file of"),
        (lambda: file_of(examples=[row("a" * 65)]), "at most 64 are kept"),
        (lambda: file_of(examples=[row("a", prompt="\0")]), "NUL character"),
        (lambda: file_of(examples=[row("a", prompt="\ud800")]), "half of a character pair"),
        (lambda: file_of(examples=[row(str(n)) for n in range(1_001)]), "more than 1,000 lines"),
        (lambda: file_of(examples=[row("a", fields={"x": json.loads("[" * 90 + "]" * 90)})]), "nested deeper than 50"),
        (lambda: file_of(examples=[row("a", prompt="x" * 3_000_000)]), "cut off or has"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_told_and_leaves_nothing(
    store: Store, data: Callable[[], bytes], said: str
) -> None:
    here = store.visitors.home("browser a", who="a browser")
    before = here.datasets.all()
    with pytest.raises(AppError, match=said):
        take_in(here, data(), BOUNDS)
    assert here.datasets.all() == before


def test_a_limit_met_midway_takes_nothing_in(open_store: Callable[..., Store]) -> None:
    here = open_store(hosted=True, limits=Quotas(examples=2)).visitors.home("browser a", who="a browser")
    data = file_of(
        datasets=[{"id": "d", "name": "one"}, {"id": "e", "name": "two"}],
        examples=[row("a"), row("b", dataset_id="e"), row("c", dataset_id="e")],
    )
    before = here.datasets.all()
    with pytest.raises(AppError, match="may hold 2"):
        take_in(here, data, BOUNDS)
    assert here.datasets.all() == before
    take_in(here, file_of(examples=[row("a"), row("b")]), BOUNDS)  # nothing of the first counts
    assert here.datasets.all()[-1].name == "Taken in"
