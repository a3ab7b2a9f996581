"""Generating many turns at once."""

from collections.abc import Callable, Sequence

from transformers import PreTrainedModel

from lensmith_trainers.modeling import LoadedModel, check_fast_path
from lensmith_trainers.rollout.decoding_batch import DecodingBatch
from lensmith_trainers.rollout.generation import Generation
from lensmith_trainers.rollout.hf_generate import hf_generate
from lensmith_trainers.runtime.failure import Failure

Generate = Callable[[Sequence[Generation]], None]
"""Brings generations to their end, in place."""


def generator_of(loaded: LoadedModel) -> Generate:
    """The fastest generator that computes what the model computes."""
    if has_fast_path(loaded.model):
        return lambda generations: decode_together(loaded, generations)
    return lambda generations: hf_generate(loaded, generations)


def has_fast_path(model: PreTrainedModel) -> bool:
    """Whether `modeling.forward` fits the model."""
    try:
        check_fast_path(model)
    except (Failure, AttributeError):
        return False
    return True


def decode_together(loaded: LoadedModel, generations: Sequence[Generation]) -> None:
    """Decodes all at once; rows that end are dropped."""
    batch = DecodingBatch(loaded.model, loaded.vocabulary)
    batch.join(generations)
    while len(batch):
        batch.step()
