"""Cropping of spatial axes."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.spatial import Spatial


class _Cropping(Spatial):
    built_at_once = False

    def __init__(self, cropping: Any, data_format: str | None = None, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.cropping = checks.pairs("cropping", cropping, self.rank, self)

    def call(self, x: Array) -> Array:
        self.compute_output_shape(tuple(x.shape))
        key = [slice(None)] * len(x.shape)
        for axis, (before, after) in zip(self.axes, self.cropping, strict=True):
            key[axis] = slice(before, x.shape[axis] - after)
        return x[tuple(key)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        shape = list(input_shape)
        for axis, margin in zip(self.axes, self.cropping, strict=True):
            shape[axis] = None if shape[axis] is None else shape[axis] - sum(margin)
            if shape[axis] is not None and shape[axis] < 1:
                raise ValueError(
                    f"Layer '{self.name}' crops {sum(margin)} along axis {axis}, which leaves nothing. "
                    f"Received: an input of shape {tuple(input_shape)}"
                )
        return tuple(shape)


class Cropping1D(_Cropping):
    """Crop a sequence at both ends; as `keras.layers.Cropping1D`.

    Args:
        cropping: Number of steps on both sides, or a pair (before, after).
        data_format: `"channels_last"` (the default, as in Keras whatever images have) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Cropping1D((1, 0))(np.ones((2, 3, 4))).shape
        (2, 2, 4)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), data_format: str | None = None, **options: Any) -> None:
        super().__init__(cropping, data_format or "channels_last", **options)


class Cropping2D(_Cropping):
    """Crop an image; as `keras.layers.Cropping2D`.

    Args:
        cropping: Number of elements on all sides; or (height, width); or ((top, bottom), (left, right)).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Cropping2D(1)(np.ones((1, 6, 6, 3))).shape
        (1, 4, 4, 3)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **options: Any) -> None:
        super().__init__(cropping, data_format, **options)


class Cropping3D(_Cropping):
    """Crop a volume; as `keras.layers.Cropping3D`.

    Args:
        cropping: Number of elements on all sides; or one per axis; or a pair (before, after) per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Cropping3D(1)(np.ones((1, 6, 6, 6, 3))).shape
        (1, 4, 4, 4, 3)
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(cropping, data_format, **options)
