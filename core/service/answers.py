"""Answers: what the model writes, how likely it finds a typed answer, and answers to many prompts at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.jobs import Job, JobContext
from core.models.control_text import read_prompt
from core.records import Generation, GenerationParams, ModelSpec, Tokens, digest
from core.service.batched import write_batches
from core.service.recent import Recent
from core.service.workshop import BULK, NORMAL, Prompt, Workshop
from core.still_says import StillSays, judge
from core.store.keys import generation_key, model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel


LEAST_TIMED = 8
"""Tokens of an answer that say something about a model's speed."""


class Answers:
    """Found by content, else written, and kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._generations: Recent[Generation] = Recent(workshop.memory_bytes)
        self._speeds: dict[str, float] = {}

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

    def alike(
        self,
        prompt: Prompt,
        spec: ModelSpec,
        fits: Callable[[GenerationParams], bool],
        *,
        example_id: str = "",
    ) -> Generation | None:
        """The newest kept answer of the model to just this prompt whose parameters fit; loads no model."""
        for found in self._workshop.store.newest_answers(_frozen(prompt), self._workshop.resolve(spec)):
            if fits(found.params):
                return replace(found, example_id=example_id)
        return None

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
                prompt, response, spec, owner=owner, example_id=example_id, priority=priority, view=view,
                as_text=params is not None and params.as_text,
            )  # fmt: skip
        spec, params, prompt = self._workshop.resolve(spec), params or GenerationParams(), _frozen(prompt)
        key = generation_key(prompt, spec, params)

        def work(context: JobContext) -> Generation:
            found = self.known(prompt, spec, params)
            if found is None:
                with self._workshop.model(spec, context) as model:
                    tokens = self._workshop.fitting(read_prompt(model, prompt, as_text=params.as_text))
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
                self._time(spec, found)
                self._keep_generation(key, found, prompt, context)
            return replace(found, example_id=example_id)

        return self._workshop.submit(
            work, spec, kind="generate", key=f"{key} {example_id}", owner=owner, priority=priority,
            view=view, label=f"Answer of {spec.name}", size=params.max_new_tokens,
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
        as_text: bool = False,
    ) -> Job[Generation]:
        """A job for a typed answer: its tokens and how likely the model finds each; nothing is written."""
        spec, prompt, params = (
            self._workshop.resolve(spec),
            _frozen(prompt),
            GenerationParams(as_text=as_text),
        )
        key = generation_key(prompt, spec, params, response)

        def work(context: JobContext) -> Generation:
            found = self.known(prompt, spec, params, response=response)
            if found is None:
                with self._workshop.model(spec, context) as model:
                    context.progress(None, "Reading the answer")
                    tokens = self._workshop.fitting(read_prompt(model, prompt, response, as_text=as_text))
                    found = _scored(model, tokens, response, params)
                self._keep_generation(key, found, prompt, context)
            return replace(found, example_id=example_id)

        return self._workshop.submit(
            work, spec, kind="generate", key=f"{key} {example_id}", owner=owner, priority=priority,
            view=view, label=f"How likely {spec.name} finds an answer", size=1,
        )  # fmt: skip

    def answer_prompts(
        self,
        prompts: Sequence[tuple[str, Prompt]],
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        owner: str,
        priority: int = BULK,
        view: str = "",
    ) -> Job[dict[str, Generation]]:
        """A job for the answers to `(name, prompt)` pairs; `partial` is those so far, by name.

        For prompts that are rows of no dataset, and somebody who waits for all of them: nothing is put on the list
        of long work. Rows of a dataset are run by `core.runs.Generate`. Each batch is kept at once; other people's
        work passes between two batches, a click on a map of this model between two tokens; what is known already
        costs nothing, so stopping and asking again goes on.
        """
        spec, params = self._workshop.resolve(spec), params or GenerationParams()
        asked = [(name, _frozen(prompt)) for name, prompt in prompts]
        keys = {name: generation_key(prompt, spec, params) for name, prompt in asked}

        def work(context: JobContext) -> Generator[None, None, dict[str, Generation]]:
            found = {name: self.known(prompt, spec, params, example_id=name) for name, prompt in asked}
            done = {name: one for name, one in found.items() if one is not None}
            left = [(name, prompt) for name, prompt in asked if name not in done]
            tokens: list[Tokens] = []
            if left:
                with self._workshop.model(spec, context) as model:
                    tokens = [
                        self._workshop.fitting(read_prompt(model, prompt, as_text=params.as_text))
                        for _, prompt in left
                    ]
            size, stop = self._workshop.settings.batch_size, context.borders(model_key(spec))
            context.progress(len(done) / max(1, len(asked)), "Writing answers", partial=dict(done))
            yield
            for batch in write_batches(
                lambda: self._workshop.model(spec, context), tokens, params, size, stop
            ):
                for place, generation in batch.items():
                    name, prompt = left[place]
                    self._keep_generation(keys[name], generation, prompt, context)
                    done[name] = replace(generation, example_id=name)
                context.progress(len(done) / len(asked), "Writing answers", partial=dict(done))
                yield
            return {name: done[name] for name, _ in asked}

        key = digest("answer_prompts", model_key(spec), sorted(keys.items()))
        return self._workshop.submit(
            work, spec, kind="answer prompts", key=key, owner=owner, priority=priority,
            view=view, until="done", label=f"{len(asked):,} answers of {spec.name}",
            size=min(self._workshop.settings.batch_size, len(asked)) * params.max_new_tokens,
        )  # fmt: skip

    def ask_again(
        self,
        before: Generation,
        words: str,
        without: Mapping[tuple[int, ...], Prompt],
        parts: int,
        spec: ModelSpec,
        params: GenerationParams,
        *,
        owner: str,
        view: str = "",
    ) -> Job[StillSays]:
        """A job for "does it still say so?": `without` has the prompt without some parts, for each group of parts.

        Groups of several are asked first; their single parts only where the `words` went with the group. Answers are
        kept by content, so what was stopped goes on where it was; `partial` is what is known by then.
        """
        spec = self._workshop.resolve(spec)
        prompts = {group: _frozen(prompt) for group, prompt in without.items()}
        coarse = [group for group in prompts if len(group) > 1]
        inside = {part: group for group in coarse for part in group}

        def work(context: JobContext) -> Generator[None, None, StillSays]:
            said: dict[tuple[int, ...], list[str]] = {}

            def so_far() -> StillSays:
                return judge(words, before.text, {g[0]: said[g] for g in said if len(g) == 1}, parts)

            order = [*coarse, *(group for group in prompts if len(group) == 1)]
            for done, group in enumerate(order):
                block = inside.get(group[0]) if len(group) == 1 else None
                if block is not None and not judge(words, before.text, {0: said[block]}, 1).changing:
                    continue
                context.progress(
                    done / len(order), f"Asking again, {done:,} of {len(order):,}", partial=so_far()
                )
                yield
                said[group] = [self._once(prompts[group], spec, params, context).text]
            return so_far()

        asks = [generation_key(prompt, spec, params) for prompt in prompts.values()]
        return self._workshop.submit(
            work, spec, kind="ask again", key=digest("ask again", words, before.text, asks, parts), owner=owner,
            view=view, label=f"Does {spec.name} still say so?",
        )  # fmt: skip

    def write(
        self, prompts: Sequence[Prompt], spec: ModelSpec, params: GenerationParams, context: JobContext
    ) -> list[Generation]:
        """The answers to `prompts` within a job: known, else written in batches and kept. Raises: Stopped.

        Call it where no model is held: other people's work passes between two batches.
        """
        asked = [_frozen(prompt) for prompt in prompts]
        keys = [generation_key(prompt, spec, params) for prompt in asked]
        found = {at: one for at, prompt in enumerate(asked) if (one := self.known(prompt, spec, params))}
        left = [at for at in range(len(asked)) if at not in found]
        if left:
            context.give_way()
            with self._workshop.model(spec, context) as model:
                tokens = [
                    self._workshop.fitting(read_prompt(model, asked[at], as_text=params.as_text))
                    for at in left
                ]
            batches = write_batches(
                lambda: self._workshop.model(spec, context), tokens, params,
                self._workshop.settings.batch_size, context.borders(model_key(spec)),
            )  # fmt: skip
            for batch in batches:
                for place, generation in batch.items():
                    at = left[place]
                    self._keep_generation(keys[at], generation, asked[at], context)
                    found[at] = generation
                context.give_way()
        return [found[at] for at in range(len(asked))]

    def _once(
        self, prompt: Prompt, spec: ModelSpec, params: GenerationParams, context: JobContext
    ) -> Generation:
        """The answer to one prompt within a job: known, else written and kept. Raises: Stopped."""
        found = self.known(prompt, spec, params)
        if found is None:
            with self._workshop.model(spec, context) as model:
                tokens = self._workshop.fitting(read_prompt(model, prompt, as_text=params.as_text))
                found = model.generate(tokens, params, stop=context.borders(model_key(spec)))
            context.check()
            self._keep_generation(generation_key(prompt, spec, params), found, prompt, context)
        return found

    def speed(self, spec: ModelSpec) -> float | None:
        """Tokens a second of the last answer that the model wrote in this process; None before there is one."""
        return self._speeds.get(model_key(self._workshop.resolve(spec)))

    def _time(self, spec: ModelSpec, made: Generation) -> None:
        written = len(made.logprob_nats)
        if written >= LEAST_TIMED and made.seconds > 0:
            self._speeds[model_key(spec)] = written / made.seconds

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
