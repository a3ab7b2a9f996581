"""What the Hugging Face trainer tells while it trains, in the words of the contract."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest

_NAMES = {
    "loss": "loss",
    "mean_token_accuracy": "tokenAccuracy",
    "learning_rate": "learningRate",
    "grad_norm": "gradNorm",
    "entropy": "entropy",
}


class ProgressCallback(TrainerCallback):
    """Writes progress and metrics at every step, and turns a stop request into a checkpoint and an end."""

    def __init__(self, progress: ProgressFile, metrics: MetricsLog, stop: StopRequest) -> None:
        self._progress = progress
        self._metrics = metrics
        self._stop = stop

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Asks for a checkpoint and an end if a stop was requested."""
        del args, state, kwargs
        if self._stop.requested:
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Writes a step's figures; the summary at the end has none."""
        del args, kwargs
        if not logs or "loss" not in logs:
            return
        figures = {ours: float(logs[theirs]) for theirs, ours in _NAMES.items() if theirs in logs}
        self._metrics.append(state.global_step, figures)
        phase = "saving" if control.should_save else "running"
        shown = {name: figures[name] for name in ("loss", "tokenAccuracy") if name in figures}
        self._progress.report(phase, state.global_step, shown)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Says that training goes on after a checkpoint."""
        del args, control, kwargs
        self._progress.report("running", state.global_step)
