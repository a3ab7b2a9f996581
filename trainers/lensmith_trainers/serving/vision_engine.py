"""A vision-language model behind the server."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from lensmith_trainers.data import Message
from lensmith_trainers.modeling import LoadedModel, TokenSequence, model_image
from lensmith_trainers.protocol.message_parts import IMAGE, MessagePart, parts_content
from lensmith_trainers.rollout import DecodingBatch, Generation, encoded_image, has_fast_path, hf_generate
from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.serving.api_error import ApiError
from lensmith_trainers.serving.chat_request import ChatMessage, ImagePart, TextPart, image_bytes
from lensmith_trainers.serving.static_batch import StaticBatch

_REMEMBERED_TURNS = 4096


class VisionEngine:
    """Renders conversations with the tokens that a rollout of the same conversation has.

    Text has many tokenisations, and a model may sample another than the tokenizer's. So the tokens of recent answers
    are remembered under the tokens before them, and stand again where the conversation comes back with the answer.
    """

    def __init__(self, loaded: LoadedModel, cancelled: Callable[[], bool]) -> None:
        self._loaded = loaded
        self._cancelled = cancelled
        self._turns: OrderedDict[tuple[int, str], list[int]] = OrderedDict()

    def prompt(self, messages: list[ChatMessage]) -> TokenSequence:
        """Renders a conversation up to where the answer begins."""
        sequence = TokenSequence(self._loaded.vocabulary)
        for message in messages:
            role = "system" if message.role == "developer" else message.role
            parts, images = self._parts(message)
            content = parts_content(parts)
            if role == "assistant" and not images and self._append_known_turn(sequence, content):
                continue
            pictures = [model_image(image.pixels, self._loaded.processor.image_processor) for image in images]
            sequence.append_message(Message(role, content), pictures)
        sequence.open_assistant_turn()
        return sequence

    def decoder(self) -> DecodingBatch | StaticBatch:
        """Continuous where the fast path fits the model."""
        if has_fast_path(self._loaded.model):
            return DecodingBatch(self._loaded.model, self._loaded.vocabulary)
        return StaticBatch(partial(hf_generate, self._loaded, cancelled=self._cancelled))

    def finished(self, generation: Generation) -> None:
        """Remembers the tokens of an answer."""
        if generation.stopped_at is not None:
            return
        self._turns[_key(generation.sequence, generation.text)] = generation.ids
        if len(self._turns) > _REMEMBERED_TURNS:
            self._turns.popitem(last=False)

    def _append_known_turn(self, sequence: TokenSequence, text: str) -> bool:
        opened = sequence.copy()
        opened.open_assistant_turn()
        ids = self._turns.get(_key(opened, text))
        if ids is None:
            return False
        sequence.open_assistant_turn()
        sequence.append_ids(ids, loss=True)
        sequence.close_assistant_turn()
        return True

    def _parts(self, message: ChatMessage) -> tuple[list[MessagePart], list]:
        if isinstance(message.content, str):
            return [message.content], []
        parts: list[MessagePart] = []
        images = []
        for part in message.content or ():
            match part:
                case TextPart():
                    parts.append(part.text)
                case ImagePart():
                    parts.append(IMAGE)
                    try:
                        images.append(encoded_image(image_bytes(part), where="image_url"))
                    except Failure as error:
                        raise ApiError(400, str(error), param="messages") from error
        return parts, images


def _key(sequence: TokenSequence, text: str) -> tuple[int, str]:
    return hash((tuple(sequence.ids), tuple(image.pixels.tobytes() for image in sequence.images))), text
