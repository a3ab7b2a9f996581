"""The traces that the TypeScript loop replays too; both loops must come out equal."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mnist_data
import pytest
import rl_data
from PIL import Image
from test_rollout import Scripted
from tool_server import ToolServer, result, running

from lensmith_trainers.modeling import LoadedModel
from lensmith_trainers.protocol import load_protocol, prompt_messages
from lensmith_trainers.rollout import Collector, Episode, JsonHttp, RolloutOptions, RolloutTask, encoded_image

FOLDER = Path(__file__).parents[1] / "golden" / "traces"
FILES = sorted(FOLDER.glob("*.json"))


def test_there_are_golden_traces() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_trace(loaded: LoadedModel, file: Path) -> None:
    golden = json.loads(file.read_text())
    left = [scripted(execution) for execution in golden["executions"]]
    with running(ToolServer(lambda *_: left.pop(0))) as server, ThreadPoolExecutor(1) as threads:
        episode = replay(loaded, golden, server, threads)
    expected = golden["expected"]
    assert (episode.ending, episode.answer) == (expected["ending"], expected["answer"])
    assert left == []
    assert sum(episode.sequence.loss) == len(episode.log_probs)
    assert conversation_text(episode) == "".join(rendered(message) for message in expected["messages"])
    replies = [turn["reply"] for turn in episode.turns if turn["reply"] is not None]
    first_reply = len(expected["messages"]) - 2 * len(episode.turns) + 2
    assert replies == [message["text"] for message in expected["messages"][first_reply::2]]


def replay(loaded: LoadedModel, golden: dict[str, Any], server: ToolServer, threads: ThreadPoolExecutor) -> Episode:
    image = encoded_image(mnist_data.png(mnist_data.test_digits()[0][0]), where="test")
    own = [(message["role"], message["content"]) for message in golden.get("prompt", [])]
    prompt = prompt_messages(own, golden["images"]) if own else None
    task = RolloutTask({"question": golden["question"]}, (image,) * golden["images"], prompt)
    protocol = load_protocol(rl_data.PROTOCOL.with_name(f"{golden['protocol']}.yaml"))
    http, options = JsonHttp(server.url), RolloutOptions(1.0, 1000, 100_000, 5.0)
    collector = Collector(loaded, Scripted(loaded, golden["turns"]), protocol, http, threads, options, lambda: False)
    (episode,) = collector.collect([task], ["golden"])
    http.close()
    return episode


def scripted(execution: dict[str, Any]) -> dict[str, Any]:
    """The execution with pictures of the sizes that it names."""
    pictures = tuple(Image.new("L", (image["width"], image["height"])) for image in execution["images"])
    return {**execution, "images": result(images=pictures)["images"]}


def conversation_text(episode: Episode) -> str:
    """What the model's tokens say, with `{images}` for the tokens of images that stand side by side."""
    text = episode.loaded.processor.tokenizer.decode(episode.sequence.ids, skip_special_tokens=False)
    return re.sub(r"(?:<\|vision_start\|>(?:<\|image_pad\|>)+<\|vision_end\|>)+", "{images}", text)


def rendered(message: dict[str, str]) -> str:
    """A message as the template writes it; an `<image>` in what the model is told is broken by a space."""
    own = message["role"] == "assistant"
    text = message["text"] if own else message["text"].replace("<image>", "< image>")
    return f"<|im_start|>{message['role']}\n{text}<|im_end|>\n"
