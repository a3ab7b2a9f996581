"""Starts Jupyter kernels and runs code in them, as JSON lines on its standard input say; answers with milliseconds."""

import json
import sys
import time
from typing import Any

from jupyter_client.manager import KernelManager


def _run(client: Any, code: str) -> str:  # noqa: ANN401 - jupyter_client has no types
    printed = []

    def collect(message: dict[str, Any]) -> None:
        if message["header"]["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    client.execute_interactive(code, timeout=60, output_hook=collect)
    return "".join(printed)


def main() -> None:
    """`{"open": CODE}`, `{"call": CODE}` or `{"close": true}` a line; one kernel at a time."""
    manager, client = None, None
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        printed = ""
        if "open" in request:
            manager = KernelManager()
            manager.start_kernel()
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(timeout=60)
            printed = _run(client, request["open"])
        elif "call" in request:
            printed = _run(client, request["call"])
        elif manager is not None and client is not None:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
        milliseconds = (time.perf_counter() - started) * 1000
        sys.stdout.write(json.dumps({"ms": milliseconds, "printed": printed}) + "\n")
        sys.stdout.flush()


main()
