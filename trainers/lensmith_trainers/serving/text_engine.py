"""A text model from a GGUF file behind the server, such as a small judge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from lensmith_trainers.rollout import Generation
from lensmith_trainers.rollout.hf_generate import generate_with
from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.serving.api_error import ApiError
from lensmith_trainers.serving.chat_request import ChatMessage, TextPart
from lensmith_trainers.serving.static_batch import StaticBatch


class TextVocabulary:
    """A tokenizer whose turns end with its end-of-sequence token."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.end_of_turn_id: int = tokenizer.eos_token_id
        self.pad_id: int = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    @property
    def control_token_ids(self) -> list[int]:
        """Special tokens other than the end of a turn."""
        return [token for token in self.tokenizer.all_special_ids if token != self.end_of_turn_id]

    def decode(self, ids: list[int]) -> str:
        """Text without special tokens."""
        return self.tokenizer.decode(ids, skip_special_tokens=True)


@dataclass(frozen=True)
class TextPrompt:
    """Tokens of a conversation, up to where the answer begins."""

    vocabulary: TextVocabulary
    ids: list[int]

    def __len__(self) -> int:
        return len(self.ids)


class TextEngine:
    """Renders conversations with the model's own chat template."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, cancelled: Callable[[], bool]
    ) -> None:
        self._model = model
        self._vocabulary = TextVocabulary(tokenizer)
        self._cancelled = cancelled

    def prompt(self, messages: list[ChatMessage]) -> TextPrompt:
        """Renders a conversation."""
        plain = [{"role": message.role, "content": _text(message)} for message in messages]
        ids = self._vocabulary.tokenizer.apply_chat_template(plain, add_generation_prompt=True, return_dict=False)
        return TextPrompt(self._vocabulary, list(ids))

    def decoder(self) -> StaticBatch:
        """A decoder of whole batches."""
        return StaticBatch(self._generate)

    def finished(self, generation: Generation) -> None:
        """Nothing has to be remembered: prompts come from text alone."""

    def _generate(self, generations: Sequence[Generation]) -> None:
        length = max(len(generation.sequence) for generation in generations)
        missing = [length - len(generation.sequence) for generation in generations]
        ids = [
            [self._vocabulary.pad_id] * gap + item.sequence.ids for gap, item in zip(missing, generations, strict=True)
        ]
        attention = [[0] * gap + [1] * (length - gap) for gap in missing]
        device = self._model.device
        inputs = {
            "input_ids": torch.tensor(ids, device=device),
            "attention_mask": torch.tensor(attention, device=device),
        }
        generate_with(self._model, self._vocabulary, inputs, generations, self._cancelled)


def load_text_engine(file: str | Path, device: str, cancelled: Callable[[], bool]) -> TextEngine:
    """Loads a GGUF file in float32.

    Raises:
        Failure: type `config` where the file is no GGUF model with a chat template.
    """
    path = Path(file)
    if not path.is_file():
        raise Failure("config", "expected a GGUF file, found none", where=str(path))
    try:
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, local_files_only=True, dtype=torch.float32
        )
    except (ValueError, KeyError, ImportError, OSError) as error:
        raise Failure(
            "config", f"expected a GGUF model that transformers can load, got: {error}", where=str(path)
        ) from error
    if tokenizer.chat_template is None:
        raise Failure("config", "expected a model with a chat template, found none", where=str(path))
    return TextEngine(model.to(device).eval(), tokenizer, cancelled)


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    texts = [part.text for part in message.content or () if isinstance(part, TextPart)]
    if len(texts) != len(message.content or ()):
        raise ApiError(400, "this model reads text only; leave out image_url parts", param="messages")
    return "".join(texts)
