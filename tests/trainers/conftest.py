"""Shared parts: real digits, and a miniature with random weights."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:0] = [str(Path(__file__).parents[2] / "trainers"), str(Path(__file__).parent)]

import mnist_data
import pytest
import torch

from lensmith_trainers.data import Conversation, Message, read_conversations
from lensmith_trainers.modeling import LoadedModel, build_miniature, conversation_texts, load_model

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parquet of 96 captions."""
    return mnist_data.write_rows(tmp_path_factory.mktemp("data") / "captions.parquet", mnist_data.caption_rows(96))


@pytest.fixture(scope="session")
def trajectories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parquet of 48 trajectories with code."""
    path = tmp_path_factory.mktemp("data") / "trajectories.parquet"
    return mnist_data.write_rows(path, mnist_data.trajectory_rows(48))


@pytest.fixture(scope="session")
def conversations(captions: Path, trajectories: Path) -> list[Conversation]:
    """Captions of every kind, then trajectories."""
    return read_conversations(captions)[:12] + read_conversations(trajectories)[:6]


@pytest.fixture(scope="session")
def miniature_folder(conversations: list[Conversation], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved miniature with random weights."""
    folder = tmp_path_factory.mktemp("miniature")
    model, processor = build_miniature(conversation_texts(conversations), seed=0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def loaded(miniature_folder: Path) -> LoadedModel:
    """The miniature, loaded from its folder."""
    return load_model(miniature_folder, "cpu")


@pytest.fixture(scope="session")
def trajectory(conversations: list[Conversation]) -> Conversation:
    """A trajectory whose first program failed and has no loss."""
    return next(c for c in conversations if any(m == Message(m.role, m.content, False) for m in c.messages))
