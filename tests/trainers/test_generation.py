import random

import pytest
import torch
from hf_reference import hf_log_probs

from lensmith_trainers.data import Conversation
from lensmith_trainers.modeling import LoadedModel, TokenSequence, conversation_sequence, trained_tokens
from lensmith_trainers.rl.sequence_log_probs import sequence_log_probs
from lensmith_trainers.rollout import DecodingBatch, Generation, Sampling, decode_together, hf_generate
from lensmith_trainers.rollout.sampling import choose_tokens, policy_log_probs


@pytest.fixture
def prompts(loaded: LoadedModel, conversations: list[Conversation]) -> list[TokenSequence]:
    """Prompts of several lengths, with and without images."""
    sequences = []
    for conversation in conversations:
        first = Conversation(conversation.messages[:1], conversation.images[:1])
        sequence = conversation_sequence(first, loaded.vocabulary, loaded.processor.image_processor)
        sequence.open_assistant_turn()
        sequences.append(sequence)
    return sequences


def generations(prompts: list[TokenSequence], **options: object) -> list[Generation]:
    return [
        Generation(prompt, Sampling(**{"max_new_tokens": 12, "seed": f"row {index}", **options}))
        for index, prompt in enumerate(prompts)
    ]


def test_greedy_decoding_in_a_batch_equals_decoding_alone(loaded: LoadedModel, prompts: list[TokenSequence]) -> None:
    together, alone = generations(prompts, temperature=0.0), generations(prompts, temperature=0.0)
    decode_together(loaded, together)
    for generation in alone:
        decode_together(loaded, [generation])
    assert [item.ids for item in together] == [item.ids for item in alone]


def test_sampled_tokens_do_not_depend_on_the_batch(loaded: LoadedModel, prompts: list[TokenSequence]) -> None:
    together, alone = generations(prompts), generations(prompts)
    decode_together(loaded, together)
    for generation in reversed(alone):
        decode_together(loaded, [generation])
    assert [item.ids for item in together] == [item.ids for item in alone]


def test_generations_that_join_later_get_the_same_tokens(loaded: LoadedModel, prompts: list[TokenSequence]) -> None:
    reference, joined = generations(prompts, temperature=0.0), generations(prompts, temperature=0.0)
    decode_together(loaded, reference)
    batch, waiting, finished = DecodingBatch(loaded.model, loaded.vocabulary), list(joined), 0
    while waiting or len(batch):
        batch.join([waiting.pop()] if waiting else [])
        finished += len(batch.step())
    assert finished == len(joined)
    assert [item.ids for item in joined] == [item.ids for item in reference]


def test_the_fast_path_and_hugging_face_generate_the_same(loaded: LoadedModel, prompts: list[TokenSequence]) -> None:
    for temperature in (0.0, 1.0):
        ours = generations(prompts, temperature=temperature)
        theirs = generations(prompts, temperature=temperature)
        decode_together(loaded, ours)
        hf_generate(loaded, theirs)
        assert [item.ids for item in ours] == [item.ids for item in theirs]
        assert [item.finish_reason for item in ours] == [item.finish_reason for item in theirs]
        for one, two in zip(ours, theirs, strict=True):
            assert one.log_probs == pytest.approx(two.log_probs, abs=1e-3)


def test_log_probs_of_sampling_are_those_of_training(
    loaded: LoadedModel, prompts: list[TokenSequence], monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = generations(prompts, temperature=0.7)
    decode_together(loaded, sampled)
    for generation in sampled:
        generation.sequence.append_ids(generation.ids, loss=True)
    expected = [value for generation in sampled for value in generation.log_probs]
    sequences = [generation.sequence for generation in sampled]
    with torch.no_grad():
        assert sequence_log_probs(loaded, sequences, 0.7).tolist() == pytest.approx(expected, abs=1e-3)
        monkeypatch.setattr("lensmith_trainers.rl.sequence_log_probs.has_fast_path", lambda _: False)
        assert sequence_log_probs(loaded, sequences, 0.7).tolist() == pytest.approx(expected, abs=1e-3)


def test_hugging_face_agrees_on_a_sequence_with_two_images(loaded: LoadedModel, trajectory: Conversation) -> None:
    sequence = conversation_sequence(trajectory, loaded.vocabulary, loaded.processor.image_processor)
    with torch.no_grad():
        assert (
            trained_tokens(loaded.model, [sequence]).log_probs - hf_log_probs(loaded, trajectory)
        ).abs().max() < 1e-4


def test_a_turn_stops_at_its_end_token_or_its_length(loaded: LoadedModel, prompts: list[TokenSequence]) -> None:
    items = generations(prompts * 20, temperature=3.0, seed=None)
    decode_together(loaded, items)
    end = loaded.vocabulary.end_of_turn_id
    assert {item.finish_reason for item in items} == {"stop", "length"}
    for item in items:
        assert (item.ids[-1] == end) == (item.finish_reason == "stop")
        assert end not in item.ids[:-1]
        assert len(item.ids) == len(item.log_probs) <= 12


def test_a_stop_text_ends_a_turn_and_is_cut_off(loaded: LoadedModel, prompts: list[TokenSequence]) -> None:
    (free,) = generations(prompts[:1], temperature=0.0)
    decode_together(loaded, [free])
    stop = free.text[len(free.text) // 2 :][:3]
    (stopped,) = generations(prompts[:1], temperature=0.0, stop=(stop,))
    decode_together(loaded, [stopped])
    assert stopped.text == free.text[: free.text.index(stop)]
    assert stopped.finish_reason == "stop"


def test_control_tokens_are_never_sampled(loaded: LoadedModel) -> None:
    forbidden = torch.tensor(loaded.vocabulary.control_token_ids)
    logits = torch.zeros(1, len(loaded.processor.tokenizer)).index_fill(1, forbidden, 50.0)
    rows = 500
    tokens, _ = choose_tokens(
        logits.expand(rows, -1), [Sampling(1)] * rows, [random.Random(row) for row in range(rows)], forbidden
    )
    assert not set(tokens.tolist()) & set(forbidden.tolist())


def test_sampling_follows_the_probabilities() -> None:
    wanted = torch.tensor([0.5, 0.2, 0.0, 0.3])
    rows, none = 20000, torch.tensor([], dtype=torch.long)
    draw = random.Random(1)
    tokens, log_probs = choose_tokens(wanted.log().expand(rows, -1), [Sampling(1)] * rows, [draw] * rows, none)
    shares = tokens.bincount(minlength=4) / rows
    assert (shares - wanted).abs().max() < 0.015
    assert torch.allclose(log_probs, wanted.log()[tokens], atol=1e-6)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    logits = torch.tensor([0.2, 0.5, 0.3]).log().expand(500, -1)
    none, draw = torch.tensor([], dtype=torch.long), random.Random(2)
    tokens, _ = choose_tokens(logits, [Sampling(1, top_p=0.6)] * 500, [draw] * 500, none)
    assert set(tokens.tolist()) == {1, 2}


def test_policy_log_probs_by_hand() -> None:
    logits = torch.tensor([[0.0, 2.0 * torch.log(torch.tensor(3.0)).item(), 9.0]])
    # Without the third token and at temperature 2 the first two have the odds 1 : 3.
    assert policy_log_probs(logits, 2.0, torch.tensor([2])).exp().tolist()[0] == pytest.approx([0.25, 0.75, 0.0])
