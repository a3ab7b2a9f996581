"""Checkpoints of the programs with a loop of their own, and the final model."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.runtime.manifest import read_manifest
from lensmith_trainers.runtime.publish import publish_folder

_STATE = "training-state.pt"


@dataclass(frozen=True)
class TrainingState:
    """What a checkpoint holds beside the model."""

    step: int
    """Optimiser steps that are done."""
    optimizer: dict[str, Any]
    position: dict[str, Any]
    """Where the program stands in its data, in its own words."""


def save_checkpoint(
    output_dir: str | Path,
    step: int,
    model: PreTrainedModel,
    processor: Any,  # noqa: ANN401 - any Hugging Face processor
    optimizer: torch.optim.Optimizer,
    position: dict[str, Any],
) -> Path:
    """Publishes `checkpoint-<step>/`: the model, its processor, the optimiser, random states and the position."""
    folder = Path(output_dir) / f"checkpoint-{step}"
    version, internal, gauss = random.getstate()
    state = {
        "step": step,
        "optimizer": optimizer.state_dict(),
        "position": position,
        "random": {"version": version, "internal": list(internal), "gauss": gauss},
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with publish_folder(folder, "checkpoint", {"step": step}) as partial:
        model.save_pretrained(partial)
        processor.save_pretrained(partial)
        torch.save(state, partial / _STATE)
    return folder


def load_training_state(checkpoint: str | Path, *, steps: int) -> TrainingState:
    """Checks a checkpoint, sets the random states and returns the rest; the model loads from the same folder.

    Raises:
        Failure: type `data` where the checkpoint is incomplete or damaged, `config` where it is past `steps`.
    """
    folder = Path(checkpoint)
    read_manifest(folder, "checkpoint")
    if not (folder / _STATE).is_file():
        raise Failure("data", f"expected a checkpoint of this program with {_STATE}, found none", where=str(folder))
    state = torch.load(folder / _STATE, map_location="cpu", weights_only=True)
    if state["step"] > steps:
        message = f"expected a checkpoint of at most {steps} steps, got one of {state['step']}; raise steps"
        raise Failure("config", message, where=str(folder))
    saved = state["random"]
    random.setstate((saved["version"], tuple(saved["internal"]), saved["gauss"]))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    return TrainingState(state["step"], state["optimizer"], state["position"])


def save_model(output_dir: str | Path, model: PreTrainedModel, processor: Any, details: dict[str, Any]) -> Path:  # noqa: ANN401
    """Publishes `model/`, the final model with its processor; its number of parameters joins `details`."""
    folder = Path(output_dir) / "model"
    parameters = sum(parameter.numel() for parameter in model.parameters())
    with publish_folder(folder, "model", {"parameters": parameters, **details}) as partial:
        model.save_pretrained(partial)
        processor.save_pretrained(partial)
    return folder
