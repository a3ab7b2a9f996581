"""`python -m lensmith_trainers.serve --config FILE`"""

from typing import Any

from lensmith_trainers.runtime.config import ServeConfig
from lensmith_trainers.runtime.program import run_program
from lensmith_trainers.runtime.stop import StopRequest


def _body(config: ServeConfig, stop: StopRequest) -> dict[str, Any]:
    from lensmith_trainers.serving.serve import serve_model

    return serve_model(config, stop)


if __name__ == "__main__":
    run_program(ServeConfig, _body)
