"""TRL's GRPO trainer with rollouts, rewards and the forward pass of this package."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import Trainer
from trl import GRPOConfig, GRPOTrainer

from lensmith_trainers.modeling import LoadedModel, load_model
from lensmith_trainers.rl.policy_loss import clipped_loss, kl_estimate
from lensmith_trainers.rl.reference_policy import ReferencePolicy
from lensmith_trainers.rl.rollout_source import RolloutSource, StepRollouts
from lensmith_trainers.rl.sequence_log_probs import sequence_log_probs
from lensmith_trainers.rl.step_batch import TrainedSequence
from lensmith_trainers.rollout import RolloutTask
from lensmith_trainers.runtime.config import RlConfig
from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.runtime.publish import publish_folder
from lensmith_trainers.training.scratch import empty_scratch, scratch_folder


@dataclass
class MicroBatch:
    """What one forward and backward pass is given."""

    sequences: tuple[TrainedSequence, ...]
    step_tokens: int
    """Tokens of the whole step, over which the loss is a mean."""


class RolloutGrpoTrainer(GRPOTrainer):
    """Order of the prompts, optimiser, schedule, checkpoints and resuming are those of TRL and Hugging Face.

    One rollout batch is one optimiser step. `last_step` holds the figures of the newest.
    """

    def __init__(
        self,
        config: RlConfig,
        arguments: GRPOConfig,
        loaded: LoadedModel,
        tasks: Sequence[RolloutTask],
        source: RolloutSource,
    ) -> None:
        super().__init__(
            model=loaded.model,
            reward_funcs=_scores_of_the_tool_server,
            args=arguments,
            train_dataset=Dataset.from_dict({"prompt": [task.question for task in tasks], "row": range(len(tasks))}),
            processing_class=loaded.processor,
        )
        self._rl = config
        self._loaded = loaded
        self._tasks = tasks
        self._source = source
        self._reference = ReferencePolicy(loaded, config.temperature)
        self._training_since = 0.0
        self.last_step: dict[str, Any] = {}

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> StepRollouts:
        return self._source.roll_out(self.state.global_step, [self._tasks[row["row"]] for row in inputs])

    def _prepare_inputs(self, generation_batch: list[dict[str, Any]]) -> StepRollouts:
        return self._generate_and_score_completions(generation_batch)

    def training_step(
        self, model: nn.Module, inputs: list[dict[str, Any]], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Rolls out, then adds up the gradients of the micro-batches; returns the loss."""
        del num_items_in_batch
        model.eval()
        rollouts = self._rolled_out(model, inputs)
        self._training_since = time.monotonic()
        kl = self._kl(rollouts.sample)
        model.train()
        loss = torch.zeros((), device=self.accelerator.device)
        for sequences in rollouts.batch.micro_batches:
            with self.compute_loss_context_manager():
                part = self.compute_loss(model, MicroBatch(sequences, rollouts.batch.tokens))
            self.accelerator.backward(part)
            loss += part.detach()
        self.last_step = {**rollouts.figures, "kl": kl, "seconds": rollouts.seconds}
        return loss

    def _rolled_out(self, model: nn.Module, inputs: list[dict[str, Any]]) -> StepRollouts:
        try:
            return self._prepare_inputs(inputs)
        except Failure:
            # Nothing of this step has changed the model: what the steps before it have learned is kept.
            if self.state.global_step > 0 and not self._checkpoint_folder().exists():
                self._save_checkpoint(model, None)
            raise

    def _compute_loss(self, model: nn.Module, inputs: MicroBatch) -> Tensor:
        del model
        sequences = [item.sequence for item in inputs.sequences]
        log_probs = sequence_log_probs(self._loaded, sequences, self._rl.temperature)
        sampled, advantages = (
            torch.from_numpy(np.concatenate([getattr(item, name) for item in inputs.sequences])).to(log_probs.device)
            for name in ("sampled_log_probs", "advantages")
        )
        losses = clipped_loss(log_probs, sampled, advantages)
        if self._rl.kl_coefficient:
            losses = losses + self._rl.kl_coefficient * kl_estimate(log_probs, self._reference.log_probs(sequences))
        return losses.sum() / inputs.step_tokens

    def _kl(self, sample: Sequence[TrainedSequence]) -> float:
        """KL to the policy before RL, in nats a token."""
        if not sample:
            return 0.0
        reference = self._reference.log_probs([item.sequence for item in sample])
        sampled = torch.from_numpy(np.concatenate([item.sampled_log_probs for item in sample])).to(reference.device)
        return kl_estimate(sampled, reference).mean().item()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Hands a step's figures to the callbacks."""
        if "loss" in logs:
            seconds = {**self.last_step["seconds"], "training": time.monotonic() - self._training_since}
            self.last_step |= {
                "loss": logs["loss"],
                "gradNorm": logs["grad_norm"],
                "learningRate": logs["learning_rate"],
                "seconds": seconds,
            }
        Trainer.log(self, logs, start_time)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        # The base class reads the file as it is, where some models save under other names than they have in memory;
        # it would only warn and go on with the weights from before RL.
        weights = load_model(resume_from_checkpoint, "cpu").model.state_dict()
        (self.model if model is None else model).load_state_dict(weights)

    def _get_output_dir(self, trial: Any) -> str:  # noqa: ANN401 - of the base class
        del trial
        return str(scratch_folder(self.args.output_dir))

    def _checkpoint_folder(self) -> Path:
        return Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:  # noqa: ANN401 - of the base class
        scratch, final = empty_scratch(self.args.output_dir), self._checkpoint_folder()
        # TRL's own would write a model card with links of its project beside the checkpoints.
        Trainer._save_checkpoint(self, model, trial)
        with publish_folder(final, "checkpoint", {"step": self.state.global_step}) as partial:
            for path in (scratch / final.name).iterdir():
                path.rename(partial / path.name)
        shutil.rmtree(scratch)


def _scores_of_the_tool_server(**columns: object) -> list[float]:
    """TRL wants a source of rewards named; they come with the rollouts."""
    raise RuntimeError(f"rewards come with the rollouts, not from {', '.join(columns)}")
