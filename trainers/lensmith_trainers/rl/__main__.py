"""`python -m lensmith_trainers.rl --config FILE`"""

from typing import Any

from lensmith_trainers.runtime.config import RlConfig
from lensmith_trainers.runtime.program import run_program
from lensmith_trainers.runtime.stop import StopRequest


def _body(config: RlConfig, stop: StopRequest) -> dict[str, Any]:
    from lensmith_trainers.rl.train import train_rl

    return train_rl(config, stop)


if __name__ == "__main__":
    run_program(RlConfig, _body)
