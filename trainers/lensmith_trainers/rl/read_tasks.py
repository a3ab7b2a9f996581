"""Parquet in the RL schema (`RlRow` of `domain/dataset.ts`)."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lensmith_trainers.protocol import prompt_messages
from lensmith_trainers.rollout import RolloutTask, encoded_image
from lensmith_trainers.runtime.failure import Failure

_CORNERS = 4
_WHOLE_NUMBER = re.compile(r"[+-]?0*[0-9]{1,16}")
_LARGEST = 2**53 - 1
_COLUMNS = ("data_source", "images", "reward_model", "extra_info")
_PROMPTS = ("prompt", "messages")
_OPTIONAL = ("ability", *_PROMPTS)
_ANSWER_KINDS = ("number", "count", "year", "choice", "text", "list", "math", "chart", "document", "ocr")
"""As `domain/answer-kind.ts` names them."""


def read_tasks(path: str | Path, *, own_prompt: bool = False) -> list[RolloutTask]:
    """All rows in the order of the file.

    Args:
        path: a Parquet file.
        own_prompt: whether the rows' own messages are asked, in place of the protocol's.

    Raises:
        Failure: type `data`, with the file and the row (counted from 0) in its message.
    """
    where = str(path)
    try:
        with pq.ParquetFile(where) as file:
            missing = [name for name in _COLUMNS if name not in file.schema_arrow.names]
            if missing:
                found = ", ".join(file.schema_arrow.names)
                raise Failure("data", f"expected columns {', '.join(missing)} (RL schema), found {found}", where=where)
            rows = file.read(columns=_columns(file.schema_arrow)).to_pylist()
    except FileNotFoundError as error:
        raise Failure("data", "expected a Parquet file in the RL schema, found no file", where=where) from error
    except (pa.ArrowException, OSError) as error:
        raise Failure("data", f"expected a whole Parquet file, got: {error}", where=where) from error
    if not rows:
        raise Failure("data", "expected at least one row, found none", where=where)
    return [_task(row, Path(where), index, own_prompt) for index, row in enumerate(rows)]


def _columns(schema: pa.Schema) -> list[str]:
    """What a rollout needs. The published files hold each image a second time inside `extra_info.tools_kwargs`."""
    whole = [name for name in (*_COLUMNS, *_OPTIONAL) if name in schema.names and name != "extra_info"]
    extra = schema.field("extra_info").type
    if not pa.types.is_struct(extra):
        return [*whole, "extra_info"]
    return [*whole, *(f"extra_info.{field.name}" for field in extra if field.name != "tools_kwargs")]


def _task(row: dict[str, Any], file: Path, index: int, own_prompt: bool) -> RolloutTask:
    where = f"{file}, row {index}"
    try:
        extra = row["extra_info"]
        fields = {
            "sampleId": _sample_id(extra, index, where),
            "dataSource": row["data_source"],
            "question": extra["question"],
            "reference": row["reward_model"]["ground_truth"],
            "answerKind": _answer_kind(extra.get("answer_kind"), row["reward_model"].get("style"), where),
            "family": _text(extra.get("family")) or _text(row.get("ability")) or "general",
            "transform": _transform(extra.get("transform")),
        }
        contents = [_content(image, file) for image in row["images"] or ()]
        prompt = prompt_messages(_prompt_of(row), len(contents)) if own_prompt else None
    except (KeyError, TypeError, AttributeError) as error:
        raise Failure(
            "data", f"expected a row of the RL schema, got {type(error).__name__}: {error}", where=where
        ) from error
    except ValueError as error:
        raise Failure("data", f"the row's own prompt: {error}", where=where) from error
    except OSError as error:
        raise Failure("data", f"expected a readable image file: {error}", where=where) from error
    unset = [name for name, value in fields.items() if not isinstance(value, str)]
    if unset:
        raise Failure("data", f"expected a text for {', '.join(unset)}, found none", where=where)
    images = [encoded_image(content, where=f"{where}, image {place}") for place, content in enumerate(contents)]
    return RolloutTask({**fields, **_needs(extra, where)}, tuple(images), prompt)


def _sample_id(extra: dict[str, Any], row: int, where: str) -> str:
    """As an evaluation names the sample: split and index, or the index where there is no split or it is a name."""
    index = row if extra.get("index") is None else extra["index"]
    number = _whole_number(index)
    if number is not None:
        split = _text(extra.get("split"))
        return f"{split}-{number}" if split else str(number)
    name = _text(index).strip()
    if not name:
        raise Failure("data", f"expected a whole number or a name as extra_info.index, got {index!r}", where=where)
    return name


def _whole_number(value: object) -> int | None:
    """None also for what is beyond the whole numbers of JavaScript, which reads the same rows."""
    if isinstance(value, str):
        value = int(value) if _WHOLE_NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return int(value) if isinstance(value, int) and abs(value) <= _LARGEST else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _transform(value: object) -> str:
    """MVToolBench lists what was done to an image: `crop`, `rotate_90` is `crop+rotate_90`."""
    parts = value if isinstance(value, list) else [value]
    return "+".join(filter(None, map(_text, parts))) or "identity"


def _answer_kind(named: str | None, style: str | None, where: str) -> str:
    """What the row says of its answer, else `auto`: then the scoring goes by the name of the data source."""
    if named and named not in (*_ANSWER_KINDS, "auto"):
        # The scoring would refuse the whole step that comes to this row.
        raise Failure("data", f"expected an answer_kind of {', '.join(_ANSWER_KINDS)}, got {named!r}", where=where)
    if named:
        return named
    return style if style in _ANSWER_KINDS else "auto"


def _prompt_of(row: dict[str, Any]) -> list[tuple[str, str]]:
    found = next((row[name] for name in _PROMPTS if row.get(name) is not None), None)
    if found is None:
        raise KeyError(" or ".join(_PROMPTS))
    return [(message["role"], message["content"]) for message in found]


def _needs(extra: dict[str, Any], where: str) -> dict[str, Any]:
    """What the image needs before it can be read (`taskNeedsSchema`), for data sets that say so."""
    needs = extra.get("needs")
    if needs is None:
        return {}
    try:
        orientation, box = needs.get("orientation"), needs.get("box")
        if box is not None and len(box) != _CORNERS:
            raise ValueError(f"expected left, top, right and bottom, got {box}")
    except (AttributeError, TypeError, ValueError) as error:
        raise Failure("data", f"expected needs with orientation and box, got {error}", where=where) from error
    return {"needs": {"orientation": orientation, "box": box}}


def _content(image: dict[str, Any] | bytes, file: Path) -> bytes:
    if isinstance(image, bytes):
        return image
    if image.get("bytes") is not None:
        return image["bytes"]
    return (file.parent / image["path"]).read_bytes()
