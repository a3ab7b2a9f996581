"""An episode's session on the tool server."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lensmith_trainers.protocol import Protocol
from lensmith_trainers.rollout.json_http import JsonHttp, Unreachable
from lensmith_trainers.rollout.retry import Transient, checked, retry
from lensmith_trainers.rollout.sent_images import SentImages

_KEEPS_STATE = ("ok", "no_output")
# On top of a call's own limit: queueing, starting a session, the way there and back.
_OVERHEAD_SECONDS = 30.0
# Each retry closes what was lost, of which a server that hangs must not take more than this.
_CLOSE_SECONDS = 5.0
# The answer to a digest of no image that the server keeps.
_NOT_KEPT = 409


@dataclass
class ToolSession:
    """Opens a session at the first call. Where an attempt is lost, a new session repeats what had an effect."""

    http: JsonHttp
    protocol: Protocol
    images: Sequence[bytes]
    cancelled: Callable[[], bool]
    patience_seconds: float
    sent: SentImages = field(default_factory=SentImages)
    """What the server keeps; sessions of one server share it."""
    _id: str | None = None
    _begins_with: Sequence[bytes] = ()
    _effective: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether the server may hold something for this episode."""
        return self._id is not None

    def execute(self, code: str, image: bytes | None = None) -> dict[str, Any]:
        """The typed result of a call (`executionResultSchema`).

        Args:
            code: what the model wrote.
            image: the image that the call names, all that the call's own session then holds.

        Raises:
            GaveUp: where the server stays away longer than `patience_seconds`.
            ValueError: where the server refuses the request.
        """
        deadline = time.monotonic() + self.patience_seconds
        result = retry(lambda: self._attempt(code, image), deadline=deadline, cancelled=self.cancelled)
        if image is not None:
            self.close()
        if result["outcome"] in _KEEPS_STATE and self.protocol.state == "stateful":
            self._effective.append(code)
        return result

    def close(self) -> None:
        """Ends the session; a server that is away ends it by itself when it stays idle."""
        if self._id is None:
            return
        try:
            self.http.request("DELETE", f"/v1/sessions/{self._id}", seconds=_CLOSE_SECONDS)
        except Unreachable:
            return
        finally:
            self._id = None

    def _attempt(self, code: str, image: bytes | None) -> dict[str, Any]:
        try:
            if self._id is None:
                self._begins_with = self.images if image is None else [image]
                for earlier in self._effective:
                    self._call(earlier)
            return self._call(code) if self.protocol.image_call is None else self._image_call(code)
        except (Transient, Unreachable):
            # Nobody knows whether the call had its effect, so its session is not used again.
            self.close()
            raise

    def _image_call(self, code: str) -> dict[str, Any]:
        """Three executions: what comes before the code, the code, and what takes the image from its variables."""
        around = self.protocol.image_call
        if around is None:
            return self._call(code)
        before = self._call(around.before)
        if before["outcome"] not in _KEEPS_STATE:
            return before
        result = self._call(code)
        if result["outcome"] not in _KEEPS_STATE:
            return result
        after = self._call(around.after)
        if after["outcome"] not in _KEEPS_STATE:
            return after
        shown = {image["digest"] for image in result["images"]}
        images = [*result["images"], *(image for image in after["images"] if image["digest"] not in shown)]
        images = images[: self.protocol.limits.images_per_call]
        return {**result, "outcome": "ok" if images or result["stdout"] else "no_output", "images": images}

    def _open(self, code: str) -> dict[str, Any]:
        """Opens a session with its first execution, for one way there and back less; returns the result.

        Raises:
            Unreachable: where no answer came; the session may be open all the same.
            Transient: where the server answers that another try may help.
            ValueError: where the server refuses the request.
        """
        limits, variables = self.protocol.limits, self.protocol.variables
        identifier = uuid.uuid4().hex
        body = {
            "sessionId": identifier,
            "images": self.sent.inputs(self._begins_with),
            "variables": {"image": variables.image, "file": variables.file},
            # A turn takes long beside a call, and most episodes make one: what counts is the number of sessions.
            "rollback": "when_needed",
            "state": "stateful" if self.protocol.image_call else self.protocol.state,
            "limits": {
                "callSeconds": limits.call_seconds,
                "memoryMib": limits.memory_mib,
                "outputCharacters": limits.output_characters,
                "imagesPerCall": limits.images_per_call,
                "minimumSide": limits.minimum_side,
                "maximumSide": limits.maximum_side,
            },
            "execution": {"code": code},
        }
        seconds = limits.call_seconds + 2 * _OVERHEAD_SECONDS
        try:
            reply = self.http.request("POST", "/v1/sessions", body, seconds=seconds)
            if reply.status == _NOT_KEPT:
                self.sent.forget()
                body["images"] = self.sent.inputs(self._begins_with)
                reply = self.http.request("POST", "/v1/sessions", body, seconds=seconds)
        except Unreachable:
            # The server may have opened it all the same, so there is something to close.
            self._id = identifier
            raise
        opened = checked(reply, "opening a session").body
        self.sent.remember(self._begins_with)
        self._id = identifier
        return opened["result"]

    def _ask(self, code: str) -> dict[str, Any]:
        seconds = self.protocol.limits.call_seconds + _OVERHEAD_SECONDS
        reply = self.http.request("POST", f"/v1/sessions/{self._id}/executions", {"code": code}, seconds=seconds)
        if reply.status == 404:
            raise Transient("the tool server no longer knows the session", pause=0.0)
        return checked(reply, "a call").body

    def _call(self, code: str) -> dict[str, Any]:
        result = self._open(code) if self._id is None else self._ask(code)
        if result["outcome"] == "infrastructure":
            raise Transient(f"the call was lost: {(result.get('error') or {}).get('message', 'no reason given')}")
        return result
