import numpy as np
import pytest
import torch
from hf_reference import hf_inputs, hf_log_probs
from PIL import Image

from lensmith_trainers.data import Conversation, Message
from lensmith_trainers.modeling import (
    LoadedModel,
    TokenSequence,
    check_fast_path,
    conversation_sequence,
    embed_sequences,
    encode_images,
    model_image,
    trained_tokens,
)
from lensmith_trainers.runtime import Failure


@pytest.fixture
def sequences(loaded: LoadedModel, conversations: list[Conversation]) -> list[TokenSequence]:
    return [conversation_sequence(c, loaded.vocabulary, loaded.processor.image_processor) for c in conversations]


def test_log_probs_of_a_padded_batch_equal_the_hugging_face_forward(
    loaded: LoadedModel, sequences: list[TokenSequence], conversations: list[Conversation]
) -> None:
    with torch.no_grad():
        ours = trained_tokens(loaded.model, sequences)
    reference = [hf_log_probs(loaded, conversation) for conversation in conversations]
    assert (ours.log_probs - torch.cat(reference)).abs().max() < 1e-4
    assert ours.rows.bincount().tolist() == [len(part) for part in reference]


def test_gradients_equal_those_of_the_hugging_face_forward(
    loaded: LoadedModel, sequences: list[TokenSequence], conversations: list[Conversation]
) -> None:
    model, sequence, conversation = loaded.model, sequences[-1], conversations[-1]
    trained_tokens(model, [sequence]).log_probs.sum().backward()
    ours = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    inputs = hf_inputs(loaded, conversation)
    mask = torch.as_tensor(inputs.pop("assistant_masks"))[0, 1:].bool()
    log_probs = model(**inputs).logits[0, :-1].log_softmax(-1).gather(1, inputs["input_ids"][0, 1:, None])
    log_probs[mask, 0].sum().backward()
    for name, parameter in model.named_parameters():
        assert torch.allclose(ours[name], parameter.grad, rtol=1e-3, atol=1e-3), name
    model.zero_grad()


@pytest.mark.parametrize("size", [(28, 28), (56, 28), (84, 28), (56, 42), (84, 84)])
def test_image_features_equal_the_hugging_face_vision_tower(loaded: LoadedModel, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    reference = loaded.processor.image_processor(Image.fromarray(noise), return_tensors="pt")
    with torch.no_grad():
        theirs = loaded.model.model.visual(reference["pixel_values"], grid_thw=reference["image_grid_thw"])
        ours = encode_images(loaded.model.model.visual, noise[None])
    assert (ours[0] - theirs.pooler_output).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(20, 20), (30, 41), (200, 60), (84, 90)])
def test_other_sizes_are_resized_as_hugging_face_does(loaded: LoadedModel, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    image_processor = loaded.processor.image_processor
    ours = model_image(Image.fromarray(noise), image_processor)
    again = image_processor(Image.fromarray(ours.pixels), return_tensors="pt")
    theirs = image_processor(Image.fromarray(noise), return_tensors="pt")
    assert again["image_grid_thw"].tolist() == theirs["image_grid_thw"].tolist()
    assert (again["pixel_values"] - theirs["pixel_values"]).abs().max() < 1e-4


def test_equal_images_are_encoded_once(
    loaded: LoadedModel, sequences: list[TokenSequence], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def counting(visual: torch.nn.Module, pixels: np.ndarray) -> torch.Tensor:
        counts.append(len(pixels))
        return encode_images(visual, pixels)

    monkeypatch.setattr("lensmith_trainers.modeling.vision.encode_images", counting)
    one = next(sequence for sequence in sequences if len(sequence.images) == 1)
    with torch.no_grad():
        embed_sequences(loaded.model, [one] * 5)
    assert counts == [1]


def test_positions_equal_those_of_hugging_face(
    loaded: LoadedModel, sequences: list[TokenSequence], conversations: list[Conversation]
) -> None:
    for sequence, conversation in zip(sequences, conversations, strict=True):
        inputs = hf_inputs(loaded, conversation)
        if "image_grid_thw" not in inputs:
            continue
        positions, delta = loaded.model.model.get_rope_index(
            inputs["input_ids"], inputs["mm_token_type_ids"], inputs["image_grid_thw"]
        )
        assert sequence.positions == [tuple(position) for position in positions[:, 0].T.tolist()]
        assert sequence.next_position == len(sequence) + delta.item()


def test_padding_on_the_left_keeps_the_last_hidden_state(loaded: LoadedModel) -> None:
    long, short = (TokenSequence(loaded.vocabulary) for _ in range(2))
    long.append_message(Message("user", "What is the sum of the digits?"))
    short.append_message(Message("user", "Hi"))
    with torch.no_grad():
        alone, both = (_last_hidden(loaded, batch) for batch in ([short], [long, short]))
    assert (alone[0] - both[1]).abs().max() < 1e-4


def _last_hidden(loaded: LoadedModel, sequences: list[TokenSequence]) -> torch.Tensor:
    batch = embed_sequences(loaded.model, sequences, pad_left=True)
    output = loaded.model.model.language_model(
        inputs_embeds=batch.embeddings, attention_mask=batch.attention, position_ids=batch.positions
    )
    return output.last_hidden_state[:, -1]


def test_a_model_with_windows_is_refused(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    check_fast_path(loaded.model)
    monkeypatch.setattr(loaded.model.config.vision_config, "fullatt_block_indexes", [0])
    with pytest.raises(Failure, match="attends fully"):
        check_fast_path(loaded.model)
