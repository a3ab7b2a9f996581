"""Ending a Hugging Face trainer by request."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lensmith_trainers.runtime.stop import StopRequest


class StopCallback(TrainerCallback):
    """Turns a stop request into a checkpoint and an end of training."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Asks for a checkpoint and an end if a stop was requested."""
        del args, state, kwargs
        if self._stop.requested:
            control.should_save = True
            control.should_training_stop = True
