"""Runs in .venv-interop: LIT 1.3.1's own client asks a server, and what it understood goes to stdout as JSON.

python lit_client.py http://127.0.0.1:8080/ "a prompt"
"""

import json
import sys

import numpy as np
from lit_nlp.examples.gcp.model import initialize_model_group_for_salience


def main(base_url: str, prompt: str) -> None:
    models = initialize_model_group_for_salience(
        "demo", base_url=base_url, identity_token="", max_concurrent_requests=4, max_qps=25
    )
    generator, salience, tokenizer = models.values()
    prompts = [{"prompt": prompt, "target": "", "source": "test"}, {"prompt": prompt[:-5], "target": ""}]
    written = [answer["response"] for answer in generator.predict(prompts)]
    example = {"prompt": prompt, "target": written[0]}
    tokens = next(iter(tokenizer.predict([example])))["tokens"]
    before = len(next(iter(tokenizer.predict([{"prompt": prompt, "target": ""}])))["tokens"])
    masks = [
        [0.0] * before + [1.0] * (len(tokens) - before),
        [0] * (len(tokens) - 2) + [1, 0],
    ]
    explained = list(salience.predict([{**example, "target_mask": mask} for mask in masks]))
    found = {
        "written": written,
        "tokens": tokens,
        "prompt_tokens": before,
        "explained": [{name: np.asarray(v).tolist() for name, v in one.items()} for one in explained],
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
