"""The miniature model, token sequences, and a forward pass that is fast on a CPU."""

from lensmith_trainers.modeling.build import MiniatureSize, build_miniature
from lensmith_trainers.modeling.control_tokens import break_control_tokens
from lensmith_trainers.modeling.conversation_sequence import conversation_sequence, conversation_texts
from lensmith_trainers.modeling.forward import (
    TokenBatch,
    TrainedTokens,
    check_fast_path,
    embed_sequences,
    trained_tokens,
)
from lensmith_trainers.modeling.load import LoadedModel, load_model
from lensmith_trainers.modeling.model_image import ModelImage, model_image
from lensmith_trainers.modeling.sequence import TokenSequence
from lensmith_trainers.modeling.vision import encode_images, image_features
from lensmith_trainers.modeling.vocabulary import Vocabulary
