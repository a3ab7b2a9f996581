"""Configuration files of the programs; the same fields as `domain/trainer-config.ts`, and they change together."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from lensmith_trainers.runtime.failure import Failure


def _absolute(value: str) -> str:
    if not Path(value).is_absolute():
        raise ValueError(f"expected an absolute path, got {value!r}")
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected an http or https address, got {value!r}")
    return value.rstrip("/")


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CommonConfig(BaseModel):
    """Fields of every program."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=False,
        protected_namespaces=(),
    )

    run: str
    seed: NonNegative
    threads: Positive
    device: Literal["cpu", "cuda"]
    progress_file: AbsolutePath
    metrics_file: AbsolutePath
    outcome_file: AbsolutePath


class TrainingConfig(CommonConfig):
    """Fields of every program that trains."""

    output_dir: AbsolutePath
    resume_from: AbsolutePath | None
    steps: Positive
    learning_rate: PositiveFloat
    warmup_steps: NonNegative
    save_every: Positive


class BaseModelConfig(TrainingConfig):
    """`base_model`: a small model from random weights, taught by captions."""

    program: Literal["base_model"]
    captions: AbsolutePath
    corpus: list[AbsolutePath]
    batch_size: Positive


class SftConfig(TrainingConfig):
    """`sft`: supervised fine-tuning on conversations."""

    program: Literal["sft"]
    model: AbsolutePath
    dataset: AbsolutePath
    batch_size: Positive
    micro_batch_size: Positive


class RlConfig(TrainingConfig):
    """`rl`: reinforcement learning with tools."""

    program: Literal["rl"]
    model: AbsolutePath
    dataset: AbsolutePath
    protocol_file: AbsolutePath
    tool_server: HttpUrl
    judged: bool
    scored_images: bool
    prompt: Literal["protocol", "dataset"]
    reward: str
    prompts_per_step: Positive
    group_size: Annotated[int, Field(ge=2)]
    micro_batch_size: Positive
    temperature: PositiveFloat
    max_new_tokens: Positive
    max_context_tokens: Positive
    kl_coefficient: NonNegativeFloat
    advantage_epsilon: PositiveFloat
    freeze_vision: bool


class ServeConfig(CommonConfig):
    """`serve`: an OpenAI-compatible server of one model."""

    program: Literal["serve"]
    model: AbsolutePath
    served_name: str
    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    max_batch_size: Positive
    max_context_tokens: Positive


Config = TypeVar("Config", bound=CommonConfig)


def load_config(path: Path, schema: type[Config]) -> Config:
    """Reads and checks a configuration file.

    Raises:
        Failure: type `config`; the message has one line a fault, with the key's path, what was expected and what came.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure("config", f"expected a readable JSON file: {error.strerror}", where=str(path)) from error
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        lines = [_explain(fault["loc"], fault["msg"], fault["type"], fault["input"]) for fault in error.errors()]
        raise Failure("config", "; ".join(lines), where=str(path)) from error


def _explain(location: tuple[int | str, ...], message: str, kind: str, got: object) -> str:
    key = ".".join(str(part) for part in location) or "the file"
    if kind == "missing":
        return f"{key}: this key is required"
    if kind == "extra_forbidden":
        return f"{key}: this key is unknown, remove it or correct its spelling"
    shown = repr(got)
    return f"{key}: {message}, got {shown if len(shown) <= 80 else shown[:77] + '...'}"
