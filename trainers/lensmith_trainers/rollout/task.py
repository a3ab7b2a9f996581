"""What is asked in an episode."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image

from lensmith_trainers.data import decode_image
from lensmith_trainers.protocol import PromptMessage
from lensmith_trainers.runtime.failure import Failure


@dataclass(frozen=True)
class EncodedImage:
    """An image as encoded bytes: those of a whole data set take little beside their pixels."""

    content: bytes
    width: int
    height: int

    @property
    def pixels(self) -> Image.Image:
        """Decoded in RGB."""
        return _pixels(self.content)

    @property
    def ref(self) -> dict[str, Any]:
        """How traces name it (`imageRefSchema`)."""
        digest = hashlib.sha256(self.content).hexdigest()
        return {"digest": digest, "width": self.width, "height": self.height}


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
    """Checks that an image decodes.

    Raises:
        Failure: type `data` where it does not.
    """
    try:
        pixels = _pixels(content)
    except Failure as error:
        raise Failure(error.type, error.message, where=where) from error
    return EncodedImage(content, pixels.width, pixels.height)


@lru_cache(maxsize=8)
def _pixels(content: bytes) -> Image.Image:
    """What was just decoded is soon wanted: by the other episodes of a group, and after the check."""
    return decode_image(content, where="an image")
