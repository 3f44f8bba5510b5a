"""Loading a dataset: an upload, or a place from `core.datasets.SOURCES`; and what could not be read of it."""

from __future__ import annotations

import streamlit as st

from core.datasets import FORMATS, Bounds, LoadedDataset, Source, load_bytes, offered
from core.errors import AppError
from core.settings import settings
from core.ui.shell import library, problem

SAID = "dataset said"


def draw() -> None:
    """The *Load* menu."""
    bounds = Bounds.of(settings())
    sources = offered(bounds)
    with st.popover("Load"):
        places = st.tabs(["Upload", *(source.label for source in sources), "Empty"])
        with places[0]:
            _upload(bounds)
        for source, place in zip(sources, places[1:-1]):
            with place:
                _place(source, bounds)
        with places[-1]:
            _empty()


def _upload(bounds: Bounds) -> None:
    endings = [end.removeprefix(".") for known in FORMATS for end in known.extensions]
    lines = (f"**{known.label}** ({', '.join(known.extensions)}): {known.description}" for known in FORMATS)
    file = st.file_uploader("File", endings, key="dataset file", help="  \n".join(lines))
    if st.button("Load", key="dataset load file", type="primary", disabled=file is None) and file is not None:
        _take(lambda: load_bytes(file.getvalue(), file.name, bounds))


def _place(source: Source, bounds: Bounds) -> None:
    where = st.text_input(
        source.label,
        key=f"dataset {source.name}",
        placeholder=source.placeholder,
        help=source.description,
        persist_state="session",
    )
    if st.button(
        "Load", key=f"dataset load {source.name}", type="primary", disabled=not (where or "").strip()
    ):
        with st.spinner("Reading"):
            _take(lambda: source.load((where or "").strip(), bounds))


def _empty() -> None:
    name = st.text_input("Name", key="dataset new name", max_chars=100)
    if st.button("Make", key="dataset make", type="primary", disabled=not (name or "").strip()):
        _take(lambda: LoadedDataset((name or "").strip(), "", ()), empty=True)


def _take(read: object, *, empty: bool = False) -> None:
    """Read, keep what was read as a dataset of its own, and open it; or say why not."""
    try:
        loaded: LoadedDataset = read()  # type: ignore[operator]
        if not loaded.examples and not empty:
            raise AppError(_nothing(loaded))
        problems = [(found.line, found.reason) for found in loaded.problems]
        made = library.workspace().add_dataset(
            loaded.name, loaded.examples, origin=loaded.origin, problems=problems
        )
    except AppError as error:
        problem.show(error)
        return
    told = f"“{loaded.name}” is there. Write its first example in the Editor." if empty else ""
    st.session_state[SAID] = [told or f"{_count(len(loaded.examples), 'example')} loaded.", *loaded.notes]
    library.open_dataset(made.id)
    st.session_state.pop("example", None)
    st.query_params.pop("example", None)
    st.rerun()


def _nothing(loaded: LoadedDataset) -> str:
    if not loaded.problems:
        return "The file holds no examples."
    first = loaded.problems[0]
    if len(loaded.problems) == 1:
        return f"The file's only line, line {first.line:,}, could not be read: {first.reason}"
    return (
        f"None of the {len(loaded.problems):,} lines could be read. Line {first.line:,}, for example: "
        f"{first.reason}"
    )


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def said() -> None:
    """What the last loading had to say, once; and the lines of the open dataset that could not be read."""
    for sentence in st.session_state.pop(SAID, []):
        st.info(problem.plain(sentence))
    problems = library.dataset().problems
    if problems:
        with st.expander(f"{_count(len(problems), 'line')} could not be read", icon=":material/warning:"):
            st.dataframe(
                [{"line": line, "reason": reason} for line, reason in problems[:1000]],
                hide_index=True,
                alt="Lines that could not be read",
            )
