"""Parquet in the SFT schema: `messages: list<struct<role, content, loss>>`, `images: list<binary>` or of structs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lensmith_trainers.data.conversation import IMAGE_MARK, Conversation, Message
from lensmith_trainers.runtime.failure import Failure

_ROLES = ("system", "user", "assistant", "tool")
_BATCH_ROWS = 1024


def read_conversations(path: str | Path) -> list[Conversation]:
    """All rows of a file, checked.

    Raises:
        Failure: type `data`, with the file and the row (counted from 0) in its message.
    """
    return list(iterate_conversations(path))


def iterate_conversations(path: str | Path) -> Iterator[Conversation]:
    """The rows of a file in order; see `read_conversations`."""
    where = str(path)
    try:
        with pq.ParquetFile(where) as file:
            columns = _columns(file, where)
            row = 0
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                for value in batch.to_pylist():
                    yield _conversation(value, f"{where}, row {row}")
                    row += 1
    except FileNotFoundError as error:
        raise Failure("data", "expected a Parquet file in the SFT schema, found no file", where=where) from error
    except (pa.ArrowException, OSError) as error:
        raise Failure("data", f"expected a whole Parquet file, got: {error}", where=where) from error
    if row == 0:
        raise Failure("data", "expected at least one row, found none", where=where)


def _columns(file: pq.ParquetFile, where: str) -> list[str]:
    names = file.schema_arrow.names
    if "messages" not in names:
        raise Failure("data", f"expected a column 'messages' (SFT schema), found {', '.join(names)}", where=where)
    return [name for name in ("messages", "images") if name in names]


def _conversation(row: dict[str, Any], where: str) -> Conversation:
    try:
        messages = tuple(_message(value, where) for value in row["messages"] or ())
        images = tuple(map(_encoded, row.get("images") or ()))
    except (KeyError, TypeError, AttributeError) as error:
        raise Failure(
            "data", f"expected messages of role and content, got {row['messages']!r:.120}", where=where
        ) from error
    if not messages:
        raise Failure("data", "expected at least one message, found none", where=where)
    if any(not isinstance(image, bytes) for image in images):
        raise Failure("data", "expected every image as encoded bytes, found another type or null", where=where)
    marks = sum(message.content.count(IMAGE_MARK) for message in messages)
    if marks != len(images):
        raise Failure(
            "data", f"expected one image for each {IMAGE_MARK}, got {marks} marks and {len(images)} images", where=where
        )
    return Conversation(messages, images, where)


def _encoded(image: Any) -> Any:  # noqa: ANN401 - of whatever type the file has
    return image.get("bytes") if isinstance(image, dict) else image


def _message(value: dict[str, Any], where: str) -> Message:
    role, content = value["role"], value["content"]
    if role not in _ROLES or not isinstance(content, str):
        raise Failure("data", f"expected a role of {', '.join(_ROLES)} and a text, got {value!r:.120}", where=where)
    return Message(role, content, value.get("loss") is not False)
