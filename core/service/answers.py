"""Answers: what the model writes, how likely it finds a typed answer, and answers to many prompts at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.jobs import Job, JobContext
from core.records import Generation, GenerationParams, ModelSpec, Tokens, digest
from core.service.batched import batches
from core.service.recent import Recent
from core.service.workshop import BULK, NORMAL, Prompt, Workshop
from core.store.keys import generation_key, model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel


class Answers:
    """Found by content, else written, and kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._generations: Recent[Generation] = Recent(workshop.memory_bytes)

    def known(
        self,
        prompt: Prompt,
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        response: str | None = None,
        example_id: str = "",
    ) -> Generation | None:
        """The answer (with `response`: the score of that typed answer) if it is known. Loads no model."""
        key = generation_key(prompt, self._workshop.resolve(spec), params or GenerationParams(), response)
        found = self._generations.get(key)
        if found is None and (found := self._workshop.store.generation(key)) is not None:
            self._remember(key, found)
        return replace(found, example_id=example_id) if found is not None and example_id else found

    def generate(
        self,
        prompt: Prompt,
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        owner: str,
        example_id: str = "",
        response: str | None = None,
        priority: int = NORMAL,
        view: str = "",
        draft: Generation | None = None,
    ) -> Job[Generation]:
        """A job for what the model writes; `partial` is the text so far. With `response`, as `score`.

        `draft` is an answer of the same model to a like prompt: what the new one begins like costs one pass.
        After Stop the job's `result` is the answer up to there (stop reason "stopped"); it is not kept.
        """
        if response is not None:
            return self.score(
                prompt, response, spec, owner=owner, example_id=example_id, priority=priority, view=view
            )
        spec, params, prompt = self._workshop.resolve(spec), params or GenerationParams(), _frozen(prompt)
        key = generation_key(prompt, spec, params)

        def work(context: JobContext) -> Generation:
            found = self.known(prompt, spec, params)
            if found is None:
                with self._workshop.model(spec, context) as model:
                    tokens = self._workshop.fitting(model.tokenize(prompt))
                    context.progress(0.0, "Writing", partial="")
                    guess: dict[str, Any] = {}
                    if draft is not None and model.capabilities.drafts and not params.temperature:
                        guess["draft"] = draft.tokens.ids[draft.tokens.prompt_len :].tolist()
                    found = model.generate(
                        tokens,
                        params,
                        **guess,
                        on_text=_writer(context, params),
                        stop=context.borders(model_key(spec)),
                    )
                self._keep_generation(key, found, prompt, context)
            return replace(found, example_id=example_id)

        return self._workshop.submit(
            work, spec, kind="generate", key=f"{key} {example_id}", owner=owner, priority=priority,
            view=view, label=f"Answer of {spec.name}",
        )  # fmt: skip

    def score(
        self,
        prompt: Prompt,
        response: str,
        spec: ModelSpec,
        *,
        owner: str,
        example_id: str = "",
        priority: int = NORMAL,
        view: str = "",
    ) -> Job[Generation]:
        """A job for a typed answer: its tokens and how likely the model finds each; nothing is written."""
        spec, prompt, params = self._workshop.resolve(spec), _frozen(prompt), GenerationParams()
        key = generation_key(prompt, spec, params, response)

        def work(context: JobContext) -> Generation:
            found = self.known(prompt, spec, params, response=response)
            if found is None:
                with self._workshop.model(spec, context) as model:
                    context.progress(None, "Reading the answer")
                    tokens = self._workshop.fitting(model.tokenize(prompt, response))
                    found = _scored(model, tokens, response, params)
                self._keep_generation(key, found, prompt, context)
            return replace(found, example_id=example_id)

        return self._workshop.submit(
            work, spec, kind="generate", key=f"{key} {example_id}", owner=owner, priority=priority,
            view=view, label=f"How likely {spec.name} finds an answer",
        )  # fmt: skip

    def generate_many(
        self,
        prompts: Sequence[tuple[str, Prompt]],
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        owner: str,
        priority: int = BULK,
        view: str = "",
    ) -> Job[dict[str, Generation]]:
        """A job for the answers to `(example id, prompt)` pairs; `partial` is those so far, by example id.

        Goes in batches of like length, keeps each batch at once, and lets other people's work pass between
        two batches, a click on a map of this model between two tokens; what is known already costs nothing,
        so stopping and asking again goes on.
        """
        spec, params = self._workshop.resolve(spec), params or GenerationParams()
        asked = [(name, _frozen(prompt)) for name, prompt in prompts]
        keys = {name: generation_key(prompt, spec, params) for name, prompt in asked}
        size = self._workshop.settings.batch_size

        def work(context: JobContext) -> Generator[None, None, dict[str, Generation]]:
            done: dict[str, Generation] = {}
            for name, prompt in asked:
                found = self.known(prompt, spec, params, example_id=name)
                if found is not None:
                    done[name] = found
            left = [(name, prompt) for name, prompt in asked if name not in done]
            tokens: dict[str, Tokens] = {}
            if left:
                with self._workshop.model(spec, context) as model:
                    tokens = {name: self._workshop.fitting(model.tokenize(prompt)) for name, prompt in left}
            # Writing goes token by token, where a batch costs little more than a row: worth padding.
            for group in batches([len(tokens[name]) for name, _ in left], size, padding=True):
                context.progress(len(done) / len(asked), "Writing answers", partial=dict(done))
                yield
                batch = [left[index] for index in group]
                with self._workshop.model(spec, context) as model:
                    made = model.generate_batch(
                        [tokens[name] for name, _ in batch], params, stop=context.borders(model_key(spec))
                    )
                context.check()
                for (name, prompt), generation in zip(batch, made):
                    self._keep_generation(keys[name], generation, prompt, context)
                    done[name] = replace(generation, example_id=name)
            return {name: done[name] for name, _ in asked}

        key = digest("generate_many", model_key(spec), sorted(keys.items()))
        return self._workshop.submit(
            work, spec, kind="generate_many", key=key, owner=owner, priority=priority,
            view=view, until="done", label=f"{len(asked):,} answers of {spec.name}",
        )  # fmt: skip

    def _remember(self, key: str, generation: Generation) -> None:
        self._generations.put(key, generation, 64 * len(generation.tokens) + 4 * len(generation.tokens.text))

    def _keep_generation(self, key: str, generation: Generation, prompt: Prompt, context: JobContext) -> None:
        if generation.stop_reason != "stopped" and not context.stop.is_set():
            self._remember(key, generation)
            self._workshop.quietly(
                lambda: self._workshop.store.save_generation(key, generation, prompt=prompt)
            )


def _frozen(prompt: Prompt) -> Prompt:
    return prompt if isinstance(prompt, str) else tuple(prompt)


def _writer(context: JobContext, params: GenerationParams) -> Callable[[str], None]:
    """Shows the text so far; progress counts tokens against the longest answer allowed."""
    written = 0

    def on_text(text: str) -> None:
        nonlocal written
        written += 1
        context.progress(min(1.0, written / params.max_new_tokens), "Writing", partial=text)

    return on_text


def _scored(model: LanguageModel, tokens: Tokens, response: str, params: GenerationParams) -> Generation:
    """The record of a typed answer; a model without log-probabilities leaves them NaN."""
    rows = len(tokens) - tokens.prompt_len
    known = model.capabilities.logprobs
    logprobs = model.logprobs(tokens) if known else np.full(rows, np.nan, np.float32)
    return Generation("", model.spec, params, tokens, response, logprobs, "eos", 0.0)
