import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rl_data

from lensmith_trainers.protocol import (
    IMAGE,
    ImageCall,
    RefusedCall,
    load_protocol,
    malformed_call,
    parse_turn,
    parts_content,
    parts_text,
    tool_message_parts,
)
from lensmith_trainers.protocol.schema import Protocol
from lensmith_trainers.runtime import Failure

FENCE = "<code>\n```python\n{}\n```\n</code>"


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol(rl_data.PROTOCOL).protocol


def test_a_protocol_is_named_by_the_digest_of_its_bytes() -> None:
    loaded = load_protocol(rl_data.PROTOCOL)
    digest = hashlib.sha256(rl_data.PROTOCOL.read_bytes()).hexdigest()
    assert loaded.ref == {"name": "miniature", "version": 1, "digest": digest}


def test_all_shipped_protocols_load() -> None:
    names = {load_protocol(path).protocol.name for path in rl_data.PROTOCOL.parent.glob("*.yaml")}
    assert {"miniature", "codedance", "codevision"} <= names


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1", "version: 1\nspeed: 3", "speed: Extra inputs"),
        ("  turns: 3", "  turns: 0", "limits.turns"),
        ('    policy: "<tool_response>\\n{error}\\n</tool_response>"\n', "", "none for policy"),
        ("parser: code-fence", "parser: json", "parser"),
        ('question: "{question}"', 'question: "What?"', "question"),
        ("{stdout}{images}", "{images}{stdout}{images}", "at most once"),
    ],
)
def test_a_wrong_protocol_is_a_config_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = rl_data.PROTOCOL.read_text()
    assert old in text
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(Failure, match=message) as caught:
        load_protocol(path)
    assert caught.value.type == "config"


@pytest.mark.parametrize(
    ("text", "code", "answer"),
    [
        (FENCE.format("a = 1\nprint(a)"), "a = 1\nprint(a)", None),
        (FENCE.format("one") + FENCE.format("two"), "one", None),
        ("<code>one</code>" + FENCE.format("two"), "two", None),
        ("<code>\n```python\nprint(1)", None, None),
        ("```python\nprint(1)\n```", None, None),
        ("<answer> 7 </answer>", None, "7"),
        ("<answer>1</answer> no, <answer>2</answer>", None, "2"),
        ("<answer>1</answer> or <answer>2", None, "1"),
        ("<answer><answer>3</answer>", None, "3"),
        (FENCE.format("one") + "<answer>4</answer>", None, "4"),
        ("<answer></answer>", None, ""),
        ("hello", None, None),
    ],
)
def test_turns(text: str, code: str | None, answer: str | None) -> None:
    parsed = parse_turn(text)
    assert (parsed.code, parsed.answer) == (code, answer)


def message(protocol: Protocol, outcome: str, **values: object) -> list:
    defaults = {"stdout": "", "error": "", "images": 0, "last_turn": False}
    return tool_message_parts(protocol, outcome, **{**defaults, **values})


def test_output_and_images_stand_in_their_places(protocol: Protocol) -> None:
    parts = message(protocol, "ok", stdout="13\n", images=2)
    assert parts == ["<tool_response>\n13", IMAGE, IMAGE, "\n</tool_response>"]
    assert parts_text(parts) == "<tool_response>\n13{images}\n</tool_response>"
    assert parts_content(parts) == "<tool_response>\n13<image><image>\n</tool_response>"


def test_a_template_without_a_place_for_images_shows_none(protocol: Protocol) -> None:
    assert message(protocol, "no_output", images=1) == ["<tool_response>\nno output\n</tool_response>"]


def test_what_is_filled_in_is_not_filled_again(protocol: Protocol) -> None:
    (text,) = message(protocol, "ok", stdout="{images}{error} {x} <image>", error="E", images=0)
    assert text == "<tool_response>\n{images}{error} {x} <image>\n</tool_response>"
    assert parts_content([text]).count("<image>") == 0


def test_the_last_turn_is_announced(protocol: Protocol) -> None:
    told = protocol.model_copy(update={"last_turn_message": "\nAnswer now."})
    assert parts_text(message(told, "memory", last_turn=True)).endswith("</tool_response>\nAnswer now.")
    assert "Answer" not in parts_text(message(told, "memory"))


def test_seconds_are_written_as_a_number(protocol: Protocol) -> None:
    templates = {**protocol.tool_message.templates, "timeout": "over {seconds} s"}
    tool_message = protocol.tool_message.model_copy(update={"templates": templates})
    for seconds, text in ((5, "over 5 s"), (5.0, "over 5 s"), (0.5, "over 0.5 s")):
        limits = protocol.limits.model_copy(update={"call_seconds": seconds})
        changed = protocol.model_copy(update={"tool_message": tool_message, "limits": limits})
        assert message(changed, "timeout") == [text]


GOLDEN_TURNS = json.loads((Path(__file__).parents[1] / "golden" / "turns.json").read_text())


@pytest.mark.parametrize("turn", GOLDEN_TURNS)
def test_a_golden_turn_is_read_as_in_the_other_loop(turn: dict[str, Any]) -> None:
    name = "codevision" if turn["parser"] == "tool-call" else "miniature"
    rules = load_protocol(rl_data.PROTOCOL.with_name(f"{name}.yaml")).protocol
    changes: dict[str, Any] = {"parser": turn["parser"]}
    if rules.image_call is not None:
        changes["image_call"] = rules.image_call.model_copy(update={"tool": "t"})
    image_call = None
    if turn.get("refused"):
        image_call = RefusedCall(malformed_call("t"))
    elif "imageIndex" in turn:
        image_call = ImageCall(turn["imageIndex"], turn["description"])
    parsed = parse_turn(turn["text"], rules.model_copy(update=changes))
    assert (parsed.code, parsed.answer, parsed.image_call) == (turn["code"], turn["answer"], image_call)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("parser: tool-call", "parser: code-fence"),
        ("state: stateless", "state: stateful"),
        ("  tool: code_image_tool\n", ""),
    ],
)
def test_a_tool_call_protocol_has_all_its_parts(tmp_path: Path, old: str, new: str) -> None:
    text = rl_data.PROTOCOL.with_name("codevision.yaml").read_text()
    assert old in text
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(Failure, match="imageCall") as caught:
        load_protocol(path)
    assert caught.value.type == "config"
