"""The training loop."""

from portanet.training.history import History
from portanet.training.run import TrainingRun
from portanet.training.trainer import Trainer

__all__ = ["History", "Trainer", "TrainingRun"]
