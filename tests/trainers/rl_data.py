"""RL rows from real digits, and configurations of the program `rl`."""

import json
from pathlib import Path
from typing import Any

import mnist_data
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PROTOCOL = Path(__file__).parents[2] / "episodes" / "protocols" / "miniature.yaml"
TEXT = pa.string()
RL_SCHEMA = pa.schema(
    [
        ("data_source", TEXT),
        ("prompt", pa.list_(pa.struct([("role", TEXT), ("content", TEXT)]))),
        ("images", pa.list_(pa.struct([("bytes", pa.binary()), ("path", TEXT)]))),
        ("ability", TEXT),
        ("reward_model", pa.struct([("style", TEXT), ("ground_truth", TEXT)])),
        (
            "extra_info",
            pa.struct(
                [
                    ("split", TEXT),
                    ("index", pa.int64()),
                    *((name, TEXT) for name in ("question", "answer", "answer_kind", "family", "transform")),
                ]
            ),
        ),
    ]
)


def rl_row(index: int) -> dict[str, Any]:
    """A turned digit."""
    pictures, labels = mnist_data.test_digits()
    turns, answer, question = index % 4, str(labels[index]), "Which digit is this?"
    image = mnist_data.png(np.rot90(pictures[index], turns))
    return {
        "data_source": "mnist",
        "prompt": [{"role": "user", "content": f"<image>{question}"}],
        "images": [{"bytes": image, "path": None}],
        "ability": "orient",
        "reward_model": {"style": "rule", "ground_truth": answer},
        "extra_info": {
            "split": "rl",
            "index": index,
            "question": question,
            "answer": answer,
            "answer_kind": "number",
            "family": "orient",
            "transform": f"rotate_{90 * turns}" if turns else "identity",
        },
    }


def write_needy_rows(path: Path, count: int, needs: dict[str, Any] | None) -> Path:
    """Writes rows that say what their image needs as Parquet, with the columns that are named, and returns its path."""
    rows = [rl_row(index) for index in range(count)]
    for row in rows:
        row["extra_info"]["needs"] = needs
    fields = {"orientation": TEXT, "box": pa.list_(pa.float64())}
    kind = pa.struct([(name, fields[name]) for name in fields if needs is None or name in needs])
    extra = pa.struct([*RL_SCHEMA.field("extra_info").type, ("needs", kind)])
    place = RL_SCHEMA.get_field_index("extra_info")
    schema = RL_SCHEMA.set(place, pa.field("extra_info", extra))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def write_rl_rows(path: Path, count: int) -> Path:
    """Writes rows as Parquet and returns its path."""
    pq.write_table(pa.Table.from_pylist([rl_row(index) for index in range(count)], schema=RL_SCHEMA), path)
    return path


def rl_config(folder: Path, **changes: object) -> dict[str, Any]:
    """A configuration of a small run that writes into `folder`."""
    return {
        "program": "rl",
        "run": "test",
        "seed": 0,
        "threads": 1,
        "device": "cpu",
        "judged": False,
        "scoredImages": True,
        "prompt": "protocol",
        "progressFile": str(folder / "progress.json"),
        "metricsFile": str(folder / "metrics.jsonl"),
        "outcomeFile": str(folder / "outcome.json"),
        "outputDir": str(folder / "output"),
        "resumeFrom": None,
        "steps": 4,
        "learningRate": 1e-3,
        "warmupSteps": 1,
        "saveEvery": 2,
        "protocolFile": str(PROTOCOL),
        "reward": "lensmith",
        "promptsPerStep": 2,
        "groupSize": 4,
        "microBatchSize": 3,
        "temperature": 1.0,
        "maxNewTokens": 6,
        "maxContextTokens": 128,
        "klCoefficient": 0.0,
        "advantageEpsilon": 0.1,
        "freezeVision": True,
        **changes,
    }


def write_config(folder: Path, config: dict[str, Any]) -> Path:
    """Writes a configuration file and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def metrics_lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
