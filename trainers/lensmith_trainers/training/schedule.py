"""Learning rate over the steps."""

import math


def warmup_cosine(step: int, *, steps: int, warmup_steps: int, floor: float = 0.0) -> float:
    """Factor of the learning rate at `step` (from 0): linear up to 1, then half a cosine down to `floor`."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))
