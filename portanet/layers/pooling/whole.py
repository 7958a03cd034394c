"""Pooling over all of space, or into a number of bins whatever the input's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.spatial import Spatial, sizes
from portanet.ops.pooling import adaptive_pool, global_max_pool


class _Whole(Spatial):
    def __init__(self, data_format: str | None = None, keepdims: bool = False, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        return tuple(
            1 if axis in self.axes else n
            for axis, n in enumerate(input_shape)
            if self.keepdims or axis not in self.axes
        )


class _GlobalAveragePooling(_Whole):
    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        return array_namespace(x).mean(x, axis=tuple(self.axes), keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean over all steps, leaving out those that a mask leaves out; as `keras.layers.GlobalAveragePooling1D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether the axes of space stay, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.arange(6.0).reshape(1, 3, 2)
        >>> layers.GlobalAveragePooling1D()(x, mask=np.asarray([[True, True, False]]))
        array([[1., 2.]])
    """

    rank = 1

    def call(self, x: Array, mask: Array | None = None) -> Array:
        if mask is None:
            return super().call(x)
        self.require_space(x.shape)
        xp = array_namespace(x, mask)
        axis = self.axes[0]
        kept = xp.expand_dims(xp.astype(mask, x.dtype), axis=2 if axis == 1 else 1)
        total = xp.sum(x * kept, axis=axis, keepdims=self.keepdims)
        # All left out gives 0.
        return total / xp.maximum(xp.sum(kept, axis=axis, keepdims=self.keepdims), 1.0)


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean over each image; as `keras.layers.GlobalAveragePooling2D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether the axes of space stay, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
        array([[3., 4.]])
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean over each volume; as `keras.layers.GlobalAveragePooling3D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether the axes of space stay, with size 1.
        **options: `name`, `dtype` of `Layer`.
    """

    rank = 3


class _GlobalMaxPooling(_Whole):
    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        xp = array_namespace(x)
        first = self.data_format == "channels_first"
        y = global_max_pool(xp.moveaxis(x, 1, -1) if first else x)
        if self.keepdims:
            return xp.moveaxis(y, -1, 1) if first else y
        return xp.reshape(y, (y.shape[0], y.shape[-1]))


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum over all steps, the first at ties; as `keras.layers.GlobalMaxPooling1D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether the axes of space stay, with size 1.
        **options: `name`, `dtype` of `Layer`.
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum over each image; as `keras.layers.GlobalMaxPooling2D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether the axes of space stay, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GlobalMaxPooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
        array([[6., 7.]])
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum over each volume; as `keras.layers.GlobalMaxPooling3D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether the axes of space stay, with size 1.
        **options: `name`, `dtype` of `Layer`.
    """

    rank = 3


class _Adaptive(Spatial):
    _reduce: str

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.output_size = sizes(self, "output_size", output_size, self.rank, 1)

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
    """

    rank, _reduce = 1, "mean"


class AdaptiveAveragePooling2D(_Adaptive):
    """The mean over a number of bins on each axis; as `keras.layers.AdaptiveAveragePooling2D`.

    Bin i of an axis goes from floor(i size / bins) to ceil((i + 1) size / bins).

    Args:
        output_size: Number of bins, one for all axes or one for each.
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
        output_size: Number of bins, one for all axes or one for each.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.
    """

    rank, _reduce = 3, "mean"


class AdaptiveMaxPooling1D(_Adaptive):
    """The maximum over a number of bins; as `keras.layers.AdaptiveMaxPooling1D`.

    Args:
        output_size: Number of bins.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.
    """

    rank, _reduce = 1, "max"


class AdaptiveMaxPooling2D(_Adaptive):
    """The maximum over a number of bins on each axis, see `AdaptiveAveragePooling2D`.

    As `keras.layers.AdaptiveMaxPooling2D`.

    Args:
        output_size: Number of bins, one for all axes or one for each.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.
    """

    rank, _reduce = 2, "max"


class AdaptiveMaxPooling3D(_Adaptive):
    """The maximum over a number of bins on each axis; as `keras.layers.AdaptiveMaxPooling3D`.

    Args:
        output_size: Number of bins, one for all axes or one for each.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.
    """

    rank, _reduce = 3, "max"
