"""Options of recurrent layers, divided between cell and loop."""

from __future__ import annotations

from typing import Any

_LOOP_OPTIONS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "zero_output_for_mask",
    "learn_initial_state",
    "truncate_gradient",
    "unroll",
    "name",
    "activity_regularizer",
)


def divide_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the cell and of the loop; `trainable` and `dtype` are for both."""
    loop = {key: options.pop(key) for key in _LOOP_OPTIONS if key in options}
    return options, loop | {key: options[key] for key in ("trainable", "dtype") if key in options}
