"""Qwen2.5-VL's vision tower over many images of one size at once, where all of its blocks attend fully."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from lensmith_trainers.modeling.model_image import ModelImage

# Normalisation of CLIP, which Qwen2.5-VL's image processor uses.
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def image_features(visual: nn.Module, images: Sequence[ModelImage]) -> Tensor:
    """Features of all image tokens of `images` in order, (tokens, hidden); equal images are encoded once."""
    by_grid: dict[tuple[int, int], dict[bytes, ModelImage]] = {}
    keys = [image.key for image in images]
    for (grid, content), image in zip(keys, images, strict=True):
        by_grid.setdefault(grid, {}).setdefault(content, image)
    features: dict[tuple[tuple[int, int], bytes], Tensor] = {}
    for grid, distinct in by_grid.items():
        encoded = encode_images(visual, np.stack([image.pixels for image in distinct.values()]))
        features |= {(grid, content): row for content, row in zip(distinct, encoded.unbind(0), strict=True)}
    return torch.cat([features[key] for key in keys])


def encode_images(visual: nn.Module, pixels: np.ndarray) -> Tensor:
    """Encodes images of one size.

    Args:
        visual: the model's vision tower.
        pixels: (images, height, width, 3), uint8.

    Returns:
        (images, tokens, hidden)
    """
    weight = visual.patch_embed.proj.weight
    merge, patch = visual.spatial_merge_size, weight.shape[-1]
    patches = _patches(torch.from_numpy(pixels).to(weight.device), patch, merge)
    count, length, _ = patches.shape
    # A picture is the same frame twice: the two frames' weights are added instead.
    hidden = F.linear(patches, weight.sum(2).flatten(1))
    head = visual.config.hidden_size // visual.config.num_heads
    cosine, sine = _rotary(pixels.shape[1] // patch, pixels.shape[2] // patch, merge, head, weight.device)
    for block in visual.blocks:
        mixed = block.attn.qkv(block.norm1(hidden)).view(count, length, 3, -1, head)
        query, key, value = mixed.transpose(1, 3).unbind(2)
        attended = F.scaled_dot_product_attention(
            query * cosine + _rotate_half(query) * sine, key * cosine + _rotate_half(key) * sine, value
        )
        hidden = hidden + block.attn.proj(attended.transpose(1, 2).reshape(count, length, -1))
        hidden = hidden + block.mlp(block.norm2(hidden))
    return visual.merger(hidden.reshape(count * length, -1)).view(count, length // merge**2, -1)


def _patches(pixels: Tensor, patch: int, merge: int) -> Tensor:
    """(images, patches, 3 * patch * patch) in the order of Qwen2.5-VL: the patches of an image token lie together."""
    count, height, width, _ = pixels.shape
    mean, deviation = (pixels.new_tensor(value, dtype=torch.float32) for value in (_MEAN, _DEVIATION))
    scaled = (pixels.float() / 255 - mean) / deviation
    rows, columns = height // (patch * merge), width // (patch * merge)
    blocks = scaled.view(count, rows, merge, patch, columns, merge, patch, 3)
    return blocks.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(count, rows * columns * merge**2, -1)


@lru_cache(maxsize=64)
def _rotary(rows: int, columns: int, merge: int, head: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the two-dimensional rotary embedding, (patches, head)."""
    frequency = 1.0 / 10000.0 ** (torch.arange(0, head // 2, 2, dtype=torch.float32, device=device) / (head // 2))
    grid = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")

    def by_token(index: Tensor) -> Tensor:
        return index.reshape(rows // merge, merge, columns // merge, merge).transpose(1, 2).reshape(-1, 1)

    angles = torch.cat([by_token(index) * frequency for index in grid], 1).repeat(1, 2)
    return angles.cos(), angles.sin()


def _rotate_half(value: Tensor) -> Tensor:
    first, second = value.chunk(2, -1)
    return torch.cat([-second, first], -1)
