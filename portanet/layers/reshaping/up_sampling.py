"""Upsampling by repetition or interpolation."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of
from portanet.layers.spatial import Spatial


class _UpSampling(Spatial):
    built_at_once = False
    interpolation = "nearest"
    keeps_values = False
    casts_integers = True

    def __init__(self, size: Any, data_format: str | None = None, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.factors = checks.integers("size", size, self.rank, self, least=1)
        self.size: int | tuple[int, ...] = self.factors

    def call(self, x: Array) -> Array:
        self.require_space(x.shape)
        enlarge = repeat if self.interpolation == "nearest" else interpolate
        for axis, factor in zip(self.axes, self.factors, strict=True):
            if factor > 1:
                x = enlarge(x, factor, axis)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        shape = list(input_shape)
        for axis, factor in zip(self.axes, self.factors, strict=True):
            shape[axis] = None if shape[axis] is None else shape[axis] * factor
        return tuple(shape)


class UpSampling1D(_UpSampling):
    """Repeat every step of a sequence; as `keras.layers.UpSampling1D`.

    Args:
        size: Number of repetitions.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.UpSampling1D(2)(np.asarray([[[1.0], [2.0]]])).tolist()
        [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1

    def __init__(self, size: int = 2, **options: Any) -> None:
        super().__init__(size, options.pop("data_format", "channels_last"), **options)
        (self.size,) = self.factors


class UpSampling2D(_UpSampling):
    """Enlarge images by integer factors; as `keras.layers.UpSampling2D`.

    Args:
        size: Factor, or one for height and one for width.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` (Keys, a = -0.5), `"lanczos3"` or `"lanczos5"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.UpSampling2D(2)(np.ones((1, 3, 3, 1))).shape
        (1, 6, 6, 1)
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **options: Any
    ) -> None:
        super().__init__(size, data_format, **options)
        self.interpolation = checks.choice(
            "interpolation", interpolation, ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"), self
        )

    def call(self, x: Array) -> Array:
        if self.interpolation in ("nearest", "bilinear"):
            return super().call(x)
        from portanet.ops.resizing import resized, spatial_first  # few models need portanet.ops

        self.require_space(x.shape)
        images, back = spatial_first(x, self.data_format, self.name)
        height, width = (size * factor for size, factor in zip(images.shape[1:3], self.factors, strict=True))
        return back(resized(images, height, width, self.interpolation))


class UpSampling3D(_UpSampling):
    """Repeat every element of volumes along the three axes; as `keras.layers.UpSampling3D`.

    Args:
        size: Factor, or one per axis.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.UpSampling3D(2)(np.ones((1, 3, 3, 3, 1))).shape
        (1, 6, 6, 6, 1)
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **options: Any) -> None:
        super().__init__(size, data_format, **options)


def repeat(x: Array, factor: int, axis: int) -> Array:
    """Repeat elements along an axis by broadcasting, whose derivative is a sum; that of `xp.repeat` scatters."""
    xp = array_namespace(x)
    shape = tuple(x.shape)
    spread = xp.broadcast_to(xp.expand_dims(x, axis=axis + 1), (*shape[: axis + 1], factor, *shape[axis + 1 :]))
    return xp.reshape(spread, (*shape[:axis], shape[axis] * factor, *shape[axis + 1 :]))


def interpolate(x: Array, factor: int, axis: int) -> Array:
    """Linear interpolation between the centres of elements along an axis, constant beyond the outermost."""
    xp, device = array_namespace(x), device_of(unwrap(x))
    size = x.shape[axis]
    steps = xp.arange(size * factor, dtype=x.dtype, device=device)
    positions = xp.minimum(xp.maximum((steps + 0.5) * (1 / factor) - 0.5, 0.0), float(size - 1))
    centres = xp.arange(size, dtype=x.dtype, device=device)
    # The weight of each input in each output: a triangle of half-width 1 around the output's position.
    weights = xp.maximum(1.0 - xp.abs(xp.expand_dims(positions, axis=1) - centres), 0.0)
    return xp.moveaxis(xp.tensordot(weights, x, axes=((1,), (axis,))), 0, axis)
