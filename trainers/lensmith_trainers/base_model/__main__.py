"""`python -m lensmith_trainers.base_model --config FILE`"""

from typing import Any

from lensmith_trainers.runtime.config import BaseModelConfig
from lensmith_trainers.runtime.program import run_program
from lensmith_trainers.runtime.stop import StopRequest


def _body(config: BaseModelConfig, stop: StopRequest) -> dict[str, Any]:
    from lensmith_trainers.base_model.train import train_base_model

    return train_base_model(config, stop)


if __name__ == "__main__":
    run_program(BaseModelConfig, _body)
