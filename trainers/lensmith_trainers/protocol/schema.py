"""Protocol files; the same fields as `domain/protocol.ts`, and they change together."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from lensmith_trainers.runtime.failure import Failure

CallOutcome = Literal["ok", "no_output", "exception", "timeout", "memory", "policy", "infrastructure"]
Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class ToolMessage(_Model):
    """What comes back after a call: one template an outcome."""

    role: Literal["user", "tool"]
    templates: dict[CallOutcome, str]

    @model_validator(mode="after")
    def _complete(self) -> "ToolMessage":
        missing = [outcome for outcome in CallOutcome.__args__ if outcome not in self.templates]
        if missing:
            raise ValueError(f"expected a template for each outcome, none for {', '.join(missing)}")
        doubled = [outcome for outcome, text in self.templates.items() if text.count("{images}") > 1]
        if doubled:
            raise ValueError(f"expected {{images}} at most once, each image has one place: {', '.join(doubled)}")
        return self


class Variables(_Model):
    """Names under which code sees the input image."""

    image: str
    file: str


class ImageCall(_Model):
    """Of the parser `tool-call`: the tool's name, and the Python around a call's code."""

    tool: Annotated[str, Field(min_length=1)]
    before: str
    after: str


class Limits(_Model):
    """Caps of an episode and its calls; see `domain/protocol.ts` for units."""

    turns: Positive
    call_seconds: Annotated[float, Field(gt=0, strict=False)]
    memory_mib: Positive
    output_characters: Positive
    images_per_call: NonNegative
    minimum_side: Positive
    maximum_side: Positive


class Protocol(_Model):
    """A protocol file."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Positive
    parser: Literal["code-fence", "code-or-fence", "tool-call"]
    system: str
    question: Annotated[str, Field(pattern=r"\{question\}")]
    tool_message: ToolMessage
    continue_message: str | None
    last_turn_message: str | None
    variables: Variables
    state: Literal["stateful", "stateless"]
    image_call: ImageCall | None = None
    limits: Limits

    @model_validator(mode="after")
    def _image_call_with_its_parser(self) -> "Protocol":
        named = self.image_call is not None
        if named != (self.parser == "tool-call") or (named and self.state != "stateless"):
            raise ValueError(
                'expected imageCall and the state "stateless" with the parser "tool-call", and no imageCall with others'
            )
        return self


@dataclass(frozen=True)
class LoadedProtocol:
    """A protocol and the SHA-256 of its file's bytes."""

    protocol: Protocol
    digest: str

    @property
    def ref(self) -> dict[str, Any]:
        """How results name the protocol (`protocolRefSchema`)."""
        return {"name": self.protocol.name, "version": self.protocol.version, "digest": self.digest}


def load_protocol(path: str | Path) -> LoadedProtocol:
    """Reads and checks a protocol file.

    Raises:
        Failure: type `config`; the message names each key that is wrong.
    """
    try:
        content = Path(path).read_bytes()
        protocol = Protocol.model_validate(yaml.safe_load(content))
    except OSError as error:
        raise Failure("config", f"expected a readable protocol file: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        raise Failure("config", f"expected YAML, got: {error}", where=str(path)) from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}" for fault in error.errors()]
        raise Failure("config", "; ".join(lines), where=str(path)) from error
    return LoadedProtocol(protocol, hashlib.sha256(content).hexdigest())
