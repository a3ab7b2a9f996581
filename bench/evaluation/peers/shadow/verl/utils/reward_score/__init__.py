"""The modules of this package are those of the checkout that the environment names."""

import os
from pathlib import Path

__path__ = [str(Path(os.environ["CODEDANCE_CHECKOUT"], "verl", "utils", "reward_score"))]
