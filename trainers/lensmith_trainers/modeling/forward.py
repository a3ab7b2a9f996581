"""The forward pass over token sequences, fast on a CPU."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, Qwen2_5_VLForConditionalGeneration

from lensmith_trainers.modeling.sequence import TokenSequence
from lensmith_trainers.modeling.text import hidden_at
from lensmith_trainers.modeling.vision import image_features
from lensmith_trainers.runtime.failure import Failure


@dataclass(frozen=True)
class TokenBatch:
    """Sequences side by side, with image features in their places. B sequences, L tokens."""

    ids: Tensor
    """(B, L)"""
    embeddings: Tensor
    """(B, L, hidden)"""
    attention: Tensor
    """(B, L), 1 where a token stands, 0 on padding."""
    positions: Tensor
    """(3, B, L)"""
    loss: Tensor
    """(B, L), bool."""


@dataclass(frozen=True)
class TrainedTokens:
    """The trained tokens of a batch, flat, sequence by sequence."""

    log_probs: Tensor
    """(N,) log-probability of each token given those before it."""
    logits: Tensor
    """(N, vocabulary) that predicted it."""
    ids: Tensor
    """(N,)"""
    rows: Tensor
    """(N,) index of its sequence in the batch."""


def check_fast_path(model: PreTrainedModel) -> None:
    """Refuses a model whose computation differs from the one here.

    Raises:
        Failure: type `config`.
    """
    fits = isinstance(model, Qwen2_5_VLForConditionalGeneration)
    if fits:
        vision, text = model.config.vision_config, model.config.text_config
        fits = set(vision.fullatt_block_indexes) >= set(range(vision.depth)) and not text.use_sliding_window
    if not fits:
        message = "expected a Qwen2.5-VL that attends fully, without windows, in its vision and text parts"
        raise Failure("config", f"{message}, got {type(model).__name__}")


def embed_sequences(
    model: PreTrainedModel, sequences: Sequence[TokenSequence], *, pad_left: bool = False
) -> TokenBatch:
    """Pads sequences to one length, on the left for generation, and puts image features in their places."""
    length, count = max(len(sequence) for sequence in sequences), len(sequences)
    vocabulary = sequences[0].vocabulary
    ids = np.full((count, length), vocabulary.pad_id)
    attention = np.zeros((count, length), np.int64)
    positions = np.zeros((3, count, length), np.int64)
    loss = np.zeros((count, length), bool)
    for row, sequence in enumerate(sequences):
        place = slice(length - len(sequence), length) if pad_left else slice(0, len(sequence))
        ids[row, place] = sequence.ids
        attention[row, place] = 1
        positions[:, row, place] = np.array(sequence.positions).T
        loss[row, place] = sequence.loss
    tensors = [torch.from_numpy(array).to(model.device) for array in (ids, attention, positions, loss)]
    embeddings = model.model.language_model.embed_tokens(tensors[0])
    images = [image for sequence in sequences for image in sequence.images]
    if images:
        features = image_features(model.model.visual, images).to(embeddings.dtype)
        embeddings = embeddings.masked_scatter((tensors[0] == vocabulary.image_token_id)[..., None], features)
    return TokenBatch(tensors[0], embeddings, tensors[1], tensors[2], tensors[3])


def trained_tokens(model: PreTrainedModel, sequences: Sequence[TokenSequence]) -> TrainedTokens:
    """Log-probabilities, with gradient, of the tokens whose `loss` is true; no others get logits."""
    batch = embed_sequences(model, sequences)
    rows, columns = torch.nonzero(batch.loss[:, 1:], as_tuple=True)
    ids = batch.ids[rows, columns + 1]
    hidden = hidden_at(model.model.language_model, batch.embeddings, batch.positions, rows, columns)
    logits = model.lm_head(hidden).float()
    log_probs = logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]
    return TrainedTokens(log_probs, logits, ids, rows)
