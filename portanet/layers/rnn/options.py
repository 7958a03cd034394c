"""Options of recurrent layers, divided between cell and loop."""

from __future__ import annotations

from typing import Any

from portanet import checks

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
    "input_shape",
    "input_dim",
)


def divide_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the cell and of the loop; `trainable` and `dtype` are for both."""
    loop = {key: options.pop(key) for key in _LOOP_OPTIONS if key in options}
    return options, loop | {key: options[key] for key in ("trainable", "dtype") if key in options}


def require_implementation(use_cudnn: Any, implementation: Any, layer: type) -> None:
    """Refuse values that Keras does not have for what it is told about ways to compute, which backends choose here."""
    if not (isinstance(use_cudnn, str) and use_cudnn == "auto"):
        checks.boolean("use_cudnn", use_cudnn, layer)
    if implementation is not None and (type(implementation) is not int or implementation not in range(3)):
        raise checks.invalid("implementation", implementation, "0, 1 or 2", layer)


def of_cell(name: str) -> Any:
    """A property of a layer that reads this attribute of its cell."""
    return property(lambda layer: getattr(layer.cell, name), doc=f"`{name}` of the cell.")


class CellOptions:
    """The options of a layer's cell, as attributes of the layer."""

    units, use_bias = of_cell("units"), of_cell("use_bias")
    activation, recurrent_activation = of_cell("activation"), of_cell("recurrent_activation")
    kernel_initializer, kernel_regularizer = of_cell("kernel_initializer"), of_cell("kernel_regularizer")
    recurrent_initializer, recurrent_regularizer = of_cell("recurrent_initializer"), of_cell("recurrent_regularizer")
    bias_initializer, bias_regularizer = of_cell("bias_initializer"), of_cell("bias_regularizer")
    kernel_constraint, recurrent_constraint = of_cell("kernel_constraint"), of_cell("recurrent_constraint")
    bias_constraint, unit_forget_bias = of_cell("bias_constraint"), of_cell("unit_forget_bias")
    reset_after = of_cell("reset_after")
    dropout, recurrent_dropout = of_cell("dropout"), of_cell("recurrent_dropout")
