"""Reinforcement learning with tools: GRPO on TRL."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from transformers.trainer_callback import PrinterCallback
from trl import GRPOConfig

from lensmith_trainers.modeling import LoadedModel, load_model
from lensmith_trainers.protocol import load_protocol
from lensmith_trainers.rl.progress_callback import RlProgressCallback
from lensmith_trainers.rl.read_tasks import read_tasks
from lensmith_trainers.rl.rollout_grpo_trainer import RolloutGrpoTrainer
from lensmith_trainers.rl.rollout_log import RolloutLog
from lensmith_trainers.rl.rollout_source import RolloutSource
from lensmith_trainers.rollout import Collector, JsonHttp, RolloutOptions, RolloutTask, generator_of
from lensmith_trainers.runtime.config import RlConfig
from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.runtime.manifest import read_manifest
from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest
from lensmith_trainers.training import prepare_device, save_model

# Calls wait for the tool server most of the time; it has a queue of its own.
_CALL_THREADS = 16
_FINAL_LEARNING_RATE = 0.05


def train_rl(config: RlConfig, stop: StopRequest) -> dict[str, Any]:
    """Trains on rollouts, publishes checkpoints and `model/`; returns the outcome's details."""
    progress = ProgressFile(config.progress_file, config.steps)
    progress.report("loading")
    prepare_device(config)
    first_step = _resumed_step(config)
    tasks = read_tasks(config.dataset, own_prompt=config.prompt == "dataset")
    if len(tasks) < config.prompts_per_step:
        message = f"expected at least promptsPerStep = {config.prompts_per_step} rows, found {len(tasks)}"
        raise Failure("data", message, where=config.dataset)
    # The reference of the KL estimate is the model before RL, so it loads first; resuming loads over it.
    loaded = load_model(config.model, config.device)
    if config.freeze_vision:
        _freeze_vision(loaded, config)
    metrics = MetricsLog(config.metrics_file, first_step)
    if first_step < config.steps:
        _train(config, stop, loaded, tasks, progress, metrics)
    else:
        loaded = load_model(str(config.resume_from), config.device)
    progress.report("saving", config.steps)
    folder = save_model(
        config.output_dir,
        loaded.model,
        loaded.processor,
        {"steps": config.steps, "seed": config.seed, "rows": len(tasks), "reward": config.reward},
    )
    progress.report("done")
    return {"model": str(folder)}


def _train(
    config: RlConfig,
    stop: StopRequest,
    loaded: LoadedModel,
    tasks: list[RolloutTask],
    progress: ProgressFile,
    metrics: MetricsLog,
) -> None:
    http = JsonHttp(config.tool_server)

    def cancelled() -> bool:
        return stop.requested

    with ThreadPoolExecutor(_CALL_THREADS, thread_name_prefix="call") as threads:
        collector = Collector(
            loaded,
            generator_of(loaded),
            load_protocol(config.protocol_file),
            http,
            threads,
            RolloutOptions(config.temperature, config.max_new_tokens, config.max_context_tokens),
            cancelled,
        )
        log = RolloutLog(Path(config.metrics_file).parent / "rollouts", _resumed_step(config))
        source = RolloutSource(
            collector, config, cancelled, lambda step, count: progress.report("running", step, {"awaiting": count}), log
        )
        logging.getLogger("accelerate").setLevel(logging.WARNING)
        trainer = RolloutGrpoTrainer(config, _arguments(config), loaded, tasks, source)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(RlProgressCallback(progress, metrics, stop, lambda: trainer.last_step))
        try:
            with stop.deferred():
                progress.report("running", _resumed_step(config))
                trainer.train(resume_from_checkpoint=config.resume_from)
        finally:
            http.close()
    if trainer.state.global_step < config.steps:
        progress.report("stopping")
        stop.check(f"checkpoint-{trainer.state.global_step} was saved")


def _freeze_vision(loaded: LoadedModel, config: RlConfig) -> None:
    visual = getattr(loaded.model.model, "visual", None)
    if visual is None:
        message = (
            f"freezeVision: expected a model with a vision tower, got {type(loaded.model).__name__}; set it to false"
        )
        raise Failure("config", message, where=config.model)
    visual.requires_grad_(False)


def _resumed_step(config: RlConfig) -> int:
    if config.resume_from is None:
        return 0
    step = read_manifest(Path(config.resume_from), "checkpoint")["details"].get("step")
    if not isinstance(step, int) or not (Path(config.resume_from) / "trainer_state.json").is_file():
        message = "expected a checkpoint of rl, with its step and trainer_state.json"
        raise Failure("data", message, where=config.resume_from)
    if step > config.steps:
        message = f"expected a checkpoint of at most {config.steps} steps, got one of {step}; raise steps"
        raise Failure("config", message, where=config.resume_from)
    return step


def _arguments(config: RlConfig) -> GRPOConfig:
    on_gpu = config.device == "cuda"
    return GRPOConfig(
        output_dir=config.output_dir,
        per_device_train_batch_size=config.prompts_per_step * config.group_size,
        num_generations=config.group_size,
        gradient_accumulation_steps=1,
        steps_per_generation=1,
        num_iterations=1,
        max_steps=config.steps,
        shuffle_dataset=False,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": _FINAL_LEARNING_RATE},
        warmup_steps=config.warmup_steps,
        weight_decay=0.0,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        seed=config.seed,
        temperature=config.temperature,
        max_completion_length=config.max_new_tokens,
        # The reference and the KL term are this package's own.
        beta=0.0,
        remove_unused_columns=False,
        save_strategy="steps",
        save_steps=config.save_every,
        save_total_limit=None,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        use_cpu=not on_gpu,
        bf16=False,
        gradient_checkpointing=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
    )
