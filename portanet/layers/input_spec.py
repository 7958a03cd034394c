"""What a layer of a user's own says of its inputs, so that they are checked; as in Keras."""

from __future__ import annotations

import pathlib
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet import checks
from portanet.tree import tree_leaves

if TYPE_CHECKING:
    from portanet.layers.base import Layer

_PACKAGE = str(pathlib.Path(__file__).parents[1])


class InputSpec:
    """The dtype, the number of axes and the sizes that a layer takes, as its attribute `input_spec`; as in Keras.

    Every call is checked. For several inputs, `input_spec` is a list of specs, or a dict of them by name.

    Args:
        dtype: Name of the dtype.
        shape: The shape with the batch axis; None where any size is allowed.
        ndim: Number of axes.
        max_ndim: Greatest number of axes.
        min_ndim: Least number of axes.
        axes: Sizes by axis: `{-1: 8}`.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing, or be there besides.
        name: Name of the input.
        optional: Whether the input may be None.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> class Images(layers.Layer):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.input_spec = layers.InputSpec(ndim=4)
        ...     def call(self, x):
        ...         return x
        >>> Images()(np.ones((2, 3)))
        Traceback (most recent call last):
        ValueError: Layer 'images' takes an input of 4 axes. Received: shape (2, 3)
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else checks.sizes("shape", shape, type(self))
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        for argument in ("ndim", "max_ndim", "min_ndim"):
            if (value := getattr(self, argument)) is not None:
                checks.integer(argument, value, type(self), least=0)
        if axes is not None and not isinstance(axes, Mapping):
            raise checks.invalid("axes", axes, "a dict of sizes by axis", type(self))
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        for axis in self.axes if self.ndim is not None else ():
            checks.axis("axes", axis, self.ndim or 0, type(self))
        self.allow_last_axis_squeeze = checks.boolean("allow_last_axis_squeeze", allow_last_axis_squeeze, type(self))
        self.name = name
        self.optional = checks.boolean("optional", optional, type(self))

    def __repr__(self) -> str:
        given = {key: value for key, value in vars(self).items() if value not in (None, {}, False)}
        return f"InputSpec({', '.join(f'{key}={value!r}' for key, value in given.items())})"

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal one."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Create one from the result of `get_config`."""
        return cls(**config)

    def expected(self, x: Any) -> str | None:
        """What is expected in place of an input; None if it fits."""
        shape = tuple(x.shape)
        if self.shape is not None and self.allow_last_axis_squeeze:
            if len(shape) == len(self.shape) + 1 and shape[-1] == 1:
                shape = shape[:-1]
            elif len(shape) + 1 == len(self.shape) and self.shape[-1] == 1:
                shape = (*shape, 1)
        if self.ndim is not None and len(shape) != self.ndim:
            return f"{self.ndim} axes"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        if self.dtype is not None and str(x.dtype).rpartition(".")[2] != self.dtype:
            return f"dtype {self.dtype}"
        for axis, size in (dict(enumerate(self.shape or ())) | self.axes).items():
            known = shape[axis] if -len(shape) <= axis < len(shape) else -1
            if size is not None and known not in (size, None):
                return f"size {size} on axis {axis}"
        return None


def require_inputs(layer: Layer, specs: Any, inputs: Any) -> None:
    """Refuse inputs that do not fit the `input_spec` of a layer."""
    if isinstance(specs, Mapping) and isinstance(inputs, Mapping):
        given = [inputs.get(name) for name in specs]
    elif isinstance(inputs, (list, tuple, Mapping)):
        given = list(inputs.values()) if isinstance(inputs, Mapping) else list(inputs)
    else:
        given = [inputs]
    expected = list(specs.values()) if isinstance(specs, Mapping) else tree_leaves([specs])
    if len(given) != len(expected):
        raise ValueError(f"Layer '{layer.name}' takes {len(expected)} inputs. Received: {len(given)}")
    for spec, x in zip(expected, given, strict=True):
        wrong = spec.expected(x) if x is not None else None if spec.optional else "an array"
        if wrong is not None:
            what = f"an input '{spec.name}'" if spec.name else "an input"
            received = repr(x) if x is None else f"shape {tuple(x.shape)}"
            raise ValueError(f"Layer '{layer.name}' takes {what} of {wrong}. Received: {received}")


def declared_shape(layer: Layer, shape: Any, size: int | None) -> tuple[int | None, ...]:
    """The shape of one example that the first layer of a model declares, as in Keras 2, with a warning as in Keras 3.

    Args:
        layer: The layer.
        shape: Its argument `input_shape`.
        size: Its argument `input_dim`: one axis of this size.

    Raises:
        ValueError: Both are given.
    """
    if shape is not None and size is not None:
        raise ValueError(
            f"Layer '{layer.name}' takes `input_shape` or `input_dim`, not both. Received: input_shape={shape!r}, "
            f"input_dim={size!r}"
        )
    declared = (checks.positive_int("input_dim", size, layer),) if shape is None else shape
    declared = checks.sizes("input_shape", declared, layer)
    given = "input_dim" if shape is None else "input_shape"
    _warn(f"Layer '{layer.name}' declares the input of a model by `{given}`, as in Keras 2. Write "
          f"portanet.Input({declared}) as the first entry of the model instead.")  # fmt: skip
    return declared


def no_input_length(layer: Layer, options: dict[str, Any]) -> dict[str, Any]:
    """Options of an embedding without `input_length` of Keras 2, with a warning as in Keras 3: inputs tell it."""
    if "input_length" in options:
        _warn(f"Argument `input_length` of {type(layer).__name__} has no effect; leave it out. For a fixed length, "
              f"write portanet.Input(({options['input_length']!r},)) as the first entry of the model.")  # fmt: skip
    return {name: value for name, value in options.items() if name != "input_length"}


def _warn(message: str) -> None:
    """Warn at the line that is not Portanet's, through however many subclasses a layer is created."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
