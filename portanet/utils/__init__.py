"""Small helpers for data, under Keras's names."""

from portanet.utils.labels import to_categorical, unhot
from portanet.utils.norms import normalize
from portanet.utils.sequences import pad_sequences

__all__ = ["normalize", "pad_sequences", "to_categorical", "unhot"]
