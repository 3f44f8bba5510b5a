"""Runs in .venv-interop: LIT 1.3.1's own server code over three models whose answers are done by hand.

Characters are tokens. The gradient of target n at character i < n is the vector (n - i, n % 3, 1); the
test works out the norms of their sums and products with (1, 1, 1). Prints the port it listens on.
"""

import os

import numpy as np
from lit_nlp.examples.prompt_debugging import models as pd_models
from lit_nlp.examples.prompt_debugging import utils as pd_utils
from werkzeug.serving import make_server


def gradient(n, i):
    return np.array([n - i, n % 3, 1.0]) if i < n else np.zeros(3)


class Generator:
    def predict(self, inputs):
        return [{"response": item["prompt"][::-1][:4]} for item in inputs]


class Tokenizer:
    def predict(self, inputs):
        return [{"tokens": tokens(item)} for item in inputs]


class Salience:
    def predict(self, inputs):
        return [self.one(item) for item in inputs]

    def one(self, item):
        shown = tokens(item)
        mask = item.get("target_mask") or [0] * len(shown)
        chosen = [n for n, flag in enumerate(mask) if flag]
        sums = [sum((gradient(n, i) for n in chosen), np.zeros(3)) for i in range(len(shown))]
        return {
            "tokens": shown,
            "grad_l2": [float(np.linalg.norm(g)) for g in sums],
            "grad_dot_input": [float(g.sum()) for g in sums],
        }


def tokens(item):
    return [c.replace(" ", "\u2581") for c in item["prompt"] + item.get("target", "")]


def get_models(models_config, **_):
    name = models_config[0].split(":")[0]
    salience, tokenizer = pd_utils.generate_model_group_names(name)
    return {name: Generator(), salience: Salience(), tokenizer: Tokenizer()}


if __name__ == "__main__":
    os.environ["MODEL_CONFIG"] = "hand:made"
    pd_models.get_models = get_models
    from lit_nlp.examples.gcp import model_server

    server = make_server("127.0.0.1", 0, model_server.get_wsgi_app(), threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()
