"""A model behind an OpenAI-compatible server: vLLM, TGI, llama.cpp, Ollama, `transformers serve`, OpenAI.

Address: the part before `/chat/completions`, with the model's own name as fragment: `http://host:8000/v1#name`
(without one the server's only model is asked). Plain text goes to `/completions`, a chat to
`/chat/completions`, with server-sent events. What the server offers is
found out once, when it is connected (`openai_offer`). Token ids stay on the server; see `remote_tokens`.
Wire: OpenAI API reference, "Completions" and "Chat completions".
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.models.language_model import Capabilities, Progress, ResponseReading
from core.models.remote import remote_tokens
from core.models.remote.http import HttpLimits, Remote
from core.models.remote.http_faults import RefusalError
from core.models.remote.openai_offer import Offer, answered, ask_echo, probe
from core.models.remote.openai_stream import OPEN, Heard, ToldPlace, places
from core.models.remote.openai_walk import FEW, reading
from core.models.remote.secrets import SECRETS, base_address
from core.models.stop_texts import first, sure
from core.records import Generation, GenerationParams, Message, ModelSpec, Role, StopReason, Tokens

AT_ONCE = 4
"""Requests in flight in `generate_batch`."""
KEPT = 1_000
"""What was asked is kept, the newest so many: map, search and table ask about the same texts."""
LEAST = 5
"""Alternatives that every server tells that tells any."""


class OpenAICompatible:
    """See `core.models.language_model.LanguageModel`."""

    parameters = 0
    bytes = 0
    context_length = 0

    def __init__(self, spec: ModelSpec, remote: Remote, offer: Offer) -> None:
        self.spec = spec
        self._remote = remote
        self._offer = offer
        self._most: dict[str, int] = {}
        self._read: dict[tuple[str, str, int], ResponseReading] = {}
        asked = offer.places or offer.chat_places
        why = {
            "gradients": "The server gives no gradients."
            + (" Leave one out needs only probabilities, which it tells." if offer.echo or asked else ""),
            "salience": "The server computes no salience.",
        }
        if not offer.echo and not asked:
            why["logprobs"] = (
                "The server does not tell how likely it finds a given text (`echo` with `logprobs` on "
                "/completions), so typed answers cannot be scored and leave-one-out cannot run."
            )
        if not offer.chat:
            why["chat"] = "The server has no chat for this model: a chat is sent as the text you see."
        self.capabilities = Capabilities(
            generate=offer.completions or offer.chat,
            logprobs=offer.echo or asked,
            requests=not offer.echo and asked,
            gradients=False,
            salience=False,
            chat=offer.chat,
            streaming=True,
            why=why,
            own_probabilities=offer.logprobs or offer.chat_logprobs,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the server was found to do otherwise than asked: the fields that it refuses."""
        return self._offer.fields.told()

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """The server's own tokens where it tells them (`echo`), else words; ids are made up.

        Raises: AppError for an empty prompt.
        """
        if isinstance(prompt, str) and not prompt.strip():
            raise AppError("The prompt is empty.", hint="Write something for the model to continue.")
        if not self._offer.echo or not isinstance(prompt, str):
            return remote_tokens.write(prompt, response)
        head = self._strings(prompt)
        tail = self._strings(response) if response else []
        if "".join(head) != prompt or "".join(tail) != (response or ""):
            return remote_tokens.write(prompt, response)
        spans, at = [], 0
        for piece in [*head, *tail]:
            spans.append((at, at + len(piece)))
            at += len(piece)
        return remote_tokens.tokens_of(prompt + (response or ""), spans, prompt_chars=len(prompt))

    def generate(
        self,
        tokens: Tokens,
        params: GenerationParams,
        *,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        example_id: str = "",
    ) -> Generation:
        """See `LanguageModel`. Log-probabilities are NaN where the server tells none for its own answer."""
        started = time.perf_counter()
        heard, shown = Heard(), ""
        path, body = self._question(tokens, params)
        whole = threading.Event()
        reason: StopReason | None = None
        try:
            for event in self._events(path, body, stop, whole):
                if (fault := self._remote.fault_in(event)) is not None:
                    raise fault
                heard.add(event, self._remote.address)
                if (cut := first(heard.answer, params.stop)) is not None:
                    heard.answer, reason = (
                        heard.answer[:cut],
                        "stop",
                    )  # it was not asked to stop there, or did not
                sure_text = heard.head + sure(heard.answer, params.stop)
                if on_text is not None and sure_text != shown:
                    shown = sure_text
                    on_text(shown)
                if reason is not None:
                    break
            if reason is None:
                reason = self._ended(heard, params, whole.is_set())
        except Stopped:
            reason = "stopped"
        if on_text is not None and heard.text != shown:
            on_text(heard.text)
        placed = heard.placed(heard.answer)
        head = remote_tokens.pieces(heard.head)
        spans = (
            [*head, *((a + len(heard.head), b + len(heard.head)) for a, b in placed[0])] if placed else None
        )
        made = remote_tokens.with_response(tokens, spans, heard.text)
        nats = [math.nan] * len(head) + placed[1] if placed else [math.nan] * (len(made) - made.prompt_len)
        return Generation(
            example_id=example_id,
            model=self.spec,
            params=params,
            tokens=made,
            text=heard.text,
            logprob_nats=np.array(nats, np.float32),
            stop_reason=reason,
            seconds=time.perf_counter() - started,
        )

    def _events(
        self, path: str, body: dict[str, Any], stop: threading.Event | None, whole: threading.Event
    ) -> Iterator[Any]:
        """The events of an answer, asked for without what the server refuses."""

        def begin(shaped: dict[str, Any]) -> tuple[list[Any], Iterator[Any]]:
            events = self._remote.events(path, shaped, stop=stop, whole=whole)
            first_one = list(islice(events, 1))  # a refusal comes before the first event, or as that event
            if first_one and (fault := self._remote.fault_in(first_one[0])) is not None:
                raise fault
            return first_one, events

        start, rest = self._offer.fields.ask(path, body, begin)
        return chain(start, rest)

    def _ended(self, heard: Heard, params: GenerationParams, whole: bool) -> StopReason:
        """Why the answer ended. Raises: AppError where none came, or where it broke off."""
        if heard.said is not None and not heard.finish:
            raise self._remote.broke_off(heard.said)
        if not heard.choices:
            raise AppError(
                f"The server at {self._remote.address} sent something that is no answer (expected `choices`).",
                hint="Check that it speaks OpenAI's wire.",
                code="remote",
            )
        if heard.finish in ("tool_calls", "function_call") and not heard.text:
            raise AppError(
                "The model answered with a call of a tool and no text; tools are not answered here.",
                hint="Ask in a way that needs no tool.",
                code="remote",
            )
        if not heard.finish and not whole:
            raise AppError(
                f"The server at {self._remote.address} ended its answer without saying that it is "
                f"complete, after {len(heard.text):,} characters.",
                hint="It may have been restarted. Try again.",
                code="remote",
            )
        return heard.reason

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        """A few requests at a time; a server that batches does the rest."""
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            return list(pool.map(lambda tokens: self.generate(tokens, params, stop=stop), batch))

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        """log p of each response token, (R,) nats: the server's tokens, added up over each of ours.

        The server tokenises the whole text itself; its token that crosses from the prompt into the response
        counts to the response. Where it is asked token after token, NaN for a token that is none of the likeliest.
        Raises: AppError where the server cannot.
        """
        if not self.capabilities.logprobs:
            raise AppError(self.capabilities.why["logprobs"], code="unsupported")
        if not self._echoes(tokens):
            found = self.reading(tokens, range(len(tokens) - tokens.prompt_len))
            assert found.bound is not None
            return np.where(found.bound, np.nan, found.logprob_nats).astype(np.float32)
        rows = len(tokens) - tokens.prompt_len
        if not rows:
            return np.zeros(0, np.float32)
        strings, nats = self._echo(tokens.text)
        if "".join(strings) != tokens.text:
            raise AppError(
                f"The server read {len(''.join(strings)):,} characters of the {len(tokens.text):,} that were "
                "sent, so its log-probabilities cannot be placed.",
                code="remote",
            )
        starts = tokens.char_spans[tokens.prompt_len :, 0]
        sums = np.zeros(rows, np.float64)
        at = 0
        for piece, value in zip(strings, nats):
            stop_at = at + len(piece)
            if stop_at > tokens.prompt_chars or (stop_at == at == tokens.prompt_chars and piece):
                row = int(np.searchsorted(starts, max(at, tokens.prompt_chars), side="right")) - 1
                sums[max(row, 0)] += value
            at = stop_at
        return sums.astype(np.float32)

    def _echoes(self, tokens: Tokens) -> bool:
        """Whether the server scores this text as such; how it writes a chat's turns is not known here."""
        return self._offer.echo and not (tokens.role[: tokens.prompt_len] == Role.TEMPLATE).any()

    def reading(
        self, tokens: Tokens, rows: Sequence[int], *, stop: threading.Event | None = None
    ) -> ResponseReading:
        """See `AskedModel`. Raises: AppError where the server tells no probabilities of this text; Stopped."""
        if self._echoes(tokens):
            return ResponseReading(self.logprobs(tokens), None, len(tokens) - 1)
        path, body = self._question(tokens, GenerationParams())
        chat = path != "/completions"
        if not (self._offer.chat_places if chat else self._offer.places):
            raise AppError(
                f"The server does not tell the likeliest words of {'a chat' if chat else 'a text'}, so how likely it "
                "finds a given answer cannot be asked.",
                code="unsupported",
            )
        if tokens.response.startswith(OPEN):
            raise AppError(
                "The model thinks before it answers, so how likely it finds an answer cannot be asked.",
                hint="Turn its thinking off, if the server can.",
                code="unsupported",
            )
        key = (path, tokens.text, tokens.prompt_chars)
        before = self._read.get(key)
        if before is not None and not np.isnan(before.logprob_nats[list(rows)]).any():
            return replace(before, tokens_read=0)
        goes_on = not chat or self._offer.chat_goes_on is not None

        def ask(begun: str, count: int, alternatives: int) -> list[ToldPlace]:
            return self._likeliest(path, body, begun, count, alternatives, stop)

        found = reading(tokens, rows, ask, goes_on=goes_on)
        if len(self._read) >= KEPT:
            self._read.pop(next(iter(self._read)))
        self._read[key] = found
        return found

    def _likeliest(
        self,
        path: str,
        body: dict[str, Any],
        begun: str,
        count: int,
        alternatives: int,
        stop: threading.Event | None,
    ) -> list[ToldPlace]:
        """What the server writes after `begun`, the beginning of an answer, with the likeliest at each place."""
        most = self._most.get(path)
        if alternatives > FEW and most is not None:
            return []  # it refused more before
        asked = {**body, "stream": False, "max_tokens": count, "temperature": 0, "top_p": 1, "seed": 0}
        if path == "/completions":
            asked["prompt"] = body["prompt"] + begun
            asked["logprobs"] = min(alternatives, most or alternatives)
        else:
            asked |= {"logprobs": True, "top_logprobs": min(alternatives, most or alternatives)}
            if begun:
                asked["messages"] = [*body["messages"], {"role": "assistant", "content": begun}]
                asked |= dict(self._offer.chat_goes_on or ())
        try:
            shaped = self._offer.fields.shaped(path, asked)
            answer = answered(self._remote, path, shaped, stop)
        except RefusalError:
            # Hosted services tell 5 or 20 at most, and refuse more.
            if most == LEAST:
                raise
            self._most[path] = FEW if alternatives > FEW else LEAST
            if alternatives > FEW:
                return []
            return self._likeliest(path, body, begun, count, alternatives, stop)
        choices = answer.get("choices") if isinstance(answer, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        return places(choice.get("logprobs"))

    def close(self) -> None:
        self._remote.close()

    def _strings(self, text: str) -> list[str]:
        return self._echo(text)[0]

    def _echo(self, text: str) -> tuple[list[str], list[float]]:
        """The server's tokens of `text` and log p of each (the first: 0, nothing stands before it)."""
        found = ask_echo(self._remote, self._offer.fields, self._offer.model, text, self._offer.least)
        if found is None:
            raise AppError(
                f"The server at {self._remote.address} no longer tells log-probabilities of a given text.",
                code="remote",
            )
        return found

    def _question(self, tokens: Tokens, params: GenerationParams) -> tuple[str, dict[str, Any]]:
        """The path and the JSON of a request for an answer."""
        body: dict[str, Any] = {
            "max_tokens": params.max_new_tokens,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "seed": params.seed,
            "stream": True,
        }
        if params.stop:
            body["stop"] = list(params.stop)
        if self._offer.model:
            body["model"] = self._offer.model
        messages = remote_tokens.turns(tokens)
        prompt = tokens.text[: tokens.prompt_chars]
        if messages is None and not self._offer.completions:
            messages = (Message("user", prompt),)
        if messages is not None and self._offer.chat:
            body["messages"] = [{"role": turn.role, "content": turn.content} for turn in messages]
            if self._offer.chat_logprobs:
                body["logprobs"] = True
            return "/chat/completions", body
        body["prompt"] = prompt
        if self._offer.logprobs:
            body["logprobs"] = 1
        return "/completions", body


def load(
    spec: ModelSpec,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    limits: HttpLimits | None = None,
) -> OpenAICompatible:
    """Connects to `spec.path` and finds out what it offers (a few requests for one token, or eight, each)."""
    address = base_address(spec.path)
    model = unquote(urlsplit(spec.path.strip()).fragment)
    remote = Remote(address, SECRETS.token(spec.path), what="The server", limits=limits)
    if progress is not None:
        progress(0.1, "Asking the server what it offers")
    try:
        offer = probe(remote, model, stop)
    except BaseException:
        remote.close()
        raise
    if progress is not None:
        progress(1.0, "Ready")
    return OpenAICompatible(spec, remote, offer)
