"""A conversation as a vision-language model's inputs with labels, through its own processor and chat template."""

from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from lensmith_trainers.data import IMAGE_MARK, Conversation, decode_image
from lensmith_trainers.modeling import break_control_tokens
from lensmith_trainers.runtime.failure import Failure

IGNORED = -100


def encode_conversation(conversation: Conversation, processor: Any, chat_template: str | None) -> dict[str, Tensor]:  # noqa: ANN401
    """The processor's tensors for one conversation and `labels`, which are `IGNORED` where nothing is trained.

    Only assistant messages that allow it are trained, each with its end of turn.

    Args:
        conversation: messages and images.
        processor: of a Hugging Face vision-language model.
        chat_template: one that marks assistant text by `{% generation %}`; None takes the processor's own.

    Raises:
        Failure: type `data` for an image that does not decode, `config` for a template that marks something else.
    """
    encoded = processor.apply_chat_template(
        _template_messages(conversation, tuple(processor.tokenizer.all_special_tokens)),
        chat_template=chat_template,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        return_assistant_tokens_mask=True,
    )
    inputs = {name: torch.as_tensor(value) for name, value in encoded.items()}
    mask = _trained(inputs.pop("assistant_masks")[0], conversation)
    inputs["labels"] = inputs["input_ids"].masked_fill(~mask, IGNORED)
    return inputs


def _trained(assistant: Tensor, conversation: Conversation) -> Tensor:
    """The mask of assistant tokens without the messages that ask for no loss."""
    allowed = [message.loss for message in conversation.messages if message.role == "assistant"]
    runs = [len(list(run)) if on else -len(list(run)) for on, run in groupby(assistant.bool().tolist())]
    marked = sum(length > 0 for length in runs)
    if marked != len(allowed):
        message = f"expected the chat template to mark {len(allowed)} assistant messages, it marks {marked}"
        raise Failure("config", message, where=conversation.where)
    turns, mask = iter(allowed), []
    for length in runs:
        mask += [next(turns)] * length if length > 0 else [False] * -length
    return torch.tensor(mask, dtype=torch.bool)


def _template_messages(conversation: Conversation, control_tokens: tuple[str, ...]) -> list[dict[str, Any]]:
    images = iter(enumerate(conversation.images))

    def parts(content: str) -> list[dict[str, Any]]:
        texts = [break_control_tokens(text, control_tokens) for text in content.split(IMAGE_MARK)]
        result: list[dict[str, Any]] = []
        for place, text in enumerate(texts):
            if place > 0:
                index, image = next(images)
                decoded = decode_image(image, where=f"{conversation.where}, image {index}")
                result.append({"type": "image", "image": decoded})
            if text:
                result.append({"type": "text", "text": text})
        return result

    return [{"role": message.role, "content": parts(message.content)} for message in conversation.messages]
