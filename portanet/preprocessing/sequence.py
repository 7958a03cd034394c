"""Padding of sequences of different lengths, under the path of Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, require_exact


def _dtype(dtype: Any) -> np.dtype[Any]:
    try:
        if dtype is not None:  # which NumPy takes for float64
            kind: np.dtype[Any] = np.dtype(dtype)
            return kind
    except TypeError:
        pass
    raise checks.invalid("dtype", dtype, "a dtype, such as 'int32'", "pad_sequences")


def _row(sequence: Any, kind: np.dtype[Any], position: int) -> HostArray:
    try:
        row = np.asarray(sequence)
        if kind.kind in "biuf" and row.dtype.kind not in "biuf":
            raise ValueError
    except ValueError:
        raise ValueError(
            f"Every entry of `sequences` must hold numbers, or vectors of the same shape. Received: {sequence!r} at "
            f"{position}"
        ) from None
    if kind.kind in "biuf":
        require_exact(row, kind.name, f"pad_sequences with dtype '{kind.name}'")
    return row.astype(kind)


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
    if isinstance(sequences, (str, type)) or not hasattr(sequences, "__len__"):
        raise checks.invalid("sequences", sequences, "a list of sequences", "pad_sequences")
    kind = _dtype(dtype)
    if kind.kind in "biuf":
        checks.number("value", value, "[-inf, inf]" if kind.kind == "f" else "(-inf, inf)", "pad_sequences")
        require_exact(np.asarray(value), kind.name, f"pad_sequences with dtype '{kind.name}'")
    rows = []
    for i, sequence in enumerate(sequences):
        if isinstance(sequence, str) or not hasattr(sequence, "__len__"):
            raise ValueError(f"Every entry of `sequences` must be a sequence of numbers. Received: {sequence!r} at {i}")
        rows.append(_row(sequence, kind, i) if len(sequence) else None)
    shapes = {row.shape[1:] for row in rows if row is not None}
    if len(shapes) > 1:
        raise ValueError(f"The elements of all sequences must have the same shape. Received: shapes {sorted(shapes)}")
    length = maxlen or max((len(row) for row in rows if row is not None), default=0)
    out = np.full((len(rows), length, *(shapes.pop() if shapes else ())), value, dtype=kind)
    for target, row in zip(out, rows, strict=True):
        if row is None:
            continue
        row = row[-length:] if truncating == "pre" else row[:length]
        if padding == "post":
            target[: len(row)] = row
        else:
            target[length - len(row) :] = row
    return out
