"""Padding of sequences of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> HostArray:
    """Sequences padded or truncated to the same length; as `keras.utils.pad_sequences`.

    Args:
        sequences: Lists of numbers, or of vectors of the same shape.
        maxlen: The length; None for that of the longest.
        dtype: Dtype of the result.
        padding: Where to pad: `"pre"` or `"post"`.
        truncating: Where to truncate: `"pre"` or `"post"`.
        value: The padding value.

    Returns:
        A NumPy array of shape (sequences, maxlen, ...).

    Raises:
        ValueError: An entry is not a sequence, or elements differ in shape.

    Example:
        >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
        array([[0, 1],
               [3, 4]], dtype=int32)
    """
    padding = checks.choice("padding", padding, ("pre", "post"), "pad_sequences")
    truncating = checks.choice("truncating", truncating, ("pre", "post"), "pad_sequences")
    maxlen = None if maxlen is None else checks.positive_int("maxlen", maxlen, "pad_sequences")
    if isinstance(sequences, str) or not hasattr(sequences, "__len__"):
        raise ValueError(f"Argument `sequences` must be a list of sequences. Received: {type(sequences).__name__}")
    rows = []
    for i, sequence in enumerate(sequences):
        if isinstance(sequence, str) or not hasattr(sequence, "__len__"):
            raise ValueError(f"Every entry of `sequences` must be a sequence of numbers. Received: {sequence!r} at {i}")
        rows.append(np.asarray(sequence, dtype=dtype) if len(sequence) else None)
    shapes = {row.shape[1:] for row in rows if row is not None}
    if len(shapes) > 1:
        raise ValueError(f"The elements of all sequences must have the same shape. Received: shapes {sorted(shapes)}")
    length = maxlen or max((len(row) for row in rows if row is not None), default=0)
    out = np.full((len(rows), length, *(shapes.pop() if shapes else ())), value, dtype=dtype)
    for target, row in zip(out, rows, strict=True):
        if row is None:
            continue
        row = row[-length:] if truncating == "pre" else row[:length]
        if padding == "post":
            target[: len(row)] = row
        else:
            target[length - len(row) :] = row
    return out
