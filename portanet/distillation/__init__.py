"""Training a model on what another predicts, as in Keras."""

from portanet.distillation.distiller import Distiller
from portanet.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
