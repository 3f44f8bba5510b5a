"""Loading a dataset: an upload, or a place from `core.datasets.SOURCES`; and what could not be read of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st

from core.datasets import (
    FORMATS,
    Bounds,
    FileRows,
    LoadedDataset,
    Source,
    counts_of,
    offered,
    open_bytes,
    open_pasted,
)
from core.errors import AppError
from core.settings import settings
from core.ui.dataset_page import importing
from core.ui.shell import address, library, problem, rights, state

logger = logging.getLogger(__name__)


def draw_load_menu() -> None:
    """The *Load* menu."""
    bounds = Bounds.of(settings())
    sources = offered(bounds)
    # Another key once a file was read: the menu closes, and nothing of the last file stands in it.
    with rights.popover("Load", key=state.LOAD_MENU(importing.files_held()).name):
        places = st.tabs(["Upload", *(source.label for source in sources), "Paste", "Empty"])
        with places[0]:
            _upload(bounds)
        for source, place in zip(sources, places[1:-2]):
            with place:
                _place(source, bounds)
        with places[-2]:
            _paste(bounds)
        with places[-1]:
            _empty()


def _upload(bounds: Bounds) -> None:
    endings = [end.removeprefix(".") for known in FORMATS for end in known.extensions]
    lines = (f"**{known.label}** ({', '.join(known.extensions)}): {known.description}" for known in FORMATS)
    file = st.file_uploader("File", [*endings, "gz"], key=state.DATASET_FILE.name, help="  \n".join(lines))
    if (
        rights.button("Load", key=state.LOAD_FILE.name, type="primary", disabled=file is None)
        and file is not None
    ):
        _take(lambda: open_bytes(file.getvalue(), file.name, bounds))


def _place(source: Source, bounds: Bounds) -> None:
    where = st.text_input(
        source.label,
        key=state.DATASET_FROM(source.name).name,
        placeholder=source.placeholder,
        help=source.description,
        persist_state="session",
    )
    if rights.button(
        "Load", key=state.LOAD_FROM(source.name).name, type="primary", disabled=not (where or "").strip()
    ):
        with st.spinner("Reading"):
            _take(lambda: source.open((where or "").strip(), bounds))


def _paste(bounds: Bounds) -> None:
    text = st.text_area(
        "Rows",
        key=state.DATASET_PASTED.name,
        height=150,
        placeholder="question,answer\nHow many?,18",
        help="JSON, JSON Lines, a table (with or without its columns’ names in the first line), or one prompt a line.",
    )
    if rights.button("Load", key=state.LOAD_PASTED.name, type="primary", disabled=not (text or "").strip()):
        _take(lambda: open_pasted(text or "", bounds))


def _empty() -> None:
    name = (st.text_input("Name", key=state.DATASET_NAME.name, max_chars=100) or "").strip()
    if rights.button("Make", key=state.MAKE_DATASET.name, type="primary", disabled=not name):
        _keep(LoadedDataset(name, "", ()), f"“{name}” is there. Write its first example in the Editor.")


def _take(read: Callable[[], FileRows]) -> None:
    """Read a file and put it before the person; or say why not."""
    try:
        importing.hold_file(read(), library.workspace())
    except AppError as error:
        problem.show_error(error)
        return
    st.rerun()


def step() -> bool:
    """The import step, while a file waits. Returns whether one does."""
    if not importing.waiting():
        return False
    loaded = importing.confirm_import()
    if loaded is not None:
        logger.info("Dataset, %s: %s", loaded.name, loaded.counts.sentence())
        _keep(loaded, f"{_count(len(loaded.examples), 'example')} loaded. {loaded.counts.sentence()}")
    return True


def _keep(loaded: LoadedDataset, told: str) -> None:
    """Keep what was read as a dataset of its own, and open it; or say why not."""
    try:
        made = library.workspace().datasets.add(
            loaded.name, loaded.examples, **importing.kept_of_import(loaded)
        )
    except AppError as error:
        problem.show_error(error)
        return
    importing.done()
    state.DATASET_SAID.set(told)
    library.open_dataset(made.id)
    state.EXAMPLE.pop()
    address.drop(state.EXAMPLE.name)
    st.rerun()


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def tell_what_was_loaded() -> None:
    """What the last loading had to say, once; how the open dataset was read; and what could not be."""
    if told := state.DATASET_SAID.pop(""):
        st.success(problem.plain(told))
    dataset = library.dataset()
    counts = counts_of(dataset.imported)
    problems = dataset.problems
    if counts is None and not problems:
        return
    cut = bool(problems) or (counts is not None and (counts.used < counts.rows or not counts.whole))
    title = (
        f"{_count(len(problems), 'line')} could not be read"
        if problems and counts is None
        else "How it was read"
    )
    if counts is not None and cut:
        title = f"{counts.used:,} of {counts.rows:,} rows used"
    with st.expander(title, icon=":material/warning:" if cut else ":material/description:"):
        if counts is not None:
            st.markdown(problem.plain(counts.sentence()))
            for note in dataset.imported.get("notes", ()):
                st.caption(problem.plain(str(note)))
        if problems:
            st.dataframe(
                [{"line": line, "reason": reason} for line, reason in problems],
                hide_index=True,
                alt="Lines that could not be read",
            )
