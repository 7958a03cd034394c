"""Options of a recurrent layer: which are its cell's, which its loop's."""

from __future__ import annotations

from typing import Any

_OF_THE_LOOP = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "zero_output_for_mask",
    "learn_initial_state",
    "truncate_gradient",
    "name",
    "activity_regularizer",
)


def divide_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the cell and of the loop; `trainable` and `dtype` are for both."""
    loop = {key: options.pop(key) for key in _OF_THE_LOOP if key in options}
    return options, loop | {key: options[key] for key in ("trainable", "dtype") if key in options}
