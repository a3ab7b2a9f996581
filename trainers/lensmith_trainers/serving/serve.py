"""Serving one model until told to stop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from lensmith_trainers.modeling import load_model
from lensmith_trainers.runtime.config import ServeConfig
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.stop import StopRequest
from lensmith_trainers.serving.app import ServedModel, build_app
from lensmith_trainers.serving.batcher import Batcher
from lensmith_trainers.serving.engine import Engine
from lensmith_trainers.serving.listen import bind, listen
from lensmith_trainers.serving.text_engine import load_text_engine
from lensmith_trainers.serving.vision_engine import VisionEngine
from lensmith_trainers.training import prepare_device

_CLOSE_SECONDS = 0.5


def serve_model(config: ServeConfig, stop: StopRequest) -> dict[str, Any]:
    """Takes the port, loads the model while `/health` says 503, and answers until SIGTERM."""
    progress = ProgressFile(config.progress_file, 0)
    progress.report("loading")
    prepare_device(config)
    served = ServedModel(config.served_name, config.max_context_tokens)
    failures: list[Exception] = []

    def load() -> None:
        try:
            served.engine = load_engine(config, lambda: stop.requested)
            served.batcher = Batcher(served.engine, config.max_batch_size)
            progress.report("running")
        except Exception as error:  # noqa: BLE001 - raised again below, by the thread that can end the program
            failures.append(error)

    with stop.deferred(), bind(config.host, config.port) as listener:
        threading.Thread(target=load, name="load", daemon=True).start()
        asyncio.run(listen(build_app(served), listener, lambda: stop.requested or bool(failures)))
        if served.batcher:
            served.batcher.close(_CLOSE_SECONDS)
    if failures:
        raise failures[0]
    progress.report("done")
    return {"model": config.model, "servedName": config.served_name}


def load_engine(config: ServeConfig, cancelled: Callable[[], bool]) -> Engine:
    """A text model from a `.gguf` file, else a vision-language model from a folder."""
    if config.model.endswith(".gguf"):
        return load_text_engine(config.model, config.device, cancelled)
    return VisionEngine(load_model(config.model, config.device), cancelled)
