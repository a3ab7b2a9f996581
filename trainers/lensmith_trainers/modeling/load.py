"""Loading a vision-language model from a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel

from lensmith_trainers.modeling.vocabulary import Vocabulary
from lensmith_trainers.runtime.failure import Failure


@dataclass(frozen=True)
class LoadedModel:
    """A model, its Hugging Face processor and its tokens."""

    model: PreTrainedModel
    processor: Any
    vocabulary: Vocabulary


def load_model(path: str | Path, device: str) -> LoadedModel:
    """Loads a Hugging Face model folder in float32, in evaluation mode, on `device`.

    Code that lies in the folder is run to load its processor: only folders of one's own are accepted, never hub names.

    Raises:
        Failure: type `config` where the folder holds no model that can be loaded.
    """
    folder = Path(path)
    if not (folder / "config.json").is_file():
        raise Failure("config", "expected a folder with a Hugging Face model (config.json)", where=str(folder))
    try:
        processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True, local_files_only=True)
        model = AutoModelForImageTextToText.from_pretrained(
            folder, trust_remote_code=True, local_files_only=True, dtype="float32"
        )
    except (ValueError, KeyError, ImportError, OSError) as error:
        raise Failure("config", f"expected an image-text-to-text model, got: {error}", where=str(folder)) from error
    return LoadedModel(model.to(device).eval(), processor, Vocabulary(processor.tokenizer))
