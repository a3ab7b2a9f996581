"""Teaching the miniature to see and to read: captions in the order of their file, a batch a step."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lensmith_trainers.base_model.caption_step import StepResult, caption_step
from lensmith_trainers.data import Conversation, read_conversations
from lensmith_trainers.modeling import (
    LoadedModel,
    Vocabulary,
    build_miniature,
    check_fast_path,
    conversation_sequence,
    conversation_texts,
    load_model,
)
from lensmith_trainers.runtime.config import BaseModelConfig
from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest
from lensmith_trainers.training import (
    assert_finite,
    build_optimizer,
    load_training_state,
    prepare_device,
    save_checkpoint,
    save_model,
    warmup_cosine,
)


def train_base_model(config: BaseModelConfig, stop: StopRequest) -> dict[str, Any]:
    """Builds or resumes the model, trains it, publishes checkpoints and `model/`; returns the outcome's details.

    A file with fewer than `steps * batchSize` rows is read again from its start.
    """
    progress = ProgressFile(config.progress_file, config.steps)
    progress.report("loading")
    device = prepare_device(config)
    captions = read_conversations(config.captions)
    loaded, first_step, optimizer = _start(config, captions, device)
    model, processor = loaded.model.train(), loaded.processor
    metrics = MetricsLog(config.metrics_file, first_step)
    tokens = 0

    def save(step: int) -> None:
        progress.report("saving", step)
        save_checkpoint(config.output_dir, step, model, processor, optimizer, {"row": step * config.batch_size})

    with stop.deferred():
        progress.report("running", first_step)
        for step in range(first_step, config.steps):
            rate = config.learning_rate * warmup_cosine(step, steps=config.steps, warmup_steps=config.warmup_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            sequences = [
                conversation_sequence(captions[row % len(captions)], loaded.vocabulary, processor.image_processor)
                for row in range(step * config.batch_size, (step + 1) * config.batch_size)
            ]
            result = caption_step(model, sequences, optimizer)
            tokens += result.tokens
            done = step + 1
            metrics.append(done, _figures(result, rate))
            assert_finite(done, result.loss, result.grad_norm)
            progress.report("running", done, {"loss": result.loss, "tokenAccuracy": result.token_accuracy})
            if done % config.save_every == 0 or done == config.steps or stop.requested:
                save(done)
                progress.report("running", done)
            if done < config.steps and stop.requested:
                progress.report("stopping")
                stop.check(f"checkpoint-{done} was saved")
    progress.report("saving")
    details = {"steps": config.steps, "seed": config.seed, "rows": len(captions), "batchSize": config.batch_size}
    folder = save_model(config.output_dir, model, processor, details)
    progress.report("done")
    return {"model": str(folder), "trainedTokens": tokens}


def _start(
    config: BaseModelConfig, captions: Sequence[Conversation], device: torch.device
) -> tuple[LoadedModel, int, torch.optim.Optimizer]:
    """The model, the first step to do, and the optimiser; from random weights or from `resumeFrom`."""
    if config.resume_from is None:
        texts = dict.fromkeys(conversation_texts(captions))
        for path in config.corpus:
            texts |= dict.fromkeys(conversation_texts(read_conversations(path)))
        model, processor = build_miniature(texts, config.seed)
        loaded = LoadedModel(model.to(device), processor, Vocabulary(processor.tokenizer))
        return loaded, 0, build_optimizer(model, config.learning_rate)
    state = load_training_state(config.resume_from, steps=config.steps)
    loaded = load_model(Path(config.resume_from), config.device)
    check_fast_path(loaded.model)
    optimizer = build_optimizer(loaded.model, config.learning_rate)
    optimizer.load_state_dict(state.optimizer)
    return loaded, state.step, optimizer


def _figures(result: StepResult, rate: float) -> dict[str, float]:
    return {
        "loss": result.loss,
        "tokenAccuracy": result.token_accuracy,
        "learningRate": rate,
        "gradNorm": result.grad_norm,
        "tokens": result.tokens,
        "seconds": result.seconds,
    }
