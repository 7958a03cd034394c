"""Zero padding of spatial axes."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of
from portanet.layers.spatial import Spatial


class _ZeroPadding(Spatial):
    built_at_once = False

    def __init__(self, padding: Any, data_format: str | None = None, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.padding = checks.pairs("padding", padding, self.rank, self)

    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        xp, device = array_namespace(x), device_of(unwrap(x))
        for axis, margin in zip(self.axes, self.padding, strict=True):
            before, after = (
                xp.zeros((*x.shape[:axis], count, *x.shape[axis + 1 :]), dtype=x.dtype, device=device)
                for count in margin
            )
            if sum(margin):
                x = xp.concat([before, x, after], axis=axis)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        shape = list(input_shape)
        for axis, margin in zip(self.axes, self.padding, strict=True):
            shape[axis] = None if shape[axis] is None else shape[axis] + sum(margin)
        return tuple(shape)


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence; as `keras.layers.ZeroPadding1D`.

    Args:
        padding: Number of zeros on both sides, or a pair (before, after).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ZeroPadding1D((1, 2))(np.ones((2, 3, 4))).shape
        (2, 6, 4)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **options: Any) -> None:
        super().__init__(padding, data_format, **options)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around an image; as `keras.layers.ZeroPadding2D`.

    Args:
        padding: Number of zeros on all sides; or (height, width); or ((top, bottom), (left, right)).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ZeroPadding2D(1)(np.ones((1, 3, 3, 1))).shape
        (1, 5, 5, 1)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **options: Any) -> None:
        super().__init__(padding, data_format, **options)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around a volume; as `keras.layers.ZeroPadding3D`.

    Args:
        padding: Number of zeros on all sides; or one per axis; or a pair (before, after) per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ZeroPadding3D(1)(np.ones((1, 3, 3, 3, 1))).shape
        (1, 5, 5, 5, 1)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **options: Any) -> None:
        super().__init__(padding, data_format, **options)
