"""The miniature's tokenizer: byte-level BPE learnt from a few texts, with digits kept apart."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

CONTROL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
# Not special, so that decoding a reply keeps them.
MARKUP_TOKENS = ("<code>", "</code>", "<answer>", "</answer>", "<tool_response>", "</tool_response>")
_TEMPLATE_TEXTS = ("system\n", "user\n", "assistant\n", "tool\n")


def build_tokenizer(texts: Iterable[str], *, vocabulary_size: int, context_tokens: int) -> PreTrainedTokenizerFast:
    """Learns a tokenizer; `vocabulary_size` is an upper limit before the markup tokens are added."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((_strip_markup(text) for text in (*_TEMPLATE_TEXTS, *texts)), trainer)
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in MARKUP_TOKENS])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=context_tokens,
        padding_side="left",
        extra_special_tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "vision_start_token": "<|vision_start|>",
            "vision_end_token": "<|vision_end|>",
        },
    )
    wrapped.chat_template = (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8").rstrip("\n")
    return wrapped


def _strip_markup(text: str) -> str:
    for token in (*CONTROL_TOKENS, *MARKUP_TOKENS, "<image>"):
        text = text.replace(token, " ")
    return text
