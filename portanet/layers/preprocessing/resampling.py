"""Resampling of images at fractional pixel positions."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of, raw_namespace
from portanet.layers.preprocessing.image_augmentation import FILL_MODES, INTERPOLATIONS, ImageAugmentation


class Resampling(ImageAugmentation):
    """A layer that takes each pixel from another position of the image.

    Subclasses implement `sources(x)`, which returns the rows and columns that the pixels of the output come from, as
    floating-point arrays that broadcast to (batch, height, width).

    Args:
        fill_mode: Values beyond the edges: `"reflect"` (d c b a | a b c d | d c b a), `"wrap"`
            (a b c d | a b c d | a b c d), `"nearest"` (a a a a | a b c d | d d d d), or `"constant"`, `fill_value`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        fill_value: Value beyond the edges, for `"constant"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.fill_mode = checks.choice("fill_mode", fill_mode, FILL_MODES, self)
        self.interpolation = checks.choice("interpolation", interpolation, INTERPOLATIONS, self)
        self.fill_value = checks.number("fill_value", fill_value, of=self)

    def sources(self, x: Array) -> tuple[Array, Array]:
        """The rows and columns that the pixels come from."""
        raise NotImplementedError

    def augmented(self, x: Array) -> Array:
        rows, columns = self.sources(x)
        plain = raw_namespace(rows)
        if self.interpolation == "nearest":
            return self._at(x, plain.floor(rows + 0.5), plain.floor(columns + 0.5))
        top, left = plain.floor(rows), plain.floor(columns)
        xp = array_namespace(x)
        down, right = (
            xp.astype(plain.expand_dims(fraction, axis=-1), x.dtype, copy=False)
            for fraction in (rows - top, columns - left)
        )

        def across(row: Array) -> Array:
            start, end = self._at(x, row, left), self._at(x, row, left + 1.0)
            return start + (end - start) * right

        above, below = across(top), across(top + 1.0)
        return above + (below - above) * down

    def _at(self, x: Array, rows: Array, columns: Array) -> Array:
        """The pixels at integer positions, which may be beyond the edges."""
        plain = raw_namespace(rows)
        values = pixels(x, *(self._inside(v, n) for v, n in ((rows, x.shape[1]), (columns, x.shape[2]))))
        if self.fill_mode != "constant":
            return values
        inside = (rows >= 0) & (rows < x.shape[1]) & (columns >= 0) & (columns < x.shape[2])
        return array_namespace(values).where(plain.expand_dims(inside, axis=-1), values, self.fill_value)

    def _inside(self, positions: Array, size: int) -> Array:
        """Positions on an axis as int32, those beyond the edges mapped to the position of their value."""
        xp = raw_namespace(positions)
        if self.fill_mode == "wrap":
            positions = positions - size * xp.floor(positions / size)
        elif self.fill_mode == "reflect":
            positions = positions - 2 * size * xp.floor(positions / (2 * size))
            positions = xp.minimum(positions, 2 * size - 1 - positions)
        return xp.astype(xp.minimum(xp.maximum(positions, 0.0), float(size - 1)), xp.int32)

    def grid(self, x: Array) -> tuple[Array, Array]:
        """The indices of rows and columns, shapes (1, height, 1) and (1, 1, width), on the device of `x`."""
        plain = unwrap(x)
        xp, device = raw_namespace(plain), device_of(plain)
        rows, columns = (xp.arange(float(n), dtype=xp.float32, device=device) for n in x.shape[1:3])
        return xp.reshape(rows, (1, x.shape[1], 1)), xp.reshape(columns, (1, 1, x.shape[2]))


def pixels(x: Array, rows: Array, columns: Array) -> Array:
    """The pixels of images at given rows and columns, int32 arrays that broadcast to (batch, height, width).

    Example:
        >>> import numpy as np
        >>> pixels(np.arange(4.0).reshape(1, 2, 2, 1), np.asarray([[[1]]]), np.asarray([[[0, 1]]])).ravel()
        array([2., 3.])
    """
    plain = raw_namespace(rows)
    batch, height, width, channels = x.shape
    examples = plain.reshape(plain.arange(batch, dtype=rows.dtype, device=device_of(rows)), (batch, 1, 1))
    indices = (examples * height + rows) * width + columns  # in the flattened images
    xp = array_namespace(x)
    flat = xp.reshape(x, (batch * height * width, channels))
    return xp.reshape(xp.take(flat, plain.reshape(indices, (-1,)), axis=0), (*indices.shape, channels))
