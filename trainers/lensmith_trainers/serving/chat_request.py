"""The body of `POST /v1/chat/completions`."""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lensmith_trainers.serving.api_error import ApiError


class TextPart(BaseModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


class ImageUrl(BaseModel):
    """Where an image is; only data URLs are accepted."""

    url: str


class ImagePart(BaseModel):
    """An image."""

    type: Literal["image_url"]
    image_url: ImageUrl


class ChatMessage(BaseModel):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Annotated[TextPart | ImagePart, Field(discriminator="type")]] | None = None


class ChatRequest(BaseModel):
    """Fields that are unknown are ignored, as servers of this API do; those that would change the answer are not."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    max_completion_tokens: Annotated[int, Field(gt=0)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    n: Literal[1] | None = None
    stream: Literal[False] | None = None
    logprobs: Literal[False] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None
    presence_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    frequency_penalty: Annotated[float, Field(ge=0, le=0)] | None = None

    @property
    def token_limit(self) -> int | None:
        """Tokens that the answer may have."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens

    @property
    def stop_texts(self) -> tuple[str, ...]:
        """Texts that end the answer; empty ones end nothing."""
        texts = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in texts if text)


def parse_chat_request(body: bytes) -> ChatRequest:
    """Checks a body.

    Raises:
        ApiError: 400, naming the first key that is wrong.
    """
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise ApiError(400, f"{key or 'body'}: {fault['msg']}", param=key or None) from error


def image_bytes(part: ImagePart) -> bytes:
    """The encoded image of a data URL.

    Raises:
        ApiError: 400 for any other address.
    """
    head, comma, data = part.image_url.url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise ApiError(400, "image_url: expected a data URL (data:image/png;base64,…)", param="messages")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ApiError(400, f"image_url: expected base64: {error}", param="messages") from error
