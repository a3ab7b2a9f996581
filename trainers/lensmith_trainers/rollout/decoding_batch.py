"""Generations decoded side by side with one key-value cache; they join and leave between tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache, PreTrainedModel

from lensmith_trainers.modeling import Vocabulary, embed_sequences
from lensmith_trainers.rollout.generation import Generation
from lensmith_trainers.rollout.sampling import choose_tokens


class DecodingBatch:
    """Rows are padded on the left to one length; `attention` is 0 on the padding."""

    def __init__(self, model: PreTrainedModel, vocabulary: Vocabulary) -> None:
        self._model = model
        self._text = model.model.language_model
        self._forbidden = torch.tensor(vocabulary.control_token_ids, device=model.device)
        self._rows: list[Generation] = []
        self._layers: list[tuple[Tensor, Tensor]] = []
        self._attention = torch.zeros(0, 0, dtype=torch.long, device=model.device)
        self._positions = torch.zeros(0, dtype=torch.long, device=model.device)
        self._hidden = torch.zeros(0, 0, device=model.device)

    def __len__(self) -> int:
        return len(self._rows)

    @torch.no_grad()
    def join(self, generations: Sequence[Generation]) -> None:
        """Reads the prompts of further generations."""
        if not generations:
            return
        batch = embed_sequences(self._model, [generation.sequence for generation in generations], pad_left=True)
        cache = DynamicCache(config=self._text.config)
        hidden = self._text(
            inputs_embeds=batch.embeddings,
            attention_mask=batch.attention,
            position_ids=batch.positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]
        positions = torch.tensor([item.sequence.next_position for item in generations], device=hidden.device)
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        if self._rows:
            width = max(self._attention.size(1), batch.attention.size(1))
            layers = [
                tuple(
                    torch.cat([_widen(one, width, -2), _widen(two, width, -2)]) for one, two in zip(*pair, strict=True)
                )
                for pair in zip(self._layers, layers, strict=True)
            ]
            self._attention = torch.cat([_widen(self._attention, width, -1), _widen(batch.attention, width, -1)])
            self._positions = torch.cat([self._positions, positions])
            self._hidden = torch.cat([self._hidden, hidden])
        else:
            self._attention, self._positions, self._hidden = batch.attention, positions, hidden
        self._layers = layers
        self._rows += generations

    @torch.no_grad()
    def step(self) -> list[Generation]:
        """Adds one token to every generation and returns those that ended with it."""
        logits = self._model.lm_head(self._hidden)
        tokens, log_probs = choose_tokens(
            logits, [row.sampling for row in self._rows], [row.draws for row in self._rows], self._forbidden
        )
        ended = [
            row.append(token, log_prob)
            for row, token, log_prob in zip(self._rows, tokens.tolist(), log_probs.tolist(), strict=True)
        ]
        finished = [row for row, end in zip(self._rows, ended, strict=True) if end]
        if finished:
            keep = [index for index, end in enumerate(ended) if not end]
            self._keep(keep)
            tokens = tokens[keep]
        if self._rows:
            self._forward(tokens)
        return finished

    def clear(self) -> list[Generation]:
        """Takes out everything that is being decoded."""
        rows = self._rows
        self._keep([])
        return rows

    def _keep(self, rows: list[int]) -> None:
        attention = self._attention[rows]
        # Columns that are padding for all who stay are cut off.
        first = int(attention.argmax(1).min()) if rows else 0
        self._rows = [self._rows[row] for row in rows]
        self._layers = [(keys[rows, :, first:], values[rows, :, first:]) for keys, values in self._layers]
        self._attention, self._positions, self._hidden = attention[:, first:], self._positions[rows], self._hidden[rows]

    def _forward(self, tokens: Tensor) -> None:
        cache = DynamicCache(config=self._text.config)
        for index, (keys, values) in enumerate(self._layers):
            cache.update(keys, values, index)
        self._attention = pad(self._attention, (0, 1), value=1)
        self._hidden = self._text(
            inputs_embeds=self._text.embed_tokens(tokens)[:, None],
            attention_mask=self._attention,
            position_ids=self._positions.view(1, -1, 1).expand(3, -1, 1),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]
        self._positions = self._positions + 1
        self._layers = [(layer.keys, layer.values) for layer in cache.layers]


def _widen(tensor: Tensor, width: int, dimension: int) -> Tensor:
    """Pads with zeros at the front of a dimension, -1 or -2."""
    missing = width - tensor.size(dimension)
    return tensor if missing == 0 else pad(tensor, (missing, 0) if dimension == -1 else (0, 0, missing, 0))
