"""Supervised fine-tuning with TRL."""

import logging
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig as TrlConfig
from trl.chat_template_utils import get_training_chat_template

from lensmith_trainers.data import Conversation, read_conversations
from lensmith_trainers.modeling import LoadedModel, load_model
from lensmith_trainers.runtime.config import SftConfig
from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.runtime.manifest import read_manifest
from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest
from lensmith_trainers.sft.checkpointing_trainer import CheckpointingTrainer
from lensmith_trainers.sft.collator import ConversationCollator
from lensmith_trainers.sft.progress_callback import ProgressCallback
from lensmith_trainers.training import prepare_device, save_model


def train_sft(config: SftConfig, stop: StopRequest) -> dict[str, Any]:
    """Trains on assistant turns, publishes checkpoints and `model/`; returns the outcome's details."""
    progress = ProgressFile(config.progress_file, config.steps)
    progress.report("loading")
    if config.batch_size % config.micro_batch_size:
        message = f"microBatchSize: expected a divisor of batchSize {config.batch_size}, got {config.micro_batch_size}"
        raise Failure("config", message)
    prepare_device(config)
    first_step = _resumed_step(config)
    conversations = read_conversations(config.dataset)
    loaded = load_model(config.resume_from or config.model, config.device)
    metrics = MetricsLog(config.metrics_file, first_step)
    if first_step < config.steps:
        trainer = _trainer(config, loaded, conversations, ProgressCallback(progress, metrics, stop))
        with stop.deferred():
            progress.report("running", first_step)
            trainer.train(resume_from_checkpoint=config.resume_from)
            if trainer.state.global_step < config.steps:
                progress.report("stopping")
                stop.check(f"checkpoint-{trainer.state.global_step} was saved")
    progress.report("saving", config.steps)
    details = {"steps": config.steps, "seed": config.seed, "rows": len(conversations), "batchSize": config.batch_size}
    folder = save_model(config.output_dir, loaded.model, loaded.processor, details)
    progress.report("done")
    return {"model": str(folder)}


def _resumed_step(config: SftConfig) -> int:
    if config.resume_from is None:
        return 0
    step = read_manifest(Path(config.resume_from), "checkpoint")["details"].get("step")
    if not isinstance(step, int) or not (Path(config.resume_from) / "trainer_state.json").is_file():
        raise Failure(
            "data", "expected a checkpoint of sft, with its step and trainer_state.json", where=config.resume_from
        )
    if step > config.steps:
        message = f"expected a checkpoint of at most {config.steps} steps, got one of {step}; raise steps"
        raise Failure("config", message, where=config.resume_from)
    return step


def _trainer(
    config: SftConfig, loaded: LoadedModel, conversations: list[Conversation], callback: ProgressCallback
) -> CheckpointingTrainer:
    logging.getLogger("accelerate").setLevel(logging.WARNING)
    try:
        # None where the model's own template marks assistant text already.
        chat_template = get_training_chat_template(loaded.processor)
    except ValueError as error:
        message = f"expected a chat template with {{% generation %}}, or one that TRL knows: {error}"
        raise Failure("config", message, where=config.model) from error
    trainer = CheckpointingTrainer(
        model=loaded.model,
        args=_arguments(config),
        # The collator holds the conversations, so that each is encoded once.
        train_dataset=Dataset.from_dict({"row": list(range(len(conversations)))}),
        data_collator=ConversationCollator(conversations, loaded.processor, chat_template),
        processing_class=loaded.processor,
        callbacks=[callback],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(config: SftConfig) -> TrlConfig:
    on_gpu = config.device == "cuda"
    return TrlConfig(
        output_dir=config.output_dir,
        per_device_train_batch_size=config.micro_batch_size,
        gradient_accumulation_steps=config.batch_size // config.micro_batch_size,
        max_steps=config.steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=config.warmup_steps,
        weight_decay=0.01,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        seed=config.seed,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        save_strategy="steps",
        save_steps=config.save_every,
        save_total_limit=None,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        use_cpu=not on_gpu,
        bf16=on_gpu,
        gradient_checkpointing=on_gpu,
        dataloader_num_workers=0,
        dataloader_pin_memory=on_gpu,
    )
