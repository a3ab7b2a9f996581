"""TRL's SFT trainer with checkpoints that appear complete or not at all."""

import shutil
from pathlib import Path
from typing import Any

from torch import nn
from trl import SFTTrainer

from lensmith_trainers.runtime.publish import publish_folder
from lensmith_trainers.training.scratch import empty_scratch, scratch_folder


class CheckpointingTrainer(SFTTrainer):
    """Saves what the Hugging Face trainer saves, published as `checkpoint-<step>/` with a manifest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Qwen-VL models say that their own loss is not told the tokens of a whole batch. TRL computes it here, and has
        # to be told: the loss would else be a mean over micro-batches, and depend on how many sequences each has.
        self.model_accepts_loss_kwargs = True

    def _get_output_dir(self, trial: Any) -> str:  # noqa: ANN401 - of the base class
        del trial
        return str(scratch_folder(self.args.output_dir))

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:  # noqa: ANN401 - of the base class
        scratch = empty_scratch(self.args.output_dir)
        step = self.state.global_step
        super()._save_checkpoint(model, trial)
        final = Path(self.args.output_dir) / f"checkpoint-{step}"
        with publish_folder(final, "checkpoint", {"step": step}) as partial:
            for path in (scratch / final.name).iterdir():
                path.rename(partial / path.name)
        shutil.rmtree(scratch)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Writes none: an output folder holds artifacts only."""
        del args, kwargs
