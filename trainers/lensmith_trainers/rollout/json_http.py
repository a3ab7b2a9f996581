"""JSON over HTTP on connections that are kept, one a thread."""

import http.client
import json
import select
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


class Unreachable(Exception):  # noqa: N818 - names a state
    """Nothing came back, or nothing that can be read. Whether the request was carried out is not known."""


@dataclass(frozen=True)
class Reply:
    """An answer. `body` is null where there is none."""

    status: int
    body: Any
    retry_after: float | None
    """Seconds, from the header."""


class JsonHttp:
    """Requests to one server. Safe to use from several threads."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.base_url = base_url
        self._secure = parts.scheme == "https"
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()

    def request(self, method: str, path: str, body: Any = None, *, seconds: float) -> Reply:  # noqa: ANN401 - JSON
        """Sends a request and reads the whole answer.

        Raises:
            Unreachable: where the connection fails or `seconds` pass without a byte.
        """
        connection = self._connection(seconds)
        try:
            content = None if body is None else json.dumps(body).encode()
            is_sent = _send(connection, method, self._prefix + path, content)
            response = connection.getresponse()
            text = response.read()
            if not is_sent:
                self._drop(connection)
            return Reply(response.status, _parse(text, response.status), _seconds(response.getheader("Retry-After")))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._drop(connection)
            what = f"{type(error).__name__}: {error}"
            raise Unreachable(f"{method} {self.base_url}{path} failed with {what}") from error

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = self._local.connection = kind(self._host, self._port, timeout=seconds)
            with self._lock:
                self._open.add(connection)
        connection.timeout = seconds
        if _has_ended(connection):
            # The request that follows opens it again.
            connection.close()
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        return connection

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._local.connection = None
        with self._lock:
            self._open.discard(connection)


def _send(connection: http.client.HTTPConnection, method: str, path: str, content: bytes | None) -> bool:
    """Whether the server has taken all of the request: one that refuses its length answers, and then closes."""
    try:
        connection.request(method, path, content, {"Content-Type": "application/json"})
    except (BrokenPipeError, ConnectionResetError):
        if connection.sock is None:
            raise
        return False
    return True


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed it meanwhile, as servers do with one that rests: it has nothing else to say."""
    if connection.sock is None:
        return False
    watched = select.poll()
    watched.register(connection.sock, select.POLLIN)
    return bool(watched.poll(0))


def _parse(text: bytes, status: int) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text) if text else None
    except ValueError:
        if status < 400:
            raise
        return text.decode(errors="replace")


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
