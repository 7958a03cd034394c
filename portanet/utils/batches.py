"""Batches as tuples of inputs, targets and weights."""

from __future__ import annotations

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch for a `train_step` or a generator: a tuple without what is None at its end.

    Args:
        x: Inputs.
        y: Targets.
        sample_weight: Weights of the examples.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of a batch, None for what is not in it; for a `train_step(data)`.

    Args:
        data: A batch as a tuple or list; anything else are inputs.

    Raises:
        ValueError: The tuple has more than three entries.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    parts = data if isinstance(data, (list, tuple)) else (data,)
    if not 0 < len(parts) < 4:
        raise ValueError(
            f"Argument `data` must be (x,), (x, y) or (x, y, sample_weight). Received: {len(parts)} entries"
        )
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight
