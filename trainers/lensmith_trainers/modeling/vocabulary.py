"""A tokenizer with what the piecewise building of sequences asks of it."""

from functools import lru_cache

from transformers import PreTrainedTokenizerFast

from lensmith_trainers.modeling.control_tokens import break_control_tokens


class Vocabulary:
    """Encodes text without adding anything, and remembers what it has encoded."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.image_token_id: int = tokenizer.convert_tokens_to_ids("<|image_pad|>")
        self.end_of_turn_id: int = tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.pad_id: int = tokenizer.pad_token_id
        self._control_tokens = tuple(tokenizer.all_special_tokens)
        self.encode_with_starts = lru_cache(maxsize=16384)(self._encode_with_starts)

    @property
    def control_token_ids(self) -> list[int]:
        """Tokens that a model must never sample, other than the end of its turn."""
        ids = self.tokenizer.convert_tokens_to_ids(list(self._control_tokens))
        return [token for token in ids if token != self.end_of_turn_id]

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, with nothing added; control tokens in it are recognised."""
        return list(self.encode_with_starts(text)[0])

    def decode(self, ids: list[int]) -> str:
        """Text of `ids` without control tokens; markup such as `<answer>` stays."""
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def break_control_tokens(self, text: str) -> str:
        """`text` with this tokenizer's control tokens broken; see `break_control_tokens`."""
        return break_control_tokens(text, self._control_tokens)

    def _encode_with_starts(self, text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Token ids, and for each the index of its first character in `text`."""
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return tuple(encoded["input_ids"]), tuple(start for start, _ in encoded["offset_mapping"])
