"""The error of models that cannot be saved for Keras."""

from __future__ import annotations

from typing import Any


def absent(of: str, value: Any, why: str) -> ValueError:
    """The error of what Keras does not have.

    Args:
        of: What it is, such as "layer 'dense'".
        value: The object.
        why: What Keras lacks.
    """
    return ValueError(
        f"Cannot save {of} for Keras: {why}. Save to a file that ends in .safetensors, which holds everything. "
        f"Received: {value!r}"
    )
