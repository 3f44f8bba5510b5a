"""Gemini models, through Google's own library (`google-genai`, an optional extra: `requirements-gemini.lock`).

Address: `https://generativelanguage.googleapis.com#<model>` with an API key, or for Vertex AI
`https://<location>-aiplatform.googleapis.com/projects/<project>/locations/<location>#<model>` with the
machine's own Google credentials (an access token that was entered takes their place). Generation only: the
service tells neither gradients nor the probability of a given text. Text is cut into words here.
"""

from __future__ import annotations

import importlib.util
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.models.language_model import Capabilities, Progress
from core.models.remote import remote_tokens
from core.models.remote.http import HttpLimits
from core.models.remote.patience import Late, patiently
from core.models.remote.secrets import SECRETS, base_address
from core.models.stop_texts import sure
from core.records import Generation, GenerationParams, Message, ModelSpec, StopReason, Tokens

AT_ONCE = 4
_VERTEX = re.compile(r"/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/?$")
_WHY = {
    "logprobs": "Gemini does not tell how likely it finds a given text.",
    "gradients": "Gemini gives no gradients.",
    "salience": "Gemini computes no salience.",
}


class Gemini:
    """See `core.models.language_model.LanguageModel`."""

    parameters = 0
    bytes = 0
    context_length = 0
    capabilities = Capabilities(
        generate=True,
        logprobs=False,
        own_probabilities=False,
        gradients=False,
        salience=False,
        chat=True,
        streaming=True,
        why=_WHY,
    )

    def __init__(self, spec: ModelSpec, client: Any, model: str, limits: HttpLimits, secret: str) -> None:
        self.spec = spec
        self._client = client
        self._model = model
        self._limits = limits
        self._secret = secret

    def __repr__(self) -> str:
        return f"Gemini({self.spec.path!r})"

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """Words with made-up ids. Raises: AppError for an empty prompt."""
        if isinstance(prompt, str) and not prompt.strip():
            raise AppError("The prompt is empty.", hint="Write something for the model to continue.")
        return remote_tokens.write(prompt, response)

    def generate(
        self,
        tokens: Tokens,
        params: GenerationParams,
        *,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        example_id: str = "",
    ) -> Generation:
        """See `LanguageModel`. Log-probabilities are NaN: the service tells none that could be placed."""
        started = time.perf_counter()
        text, finish, shown = "", "", ""
        reason: StopReason
        try:
            for piece, said in self._pieces(tokens, params, stop):
                text += piece
                finish = said or finish
                told = sure(text, params.stop)
                if on_text is not None and told != shown:
                    shown = told
                    on_text(told)
            if finish == "":
                raise AppError(
                    f"Gemini ended its answer without saying that it is complete, after {len(text):,} "
                    "characters.",
                    hint="Try again.",
                    code="remote",
                )
            if finish not in ("STOP", "MAX_TOKENS"):
                raise AppError(
                    f"Gemini gave no answer, or cut it off after {len(text):,} characters: it says {finish}.",
                    hint="Change the prompt, or ask another model.",
                    code="remote",
                )
            reason = "eos" if finish == "STOP" else "length"
        except Stopped:
            reason = "stopped"
        if on_text is not None and text != shown:
            on_text(text)
        whole = remote_tokens.with_response(tokens, None, text)
        return Generation(
            example_id=example_id,
            model=self.spec,
            params=params,
            tokens=whole,
            text=text,
            logprob_nats=np.full(len(whole) - whole.prompt_len, math.nan, np.float32),
            stop_reason=reason,
            seconds=time.perf_counter() - started,
        )

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            return list(pool.map(lambda tokens: self.generate(tokens, params, stop=stop), batch))

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        raise AppError(_WHY["logprobs"], code="unsupported")

    def close(self) -> None:
        self._client.close()

    def _pieces(
        self, tokens: Tokens, params: GenerationParams, stop: threading.Event | None
    ) -> Iterator[tuple[str, str]]:
        """Text and finish reason of each event of the stream.

        Raises: AppError with the status code for the service's faults; Stopped.
        """
        from google.genai import errors

        contents, config = question(tokens, params)

        def ask(gone: threading.Event) -> Iterator[tuple[str, str]]:
            stream = self._client.models.generate_content_stream(
                model=self._model, contents=contents, config=config
            )
            for event in stream:
                if gone.is_set():
                    return
                yield from heard(event)

        limits = self._limits
        try:
            yield from patiently(
                ask,
                stop=stop,
                silence_seconds=limits.silence_seconds + limits.connect_seconds,
                total_seconds=limits.total_seconds,
            )
        except errors.APIError as error:
            said = " ".join(str(error.message or "").split())[:300]
            if self._secret:
                said = said.replace(self._secret, "[token]")
            raise AppError(
                f"Gemini answered {error.code} ({error.status or 'unknown'})"
                + (f": {said.rstrip('.')}." if said else "."),
                hint=_advice(error.code),
                code="remote",
            ) from None  # the library's error carries the request
        except (Late, httpx.TimeoutException) as error:
            raise AppError(
                f"Gemini did not answer within {limits.silence_seconds:,.0f} seconds.",
                hint="Try again.",
                code="remote",
            ) from error
        except httpx.HTTPError as error:
            raise AppError(
                f"The connection to Gemini broke ({type(error).__name__}).",
                hint="Check the address and the network, and try again.",
                code="remote",
            ) from None
        except ValueError as error:  # pydantic's and json's: an answer that is not in the form it should be
            raise AppError(
                "Gemini sent an answer that breaks off in the middle or is not in its own form.",
                hint="Try again.",
                code="remote",
            ) from error


def question(tokens: Tokens, params: GenerationParams) -> tuple[list[Any], Any]:
    """`contents` and `config` of a request: system turns become the instruction, "assistant" is "model"."""
    from google.genai import types

    messages = remote_tokens.turns(tokens) or (Message("user", tokens.text[: tokens.prompt_chars]),)
    contents = [
        types.Content(
            role="model" if turn.role == "assistant" else "user", parts=[types.Part(text=turn.content)]
        )
        for turn in messages
        if turn.role != "system"
    ]
    system = "\n\n".join(turn.content for turn in messages if turn.role == "system")
    config = types.GenerateContentConfig(
        system_instruction=system or None,
        max_output_tokens=params.max_new_tokens,
        temperature=params.temperature,
        top_p=params.top_p,
        seed=params.seed,
        stop_sequences=list(params.stop) or None,
        candidate_count=1,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    return contents, config


def heard(event: Any) -> Iterator[tuple[str, str]]:
    """Text and finish reason of one event; a blocked prompt counts as a finish reason."""
    blocked = getattr(event.prompt_feedback, "block_reason", None)
    if blocked:
        yield "", str(getattr(blocked, "value", blocked))
    for candidate in (event.candidates or [])[:1]:
        parts = (candidate.content.parts if candidate.content else None) or []
        text = "".join(part.text for part in parts if part.text and not part.thought)
        finish = candidate.finish_reason
        yield text, str(getattr(finish, "value", finish)) if finish else ""


def _advice(code: int) -> str:
    if code in (401, 403):
        return "Check the access token."
    if code == 404:
        return "Check the model's name."
    if code == 429:
        return "The quota is used up: wait a little and try again."
    return "Look into the request." if code < 500 else "The fault is on Google's side: try again later."


def load(
    spec: ModelSpec,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    limits: HttpLimits | None = None,
) -> Gemini:
    """A client for the model that `spec.path` names; nothing is asked yet.

    Raises: AppError without the library, a model's name or a token.
    """
    if importlib.util.find_spec("google") is None or importlib.util.find_spec("google.genai") is None:
        raise AppError(
            "Gemini needs Google's library, which is not installed.",
            hint="Install it: pip install --no-deps -r requirements-gemini.lock",
        )
    from google import genai
    from google.genai import types
    from google.oauth2.credentials import Credentials

    limits = limits or HttpLimits()
    address = base_address(spec.path)
    model = unquote(urlsplit(spec.path.strip()).fragment)
    if not model:
        raise AppError(
            "The address names no model.",
            hint="Add it after a #, as in https://generativelanguage.googleapis.com#gemini-2.5-flash",
        )
    secret = SECRETS.token(spec.path).get_secret_value()
    vertex = _VERTEX.search(urlsplit(address).path)
    options = types.HttpOptions(
        base_url=address[: -len(vertex.group(0))] if vertex else address,
        timeout=int(limits.silence_seconds * 1000),
        retry_options=types.HttpRetryOptions(
            attempts=limits.retries + 1,
            initial_delay=limits.backoff_seconds,
            max_delay=limits.longest_backoff_seconds,
            http_status_codes=[408, 429, 502, 503, 504],
        ),
        httpx_client=httpx.Client(
            timeout=httpx.Timeout(limits.silence_seconds, connect=limits.connect_seconds),
            trust_env=False,
            follow_redirects=False,
        ),
    )
    if vertex:
        client = genai.Client(
            vertexai=True,
            project=vertex["project"],
            location=vertex["location"],
            credentials=Credentials(token=secret) if secret else None,
            http_options=options,
        )
    elif secret:
        client = genai.Client(vertexai=False, api_key=secret, http_options=options)
    else:
        raise AppError("Gemini needs an API key.", hint="Enter it as the token, or set GEMINI_API_KEY.")
    if progress is not None:
        progress(1.0, "Ready")
    return Gemini(spec, client, model, limits, secret)
