"""What is asked in an episode."""

import hashlib
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lensmith_trainers.data import decode_image
from lensmith_trainers.protocol import PromptMessage


@dataclass(frozen=True)
class EncodedImage:
    """An image as encoded bytes, and decoded in RGB."""

    content: bytes
    pixels: Image.Image

    @property
    def ref(self) -> dict[str, Any]:
        """How traces name it (`imageRefSchema`)."""
        digest = hashlib.sha256(self.content).hexdigest()
        return {"digest": digest, "width": self.pixels.width, "height": self.pixels.height}


@dataclass(frozen=True)
class RolloutTask:
    """A question about images. `fields` is the task of the trace (`taskSchema`)."""

    fields: dict[str, Any]
    images: tuple[EncodedImage, ...]
    prompt: tuple[PromptMessage, ...] | None = None
    """The row's own prompt, which stands in place of the protocol's system prompt and question."""

    @property
    def question(self) -> str:
        """The text of the question."""
        return self.fields["question"]


def encoded_image(content: bytes, *, where: str) -> EncodedImage:
    """Decodes an image.

    Raises:
        Failure: type `data` where it does not decode.
    """
    return EncodedImage(content, decode_image(content, where=where))
