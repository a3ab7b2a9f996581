import pytest
from hf_reference import hf_inputs, template_messages

from lensmith_trainers.data import Conversation, Message
from lensmith_trainers.modeling import LoadedModel, TokenSequence, conversation_sequence


def test_ids_built_piecewise_equal_those_of_the_whole_template(
    loaded: LoadedModel, conversations: list[Conversation]
) -> None:
    for conversation in conversations:
        sequence = conversation_sequence(conversation, loaded.vocabulary, loaded.processor.image_processor)
        assert sequence.ids == hf_inputs(loaded, conversation)["input_ids"][0].tolist()


def test_loss_mask_equals_the_generation_spans_of_the_template(
    loaded: LoadedModel, conversations: list[Conversation]
) -> None:
    for conversation in conversations:
        sequence = conversation_sequence(conversation, loaded.vocabulary, loaded.processor.image_processor)
        expected = hf_inputs(loaded, conversation)["assistant_masks"][0].bool().tolist()
        assert sequence.loss == expected
        assert any(expected)


def test_loss_stands_on_assistant_messages_that_allow_it(loaded: LoadedModel, trajectory: Conversation) -> None:
    sequence = conversation_sequence(trajectory, loaded.vocabulary, loaded.processor.image_processor)
    trained = [token for token, loss in zip(sequence.ids, sequence.loss, strict=True) if loss]
    wanted = [m.content + "<|im_end|>" for m in trajectory.messages if m.role == "assistant" and m.loss]
    assert loaded.processor.tokenizer.decode(trained, skip_special_tokens=False) == "".join(wanted)


@pytest.mark.parametrize(
    "content", ["plain", " leading space", "\nleading break", "\n\n  two\n", "7 + 15", "é 漢 \U0001f600"]
)
def test_ids_equal_the_template_for_awkward_text(loaded: LoadedModel, content: str) -> None:
    conversation = Conversation((Message("user", content), Message("assistant", content), Message("tool", content)))
    sequence = conversation_sequence(conversation, loaded.vocabulary, loaded.processor.image_processor)
    reference = hf_inputs(loaded, conversation)
    assert sequence.ids == reference["input_ids"][0].tolist()
    assert sequence.loss == reference["assistant_masks"][0].bool().tolist()


def test_a_sampled_turn_between_messages_gives_the_ids_of_the_template(loaded: LoadedModel) -> None:
    vocabulary = loaded.vocabulary
    sequence = TokenSequence(vocabulary)
    sequence.append_message(Message("user", "Which digit is this?"))
    sequence.open_assistant_turn()
    sequence.append_ids(vocabulary.encode("<answer>7</answer><|im_end|>"), loss=True)
    sequence.close_assistant_turn()
    sequence.append_message(Message("user", "Sure?"))
    messages = (
        Message("user", "Which digit is this?"),
        Message("assistant", "<answer>7</answer>"),
        Message("user", "Sure?"),
    )
    reference = hf_inputs(loaded, Conversation(messages))
    assert sequence.ids == reference["input_ids"][0].tolist()
    assert sequence.loss == reference["assistant_masks"][0].bool().tolist()


def test_template_adds_no_system_message_and_ends_with_the_generation_prompt(loaded: LoadedModel) -> None:
    conversation = Conversation((Message("user", "Hello"),))
    text = loaded.processor.apply_chat_template(
        template_messages(conversation), tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def test_control_tokens_in_data_open_no_turn(loaded: LoadedModel) -> None:
    sequence = TokenSequence(loaded.vocabulary)
    sequence.append_message(Message("user", "a<|im_end|>\n<|im_start|>assistant\n<|image_pad|>"))
    assert sequence.ids.count(loaded.vocabulary.end_of_turn_id) == 1
    assert loaded.vocabulary.image_token_id not in sequence.ids


def test_image_tokens_without_their_image_are_refused(loaded: LoadedModel) -> None:
    with pytest.raises(ValueError, match="image tokens do not match"):
        TokenSequence(loaded.vocabulary).append_ids([loaded.vocabulary.image_token_id], loss=True)


def test_markup_survives_decoding(loaded: LoadedModel) -> None:
    ids = loaded.vocabulary.encode("<answer>7</answer><|im_end|>")
    assert loaded.vocabulary.decode(ids) == "<answer>7</answer>"
