"""Numbers as the bins that they fall into."""

from __future__ import annotations

from typing import Any, Self

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, constant
from portanet.layers.base import Layer
from portanet.layers.preprocessing.adapting import batches_of, numbers_of
from portanet.layers.preprocessing.encoding import MODES, encode, encoded_shape


class Discretization(Layer):
    """The number of the bin of each element, with boundaries given or the quantiles of data; as
    `keras.layers.Discretization`.

    Args:
        bin_boundaries: Ascending boundaries: bin i holds boundary i - 1 <= x < boundary i.
        num_bins: Number of bins, for boundaries that `adapt` computes.
        epsilon: Accuracy of quantiles. They are computed from all data here, so it has no influence.
        output_mode: `"int"`, or a vector over the bins as in `CategoryEncoding`.
        sparse: Must be False: arrays are dense.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ...), any dtype. Output: int32 of the same shape, or vectors.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Discretization([0.0, 1.0])(np.asarray([[-1.5, 1.0, 0.2]])).tolist()
        [[0, 2, 1]]
    """

    built_at_once = False
    independent_examples = True
    casts_integers = True
    _takes_lists = True

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if (bin_boundaries is None) == (num_bins is None):
            raise checks.invalid("num_bins", num_bins, "given, or else `bin_boundaries`, and not both", self)
        self.num_bins = None if num_bins is None else checks.positive_int("num_bins", num_bins, self)
        self.bin_boundaries = None if bin_boundaries is None else self._checked(bin_boundaries)
        self.epsilon = checks.number("epsilon", epsilon, "(0, 1)", self)
        self.output_mode = checks.choice("output_mode", output_mode, MODES, self)
        self.sparse = checks.dense("sparse", sparse, self)

    def _checked(self, boundaries: Any) -> list[float]:
        plain = boundaries.tolist() if hasattr(boundaries, "tolist") else boundaries
        numbers = checks.numbers("bin_boundaries", plain, of=self)
        if numbers != sorted(numbers):
            raise checks.invalid("bin_boundaries", boundaries, "in ascending order", self)
        return numbers

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set the boundaries to quantiles of the data, which is held in memory.

        Args:
            data: An array, or an iterable of batches.
            steps: Number of batches to take; by default all.
        """
        if self.num_bins is None:
            raise ValueError(f"Layer '{self.name}' has `bin_boundaries`; create it with `num_bins` to adapt it.")
        values: list[float] = []
        for batch in batches_of(data, self, steps):
            values += numbers_of(batch, self).reshape(-1).tolist()
        if any(value != value for value in values):
            raise ValueError(f"Argument `data` of layer '{self.name}' must have no NaN: it falls into no bin.")
        if not values:
            raise ValueError(f"Argument `data` of layer '{self.name}' must not be empty. Received: {data!r}")
        values.sort()
        shares = [k / self.num_bins for k in range(1, self.num_bins)]
        self.bin_boundaries = [_quantile(values, share) for share in shares]

    @property
    def output_dtype(self) -> str:
        """Name of the dtype of outputs."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def _boundaries(self) -> list[float]:
        if self.bin_boundaries is None:
            raise ValueError(f"Layer '{self.name}' has no boundaries yet; call adapt(data), or pass `bin_boundaries`.")
        return self.bin_boundaries

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        boundaries = self._boundaries()
        edges = constant(storage(x), boundaries, x.dtype)
        index = xp.astype(xp.searchsorted(edges, xp.reshape(x, (-1,)), side="right"), xp.int32)
        index = xp.reshape(index, x.shape)
        if self.output_mode == "int":
            return index
        return encode(index, len(boundaries) + 1, self.output_mode, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        bins = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        assert bins is not None
        return encoded_shape(input_shape, bins, self.output_mode)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create a layer from the result of `get_config`, or from Keras's, which has the number of bins as well."""
        return super().from_config(config if config.get("bin_boundaries") is None else {**config, "num_bins": None})

    def _arguments(self) -> dict[str, Any]:
        config = super()._arguments()
        if self.num_bins is None or self.bin_boundaries is None:
            return config
        return {**config, "num_bins": None, "bin_boundaries": self.bin_boundaries}


def _quantile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies, interpolated between the counts of two values."""
    position = share * len(values) - 1
    low = max(0, min(int(position), len(values) - 1))
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * max(0.0, position - low)
