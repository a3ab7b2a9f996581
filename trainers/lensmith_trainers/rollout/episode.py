"""One episode while it is rolled out: its tokens and its trace."""

import base64
import time
from dataclasses import dataclass, field
from typing import Any

from lensmith_trainers.data import Message
from lensmith_trainers.modeling import LoadedModel, TokenSequence, model_image
from lensmith_trainers.protocol import (
    ImageCall,
    LoadedProtocol,
    ParsedTurn,
    Protocol,
    RefusedCall,
    parse_turn,
    parts_content,
    parts_text,
    question_parts,
    tool_message_parts,
    unknown_image,
)
from lensmith_trainers.protocol.message_parts import IMAGE, MessagePart
from lensmith_trainers.rollout.generation import Generation
from lensmith_trainers.rollout.task import EncodedImage, RolloutTask, encoded_image


@dataclass(frozen=True)
class WantedCall:
    """Code to run, and the encoded image that it works on where the protocol lets a call name one."""

    code: str
    image: bytes | None = None


@dataclass(eq=False)
class Episode:
    """Grows turn by turn. `ending` is null while it goes on."""

    task: RolloutTask
    loaded: LoadedModel
    protocol: LoadedProtocol
    identifier: str
    sequence: TokenSequence = field(init=False)
    log_probs: list[float] = field(default_factory=list)
    """Of the tokens with loss in `sequence`, when they were sampled."""
    turn_of_token: list[int] = field(default_factory=list)
    """The turn of each of these tokens."""
    turns: list[dict[str, Any]] = field(default_factory=list)
    ending: str | None = None
    answer: str | None = None
    error: dict[str, str] | None = None
    produced: list[EncodedImage] = field(default_factory=list)
    """The images that its code returned."""
    _named: ImageCall | None = None
    """What the call of the last turn says besides its code."""

    def __post_init__(self) -> None:
        self.sequence = TokenSequence(self.loaded.vocabulary)
        if self.task.prompt is not None:
            images = list(self.task.images)
            for message in self.task.prompt:
                self._append(message.role, list(message.parts), images[: message.images])
                images = images[message.images :]
            return
        if self._rules.system:
            self.sequence.append_message(Message("system", parts_content([self._rules.system])))
        parts = question_parts(self._rules, self.task.question, len(self.task.images))
        self._append("user", parts, list(self.task.images))

    @property
    def _rules(self) -> Protocol:
        return self.protocol.protocol

    def take_turn(self, generation: Generation, started: float, prompt_tokens: int) -> WantedCall | None:
        """Takes a turn of the model; returns what it wants to run. A call that is refused has its reply at once.

        Args:
            generation: a finished one, from this episode's `sequence`.
            started: Unix time in seconds.
            prompt_tokens: tokens before the turn.
        """
        self.sequence.append_ids(generation.ids, loss=True)
        self.sequence.close_assistant_turn()
        self.turn_of_token += [len(self.turns)] * len(generation.ids)
        self.log_probs += generation.log_probs
        self.turns.append(
            {
                "text": generation.text,
                "finishReason": generation.finish_reason,
                "promptTokens": prompt_tokens,
                "completionTokens": len(generation.ids),
                "endpoint": "local",
                "startedAt": round(started * 1000),
                "durationMs": max(0.0, (time.time() - started) * 1000),
                "call": None,
                "reply": None,
            }
        )
        parsed = parse_turn(generation.text, self._rules)
        capped = len(self.turns) == self._rules.limits.turns
        if parsed.answer is not None:
            self.ending, self.answer = "answered", parsed.answer
        elif parsed.code is None and self._rules.continue_message is None:
            self.ending = "answered"
        elif capped:
            self.ending = "turn_limit"
        elif parsed.code is None:
            self._reply("user", [self._rules.continue_message or ""], [])
        return None if self.ending or parsed.code is None else self._wanted(parsed, parsed.code)

    def _wanted(self, parsed: ParsedTurn, code: str) -> WantedCall | None:
        call = parsed.image_call
        if call is None:
            return WantedCall(code)
        if isinstance(call, RefusedCall):
            return self._refuse(code, call.message)
        self._named = call
        trajectory = [*self.task.images, *self.produced]
        if call.image_index >= len(trajectory):
            return self._refuse(code, unknown_image(len(trajectory)))
        return WantedCall(code, trajectory[call.image_index].content)

    def _refuse(self, code: str, message: str) -> None:
        error = {"type": "RefusedCall", "message": message, "line": None, "traceback": ""}
        # Nothing ran, so nothing ran without isolation.
        rest = {"outcome": "policy", "durationMs": 0, "isolation": "namespaces"}
        self.take_result(code, {**rest, "stdout": "", "stderr": "", "images": [], "error": error})

    def take_result(self, code: str, result: dict[str, Any]) -> None:
        """Takes the result of the last turn's code (`executionResultSchema`) and tells the model."""
        images = [
            encoded_image(base64.b64decode(image["data"]), where="an image of the tool server")
            for image in result["images"]
        ]
        self.produced += images
        named, self._named = self._named, None
        self.turns[-1]["call"] = {
            "code": code,
            **({"imageIndex": named.image_index, "description": named.description} if named else {}),
            **{key: result[key] for key in ("outcome", "stdout", "stderr", "error", "durationMs", "isolation")},
            "images": [image.ref for image in images],
        }
        error = result["error"]
        parts = tool_message_parts(
            self._rules,
            result["outcome"],
            stdout=result["stdout"],
            error=f"{error['type']}: {error['message']}" if error else "",
            images=len(images),
            last_turn=len(self.turns) == self._rules.limits.turns - 1,
        )
        self._reply(self._rules.tool_message.role, parts, images if IMAGE in parts else [])

    def fail(self, ending: str, error_type: str, message: str) -> None:
        """Ends the episode as one of the errors."""
        self.ending, self.error = ending, {"type": error_type, "message": message}

    def trace(self, model: str) -> dict[str, Any]:
        """The record of the episode (`episodeSchema`)."""
        return {
            "version": 1,
            "episodeId": self.identifier,
            "task": self.task.fields,
            "prompt": "protocol" if self.task.prompt is None else "dataset",
            "protocol": self.protocol.ref,
            "model": model,
            "inputImages": [image.ref for image in self.task.images],
            "turns": self.turns,
            "ending": self.ending,
            "answer": self.answer,
            "error": self.error,
        }

    def scored_images(self) -> dict[str, bytes]:
        """Its images by digest, where the task says what they need; else nobody looks at their pixels."""
        if "needs" not in self.task.fields:
            return {}
        return {image.ref["digest"]: image.content for image in (*self.task.images, *self.produced)}

    def _reply(self, role: str, parts: list[MessagePart], images: list[EncodedImage]) -> None:
        self.turns[-1]["reply"] = parts_text(parts)
        self._append(role, parts, images)

    def _append(self, role: str, parts: list[MessagePart], images: list[EncodedImage]) -> None:
        pictures = [model_image(image.pixels, self.loaded.processor.image_processor) for image in images]
        # What the model itself says comes as sampled tokens; an answer inside a prompt is nothing to learn from.
        self.sequence.append_message(Message(role, parts_content(parts), loss=False), pictures)
