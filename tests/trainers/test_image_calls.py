"""Calls that name their image: what the tool server gets for them, and what the trace says."""

import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mnist_data
import rl_data
from PIL import Image
from test_rollout import Scripted
from tool_server import ToolServer, result, running

from lensmith_trainers.modeling import LoadedModel
from lensmith_trainers.protocol import load_protocol
from lensmith_trainers.rollout import Collector, JsonHttp, RolloutOptions, RolloutTask, encoded_image


def call(code: str, image_index: int) -> str:
    """A turn that calls the tool."""
    values = {"code": code, "description": "a test", "image_index": image_index}
    return f"<tool_call>{json.dumps({'name': 'code_image_tool', 'arguments': values})}</tool_call>"


def test_each_call_has_a_session_with_the_image_that_it_names(loaded: LoadedModel) -> None:
    protocol = load_protocol(rl_data.PROTOCOL.with_name("codevision.yaml"))
    around = protocol.protocol.image_call
    assert around is not None
    sizes: list[tuple[int, int]] = []

    def execute(code: str, image: Image.Image) -> dict[str, Any]:
        if code == around.before:
            sizes.append(image.size)
        pictures = (Image.new("L", (40, 30)),) if code == around.after and len(sizes) == 1 else ()
        return result("ok" if pictures else "no_output", images=pictures)

    task = RolloutTask(
        {"question": "?"}, (encoded_image(mnist_data.png(mnist_data.test_digits()[0][0]), where="test"),)
    )
    turns = [call("first", 0), call("second", 1), call("third", 2), "<answer>1</answer>"]
    with running(ToolServer(execute)) as server, ThreadPoolExecutor(1) as threads:
        options, http = RolloutOptions(1.0, 1000, 100_000, 5.0), JsonHttp(server.url)
        collector = Collector(loaded, Scripted(loaded, turns), protocol, http, threads, options, lambda: False)
        (episode,) = collector.collect([task], ["test"])
        http.close()

    assert sizes == [task.images[0].pixels.size, (40, 30)]
    assert server.sessions == {}
    opened = [body for method, path, body in server.requests if (method, path) == ("POST", "/v1/sessions")]
    assert [(body["state"], len(body["images"])) for body in opened] == [("stateful", 1)] * 2
    assert Image.open(io.BytesIO(base64.b64decode(opened[1]["images"][0]["data"]))).size == (40, 30)
    calls = [turn["call"] for turn in episode.turns[:3]]
    assert [(made["outcome"], made["imageIndex"], made["description"]) for made in calls] == [
        ("ok", 0, "a test"),
        ("no_output", 1, "a test"),
        ("policy", 2, "a test"),
    ]
    assert (episode.ending, episode.answer) == ("answered", "1")
