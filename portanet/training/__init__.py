"""The training loop."""

from portanet.training.history import History, Position
from portanet.training.loops import TrainingRun
from portanet.training.trainer import Trainer

__all__ = ["History", "Position", "Trainer", "TrainingRun"]
