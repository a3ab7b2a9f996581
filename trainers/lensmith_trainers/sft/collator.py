"""Batches of encoded conversations."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lensmith_trainers.data import Conversation
from lensmith_trainers.sft.encode_conversation import IGNORED, encode_conversation

_PER_TOKEN = ("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids", "labels")


class ConversationCollator:
    """Turns examples `{"row": index}` into padded batches.

    An encoded conversation is kept for the next epoch until all of them take `cache_bytes`.
    """

    def __init__(
        self,
        conversations: Sequence[Conversation],
        processor: Any,  # noqa: ANN401 - any Hugging Face processor
        chat_template: str | None,
        cache_bytes: int = 1 << 29,
    ) -> None:
        self._conversations = conversations
        self._processor = processor
        self._chat_template = chat_template
        self._cache: dict[int, dict[str, Tensor]] = {}
        self._free_bytes = cache_bytes

    def __call__(self, examples: Sequence[dict[str, int]]) -> dict[str, Tensor]:
        """Per-token tensors (examples, longest length), padded on the right; vision tensors one after the other."""
        rows = [self._encoded(example["row"]) for example in examples]
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: self._join(name, [row[name] for row in rows if name in row]) for name in names}

    def _encoded(self, row: int) -> dict[str, Tensor]:
        if row in self._cache:
            return self._cache[row]
        encoded = encode_conversation(self._conversations[row], self._processor, self._chat_template)
        size = sum(tensor.nbytes for tensor in encoded.values())
        if size <= self._free_bytes:
            self._cache[row] = encoded
            self._free_bytes -= size
        return encoded

    def _join(self, name: str, tensors: list[Tensor]) -> Tensor:
        if name not in _PER_TOKEN:
            return torch.cat(tensors)
        padding = {"input_ids": self._processor.tokenizer.pad_token_id, "labels": IGNORED}.get(name, 0)
        return pad_sequence([tensor.view(-1) for tensor in tensors], batch_first=True, padding_value=padding)
