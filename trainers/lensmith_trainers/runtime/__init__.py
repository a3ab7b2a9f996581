"""What every program shares: configuration, progress, metrics, outcome, artifacts, stopping."""

from lensmith_trainers.runtime.config import (
    BaseModelConfig,
    CommonConfig,
    RlConfig,
    ServeConfig,
    SftConfig,
    TrainingConfig,
    load_config,
)
from lensmith_trainers.runtime.failure import Failure, FailureType, classify_failure
from lensmith_trainers.runtime.manifest import read_manifest, write_manifest
from lensmith_trainers.runtime.metrics import MetricsLog
from lensmith_trainers.runtime.program import run_program
from lensmith_trainers.runtime.progress import ProgressFile
from lensmith_trainers.runtime.publish import publish_folder
from lensmith_trainers.runtime.stop import StopRequest
