"""Episodes inside a trainer: generation, calls on the tool server, scores."""

from lensmith_trainers.rollout.collect import Collector, RolloutOptions, RolloutSeconds
from lensmith_trainers.rollout.decoding_batch import DecodingBatch
from lensmith_trainers.rollout.episode import Episode
from lensmith_trainers.rollout.generate import decode_together, generator_of, has_fast_path
from lensmith_trainers.rollout.generation import Generation
from lensmith_trainers.rollout.hf_generate import hf_generate
from lensmith_trainers.rollout.json_http import JsonHttp
from lensmith_trainers.rollout.sampling import Sampling, policy_log_probs
from lensmith_trainers.rollout.score_client import score_groups
from lensmith_trainers.rollout.task import EncodedImage, RolloutTask, encoded_image
