"""Asks llama.cpp (`xllamacpp`) in a process of its own: JSON in, one line of JSON out. See `gguf_files.py`."""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

import xllamacpp


def served(file: str, exact: bool) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx = 1024 if not exact else 256
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup, params.verbosity, params.n_parallel = False, -1, 1
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params)


def likeliest(server: Any, prompts: list[list[int]]) -> dict[str, Any]:
    """The first prompt that is continued (its number), and the ten likeliest next ids with their log p."""
    for number, prompt in enumerate(prompts):
        answer = server.handle_completions(
            {"prompt": prompt, "max_tokens": 1, "temperature": 0, "logprobs": 10}
        )
        told = answer["choices"][0]["logprobs"]
        if told:  # none when it would end the text at once
            first = told["content"][0]["top_logprobs"]
            return {"prompt": number, "nats": [[one["id"], one["logprob"]] for one in first]}
    return {"prompt": None, "nats": []}


def greedy(server: Any, text: str, count: int) -> dict[str, Any]:
    """`count` greedy tokens after `text`, and the log p of each."""
    answer = server.handle_completions({"prompt": text, "max_tokens": count, "temperature": 0, "logprobs": 1})
    told = answer["choices"][0]["logprobs"]["content"]
    return {"ids": [one["id"] for one in told], "nats": [one["logprob"] for one in told]}


def tokenized(server: Any, texts: list[str]) -> list[list[int]]:
    made = []
    for text in texts:
        body = json.dumps({"content": text, "add_special": True, "parse_special": True}).encode()
        request = urllib.request.Request(
            f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            made.append(json.load(answer)["tokens"])
    return made


def main() -> None:
    answers = []
    for question in json.load(sys.stdin):
        server = served(question["file"], exact="prompts" in question)
        if "prompts" in question:
            answers.append(likeliest(server, question["prompts"]))
        else:
            answers.append(
                {
                    "tokens": tokenized(server, question["texts"]),
                    "greedy": greedy(server, question["text"], question["count"]),
                }
            )
        del server
    print("ANSWERS", json.dumps(answers))


if __name__ == "__main__":
    main()
