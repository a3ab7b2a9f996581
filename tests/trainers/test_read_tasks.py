"""Rows as they are published, which have few fields of ours."""

import gc
from pathlib import Path
from typing import Any

import mnist_data
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rl_data
from PIL import Image

from lensmith_trainers.protocol import IMAGE, PromptMessage, prompt_messages
from lensmith_trainers.rl.read_tasks import read_tasks
from lensmith_trainers.runtime import Failure

Content = tuple[tuple[str, str], ...]


def picture() -> bytes:
    return mnist_data.png(mnist_data.test_digits()[0][0])


def published(folder: Path, column: str = "prompt", content: str = "<image>How much?", **changes: Any) -> Path:
    """A row with the fields of the published RL files, the second copy of the image among them."""
    row = {
        "data_source": "chartqa",
        column: [{"role": "system", "content": "Be short."}, {"role": "user", "content": content}],
        "images": [{"bytes": picture()}],
        "ability": "charts",
        "reward_model": {"style": "rule", "ground_truth": "40"},
        "extra_info": {"index": 7, "question": "How much?", "tools_kwargs": {"image": picture()}},
        **changes,
    }
    pq.write_table(pa.Table.from_pylist([row]), folder / "rows.parquet")
    return folder / "rows.parquet"


def test_what_a_published_row_leaves_out_has_the_defaults_of_an_evaluation(tmp_path: Path) -> None:
    (task,) = read_tasks(published(tmp_path))
    assert task.fields == {
        "sampleId": "7",
        "dataSource": "chartqa",
        "question": "How much?",
        "reference": "40",
        "answerKind": "auto",
        "family": "charts",
        "transform": "identity",
    }
    assert task.prompt is None
    assert len(task.images) == 1


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("id_7", "id_7"),
        (" id_7 ", "id_7"),
        ("007", "test-7"),
        ("+7", "test-7"),
        ("-7", "test--7"),
        ("0x1F", "0x1F"),
        ("1e5", "1e5"),
        ("7.0", "7.0"),
        ("9007199254740993", "9007199254740993"),
        (7, "test-7"),
        (7.0, "test-7"),
        (None, "test-0"),
    ],
)
def test_a_whole_number_stands_behind_the_split_and_a_name_alone(
    tmp_path: Path, index: str | float | None, expected: str
) -> None:
    """The same rows as in `tests/datasets/sample-ids.test.ts`."""
    (task,) = read_tasks(published(tmp_path, extra_info={"split": "test", "index": index, "question": "How much?"}))
    assert task.fields["sampleId"] == expected


@pytest.mark.parametrize("index", [" ", 7.5])
def test_an_index_that_is_no_name_is_a_data_failure(tmp_path: Path, index: str | float) -> None:
    path = published(tmp_path, extra_info={"split": "test", "index": index, "question": "How much?"})
    with pytest.raises(Failure, match=r"row 0.*a whole number or a name as extra_info.index") as caught:
        read_tasks(path)
    assert caught.value.type == "data"


def test_a_style_that_names_a_kind_of_answer_is_one(tmp_path: Path) -> None:
    (task,) = read_tasks(published(tmp_path, reward_model={"style": "math", "ground_truth": "40"}))
    assert task.fields["answerKind"] == "math"


def test_a_list_of_transforms_is_one_transform(tmp_path: Path) -> None:
    extra = {"index": 7, "question": "How much?", "transform": ["crop", "rotate_90"]}
    (task,) = read_tasks(published(tmp_path, extra_info=extra))
    assert task.fields["transform"] == "crop+rotate_90"


@pytest.mark.parametrize("column", ["prompt", "messages"])
def test_the_own_prompt_of_a_row_is_read_where_it_is_wanted(tmp_path: Path, column: str) -> None:
    (task,) = read_tasks(published(tmp_path, column), own_prompt=True)
    assert task.prompt == (PromptMessage("system", ("Be short.",)), PromptMessage("user", (IMAGE, "How much?")))


def test_an_own_prompt_that_does_not_fit_its_images_is_a_data_failure(tmp_path: Path) -> None:
    path = published(tmp_path, content="<image> or <image>?")
    with pytest.raises(Failure, match=r"row 0.*as many marks <image> as the row has images \(1\), got 2") as caught:
        read_tasks(path, own_prompt=True)
    assert caught.value.type == "data"


def test_a_file_without_a_prompt_has_none_of_its_own(tmp_path: Path) -> None:
    path = published(tmp_path, column="conversation")
    assert len(read_tasks(path)) == 1
    with pytest.raises(Failure, match="prompt or messages"):
        read_tasks(path, own_prompt=True)


@pytest.mark.parametrize(
    ("prompt", "images", "expected"),
    [
        ((("user", "First <image>, then <image>."),), 2, [("user", ("First ", IMAGE, ", then ", IMAGE, "."))]),
        ((("system", "Short."), ("user", "What?")), 1, [("system", ("Short.",)), ("user", (IMAGE, "What?"))]),
        ((("user", "What?"),), 0, [("user", ("What?",))]),
        ((("user", "<image>"),), 1, [("user", (IMAGE,))]),
    ],
)
def test_images_stand_at_their_marks_or_before_the_first_question(
    prompt: Content, images: int, expected: list[tuple[str, tuple[Any, ...]]]
) -> None:
    assert [(message.role, message.parts) for message in prompt_messages(prompt, images)] == expected


@pytest.mark.parametrize(
    ("prompt", "images"),
    [
        ((("user", "<image><image>"),), 1),
        ((("user", "<image>"),), 2),
        ((("human", "What?"),), 0),
        ((), 0),
        ((("system", "What?"),), 1),
        ((("user", "What?"), ("assistant", "It")), 0),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused(prompt: Content, images: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        prompt_messages(prompt, images)


def test_a_kind_of_answer_that_there_is_not_is_named_by_its_row(tmp_path: Path) -> None:
    path = published(tmp_path, extra_info={"index": 7, "question": "How much?", "answer_kind": "open"})
    with pytest.raises(Failure, match=r"row 0: expected an answer_kind of number, .*, got 'open'") as caught:
        read_tasks(path)
    assert caught.value.type == "data"


def test_the_pixels_of_a_data_set_are_not_held(tmp_path: Path) -> None:
    def held() -> int:
        gc.collect()
        return sum(type(value) is Image.Image for value in gc.get_objects())

    path = rl_data.write_rl_rows(tmp_path / "rl.parquet", 100)
    before = held()
    tasks = read_tasks(path)
    assert held() - before < 20
    assert [task.images[0].pixels.size for task in tasks] == [(28, 28)] * 100
