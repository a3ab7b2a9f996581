"""Processor of the miniature. It is saved beside the weights, so it imports nothing of this package."""

from typing import Any

import numpy as np
import torch
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor


class MiniatureProcessor(Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor for images and text; without video it needs no torchvision."""

    # A `video_processor` argument would make the base class look for one when it loads.
    def __init__(
        self,
        image_processor: Any = None,  # noqa: ANN401 - duck-typed by transformers
        tokenizer: Any = None,  # noqa: ANN401
        chat_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("video_processor", None)
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)

    @property
    def model_input_names(self) -> list[str]:
        """Names of what a call returns; the base class asks its video processor too."""
        names = [*self.tokenizer.model_input_names, *self.image_processor.model_input_names]
        return [*names, "mm_token_type_ids"]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Tokens and pixels; pixels are tensors whatever `return_tensors` says, as trainers expect."""
        output = super().__call__(*args, **kwargs)
        for name in ("pixel_values", "image_grid_thw"):
            if name in output and not isinstance(output[name], torch.Tensor):
                output[name] = torch.as_tensor(np.asarray(output[name]))
        return output
