"""The models."""

from portanet.models.model import Model
from portanet.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
