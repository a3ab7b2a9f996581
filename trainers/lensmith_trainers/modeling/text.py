"""Qwen2.5-VL's language model over whole sequences, for training: no cache, and no work whose result nobody reads."""

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn


def hidden_at(
    language_model: nn.Module, embeddings: Tensor, positions: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """Last hidden states at chosen places, (N, hidden).

    Padding must stand on the right: causal attention then never reaches it from a token.

    Args:
        language_model: the text part of a Qwen2.5-VL without sliding windows.
        embeddings: (B, L, hidden)
        positions: (3, B, L), rotary positions.
        rows: (N,)
        columns: (N,)
    """
    cosine, sine = (part.unsqueeze(1) for part in language_model.rotary_emb(embeddings, positions))
    hidden, last = embeddings, len(language_model.layers) - 1
    for index, layer in enumerate(language_model.layers):
        attended = _attention(layer.self_attn, _normed(layer.input_layernorm, hidden), cosine, sine)
        if index == last:
            # Only the keys and values of the other tokens are needed by now.
            hidden, attended = hidden[rows, columns], attended[rows, columns]
        hidden = hidden + layer.self_attn.o_proj(attended)
        hidden = hidden + _feed_forward(layer.mlp, _normed(layer.post_attention_layernorm, hidden))
    return _normed(language_model.norm, hidden)


def _attention(attention: nn.Module, hidden: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Heads side by side, before the output projection, (B, L, heads * head)."""
    count, length, _ = hidden.shape
    query, key, value = (
        projection(hidden).view(count, length, -1, attention.head_dim).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = (part * cosine + _rotate_half(part) * sine for part in (query, key))
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    return attended.transpose(1, 2).reshape(count, length, -1)


def _feed_forward(mlp: nn.Module, hidden: Tensor) -> Tensor:
    return mlp.down_proj(F.silu(mlp.gate_proj(hidden)) * mlp.up_proj(hidden))


def _normed(norm: nn.Module, hidden: Tensor) -> Tensor:
    return F.rms_norm(hidden, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _rotate_half(value: Tensor) -> Tensor:
    first, second = value.chunk(2, -1)
    return torch.cat([-second, first], -1)
