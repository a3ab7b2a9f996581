"""Generation by Hugging Face's own `generate`, for models without the fast path."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lensmith_trainers.modeling import LoadedModel
from lensmith_trainers.rollout.generation import Generation, TurnVocabulary
from lensmith_trainers.rollout.hf_inputs import hf_inputs
from lensmith_trainers.rollout.sampling import choose_tokens


def _never() -> bool:
    return False


def hf_generate(loaded: LoadedModel, generations: Sequence[Generation], cancelled: Callable[[], bool] = _never) -> None:
    """Decodes turns of a vision-language model, all at once."""
    inputs = hf_inputs(loaded, [generation.sequence for generation in generations], pad_left=True)
    generate_with(loaded.model, loaded.vocabulary, inputs, generations, cancelled)


@torch.no_grad()
def generate_with(
    model: PreTrainedModel,
    vocabulary: TurnVocabulary,
    inputs: dict[str, Tensor],
    generations: Sequence[Generation],
    cancelled: Callable[[], bool] = _never,
) -> None:
    """Continues `inputs`, which are padded on the left; tokens are chosen by `choose_tokens`, as everywhere."""
    chooser = _Chooser(model, vocabulary, generations, cancelled)
    model.generate(
        **inputs,
        max_new_tokens=max(generation.sampling.max_new_tokens for generation in generations),
        do_sample=False,
        logits_processor=[chooser],
        stopping_criteria=[chooser.stopped],
        eos_token_id=vocabulary.end_of_turn_id,
        pad_token_id=vocabulary.pad_id,
    )


class _Chooser:
    """Chooses each row's token and leaves `generate` only that one."""

    def __init__(
        self,
        model: PreTrainedModel,
        vocabulary: TurnVocabulary,
        generations: Sequence[Generation],
        cancelled: Callable[[], bool],
    ) -> None:
        self._rows = generations
        self._cancelled = cancelled
        self._pad = vocabulary.pad_id
        self._forbidden = torch.tensor(vocabulary.control_token_ids, device=model.device)

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        live = [index for index, row in enumerate(self._rows) if row.finish_reason is None]
        tokens, log_probs = choose_tokens(
            scores[live],
            [self._rows[index].sampling for index in live],
            [self._rows[index].draws for index in live],
            self._forbidden,
        )
        chosen = ids.new_full((len(self._rows), 1), self._pad)
        chosen[live, 0] = tokens
        for index, token, log_prob in zip(live, tokens.tolist(), log_probs.tolist(), strict=True):
            self._rows[index].append(token, log_prob)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen, 0.0)

    def stopped(self, ids: Tensor, scores: Tensor, **rest: object) -> Tensor:
        """Rows that ended by a stop text or their own length, beside those that ended their turn."""
        del scores, rest
        end = self._cancelled()
        return torch.tensor([end or row.finish_reason is not None for row in self._rows], device=ids.device)
