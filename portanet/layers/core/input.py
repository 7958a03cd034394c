"""Inputs of models."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, dtype_for, get_backend, require_exact
from portanet.backends.base import DTYPES
from portanet.backends.conversion import named_dtype
from portanet.layers.base import Layer
from portanet.layers.output_shapes import ArraySpec
from portanet.layers.several_inputs import Shape
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.mixed_precision import MIXED, cast_integers

INPUT_DTYPES = (*(name for name in DTYPES if not name.startswith("complex")), "string")


class InputLayer(Layer):
    """The layer created by `Input`: `output` is the symbolic array, and data is cast to the dtype.

    Args:
        shape: See `Input`.
        batch_size: See `Input`.
        dtype: See `Input`.
        batch_shape: See `Input`.
        optional: See `Input`.
        **options: `name` of `Layer`.

    Example:
        >>> from portanet import Sequential, layers
        >>> Sequential([layers.InputLayer((4,)), layers.Dense(2)]).output_shape
        (None, 2)
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    keeps_values = True
    autocast = False
    dtype: str = ""  # of the data

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Any = None,
        optional: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        shape = self.declared_shape if shape is None else shape
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError(
                    "Argument `batch_shape` of Input takes the place of `shape` and `batch_size`. "
                    f"Received: batch_shape={batch_shape!r}, shape={shape!r}, batch_size={batch_size!r}"
                )
            if not isinstance(batch_shape, (list, tuple)) or not batch_shape:
                expected = "a tuple of sizes, the batch first: (None, 8, 3)"
                raise checks.invalid("batch_shape", batch_shape, expected, "Input")
            batch_size, *shape = batch_shape
        if isinstance(shape, int) and not isinstance(shape, bool) and shape > 0:
            shape = (shape,)
        self.optional = checks.boolean("optional", optional, self)
        self.shape: Shape = checks.sizes("shape", shape, self)
        self.batch_size = None if batch_size is None else checks.positive_int("batch_size", batch_size, self)
        dtype = None if isinstance(dtype, str) and dtype in MIXED else dtype  # in files of earlier versions
        self.declared = None if dtype is None else checks.choice("dtype", _name_of(dtype, self), INPUT_DTYPES, self)
        self.dtype = self.declared or self.compute_dtype
        self.build(self.batch_shape)
        self._source = Node(self, (), {}, ArraySpec(self.batch_shape), self.dtype)  # kept in copies

    @property
    def batch_shape(self) -> Shape:
        """The shape with the batch axis."""
        return (self.batch_size, *self.shape)

    def call(self, x: Array) -> Array:
        return self.cast(x)

    def cast(self, x: Array) -> Array:
        """Data in the declared dtype; without one, integers in the compute dtype.

        Raises:
            ValueError: The declared dtype is one of integers, and a value is not one of them.
        """
        if self.declared is None:
            return cast_integers(x, self)
        if self.declared == "string":
            return x  # which a layer of the user's looks up
        dtype = dtype_for(unwrap(x), self.declared)
        if x.dtype == dtype:
            return x
        require_exact(unwrap(x), self.declared, f"Input '{self.name}' of dtype '{self.declared}'")
        return array_namespace(x).astype(x, dtype)

    def _arguments(self) -> dict[str, Any]:
        config = {**super()._arguments(), "dtype": self.declared, "shape": self.shape, "batch_size": self.batch_size}
        del config["batch_shape"]
        if not self.optional:  # which earlier versions do not know
            del config["optional"]
        return config


def _name_of(dtype: Any, of: Layer) -> Any:
    try:
        return named if isinstance(named := named_dtype(dtype), str) else get_backend().dtype_name(dtype)
    except (TypeError, ValueError):  # cannot be a key, or is no key, of the table of dtypes
        raise checks.invalid("dtype", dtype, f"one of {', '.join(map(repr, INPUT_DTYPES))}", of) from None


def Input(  # noqa: N802 -- as Keras
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
    *,
    batch_shape: Any = None,
    optional: bool = False,
) -> SymbolicArray:
    """A symbolic array: call layers on it to build a graph, or make it the first entry of a `Sequential`.

    Args:
        shape: Shape of one example, without the batch axis; None where it may vary. A number for (number,).
        batch_size: Size of the batch axis, if it is fixed.
        dtype: Dtype to which data is cast, such as `"int32"`, or `"uint8"` for a layer that computes with integers.
            By default, integers are cast to the compute dtype, except for an `Embedding`. `"string"` for data that
            layers such as `TextVectorization` look up.
        name: Name of the input.
        batch_shape: The shape with the batch axis, instead of `shape` and `batch_size`.
        optional: Whether None may be passed for it, which then reaches the layers that are called on it.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> x = layers.Input((784,), name="pixels")
        >>> y = layers.Dense(10)(layers.Dense(30)(x))
        >>> y
        <SymbolicArray 'dense', shape=(None, 10), dtype=float32>
        >>> portanet.Model(x, y).count_params()
        23860
    """
    array: SymbolicArray = InputLayer(shape, batch_size, dtype, batch_shape, optional, name=name).output
    return array
