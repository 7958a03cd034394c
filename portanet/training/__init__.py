"""The training loop."""

from portanet.training.history import History
from portanet.training.position import Position
from portanet.training.run import TrainingRun
from portanet.training.trainer import Trainer

__all__ = ["History", "Position", "Trainer", "TrainingRun"]
