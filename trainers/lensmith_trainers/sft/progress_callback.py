"""What the Hugging Face trainer tells while it trains, in the words of the contract."""

from typing import Any

from transformers import TrainerControl, TrainerState, TrainingArguments

from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest
from lensmith_trainers.training.finite import assert_finite
from lensmith_trainers.training.stop_callback import StopCallback

_NAMES = {
    "loss": "loss",
    "mean_token_accuracy": "tokenAccuracy",
    "learning_rate": "learningRate",
    "grad_norm": "gradNorm",
    "entropy": "entropy",
}


class ProgressCallback(StopCallback):
    """Writes progress and metrics at every step, and ends training when it is asked to."""

    def __init__(self, progress: ProgressFile, metrics: MetricsLog, stop: StopRequest) -> None:
        super().__init__(stop)
        self._progress = progress
        self._metrics = metrics

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
        # A checkpoint is saved after this, and is not worth it.
        assert_finite(state.global_step, figures["loss"], figures.get("gradNorm", 0.0))
        phase = "saving" if control.should_save else "running"
        shown = {name: figures[name] for name in ("loss", "tokenAccuracy") if name in figures}
        self._progress.report(phase, state.global_step, shown)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Says that training goes on after a checkpoint."""
        del args, control, kwargs
        self._progress.report("running", state.global_step)
