"""Parquet in the RL schema (`RlRow` of `domain/dataset.ts`)."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lensmith_trainers.rollout import RolloutTask, encoded_image
from lensmith_trainers.runtime.failure import Failure

_CORNERS = 4
_COLUMNS = ("data_source", "images", "reward_model", "extra_info")


def read_tasks(path: str | Path) -> list[RolloutTask]:
    """All rows in the order of the file.

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
            rows = file.read(columns=list(_COLUMNS)).to_pylist()
    except FileNotFoundError as error:
        raise Failure("data", "expected a Parquet file in the RL schema, found no file", where=where) from error
    except (pa.ArrowException, OSError) as error:
        raise Failure("data", f"expected a whole Parquet file, got: {error}", where=where) from error
    if not rows:
        raise Failure("data", "expected at least one row, found none", where=where)
    return [_task(row, Path(where), index) for index, row in enumerate(rows)]


def _task(row: dict[str, Any], file: Path, index: int) -> RolloutTask:
    where = f"{file}, row {index}"
    try:
        extra = row["extra_info"]
        fields = {
            "sampleId": f"{extra['split']}-{extra['index']}",
            "dataSource": row["data_source"],
            "question": extra["question"],
            "reference": row["reward_model"]["ground_truth"],
            "answerKind": extra["answer_kind"],
            "family": extra["family"],
            "transform": extra["transform"],
        }
        contents = [_content(image, file) for image in row["images"] or ()]
    except (KeyError, TypeError, AttributeError) as error:
        raise Failure(
            "data", f"expected a row of the RL schema, got {type(error).__name__}: {error}", where=where
        ) from error
    except OSError as error:
        raise Failure("data", f"expected a readable image file: {error}", where=where) from error
    unset = [name for name, value in fields.items() if not isinstance(value, str)]
    if unset:
        raise Failure("data", f"expected a text for {', '.join(unset)}, found none", where=where)
    images = [encoded_image(content, where=f"{where}, image {place}") for place, content in enumerate(contents)]
    return RolloutTask({**fields, **_needs(extra, where)}, tuple(images))


def _needs(extra: dict[str, Any], where: str) -> dict[str, Any]:
    """What the image needs before it can be read (`taskNeedsSchema`), for data sets that say so."""
    needs = extra.get("needs")
    if needs is None:
        return {}
    try:
        orientation, box = needs["orientation"], needs["box"]
        if box is not None and len(box) != _CORNERS:
            raise ValueError(f"expected left, top, right and bottom, got {box}")
    except (KeyError, TypeError, ValueError) as error:
        raise Failure("data", f"expected needs with orientation and box, got {error}", where=where) from error
    return {"needs": {"orientation": orientation, "box": box}}


def _content(image: dict[str, Any] | bytes, file: Path) -> bytes:
    if isinstance(image, bytes):
        return image
    if image.get("bytes") is not None:
        return image["bytes"]
    return (file.parent / image["path"]).read_bytes()
