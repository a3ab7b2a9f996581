"""The miniature: a Qwen2.5-VL of about two million parameters, small enough to learn on two cores."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from lensmith_trainers.modeling.processing_miniature import MiniatureProcessor
from lensmith_trainers.modeling.tokenizer import build_tokenizer


@dataclass(frozen=True)
class MiniatureSize:
    """Sizes of the network; the defaults make 1.7 million parameters."""

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    feed_forward: int = 384
    vision_hidden: int = 128
    vision_layers: int = 3
    vision_heads: int = 4
    vision_feed_forward: int = 256
    patch: int = 7
    merge: int = 2
    """Patches a side that one image token covers: an image token stands for 14 x 14 pixels."""
    maximum_pixels: int = 84 * 84
    vocabulary: int = 512
    context_tokens: int = 1024
    initializer_range: float = 0.05


def build_miniature(
    texts: Iterable[str], seed: int, size: MiniatureSize | None = None
) -> tuple[Qwen2_5_VLForConditionalGeneration, MiniatureProcessor]:
    """A model with random weights drawn from `seed`, and a processor whose tokenizer has learnt from `texts`."""
    size = size or MiniatureSize()
    tokenizer = build_tokenizer(texts, vocabulary_size=size.vocabulary, context_tokens=size.context_tokens)
    side = size.patch * size.merge
    image_processor = Qwen2VLImageProcessorPil(
        patch_size=size.patch,
        merge_size=size.merge,
        temporal_patch_size=2,
        size={"shortest_edge": (2 * side) ** 2, "longest_edge": size.maximum_pixels},
    )
    MiniatureProcessor.register_for_auto_class("AutoProcessor")
    processor = MiniatureProcessor(image_processor, tokenizer, chat_template=tokenizer.chat_template)
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(_config(size, tokenizer))
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, max_new_tokens=64
    )
    return model, processor


def _config(size: MiniatureSize, tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLConfig:
    identifier = tokenizer.convert_tokens_to_ids
    # Half of a head's width is rotated, shared between time, height and width as in Qwen2.5-VL (2 : 3 : 3).
    half = size.hidden // size.heads // 2
    spatial = half * 3 // 8
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": size.hidden,
        "intermediate_size": size.feed_forward,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.key_value_heads,
        "max_position_embeddings": size.context_tokens,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "initializer_range": size.initializer_range,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [half - 2 * spatial, spatial, spatial],
        },
        "bos_token_id": identifier("<|im_start|>"),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "depth": size.vision_layers,
        "hidden_size": size.vision_hidden,
        "intermediate_size": size.vision_feed_forward,
        "num_heads": size.vision_heads,
        "out_hidden_size": size.hidden,
        "patch_size": size.patch,
        "spatial_merge_size": size.merge,
        "temporal_patch_size": 2,
        "window_size": 8 * size.patch * size.merge,
        "fullatt_block_indexes": list(range(size.vision_layers)),
        "in_channels": 3,
        "tokens_per_second": 2,
        "initializer_range": size.initializer_range,
    }
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=identifier("<|image_pad|>"),
        video_token_id=identifier("<|video_pad|>"),
        vision_start_token_id=identifier("<|vision_start|>"),
        vision_end_token_id=identifier("<|vision_end|>"),
        initializer_range=size.initializer_range,
        tie_word_embeddings=True,
    )
