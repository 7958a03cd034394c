"""Data utilities, under Keras's names."""

from portanet.utils.dataset import PyDataset
from portanet.utils.labels import to_categorical, unhot
from portanet.utils.norms import normalize
from portanet.utils.sequences import pad_sequences

__all__ = ["PyDataset", "normalize", "pad_sequences", "to_categorical", "unhot"]
