"""Token sequences as the inputs of a Hugging Face model of the Qwen-VL family."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from lensmith_trainers.modeling import LoadedModel, TokenSequence


def hf_inputs(loaded: LoadedModel, sequences: Sequence[TokenSequence], *, pad_left: bool = False) -> dict[str, Tensor]:
    """Padded ids, masks and pixels; the images keep the size that their sequence counted tokens for."""
    device, vocabulary = loaded.model.device, loaded.vocabulary
    length = max(len(sequence) for sequence in sequences)

    def padded(values: list[int], filling: int) -> list[int]:
        rest = [filling] * (length - len(values))
        return rest + values if pad_left else values + rest

    ids = torch.tensor([padded(sequence.ids, vocabulary.pad_id) for sequence in sequences], device=device)
    attention = torch.tensor([padded([1] * len(sequence), 0) for sequence in sequences], device=device)
    inputs = {"input_ids": ids, "attention_mask": attention}
    images = [Image.fromarray(image.pixels) for sequence in sequences for image in sequence.images]
    if images:
        pixels = loaded.processor.image_processor(images=images, return_tensors="pt").to(device)
        inputs |= {"pixel_values": pixels["pixel_values"], "image_grid_thw": pixels["image_grid_thw"]}
    return inputs | {"mm_token_type_ids": (ids == vocabulary.image_token_id).int()}
