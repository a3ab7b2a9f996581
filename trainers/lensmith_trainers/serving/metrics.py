"""`GET /metrics` in Prometheus' text format."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class ServerMetrics:
    """Counters of one server."""

    def __init__(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        for name, text, read in (
            ("running", "Requests that are being decoded", running),
            ("waiting", "Requests that wait for a place in the batch", waiting),
        ):
            Gauge(f"lensmith_serve_requests_{name}", text, registry=self._registry).set_function(read)
        self.prompt_tokens = self._counter("prompt_tokens", "Tokens of prompts")
        self.completion_tokens = self._counter("completion_tokens", "Tokens of answers")
        self.requests = Counter(
            "lensmith_serve_requests", "Chat completions by HTTP status", ["status"], registry=self._registry
        )
        self.seconds = Histogram(
            "lensmith_serve_request_seconds", "Wall time of successful chat completions", registry=self._registry
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"lensmith_serve_{name}", text, registry=self._registry)

    def text(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)
