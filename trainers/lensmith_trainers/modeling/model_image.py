"""Images in the size in which the model sees them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize


@dataclass(frozen=True, eq=False)
class ModelImage:
    """RGB pixels (height, width, 3), uint8, with sides that are multiples of an image token's side."""

    pixels: np.ndarray
    grid: tuple[int, int]
    """Image tokens: rows, columns."""

    @property
    def tokens(self) -> int:
        """Number of image tokens."""
        return self.grid[0] * self.grid[1]

    @property
    def key(self) -> tuple[tuple[int, int], bytes]:
        """Equal for equal images."""
        return self.grid, self.pixels.tobytes()


def model_image(image: Image.Image, image_processor: Any) -> ModelImage:  # noqa: ANN401 - duck-typed by transformers
    """Brings an RGB image to a size of whole image tokens, as the Hugging Face image processor does."""
    side = image_processor.patch_size * image_processor.merge_size
    size = image_processor.size
    height, width = smart_resize(
        image.height, image.width, side, min_pixels=size["shortest_edge"], max_pixels=size["longest_edge"]
    )
    if (height, width) != (image.height, image.width):
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return ModelImage(np.array(image.convert("RGB")), (height // side, width // side))
