import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import mnist_data
import numpy as np
import pytest
import rl_data
from PIL import Image
from tool_server import ToolServer, result, running

from lensmith_trainers.data import Conversation, Message
from lensmith_trainers.modeling import LoadedModel, conversation_sequence
from lensmith_trainers.protocol import LoadedProtocol, load_protocol
from lensmith_trainers.rollout import (
    Collector,
    Episode,
    Generation,
    JsonHttp,
    RolloutOptions,
    RolloutTask,
    encoded_image,
    score_groups,
)
from lensmith_trainers.rollout.sent_images import SentImages
from lensmith_trainers.rollout.tool_session import ToolSession
from lensmith_trainers.runtime import Failure

CODE = "<code>\n```python\n{}\n```\n</code>"


@dataclass
class Scripted:
    """Writes given turns instead of sampling them: turn `n` of an episode is `turns[n]`."""

    loaded: LoadedModel
    turns: Sequence[str]
    asked: int = 0

    def __call__(self, generations: Sequence[Generation]) -> None:
        for generation in generations:
            for token in self.loaded.vocabulary.encode(self.turns[self.asked] + "<|im_end|>"):
                generation.append(token, -0.5)
        self.asked += 1


@pytest.fixture(scope="module")
def protocol() -> LoadedProtocol:
    return load_protocol(rl_data.PROTOCOL)


@pytest.fixture(scope="module")
def task() -> RolloutTask:
    image = encoded_image(mnist_data.png(mnist_data.test_digits()[0][0]), where="test")
    fields = {"sampleId": "rl-0", "question": "Which digit is this?", "reference": "7"}
    return RolloutTask(fields, (image,))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def roll_out(
    loaded: LoadedModel,
    protocol: LoadedProtocol,
    threads: ThreadPoolExecutor,
    server: ToolServer,
    turns: Sequence[str],
    tasks: Sequence[RolloutTask],
    **options: Any,
) -> list[Episode]:
    http = JsonHttp(server.url)
    limits = RolloutOptions(
        1.0, **{"max_new_tokens": 200, "max_context_tokens": 1000, "patience_seconds": 5.0, **options}
    )
    collector = Collector(loaded, Scripted(loaded, turns), protocol, http, threads, limits, lambda: False)
    try:
        return collector.collect(tasks, [f"episode-{index}" for index in range(len(tasks))])
    finally:
        http.close()


def rotate(code: str, image: Image.Image) -> dict[str, Any]:
    del code
    return result(images=(image.rotate(90),))


def test_tokens_are_those_of_the_template_and_only_the_models_own_are_trained(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    turns = [CODE.format("input_image.rotate(90)"), "<answer>7</answer>"]
    with running(ToolServer(rotate)) as server:
        (episode,) = roll_out(loaded, protocol, threads, server, turns, [task])
    original = task.images[0].pixels
    messages = (
        Message("user", "<image>Which digit is this?"),
        Message("assistant", turns[0]),
        Message("user", "<tool_response>\n<image>\n</tool_response>"),
        Message("assistant", turns[1]),
    )
    contents = [task.images[0].content, mnist_data.png(np.array(original.convert("L").rotate(90)))]
    expected = conversation_sequence(
        Conversation(messages, tuple(contents)), loaded.vocabulary, loaded.processor.image_processor
    )
    assert episode.sequence.ids == expected.ids
    assert episode.sequence.loss == expected.loss
    assert episode.sequence.positions == expected.positions
    assert len(episode.log_probs) == len(episode.turn_of_token) == sum(episode.sequence.loss)
    assert sorted(set(episode.turn_of_token)) == [0, 1]


def test_the_trace_is_complete(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    turns = [CODE.format("input_image.rotate(90)"), "<answer> 7 </answer>"]
    with running(ToolServer(rotate)) as server:
        (episode,) = roll_out(loaded, protocol, threads, server, turns, [task])
    trace = episode.trace("model")
    assert (trace["ending"], trace["answer"], trace["error"]) == ("answered", "7", None)
    first, last = trace["turns"]
    assert first["call"]["code"] == "input_image.rotate(90)"
    assert first["call"]["images"][0].keys() == {"digest", "width", "height"}
    assert first["reply"] == "<tool_response>\n{images}\n</tool_response>"
    assert (last["call"], last["reply"], last["finishReason"]) == (None, None, "stop")
    assert last["promptTokens"] + last["completionTokens"] == len(episode.sequence) - 1


def test_sessions_are_opened_at_the_first_call_and_closed(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    with running(ToolServer(rotate)) as server:
        roll_out(loaded, protocol, threads, server, ["<answer>1</answer>"], [task] * 3)
        assert server.requests == []
        roll_out(loaded, protocol, threads, server, [CODE.format("x")] * 3, [task] * 3)
        assert server.sessions == {}
        assert [method for method, _, _ in server.requests].count("DELETE") == 3


def test_the_calls_of_a_turn_run_side_by_side(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    together = threading.Barrier(6, timeout=10)

    def meet(code: str, image: Image.Image) -> dict[str, Any]:
        del code, image
        together.wait()
        return result(stdout="1\n")

    with running(ToolServer(meet)) as server:
        episodes = roll_out(loaded, protocol, threads, server, [CODE.format("x"), "<answer>1</answer>"], [task] * 6)
    assert {episode.ending for episode in episodes} == {"answered"}


def test_a_full_context_ends_an_episode(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    with running(ToolServer(rotate)) as server:
        (episode,) = roll_out(loaded, protocol, threads, server, ["<answer>1</answer>"], [task], max_context_tokens=210)
    assert (episode.ending, episode.turns) == ("context_limit", [])


def test_a_restarted_tool_server_is_survived_with_the_state_of_the_session(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    server = ToolServer(lambda code, _: result(stdout=f"{code}\n"))

    def restart(_: str, path: str) -> None:
        if path.endswith("/executions") and server.requests[-1][2] == {"code": "two"}:
            server.sessions.clear()
            server.intercept = lambda *_: None

    server.intercept = restart
    with running(server):
        turns = [CODE.format("one"), CODE.format("two"), "<answer>1</answer>"]
        (episode,) = roll_out(loaded, protocol, threads, server, turns, [task])
    assert server.codes == ["one", "two", "one", "two"]
    assert [turn["call"]["outcome"] for turn in episode.turns[:2]] == ["ok", "ok"]


@pytest.mark.parametrize("fault", [(429, {"Retry-After": "0"}), (503, {}), (0, {})])
def test_passing_faults_are_tried_again(
    loaded: LoadedModel,
    protocol: LoadedProtocol,
    threads: ThreadPoolExecutor,
    task: RolloutTask,
    fault: tuple[int, dict[str, str]],
) -> None:
    left = [fault, fault]
    server = ToolServer(rotate, intercept=lambda *_: left.pop() if left else None)
    with running(server):
        turns = [CODE.format("x"), "<answer>1</answer>"]
        (episode,) = roll_out(loaded, protocol, threads, server, turns, [task])
    assert (episode.ending, left) == ("answered", [])


def test_an_outage_ends_only_the_episodes_that_called(
    loaded: LoadedModel, protocol: LoadedProtocol, threads: ThreadPoolExecutor, task: RolloutTask
) -> None:
    lost = result("infrastructure", error={"type": "Lost", "message": "gone", "line": None, "traceback": ""})
    with running(ToolServer(lambda *_: lost)) as server:
        (episode,) = roll_out(loaded, protocol, threads, server, [CODE.format("x")], [task], patience_seconds=0.2)
    trace = episode.trace("model")
    assert trace["ending"] == "sandbox_error"
    assert trace["error"]["type"] == "infrastructure"
    assert "gone" in trace["error"]["message"]


def test_a_refused_request_is_not_repeated(protocol: LoadedProtocol) -> None:
    with running(ToolServer(rotate, intercept=lambda *_: (400, {}))) as server:
        session = ToolSession(JsonHttp(server.url), protocol.protocol, [b""], lambda: False, 5.0)
        with pytest.raises(ValueError, match="400"):
            session.execute("x")
        assert len(server.requests) == 1


def test_a_stateless_protocol_repeats_nothing(protocol: LoadedProtocol, task: RolloutTask) -> None:
    stateless = replace(protocol, protocol=protocol.protocol.model_copy(update={"state": "stateless"}))
    with running(ToolServer(lambda code, _: result(stdout=code))) as server:
        session = ToolSession(JsonHttp(server.url), stateless.protocol, [task.images[0].content], lambda: False, 5.0)
        session.execute("one")
        server.sessions.clear()
        session.execute("two")
    assert server.codes == ["one", "two", "two"]


def test_a_connection_that_the_server_closed_while_it_rested_costs_no_session(protocol: LoadedProtocol) -> None:
    image = encoded_image(mnist_data.png(mnist_data.test_digits()[0][0]), where="test").content
    with running(ToolServer(lambda code, _: result(stdout=code)), rest_seconds=0.1) as server:
        session = ToolSession(JsonHttp(server.url), protocol.protocol, [image], lambda: False, 5.0)
        for code in ("one", "two", "three"):
            session.execute(code)
            time.sleep(0.4)
    assert server.codes == ["one", "two", "three"]


def test_an_opening_whose_answer_is_lost_leaves_no_session(protocol: LoadedProtocol, task: RolloutTask) -> None:
    def lose_first_answer(method: str, path: str) -> tuple[int, dict[str, str]] | None:
        if len(server.requests) > 1:
            return None
        server.reply(method, path, server.requests[0][2])
        return 0, {}

    with running(ToolServer(lambda code, _: result(stdout=code), intercept=lose_first_answer)) as server:
        session = ToolSession(JsonHttp(server.url), protocol.protocol, [task.images[0].content], lambda: False, 5.0)
        session.execute("one")
        assert len(server.sessions) == 1
        session.close()


def test_a_server_that_hangs_holds_up_the_closing_for_a_short_time(
    protocol: LoadedProtocol, task: RolloutTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lensmith_trainers.rollout.tool_session._CLOSE_SECONDS", 0.1)

    def hang_at_the_end(method: str, _: str) -> tuple[int, dict[str, str]] | None:
        if method != "DELETE":
            return None
        time.sleep(1.0)
        return 0, {}

    with running(ToolServer(rotate, intercept=hang_at_the_end)) as server:
        session = ToolSession(JsonHttp(server.url), protocol.protocol, [task.images[0].content], lambda: False, 5.0)
        session.execute("x")
        started = time.monotonic()
        session.close()
        assert time.monotonic() - started < 0.8
        assert not session.is_open


def test_an_image_is_sent_once_and_again_to_a_server_that_lost_it(protocol: LoadedProtocol, task: RolloutTask) -> None:
    image = task.images[0].content
    sent = SentImages()
    with running(ToolServer(rotate)) as server:
        for forgets in (False, False, True):
            if forgets:
                server.kept.clear()
            session = ToolSession(JsonHttp(server.url), protocol.protocol, [image], lambda: False, 5.0, sent)
            assert session.execute("x")["outcome"] == "ok"
            session.close()
        opened = [
            body["images"][0] for method, path, body in server.requests if (method, path) == ("POST", "/v1/sessions")
        ]
    digest = hashlib.sha256(image).hexdigest()
    assert [one.get("digest") for one in opened] == [None, digest, digest, None]
    assert [one.get("keep") for one in opened] == [True, None, None, True]


def test_scores_that_do_not_come_are_an_infrastructure_failure() -> None:
    with running(ToolServer(rotate, intercept=lambda *_: (503, {}))) as server:
        http = JsonHttp(server.url)
        with pytest.raises(Failure, match="503") as caught:
            score_groups(http, "lensmith", [[{}]], patience_seconds=0.2, cancelled=lambda: False)
        assert caught.value.type == "infrastructure"
        server.intercept = lambda *_: (400, {})
        with pytest.raises(Failure) as caught:
            score_groups(http, "lensmith", [[{}]], patience_seconds=5, cancelled=lambda: False)
        assert caught.value.type == "config"
        http.close()
