"""A conversation as tokens, grown piece by piece and never tokenised again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lensmith_trainers.data.conversation import IMAGE_MARK, Message
from lensmith_trainers.modeling.model_image import ModelImage
from lensmith_trainers.modeling.vocabulary import Vocabulary

Position = tuple[int, int, int]


@dataclass
class TokenSequence:
    """Token ids with what training on them needs; `ids`, `loss` and `positions` have one entry a token."""

    vocabulary: Vocabulary
    ids: list[int] = field(default_factory=list)
    loss: list[bool] = field(default_factory=list)
    """Whether the token is one to train on."""
    positions: list[Position] = field(default_factory=list)
    """Rotary position of Qwen2.5-VL: time, height, width."""
    images: list[ModelImage] = field(default_factory=list)
    next_position: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def copy(self) -> "TokenSequence":
        """A sequence that grows on its own; images are shared."""
        return TokenSequence(
            self.vocabulary, self.ids[:], self.loss[:], self.positions[:], self.images[:], self.next_position
        )

    def append_message(self, message: Message, images: Sequence[ModelImage] = ()) -> None:
        """Appends a message as the chat template renders it.

        Tokens of an assistant message count for the loss, its end of turn included, unless `message.loss` is false.
        """
        head = f"<|im_start|>{message.role}\n"
        body = _body(message.content, images, self.vocabulary)
        ids, starts = self.vocabulary.encode_with_starts(f"{head}{body}<|im_end|>\n")
        trained = message.role == "assistant" and message.loss
        first, last = len(head), len(head) + len(body) + len("<|im_end|>")
        self._append(ids, [trained and first <= start < last for start in starts], images)

    def open_assistant_turn(self) -> None:
        """Appends what stands before the model's own tokens (the template's generation prompt)."""
        self.append_ids(self.vocabulary.encode("<|im_start|>assistant\n"), loss=False)

    def close_assistant_turn(self) -> None:
        """Appends what stands after the model's own tokens; an end of turn that the model left out has no loss."""
        if not self.ids or self.ids[-1] != self.vocabulary.end_of_turn_id:
            self.append_ids([self.vocabulary.end_of_turn_id], loss=False)
        self.append_ids(self.vocabulary.encode("\n"), loss=False)

    def append_ids(self, ids: Sequence[int], *, loss: bool, images: Sequence[ModelImage] = ()) -> None:
        """Appends tokens as they are, such as those that a model sampled.

        Raises:
            ValueError: where the image tokens among `ids` are not those of `images`.
        """
        self._append(ids, [loss] * len(ids), images)

    def _append(self, ids: Sequence[int], loss: list[bool], images: Sequence[ModelImage]) -> None:
        positions, image_index, index = [], 0, 0
        position = self.next_position
        image_token = self.vocabulary.image_token_id
        while index < len(ids):
            if ids[index] != image_token:
                positions.append((position, position, position))
                position += 1
                index += 1
                continue
            if image_index == len(images) or any(
                token != image_token for token in ids[index : index + images[image_index].tokens]
            ):
                raise ValueError(f"image tokens do not match the {len(images)} images given with them")
            rows, columns = images[image_index].grid
            positions += [
                (position, position + row, position + column) for row in range(rows) for column in range(columns)
            ]
            position += max(rows, columns)
            index += rows * columns
            image_index += 1
        if image_index != len(images):
            raise ValueError(f"expected image tokens for {len(images)} images, got them for {image_index}")
        self.ids += ids
        self.loss += loss
        self.positions += positions
        self.images += images
        self.next_position = position


def _body(content: str, images: Sequence[ModelImage], vocabulary: Vocabulary) -> str:
    """The content with control tokens broken and every `<image>` replaced by its image tokens."""
    texts = [vocabulary.break_control_tokens(text) for text in content.split(IMAGE_MARK)]
    if len(texts) - 1 != len(images):
        raise ValueError(
            f"expected one image for each {IMAGE_MARK}, got {len(texts) - 1} marks and {len(images)} images"
        )
    parts = [texts[0]]
    for image, text in zip(images, texts[1:], strict=True):
        parts.append(f"<|vision_start|>{'<|image_pad|>' * image.tokens}<|vision_end|>{text}")
    return "".join(parts)
