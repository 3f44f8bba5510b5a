"""The staged changes: made but not in the dataset yet, each with its changed words marked, to keep, edit or
drop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import regex
import streamlit as st

from core.compare import Run, word_diff
from core.counterfactuals import Context, Made, make
from core.counterfactuals.generator import Translate
from core.models.control_text import read_prompt
from core.records import Example, GenerationParams, ModelSpec, digest
from core.ui.counterfactuals_page.form import FormChoices
from core.ui.shell import diff, job_box, library, looking, problem, state
from core.ui.shell.row_names import row_names
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import JobContext
    from core.models.language_model import LanguageModel

_LINE_ENDS = regex.compile(r"\s*\n\s*")
A_PAGE = 8
AROUND = 36
"""Characters of unchanged text shown on both sides of a change."""


@dataclass
class Staged:
    """What a generator made, the originals by id, and what the person did with it."""

    label: str
    examples: list[Example]
    originals: dict[str, Example]
    note: str = ""
    dropped: set[str] = field(default_factory=set)
    added: dict[str, str] = field(default_factory=dict)
    """Id in the dataset of each that was added, by staged id."""

    @property
    def kept(self) -> list[Example]:
        return [example for example in self.examples if example.id not in self.dropped]


def staged_now() -> Staged | None:
    """What was made last; None before anything was."""
    return state.STAGED.get()


def begin_making(
    asked: FormChoices, rows: Sequence[Example], spec: ModelSpec, params: GenerationParams
) -> None:
    """The job that makes the changes; with a model only where the generator needs one.

    Raises: AppError as `core.counterfactuals.make` does where no model is needed.
    """
    answers = {e.id: service().answers.known(e.prompt, spec, params) for e in rows}
    said = {name: None if found is None else found.text for name, found in answers.items()}

    def staged(made: Made) -> None:
        originals = {e.id: e for e in rows}
        state.STAGED.set(Staged(asked.generator.label, list(made.examples), originals, made.note))

    def run(contexts: dict[str, Context]) -> Made:
        return make(
            asked.generator, rows, asked.choices, seed=asked.seed, limit=asked.limit, contexts=contexts
        )

    if asked.generator.needs in ("", "translate"):
        translate = _translate() if asked.generator.needs else None
        staged(run({e.id: Context(response=said[e.id], translate=translate) for e in rows}))
        return

    def work(model: LanguageModel, job: JobContext) -> Made:
        contexts = {}
        for place, e in enumerate(rows):
            job.progress(place / len(rows), "Reading the examples")
            answer = said[e.id]
            if answer is None and asked.generator.needs == "gradients":
                answer = model.generate(
                    read_prompt(model, e.prompt, as_text=params.as_text), params, stop=job.stop
                ).text
                job.check()
            contexts[e.id] = Context(model, answer, stop=job.stop)
        return run(contexts)

    job = service().with_model(
        work,
        spec,
        kind="counterfactuals",
        asks=(
            asked.generator.name,
            sorted(asked.choices.items()),
            asked.limit,
            asked.seed,
            asdict(params),
            [(e.id, e.prompt, e.target, said[e.id]) for e in rows],
        ),
        owner=owner(),
        view=looking.view_on_show(),
        label=f"Changed examples: {asked.generator.label}",
    )
    state.STAGING.set(staged)
    job_box.hold_job("counterfactuals", job)


def _translate() -> Translate | None:
    from core.counterfactuals.back_translation import translation_models

    pattern = service().settings.translation_models
    return translation_models(pattern) if pattern else None


def take_over_made(result: object) -> None:
    """Takes over what a job made."""
    take = state.STAGING.pop()
    if take is not None and isinstance(result, Made):
        take(result)


def draw_staged(staged: Staged, *, measured: bool = False) -> None:
    """Every staged change with its words marked, a page at a time; folded once the list of effects leads."""
    if measured:
        with st.expander(f"Keep, edit or drop: {len(staged.kept):,} of {len(staged.examples):,} kept"):
            _all(staged)
        return
    st.subheader(f"{staged.label}: {len(staged.kept):,} of {len(staged.examples):,} kept", anchor=False)
    _all(staged)


def _all(staged: Staged) -> None:
    if staged.note:
        st.caption(problem.plain(staged.note))
    if not staged.examples:
        st.info("Nothing to change was found in these examples.")
        return
    pages = -(-len(staged.examples) // A_PAGE)
    listed = st.container()
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page, of {pages:,}", 1, pages, key=state.STAGED_PAGE.name, width=120))
    with listed:
        for example in staged.examples[(page - 1) * A_PAGE : page * A_PAGE]:
            _one(staged, example)


def _one(staged: Staged, example: Example) -> None:
    key = state.KEEP_STAGED(example.id)

    def changed() -> None:
        keep = key.there()
        (staged.dropped.discard if keep else staged.dropped.add)(example.id)

    with st.container(horizontal=True, wrap=False, key=f"staged {example.id}"):
        st.checkbox(
            "Keep",
            example.id not in staged.dropped,
            key=key.name,
            label_visibility="collapsed",
            help="Keep this change",
            on_change=changed,
            width="content",
        )
        with st.container(width="stretch", gap=None):
            parent = staged.originals[example.parent_id or ""]
            st.caption(problem.plain(f"{row_names(staged.originals.values())[parent.id]}: {example.edit}"))
            diff.draw_diff(shortened(word_diff(parent.prompt, example.prompt)))
        with st.popover("Edit"):
            text = st.text_area("Prompt", example.prompt, height=300, key=state.EDIT_STAGED(example.id).name)
            if st.button("Use this text", key=state.USE_EDITED(example.id).name):
                _replace(staged, example, text or "")
                st.rerun()


def _replace(staged: Staged, example: Example, prompt: str) -> None:
    """The staged change with another text; an empty one changes nothing."""
    if not prompt.strip() or prompt == example.prompt:
        return
    made = replace(
        example,
        id=digest(example.parent_id, "by hand", prompt)[:16],
        prompt=prompt,
        edit=f"{example.edit.removesuffix(', then by hand')}, then by hand",
    )
    staged.examples[staged.examples.index(example)] = made
    staged.dropped.discard(example.id)


def shortened(runs: Sequence[Run]) -> list[Run]:
    """The runs with unchanged stretches on one line, cut to what stands around the changes."""
    out = []
    for place, run in enumerate(runs):
        text = run.text
        if run.change == "kept":
            first, last = not place, place == len(runs) - 1
            if len(text) > (AROUND if first or last else 2 * AROUND) + 10:
                head = "" if first else text[:AROUND] + " "
                tail = "" if last else " " + text[-AROUND:]
                text = f"{head}…{tail}"
        out.append(Run(run.change, _LINE_ENDS.sub(" ⏎ ", text)))
    return out


def add_to_dataset(staged: Staged, dataset_id: str) -> int:
    """Appends what is kept and not there yet to the dataset, lineage kept. Returns how many."""
    new = [example for example in staged.kept if example.id not in staged.added]
    kept = library.workspace().examples.add(dataset_id, new)
    staged.added.update({one.id: other.id for one, other in zip(new, kept)})
    return len(kept)
