"""The demo model's architecture: Gemma 2 of transformers, narrow and deep, random weights.

Soft-capping of attention is off and every layer attends to the whole context, so that the same weights give
the same numbers under every attention implementation.
"""

import torch
from transformers import Gemma2Config, Gemma2ForCausalLM

CONTEXT = 2048  # tokens; training sees prompts of up to about 1,000


def make_config(vocabulary: int, *, pad: int, eos: int, bos: int) -> Gemma2Config:
    """Returns the configuration: 8 layers of width 192, about 3.7 million parameters."""
    layers = 8
    return Gemma2Config(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=48,
        query_pre_attn_scalar=48,
        attn_logit_softcapping=None,
        final_logit_softcapping=None,
        max_position_embeddings=CONTEXT,
        sliding_window=CONTEXT,
        layer_types=["full_attention"] * layers,
        pad_token_id=pad,
        eos_token_id=eos,
        bos_token_id=bos,
        tie_word_embeddings=True,
    )


def make_model(config: Gemma2Config, seed: int) -> Gemma2ForCausalLM:
    """Returns the model with seeded random weights in float32."""
    torch.manual_seed(seed)
    return Gemma2ForCausalLM(config)
