"""An answer as a row of the table `generations`: what is listed and sorted by, and the whole answer, packed.

Knows no database.
"""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

from core.errors import AppError
from core.records import Generation, GenerationParams, ModelSpec
from core.store.bundle import generation_from_json, generation_to_json
from core.store.keys import Prompt, generation_key, listed_as, model_key

HEAD_BYTES = 16_384
"""Of a payload: in which model and parameters stand."""


def _storable(text: str) -> str:
    """`text` for a column that is only shown: what no database takes is replaced (the payload is exact)."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def generation_row(key: str, generation: Generation, prompt: Prompt) -> dict[str, Any]:
    """The row of `generations` that keeps `generation`."""
    payload = zlib.compress(json.dumps(generation_to_json(generation)).encode(), 6)
    total = float(generation.logprob_nats.sum(dtype="float64"))
    drawn = generation_key(prompt, generation.model, generation.params)
    beside, sent = listed_as(prompt)
    return {
        "key": key,
        "prompt_key": beside,
        "model_key": model_key(generation.model),
        "model_name": generation.model.name,
        "kind": "generated" if key == drawn else "scored",
        "sent": sent,
        "text": _storable(generation.text),
        "logprob_nats": total,
        "response_tokens": len(generation.logprob_nats),
        "stop_reason": generation.stop_reason,
        "seconds": generation.seconds,
        "created_at": time.time(),
        "payload": payload,
    }


def made_with(payload: bytes) -> tuple[ModelSpec, GenerationParams]:
    """The model and the parameters, which stand before the tokens in the payload's JSON."""
    text = zlib.decompressobj().decompress(payload, HEAD_BYTES).decode("utf-8", "ignore")
    read = json.JSONDecoder().raw_decode
    found = []
    for name in ("model", "params"):
        mark = f'"{name}": '
        found.append(read(text, text.index(mark) + len(mark))[0])
    params = found[1] | {"stop": tuple(found[1]["stop"])}
    return ModelSpec(**found[0]), GenerationParams(**params)


def unpacked(payload: bytes) -> Generation | None:
    """The answer in a row's payload; None for one that cannot be read."""
    try:
        return generation_from_json(json.loads(zlib.decompress(payload)))
    except (zlib.error, ValueError, KeyError, TypeError, AppError):
        return None
