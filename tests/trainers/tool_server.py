"""A tool server over real HTTP whose executions and scores are given by the test."""

import base64
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

Execute = Callable[[str, Image.Image], dict[str, Any]]
Score = Callable[[dict[str, Any]], dict[str, Any]]
Intercept = Callable[[str, str], tuple[int, dict[str, str]] | None]


def result(
    outcome: str = "ok", stdout: str = "", images: tuple[Image.Image, ...] = (), **rest: object
) -> dict[str, Any]:
    """An execution result of the contract."""
    encoded = []
    for image in images:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        content = buffer.getvalue()
        encoded.append(
            {
                "digest": hashlib.sha256(content).hexdigest(),
                "mediaType": "image/png",
                "width": image.width,
                "height": image.height,
                "data": base64.b64encode(content).decode(),
            }
        )
    base = {"outcome": outcome, "stdout": stdout, "stderr": "", "images": encoded, "error": None}
    return {**base, "durationMs": 1.0, "isolation": "none", **rest}


def score(correct: bool, **rest: object) -> dict[str, Any]:
    """An episode's score of the contract."""
    grade = {"verdict": "correct" if correct else "wrong", "decidedBy": "rule", "reason": "equal numbers"}
    base = {"grade": grade, "terms": {"accuracy": float(correct)}, "reward": float(correct), "turnRewards": []}
    return {**base, "masked": False, **rest}


def by_reference(episode: dict[str, Any]) -> dict[str, Any]:
    """Right where the answer is the reference."""
    return score(episode["answer"] == episode["task"]["reference"])


@dataclass
class ToolServer:
    """`requests` are (method, path, body) in the order in which they came."""

    execute: Execute
    score: Score = by_reference
    intercept: Intercept = lambda *_: None
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    sessions: dict[str, Image.Image] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    url: str = ""

    def take(self, image: dict[str, Any]) -> bytes | None:
        """The bytes of an image of a request; None for a digest of none that is kept."""
        if "digest" in image:
            return self.kept.get(image["digest"])
        content = base64.b64decode(image["data"])
        if image.get("keep"):
            self.kept[hashlib.sha256(content).hexdigest()] = content
        return content

    @property
    def scorings(self) -> list[dict[str, Any]]:
        """The bodies of what was asked to be scored."""
        return [body for _, path, body in self.requests if path == "/v1/score"]

    @property
    def codes(self) -> list[str]:
        """What was asked to be run, also with the opening of a session."""
        posted = [body for method, _, body in self.requests if method == "POST"]
        return [body.get("execution", body)["code"] for body in posted if "code" in body.get("execution", body)]

    def reply(self, method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
        """The answer to a request."""
        parts = path.strip("/").split("/")
        if method == "POST" and path == "/v1/sessions":
            content = self.take(body["images"][0])
            if content is None:
                return 409, {}
            image = self.sessions[body["sessionId"]] = Image.open(io.BytesIO(content))
            answer = {"sessionId": body["sessionId"], "isolation": "none"}
            first = body.get("execution")
            return 201, answer if first is None else {**answer, "result": self.execute(first["code"], image)}
        if method == "POST" and path == "/v1/score":
            return 200, {"groups": [[self.score(episode) for episode in group] for group in body["groups"]]}
        if parts[2] not in self.sessions:
            return 404, {"error": "unknown session"}
        if method == "DELETE":
            del self.sessions[parts[2]]
            return 204, None
        return 200, self.execute(body["code"], self.sessions[parts[2]])


@contextmanager
def running(server: ToolServer, port: int = 0, rest_seconds: float | None = None) -> Iterator[ToolServer]:
    """Serves on a free port of the loopback; connections that rest for so long are closed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = rest_seconds

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            server.requests.append((self.command, self.path, body))
            headers: dict[str, str] = {}
            intercepted = server.intercept(self.command, self.path)
            if intercepted is None:
                status, answer = server.reply(self.command, self.path, body)
            else:
                (status, headers), answer = intercepted, {"error": "intercepted"}
            if status == 0:
                self.close_connection = True
                self.connection.close()
                return
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = _serve  # noqa: N815 - names of the standard library

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
