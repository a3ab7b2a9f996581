"""A server of the OpenAI API that costs next to nothing: what its clients cost is what the benchmark is about.

Of a request's body it keeps both ends and never parses them; what lies between, which is images, the kernel throws
away unread. A conversation runs code until its last turn, which answers. With `--shows` the code shows so many images,
and a turn is told by the length of its request, which grows by `--turn-bytes` from one turn to the next. The judge
agrees with everything, in the words that the asker reads. With `--keeps-media` it is to clients what vLLM is from 0.11
on: it tells its version and the length of its queue, keeps an image under the `uuid` that it came with, and takes that
id alone for an image that it keeps. For that it reads each body whole.
"""

import argparse
import contextlib
import heapq
import itertools
import json
import re
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import NoReturn

# Bytes that are looked at, at each end of a body: the fields beside the messages, and what follows the first image.
_EDGE = 16 * 1024
_MOST_BYTES = 64 * 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_JUDGE = re.compile(rb'"judge(-json)?"')
_MEDIA_ID = b'"uuid":"'
_NO_MEDIA = b'"image_url":null,'
# Where the kernel is to put what it throws away; never written to.
_NOWHERE = bytearray(_MOST_BYTES)

_OPTIONS = argparse.ArgumentParser()
_OPTIONS.add_argument("--turns", type=int, default=2)
_OPTIONS.add_argument("--turn-ms", type=int, default=50)
_OPTIONS.add_argument("--slots", type=int, default=100_000, help="turns that are worked on at a time")
_OPTIONS.add_argument("--keeps-media", action="store_true")
_OPTIONS.add_argument("--shows", type=int, default=0)
_OPTIONS.add_argument("--turn-bytes", type=int, default=0)

_CODE = "print(input_image.crop((0, 0, w // 2, h // 2)).size)"
# Parts of the picture at places of chance: all samples have the same picture, but no two the same images.
_SHOWING_CODE = """import os
for _ in range({shows}):
    x, y = os.urandom(2)
    input_image.crop((x, y, x + w // 2, y + h // 2)).show()"""


def code_turn(code: str) -> str:
    return f"I look at a part.\n<code>\n```python\nw, h = input_image.size\n{code}\n```\n</code>"


def message(body: str, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body.encode())}\r\n\r\n"
    return (head + body).encode()


def completion(content: str, model: str = "bench") -> bytes:
    answer = {
        "id": "bench",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return message(json.dumps(answer, separators=(",", ":")))


class Connection:
    """A client's connection and the request that is being read from it."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        # What came before the end of a request's head was seen.
        self.begun = b""
        self.bytes = 0
        # Bytes of the body that have not come yet.
        self.left = 0
        self.head: bytes | bytearray = b""
        self.tail: bytes | bytearray = b""
        # All of the body, where it is read whole.
        self.body: bytearray | None = None


class Mock:
    """Answers requests as the options say, and counts them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        code = _SHOWING_CODE.format(shows=options.shows) if options.shows else _CODE
        self.code = completion(code_turn(code))
        self.answer = completion("I see it.\n<answer>seven</answer>")
        self.as_json = completion('{"verdict": "correct", "reason": "the same"}', "judge-json")
        self.in_words = completion("Judgement: 1", "judge")
        self.unknown_media = message('{"error":{"message":"the data of an image is not there"}}', "400 Bad Request")
        self.stats = {"requests": 0, "answers": 0, "judgements": 0, "inFlight": 0, "most": 0, "first": 0.0, "last": 0.0}
        self.kept_media: set[bytes] = set()
        # Bytes of the first request that came: all conversations begin with as many, but for some digits.
        self.first_bytes = 0
        self.free = options.slots
        self.waiting: deque[Callable[[], None]] = deque()
        self.order = itertools.count()
        self.timers: list[tuple[float, int, Callable[[], None]]] = []

    def page(self, path: str) -> bytes:
        keeps = self.options.keeps_media
        if path == "/stats":
            return message(json.dumps(self.stats))
        if path == "/v1/models":
            owner = {"owned_by": "vllm"} if keeps else {}
            models = [{"id": name, "object": "model", **owner} for name in ("bench", "judge-json", "judge")]
            return message(json.dumps({"object": "list", "data": models}))
        if keeps and path == "/version":
            return message('{"version":"0.11.0"}')
        if keeps and path == "/metrics":
            return message(f"vllm:num_requests_waiting {len(self.waiting)}\n")
        return message("", "404 Not Found")

    def knows_media(self, body: bytearray) -> bool:
        """Keeps the images that a request names; false where it has one by its id that is not kept."""
        at = 0
        while (found := body.find(_MEDIA_ID, at)) >= 0:
            at = body.index(b'"', found + len(_MEDIA_ID))
            name = bytes(body[found + len(_MEDIA_ID) : at])
            if name not in self.kept_media and body.endswith(_NO_MEDIA, 0, found):
                return False
            self.kept_media.add(name)
        return True

    def turns_behind(self, request: Connection) -> int:
        if request.body is not None:
            return request.body.count(b'"assistant"')
        if not self.options.shows:
            return request.tail.count(b'"assistant"')
        self.first_bytes = self.first_bytes or request.bytes
        return round((request.bytes - self.first_bytes) / self.options.turn_bytes)

    def begin(self) -> None:
        stats = self.stats
        stats["first"] = stats["first"] or 1000 * time.perf_counter()
        stats["requests"] += 1
        stats["inFlight"] += 1
        stats["most"] = max(stats["most"], stats["inFlight"])

    def reply(self, request: Connection) -> None:
        judge = _JUDGE.search(request.head) or _JUDGE.search(request.tail)
        if judge:
            self.stats["judgements"] += 1
            self.end(request, self.as_json if judge[1] else self.in_words)
        elif request.body is not None and not self.knows_media(request.body):
            self.end(request, self.unknown_media)
        elif self.free > 0:
            self.free -= 1
            self.work(request)
        else:
            self.waiting.append(lambda: self.work(request))

    def work(self, request: Connection) -> None:
        due = time.monotonic() + self.options.turn_ms / 1000
        heapq.heappush(self.timers, (due, next(self.order), lambda: self.finish(request)))

    def finish(self, request: Connection) -> None:
        if self.waiting:
            self.waiting.popleft()()
        else:
            self.free += 1
        if self.turns_behind(request) + 1 < self.options.turns:
            self.end(request, self.code)
            return
        self.stats["answers"] += 1
        self.end(request, self.answer)

    def end(self, request: Connection, answer: bytes) -> None:
        send(request.peer, answer)
        self.stats["inFlight"] -= 1
        self.stats["last"] = 1000 * time.perf_counter()

    def run_timers(self) -> float | None:
        """Does what is due; returns the seconds until something is due again."""
        while self.timers:
            rest = self.timers[0][0] - time.monotonic()
            if rest > 0:
                return rest
            heapq.heappop(self.timers)[2]()
        return None


def send(peer: socket.socket, answer: bytes) -> None:
    """An answer is smaller than what a connection takes at once; who is gone needs none."""
    with contextlib.suppress(OSError):
        peer.send(answer)


def closed() -> NoReturn:
    raise ConnectionResetError("the client has closed its connection")


def read_head(request: Connection, *, whole: bool) -> tuple[str, str] | None:
    """Reads the head of a request, and what came of its body with it; its method and path, where it is there."""
    request.begun += request.peer.recv(2 * _EDGE) or closed()
    end = request.begun.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, body = request.begun[:end], request.begun[end + 4 :]
    length = _LENGTH.search(head)
    request.begun = b""
    request.bytes = int(length[1]) if length else 0
    request.left = request.bytes - len(body)
    request.head = body[:_EDGE]
    request.tail = body[-_EDGE:]
    request.body = bytearray(request.bytes) if whole else None
    if request.body is not None:
        request.body[: len(body)] = body
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return method, path


def read_body(request: Connection) -> None:
    """Reads what is there of a body: both ends are kept, and what lies between, or the kernel throws it away."""
    peer = request.peer
    try:
        while request.left > 0:
            if request.body is not None:
                request.left -= peer.recv_into(memoryview(request.body)[-request.left :]) or closed()
                if request.left == 0:
                    request.head, request.tail = request.body[:_EDGE], request.body[-_EDGE:]
            elif len(request.head) < _EDGE or request.left <= _EDGE:
                piece = peer.recv(min(request.left, _EDGE)) or closed()
                request.left -= len(piece)
                request.head += piece[: _EDGE - len(request.head)]
                request.tail = (request.tail + piece)[-_EDGE:]
            else:
                count = min(request.left - _EDGE, len(_NOWHERE))
                request.left -= peer.recv_into(_NOWHERE, count, socket.MSG_TRUNC) or closed()
    except BlockingIOError:
        pass


def read(mock: Mock, request: Connection) -> None:
    """Reads what is there of a request, and has it answered when it is whole."""
    if request.left == 0:
        first = read_head(request, whole=mock.options.keeps_media)
        if first is None:
            return
        method, path = first
        if method == "GET":
            send(request.peer, mock.page(path))
            return
        mock.begin()
    else:
        read_body(request)
    # The kernel is to tell when all of it is there, or as much as it holds.
    request.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, max(1, request.left))
    if request.left == 0:
        mock.reply(request)


def serve(mock: Mock) -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server.setblocking(False)
    sys.stdout.write(f"http://127.0.0.1:{server.getsockname()[1]}\n")
    sys.stdout.flush()
    events = select.epoll()
    events.register(server, select.EPOLLIN)
    connections: dict[int, Connection] = {}
    while True:
        wait = mock.run_timers()
        for number, _ in events.poll(wait):
            if number == server.fileno():
                peer, _ = server.accept()
                peer.setblocking(False)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[peer.fileno()] = Connection(peer)
                events.register(peer, select.EPOLLIN)
                continue
            try:
                read(mock, connections[number])
            except OSError:
                events.unregister(number)
                connections.pop(number).peer.close()


if __name__ == "__main__":
    serve(Mock(_OPTIONS.parse_args()))
