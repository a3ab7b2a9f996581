"""Threads, seeds and the device of a program."""

import random

import torch

from lensmith_trainers.runtime.config import CommonConfig
from lensmith_trainers.runtime.failure import Failure


def prepare_device(config: CommonConfig) -> torch.device:
    """Sets threads and seeds, and returns the device.

    Raises:
        Failure: type `infrastructure` where CUDA is asked for and does not work.
    """
    torch.set_num_threads(config.threads)
    random.seed(config.seed)
    torch.manual_seed(config.seed)
    if config.device == "cuda" and not torch.cuda.is_available():
        raise Failure(
            "infrastructure", "expected a CUDA device, torch finds none; set device to cpu or choose another host"
        )
    return torch.device(config.device)
