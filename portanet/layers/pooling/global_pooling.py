"""Global pooling."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, stop_gradient
from portanet.backends import Array
from portanet.fused.pooling import global_max_pool
from portanet.layers.spatial import Spatial


class _GlobalPooling(Spatial):
    keeps_values = False
    casts_integers = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.keepdims = checks.boolean("keepdims", keepdims, self)

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        return tuple(
            1 if axis in self.axes else n
            for axis, n in enumerate(input_shape)
            if self.keepdims or axis not in self.axes
        )

    def shown(self, x: Array, mask: Array) -> Array:
        """A mask of time steps with an axis of size 1 for the channels."""
        mask, axis = stop_gradient(mask), self.axes[0]
        if tuple(mask.shape) != (x.shape[0], x.shape[axis]):
            raise checks.invalid(
                "mask", tuple(mask.shape), f"an array of shape (batch, time), here {(x.shape[0], x.shape[axis])}", self
            )
        xp = array_namespace(mask)
        return xp.expand_dims(xp.astype(mask, xp.bool), axis=2 if axis == 1 else 1)


class _GlobalAveragePooling(_GlobalPooling):
    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        return array_namespace(x).mean(x, axis=tuple(self.axes), keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean over all steps, excluding masked ones; as `keras.layers.GlobalAveragePooling1D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether to keep the spatial axes, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.arange(6.0).reshape(1, 3, 2)
        >>> layers.GlobalAveragePooling1D()(x, mask=np.asarray([[True, True, False]]))
        array([[1., 2.]])
    """

    independent_examples = True
    supports_masking = True
    rank = 1

    def call(self, x: Array, mask: Array | None = None) -> Array:
        if mask is None:
            return super().call(x)
        self.require_space(x.shape)
        shown, axis = self.shown(x, mask), self.axes[0]
        xp = array_namespace(x)
        total = xp.sum(xp.where(shown, x, 0.0), axis=axis, keepdims=self.keepdims)
        count = xp.sum(array_namespace(shown).astype(shown, x.dtype), axis=axis, keepdims=self.keepdims)
        # If all steps are masked, the mean is 0.
        return total / xp.maximum(count, 1.0)


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean over each image; as `keras.layers.GlobalAveragePooling2D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether to keep the spatial axes, with size 1.
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
        keepdims: Whether to keep the spatial axes, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GlobalAveragePooling3D()(np.ones((1, 4, 6, 8, 3))).shape
        (1, 3)
    """

    rank = 3


class _GlobalMaxPooling(_GlobalPooling):
    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        xp = array_namespace(x)
        first = self.data_format == "channels_first"
        y = global_max_pool(xp.moveaxis(x, 1, -1) if first else x)
        if self.keepdims:
            return xp.moveaxis(y, -1, 1) if first else y
        return xp.reshape(y, (y.shape[0], y.shape[-1]))


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum over all steps, excluding masked ones (0 if all are masked); the first gets the derivative at ties.

    As `keras.layers.GlobalMaxPooling1D`, which counts masked steps.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether to keep the spatial axes, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GlobalMaxPooling1D()(np.asarray([[[1.0], [4.0], [3.0]]])).tolist()
        [[4.0]]
    """

    independent_examples = True
    rank = 1

    def call(self, x: Array, mask: Array | None = None) -> Array:
        if mask is None:
            return super().call(x)
        self.require_space(x.shape)
        shown = self.shown(x, mask)
        y = super().call(array_namespace(x).where(shown, x, -math.inf))
        seen = array_namespace(shown).any(shown, axis=self.axes[0], keepdims=self.keepdims)
        return array_namespace(y).where(seen, y, 0.0)


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum over each image; as `keras.layers.GlobalMaxPooling2D`.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether to keep the spatial axes, with size 1.
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
        keepdims: Whether to keep the spatial axes, with size 1.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GlobalMaxPooling3D()(np.ones((1, 4, 6, 8, 3))).shape
        (1, 3)
    """

    rank = 3
