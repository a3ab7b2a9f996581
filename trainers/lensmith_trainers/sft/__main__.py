"""`python -m lensmith_trainers.sft --config FILE`"""

from typing import Any

from lensmith_trainers.runtime.config import SftConfig
from lensmith_trainers.runtime.program import run_program
from lensmith_trainers.runtime.stop import StopRequest


def _body(config: SftConfig, stop: StopRequest) -> dict[str, Any]:
    from lensmith_trainers.sft.train import train_sft

    return train_sft(config, stop)


if __name__ == "__main__":
    run_program(SftConfig, _body)
