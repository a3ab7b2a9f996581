"""The HTTP client of the tool server."""

import socket
import threading

import pytest

from lensmith_trainers.rollout.json_http import JsonHttp, Unreachable


def _server(answer: bytes) -> tuple[JsonHttp, threading.Thread]:
    """A server that reads nothing but the head of each request, answers, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return JsonHttp(f"http://127.0.0.1:{listener.getsockname()[1]}"), thread


# More than the buffers of a connection take.
_LONG = {"code": "x" * (16 << 20)}


def test_a_request_that_is_refused_before_all_of_it_is_sent_is_answered() -> None:
    refusal = b'HTTP/1.1 413 Payload Too Large\r\nContent-Length: 13\r\n\r\n{"error": {}}'
    http, served = _server(refusal)
    for _ in range(2):
        # What is left of the first request must not be taken for the second one.
        reply = http.request("POST", "/v1/sessions", _LONG, seconds=10)
        assert (reply.status, reply.body) == (413, {"error": {}})
    served.join(10)
    http.close()


def test_a_server_that_goes_away_without_an_answer_is_unreachable() -> None:
    http, served = _server(b"")
    for _ in range(2):
        with pytest.raises(Unreachable, match=r"POST .*/v1/sessions failed with"):
            http.request("POST", "/v1/sessions", _LONG, seconds=10)
    served.join(10)
    http.close()
