"""What the training programs share: the schedule, optimisation steps, checkpoints, reproducible starts."""

from lensmith_trainers.training.checkpoint import (
    TrainingState,
    load_training_state,
    save_checkpoint,
    save_model,
)
from lensmith_trainers.training.finite import assert_finite
from lensmith_trainers.training.optimizer import build_optimizer, clip_gradients, micro_batches
from lensmith_trainers.training.prepare_device import prepare_device
from lensmith_trainers.training.schedule import warmup_cosine
