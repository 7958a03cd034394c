"""Sequences, under the path of Keras."""

from portanet.utils import pad_sequences

__all__ = ["pad_sequences"]
