"""What the trainer tells while it trains, in the words of the contract."""

from collections.abc import Callable
from typing import Any

from transformers import TrainerControl, TrainerState, TrainingArguments

from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest
from lensmith_trainers.training.finite import assert_finite
from lensmith_trainers.training.stop_callback import StopCallback


class RlProgressCallback(StopCallback):
    """Writes progress and a metrics line at every step, and ends training when it is asked to."""

    def __init__(
        self, progress: ProgressFile, metrics: MetricsLog, stop: StopRequest, figures: Callable[[], dict[str, Any]]
    ) -> None:
        super().__init__(stop)
        self._progress = progress
        self._metrics = metrics
        self._figures = figures

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        """Writes a step's figures; the summary at the end has none."""
        del args, kwargs
        if not logs or "loss" not in logs:
            return
        figures = self._figures()
        self._metrics.append(state.global_step, figures)
        # A checkpoint is saved after this, and is not worth it.
        assert_finite(state.global_step, figures["loss"], figures["gradNorm"])
        self._progress.report("saving" if control.should_save else "running", state.global_step, _shown(figures))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object) -> None:
        """Says that training goes on after a checkpoint."""
        del args, control, kwargs
        self._progress.report("running", state.global_step, _shown(self._figures()))


def _shown(figures: dict[str, Any]) -> dict[str, float]:
    """The figures worth a look beside the step; how many episodes nobody or the judge decided, where there are any."""
    decided = {name: figures[name] for name in ("masked", "judged") if figures[name]}
    return {"reward": figures["reward"], "accuracy": figures["accuracy"], **decided}
