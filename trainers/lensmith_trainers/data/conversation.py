"""A conversation with images, as the SFT schema stores it."""

from dataclasses import dataclass, field

IMAGE_MARK = "<image>"


@dataclass(frozen=True)
class Message:
    """One message; every `<image>` in `content` stands for the next image of the conversation.

    `loss` false keeps an assistant message as context without training on it.
    """

    role: str
    content: str
    loss: bool = True


@dataclass(frozen=True)
class Conversation:
    """Messages and the encoded images (PNG or JPEG) that they name, in order. `where` is its place in a file."""

    messages: tuple[Message, ...]
    images: tuple[bytes, ...] = ()
    where: str = field(default="", compare=False)
