from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mnist_data import SCHEMA, caption_rows, png, row, write_rows

from lensmith_trainers.data import Conversation, Message, decode_image, read_conversations
from lensmith_trainers.modeling import LoadedModel, conversation_sequence
from lensmith_trainers.runtime import Failure

PICTURE = png(np.zeros((28, 28), np.uint8))


def failure(path: Path) -> str:
    with pytest.raises(Failure) as caught:
        read_conversations(path)
    assert caught.value.type == "data"
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_reads_messages_loss_and_images(tmp_path: Path) -> None:
    messages = [("user", "<image>?"), ("assistant", "a", False), ("assistant", "b", True), ("assistant", "c")]
    path = write_rows(tmp_path / "a.parquet", [row(messages, [PICTURE])])
    (conversation,) = read_conversations(path)
    assert conversation.messages == (
        Message("user", "<image>?"),
        Message("assistant", "a", False),
        Message("assistant", "b"),
        Message("assistant", "c"),
    )
    assert conversation.images == (PICTURE,)


def test_images_may_be_structs_of_bytes_and_path(tmp_path: Path) -> None:
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = SCHEMA.set(1, pa.field("images", pa.list_(struct)))

    def read(image: dict) -> Conversation:
        data = row([("user", "<image>?"), ("assistant", "a")], [image])
        pq.write_table(pa.Table.from_pylist([data], schema=schema), tmp_path / "a.parquet")
        return read_conversations(tmp_path / "a.parquet")[0]

    assert read({"bytes": PICTURE, "path": "digit.png"}).images == (PICTURE,)
    with pytest.raises(Failure, match="row 0: expected every image as encoded bytes"):
        read({"bytes": None, "path": "digit.png"})


def test_missing_file(tmp_path: Path) -> None:
    assert "found no file" in failure(tmp_path / "none.parquet")


def test_truncated_file(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.parquet", caption_rows(4))
    path.write_bytes(path.read_bytes()[:-50])
    assert "expected a whole Parquet file" in failure(path)


def test_other_schema(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt": ["a"]}), tmp_path / "a.parquet")
    assert "expected a column 'messages' (SFT schema), found prompt" in failure(tmp_path / "a.parquet")


def test_no_rows(tmp_path: Path) -> None:
    assert "expected at least one row" in failure(write_rows(tmp_path / "a.parquet", []))


@pytest.mark.parametrize(("content", "images"), [("<image><image>", 1), ("no mark", 1), ("<image>", 0)])
def test_marks_and_images_differ(tmp_path: Path, content: str, images: int) -> None:
    good, bad = row([("user", "a")], []), row([("user", content)], [PICTURE] * images)
    message = failure(write_rows(tmp_path / "a.parquet", [good, bad]))
    assert "row 1" in message
    assert f"{content.count('<image>')} marks and {images} images" in message


def test_unknown_role(tmp_path: Path) -> None:
    assert "row 0" in failure(write_rows(tmp_path / "a.parquet", [row([("robot", "a")], [])]))


@pytest.mark.parametrize("content", [b"no picture", PICTURE[:40], b""])
def test_an_image_that_does_not_decode_is_named_by_file_and_row(
    tmp_path: Path, loaded: LoadedModel, content: bytes
) -> None:
    path = write_rows(tmp_path / "a.parquet", [row([("user", "a")], []), row([("user", "<image>")], [content])])
    conversation = read_conversations(path)[1]
    with pytest.raises(Failure) as caught:
        conversation_sequence(conversation, loaded.vocabulary, loaded.processor.image_processor)
    assert caught.value.type == "data"
    assert f"{path}, row 1, image 0" in str(caught.value)


def test_an_image_that_no_model_takes_is_named_by_its_place() -> None:
    assert decode_image(png(np.zeros((10, 2000), np.uint8)), where="test").size == (2000, 10)
    with pytest.raises(
        Failure, match=r"rl, row 3, image 0: expected sides of at most 1 to 200, got .* 10 x 2001"
    ) as caught:
        decode_image(png(np.zeros((2001, 10), np.uint8)), where="rl, row 3, image 0")
    assert caught.value.type == "data"


def test_grey_images_become_rgb() -> None:
    assert decode_image(PICTURE, where="test").mode == "RGB"
