"""Slow and obvious ways to the same numbers."""

from __future__ import annotations

import copy

import numpy as np
import torch


def plain_gradient(model, tokens, weights, net=None):
    """d (weighted sum of the response's losses) / d embeddings (T, D), and the embeddings."""
    net = model.model if net is None else net
    ids = torch.tensor(tokens.ids)[None]
    embeddings = net.get_input_embeddings()(ids).detach().requires_grad_(True)
    logits = net(inputs_embeds=embeddings, use_cache=False).logits[0, :-1]
    nats = -torch.log_softmax(logits.to(torch.promote_types(logits.dtype, torch.float32)), -1)
    nats = nats.gather(1, ids[0, 1:, None])[:, 0]
    (nats[tokens.prompt_len - 1 :] * torch.as_tensor(np.asarray(weights), dtype=nats.dtype)).sum().backward()
    return embeddings.grad[0].double().numpy(), embeddings.detach()[0].double().numpy()


def dense(model):
    """A float32 copy of a quantised model whose layers hold its own de-quantised weights."""
    import bitsandbytes as bnb

    net = copy.deepcopy(model.model)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, bnb.nn.Linear4bit):
                weight = bnb.functional.dequantize_4bit(child.weight.data, child.weight.quant_state)
            elif isinstance(child, bnb.nn.Linear8bitLt):
                rows, scales = child.state.CB, child.state.SCB  # moved there by the first pass
                weight = rows.float() * scales.float()[:, None] / 127
            else:
                continue
            plain = torch.nn.Linear(child.in_features, child.out_features, bias=child.bias is not None)
            plain.weight.data = weight.float()
            if child.bias is not None:
                plain.bias.data = child.bias.data.float()
            setattr(module, name, plain)
    return torch.nn.Module.float(net)  # transformers refuses its own for what was quantised
