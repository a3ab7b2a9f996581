"""From a data set's conversation to tokens."""

from collections.abc import Iterable
from typing import Any

from lensmith_trainers.data.conversation import IMAGE_MARK, Conversation
from lensmith_trainers.data.images import decode_image
from lensmith_trainers.modeling.model_image import ModelImage, model_image
from lensmith_trainers.modeling.sequence import TokenSequence
from lensmith_trainers.modeling.vocabulary import Vocabulary


def conversation_sequence(conversation: Conversation, vocabulary: Vocabulary, image_processor: Any) -> TokenSequence:  # noqa: ANN401
    """The whole conversation, with the loss on assistant messages that allow it.

    Raises:
        Failure: type `data` where an image does not decode.
    """
    images = [
        model_image(decode_image(image, where=f"{conversation.where}, image {index}"), image_processor)
        for index, image in enumerate(conversation.images)
    ]
    return _sequence(conversation, images, vocabulary)


def conversation_texts(conversations: Iterable[Conversation]) -> Iterable[str]:
    """The contents of all messages, for a tokenizer to learn from."""
    return (message.content for conversation in conversations for message in conversation.messages)


def _sequence(conversation: Conversation, images: list[ModelImage], vocabulary: Vocabulary) -> TokenSequence:
    sequence, used = TokenSequence(vocabulary), 0
    for message in conversation.messages:
        count = message.content.count(IMAGE_MARK)
        sequence.append_message(message, images[used : used + count])
        used += count
    return sequence
