"""Noticing that training has lost its weights."""

import math

from lensmith_trainers.runtime.failure import Failure


def assert_finite(step: int, loss: float, gradient_norm: float) -> None:
    """Refuses a step whose loss or gradient is no number: clipped or not, it has made the weights none either.

    Raises:
        Failure: type `config`, since the same step would come to the same.
    """
    if math.isfinite(loss) and math.isfinite(gradient_norm):
        return
    got = f"a loss of {loss:g} and a gradient of the norm {gradient_norm:g}"
    message = f"expected finite numbers at step {step}, got {got}; lower learningRate, or look at the data of the step"
    raise Failure("config", message)
