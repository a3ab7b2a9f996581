"""The HTTP interface: models, chat completions, health and metrics."""

import asyncio
import time
import uuid
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lensmith_trainers.rollout import Generation, Sampling
from lensmith_trainers.serving.api_error import ApiError
from lensmith_trainers.serving.batcher import Batcher, Closed
from lensmith_trainers.serving.chat_request import ChatRequest, parse_chat_request
from lensmith_trainers.serving.engine import Engine, Prompt
from lensmith_trainers.serving.metrics import ServerMetrics


@dataclass
class ServedModel:
    """A model with its name and limits; `engine` and `batcher` are null while it loads."""

    name: str
    max_context_tokens: int
    engine: Engine | None = None
    batcher: Batcher | None = None


def build_app(served: ServedModel) -> Starlette:
    """The application."""
    created = int(time.time())
    metrics = ServerMetrics(
        lambda: served.batcher.running if served.batcher else 0,
        lambda: served.batcher.waiting if served.batcher else 0,
    )

    async def health(request: Request) -> Response:
        del request
        return Response(status_code=200 if served.batcher else 503)

    async def models(request: Request) -> Response:
        del request
        if served.batcher is None:
            return _loading().response()
        model = {"id": served.name, "object": "model", "created": created, "owned_by": "lensmith"}
        return JSONResponse({"object": "list", "data": [{**model, "max_model_len": served.max_context_tokens}]})

    async def prometheus(request: Request) -> Response:
        del request
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def completions(request: Request) -> Response:
        started = time.monotonic()
        try:
            body = await _complete(served, await request.body(), metrics)
        except ApiError as error:
            metrics.requests.labels(str(error.status)).inc()
            return error.response()
        metrics.requests.labels("200").inc()
        metrics.seconds.observe(time.monotonic() - started)
        return JSONResponse(body)

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", prometheus),
            Route("/v1/models", models),
            Route("/v1/chat/completions", completions, methods=["POST"]),
        ]
    )


async def _complete(served: ServedModel, body: bytes, metrics: ServerMetrics) -> dict[str, object]:
    request = parse_chat_request(body)
    if request.model != served.name:
        message = f"the model '{request.model}' does not exist, this server has '{served.name}'"
        raise ApiError(404, message, code="model_not_found", param="model")
    if served.engine is None or served.batcher is None:
        raise _loading()
    prompt = served.engine.prompt(request.messages)
    generation = Generation(prompt, _sampling(request, prompt, served.max_context_tokens))
    try:
        await asyncio.wrap_future(served.batcher.submit(generation))
    except Closed as error:
        raise ApiError(503, "the server is shutting down") from error
    except Exception as error:
        raise ApiError(500, f"{type(error).__name__}: {error}") from error
    used, made = len(prompt), len(generation.ids)
    metrics.prompt_tokens.inc(used)
    metrics.completion_tokens.inc(made)
    message = {"role": "assistant", "content": generation.text}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": served.name,
        "choices": [{"index": 0, "message": message, "finish_reason": generation.finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": used, "completion_tokens": made, "total_tokens": used + made},
    }


def _loading() -> ApiError:
    return ApiError(503, "the model is still being loaded")


def _sampling(request: ChatRequest, prompt: Prompt, context: int) -> Sampling:
    room = context - len(prompt)
    wanted = room if request.token_limit is None else request.token_limit
    if room < 1 or wanted > room:
        message = (
            f"This model's maximum context length is {context} tokens; the messages have {len(prompt)}"
            f" and {max(wanted, 0)} were asked for the completion. Shorten one of them."
        )
        raise ApiError(400, message, code="context_length_exceeded", param="messages")
    return Sampling(
        wanted,
        1.0 if request.temperature is None else request.temperature,
        1.0 if request.top_p is None else request.top_p,
        None if request.seed is None else str(request.seed),
        request.stop_texts,
    )
