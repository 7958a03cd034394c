"""Adaptive pooling, into a fixed number of bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.pooling import adaptive_pool
from portanet.layers.spatial import Spatial


class _Adaptive(Spatial):
    built_at_once = False
    keeps_values = False
    casts_integers = True

    _reduce: str

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.output_size = checks.integers("output_size", output_size, self.rank, self, least=1)

    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        xp = array_namespace(x)
        first = self.data_format == "channels_first"
        y = adaptive_pool(xp.moveaxis(x, 1, -1) if first else x, self.output_size, self._reduce)
        return xp.moveaxis(y, -1, 1) if first else y

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        shape = list(input_shape)
        for axis, n in zip(self.axes, self.output_size, strict=True):
            shape[axis] = n
        return tuple(shape)


class AdaptiveAveragePooling1D(_Adaptive):
    """The mean over a number of bins; as `keras.layers.AdaptiveAveragePooling1D`.

    Args:
        output_size: Number of bins.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AdaptiveAveragePooling1D(2)(np.asarray([[[1.0], [2.0], [3.0], [4.0]]])).tolist()
        [[[1.5], [3.5]]]
    """

    rank, _reduce = 1, "mean"


class AdaptiveAveragePooling2D(_Adaptive):
    """The mean over a number of bins on each axis; as `keras.layers.AdaptiveAveragePooling2D`.

    Bin i of an axis ranges from floor(i size / bins) to ceil((i + 1) size / bins).

    Args:
        output_size: Number of bins, one for all axes or one per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AdaptiveAveragePooling2D(3)(np.ones((2, 7, 5, 4))).shape
        (2, 3, 3, 4)
    """

    rank, _reduce = 2, "mean"


class AdaptiveAveragePooling3D(_Adaptive):
    """The mean over a number of bins on each axis; as `keras.layers.AdaptiveAveragePooling3D`.

    Args:
        output_size: Number of bins, one for all axes or one per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AdaptiveAveragePooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 2, 2, 3)
    """

    rank, _reduce = 3, "mean"


class AdaptiveMaxPooling1D(_Adaptive):
    """The maximum over a number of bins; as `keras.layers.AdaptiveMaxPooling1D`.

    Args:
        output_size: Number of bins.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AdaptiveMaxPooling1D(2)(np.asarray([[[1.0], [2.0], [3.0], [4.0]]])).tolist()
        [[[2.0], [4.0]]]
    """

    rank, _reduce = 1, "max"


class AdaptiveMaxPooling2D(_Adaptive):
    """The maximum over a number of bins on each axis; see `AdaptiveAveragePooling2D`.

    As `keras.layers.AdaptiveMaxPooling2D`.

    Args:
        output_size: Number of bins, one for all axes or one per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AdaptiveMaxPooling2D(2)(np.ones((1, 4, 6, 3))).shape
        (1, 2, 2, 3)
    """

    rank, _reduce = 2, "max"


class AdaptiveMaxPooling3D(_Adaptive):
    """The maximum over a number of bins on each axis; as `keras.layers.AdaptiveMaxPooling3D`.

    Args:
        output_size: Number of bins, one for all axes or one per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AdaptiveMaxPooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 2, 2, 3)
    """

    rank, _reduce = 3, "max"
