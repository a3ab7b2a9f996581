"""What Hugging Face's own processor and model make of a conversation: the reference of these tests."""

from typing import Any

import torch

from lensmith_trainers.data import IMAGE_MARK, Conversation, decode_image
from lensmith_trainers.modeling import LoadedModel


def template_messages(conversation: Conversation) -> list[dict[str, Any]]:
    """Messages for `apply_chat_template`."""
    images = iter(conversation.images)
    messages = []
    for message in conversation.messages:
        first, *rest = message.content.split(IMAGE_MARK)
        parts = [{"type": "text", "text": first}]
        for text in rest:
            image = decode_image(next(images), where="test")
            parts += [{"type": "image", "image": image}, {"type": "text", "text": text}]
        messages.append({"role": message.role, "content": parts, "loss": message.loss})
    return messages


def hf_inputs(loaded: LoadedModel, conversation: Conversation) -> dict[str, Any]:
    """Tokens, masks and pixels."""
    return loaded.processor.apply_chat_template(
        template_messages(conversation),
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        return_assistant_tokens_mask=True,
    )


@torch.no_grad()
def hf_log_probs(loaded: LoadedModel, conversation: Conversation) -> torch.Tensor:
    """Log-probabilities of the trained tokens from Hugging Face's forward pass."""
    inputs = hf_inputs(loaded, conversation)
    mask = torch.as_tensor(inputs.pop("assistant_masks"))[0, 1:].bool()
    logits = loaded.model(**inputs).logits[0, :-1]
    chosen = inputs["input_ids"][0, 1:, None]
    return logits.log_softmax(-1).gather(1, chosen)[mask, 0]
