"""Layers that move or mirror images at random in training, each example in its own way."""

from __future__ import annotations

import math
from typing import Any

from portanet import random
from portanet.autodiff import array_namespace
from portanet.autodiff.traced import raw_value
from portanet.backends import Array, device_of, raw_namespace
from portanet.layers.regularization.noise import RandomLayer

FORMATS = ("channels_last", "channels_first")
FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")
FLIPS = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}


class ImageAugmentation(RandomLayer):
    """A layer that changes images in training and leaves them as they are at inference.

    Subclasses implement `augmented(x)` for images with channels last.

    Args:
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` for images of shape (batch, height, width, channels), `"channels_first"` for
            (batch, channels, height, width). By default the first.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    by_example = False  # numbers are drawn for a whole batch

    def __init__(self, seed: int | None = None, data_format: str | None = None, **options: Any) -> None:
        super().__init__(seed, **options)
        self.data_format = self.require_choice("data_format", data_format or "channels_last", FORMATS)

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 4, "(batch, height, width, channels)")
        super().build(input_shape)

    def call(self, x: Array, training: bool = False) -> Array:
        if x.ndim != 4:
            raise ValueError(f"Layer '{self.name}' needs inputs of 4 axes. Received: shape {tuple(x.shape)}")
        xp = array_namespace(x)
        if not xp.isdtype(x.dtype, "real floating"):
            x = xp.astype(x, xp.float32)
        change = self.augmented if training else self.at_inference
        if self.data_format == "channels_last":
            return change(x)
        return xp.permute_dims(change(xp.permute_dims(x, (0, 2, 3, 1))), (0, 3, 1, 2))

    def augmented(self, x: Array) -> Array:
        """The images changed."""
        raise NotImplementedError

    def at_inference(self, x: Array) -> Array:
        """The images as they are at inference."""
        return x

    def uniform(self, x: Array, shape: tuple[int, ...], low: float, high: float) -> Array:
        """Fresh numbers in [low, high) beside `x`, float64 for float64, else float32."""
        plain = raw_value(x)
        xp = raw_namespace(plain)
        dtype = xp.float64 if plain.dtype == xp.float64 else xp.float32
        return random.uniform(xp, shape, self.key, self._next(), device_of(plain), dtype, low, high)

    def require_choice(self, name: str, value: Any, choices: tuple[str, ...]) -> str:
        """Check an argument that names one of several ways."""
        if value not in choices:
            raise ValueError(
                f"Argument `{name}` of layer '{self.name}' must be one of {choices}. Received: {name}={value!r}"
            )
        return str(value)

    def require_range(self, name: str, value: Any, limit: float = math.inf) -> tuple[float, float]:
        """Check a factor: a number, for a range from its negative to itself, or the two ends of a range."""
        ends = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
        numbers = all(isinstance(e, (int, float)) and not isinstance(e, bool) and math.isfinite(e) for e in ends)
        if numbers and len(ends) == 2:
            low, high = ends if isinstance(value, (list, tuple)) else (-abs(value), abs(value))
            if -limit <= low <= high <= limit:
                return float(low), float(high)
        within = "" if limit == math.inf else f" within [-{limit}, {limit}]"
        raise ValueError(
            f"Argument `{name}` of layer '{self.name}' must be a number or a pair (low, high){within}. "
            f"Received: {name}={value!r}"
        )


class RandomFlip(ImageAugmentation):
    """In training, mirror each image with probability 1/2; as `keras.layers.RandomFlip`.

    Args:
        mode: `"horizontal"` (left and right change places), `"vertical"`, or `"horizontal_and_vertical"` (each of the
            two with probability 1/2).
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Result: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.asarray([[[[1.0], [2.0]]]] * 4, dtype="float32")
        >>> layers.RandomFlip("horizontal", seed=1)(x, training=True)[:, 0, :, 0].sum(axis=1)
        array([3., 3., 3., 3.], dtype=float32)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.mode = self.require_choice("mode", mode, tuple(FLIPS))

    def augmented(self, x: Array) -> Array:
        xp = array_namespace(x)
        for axis in FLIPS[self.mode]:
            x = xp.where(self.bernoulli(x, (x.shape[0], 1, 1, 1), 0.5), xp.flip(x, axis=axis), x)
        return x


class RandomCrop(ImageAugmentation):
    """In training, cut a window from a random place of each image; at inference, from the centre.

    As `keras.layers.RandomCrop`, but with a place for each example, and images smaller than the window are refused.

    Args:
        height: Height of the window.
        width: Width of the window.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, rows, columns, channels). Result: shape (batch, height, width, channels), floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomCrop(2, 1)(np.arange(12.0).reshape(1, 4, 3, 1)).ravel()
        array([4., 7.])
    """

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        for name, size in (("height", height), ("width", width)):
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise ValueError(
                    f"Argument `{name}` of layer '{self.name}' must be a positive integer. Received: {name}={size!r}"
                )
        self.height = height
        self.width = width

    def _room(self, x: Array) -> tuple[int, int]:
        """How far the window can be moved."""
        room = x.shape[1] - self.height, x.shape[2] - self.width
        if min(room) < 0:
            raise ValueError(
                f"Layer '{self.name}' needs images of at least {self.height} x {self.width}. "
                f"Received: {x.shape[1]} x {x.shape[2]}"
            )
        return room

    def augmented(self, x: Array) -> Array:
        plain = raw_value(x)
        xp, device = raw_namespace(plain), device_of(plain)
        places = []
        for axis, (size, room) in enumerate(zip((self.height, self.width), self._room(x), strict=True)):
            shape = (x.shape[0], 1, 1)
            first = xp.floor(self.uniform(x, shape, 0.0, room + 1.0))
            first = xp.astype(xp.minimum(first, float(room)), xp.int32)  # the product may have been rounded up
            along = xp.arange(size, dtype=xp.int32, device=device)
            places.append(first + xp.reshape(along, (1, size, 1) if axis == 0 else (1, 1, size)))
        return pixels(x, *places)

    def at_inference(self, x: Array) -> Array:
        top, left = (room // 2 for room in self._room(x))
        return x[:, top : top + self.height, left : left + self.width, :]

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.data_format == "channels_last":
            return (input_shape[0], self.height, self.width, input_shape[3])
        return (*input_shape[:2], self.height, self.width)


class Resampling(ImageAugmentation):
    """What layers share that look up each pixel at another place of the image.

    Subclasses implement `sources(x)`, which gives the rows and columns that the pixels of the result come from, as
    floating-point arrays that broadcast to (batch, height, width).

    Args:
        fill_mode: What is beyond the edges: `"reflect"` (d c b a | a b c d | d c b a), `"wrap"`
            (a b c d | a b c d | a b c d), `"nearest"` (a a a a | a b c d | d d d d), or `"constant"`, `fill_value`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        fill_value: What is beyond the edges, for `"constant"`.
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
        self.fill_mode = self.require_choice("fill_mode", fill_mode, FILL_MODES)
        self.interpolation = self.require_choice("interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = float(fill_value)

    def sources(self, x: Array) -> tuple[Array, Array]:
        """Where the pixels come from."""
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
            here, beside = self._at(x, row, left), self._at(x, row, left + 1.0)
            return here + (beside - here) * right

        above, below = across(top), across(top + 1.0)
        return above + (below - above) * down

    def _at(self, x: Array, rows: Array, columns: Array) -> Array:
        """The pixels at whole places, which may lie beyond the edges."""
        plain = raw_namespace(rows)
        found = pixels(x, *(self._inside(v, n) for v, n in ((rows, x.shape[1]), (columns, x.shape[2]))))
        if self.fill_mode != "constant":
            return found
        seen = (rows >= 0) & (rows < x.shape[1]) & (columns >= 0) & (columns < x.shape[2])
        return array_namespace(found).where(plain.expand_dims(seen, axis=-1), found, self.fill_value)

    def _inside(self, places: Array, size: int) -> Array:
        """Places of an axis, those beyond the edges mapped to where their value is, as int32."""
        xp = raw_namespace(places)
        if self.fill_mode == "wrap":
            places = places - size * xp.floor(places / size)
        elif self.fill_mode == "reflect":
            places = places - 2 * size * xp.floor(places / (2 * size))
            places = xp.minimum(places, 2 * size - 1 - places)
        return xp.astype(xp.minimum(xp.maximum(places, 0.0), float(size - 1)), xp.int32)

    def grid(self, x: Array) -> tuple[Array, Array]:
        """The numbers of rows and columns, shapes (1, height, 1) and (1, 1, width), beside `x`."""
        plain = raw_value(x)
        xp, device = raw_namespace(plain), device_of(plain)
        dtype = xp.float64 if plain.dtype == xp.float64 else xp.float32
        rows, columns = (xp.arange(float(n), dtype=dtype, device=device) for n in x.shape[1:3])
        return xp.reshape(rows, (1, x.shape[1], 1)), xp.reshape(columns, (1, 1, x.shape[2]))


class RandomTranslation(Resampling):
    """In training, shift each image by random distances; as `keras.layers.RandomTranslation`.

    Args:
        height_factor: Range of the shift downwards, as a fraction of the height: a pair (low, high), or a number for a
            range from its negative to itself.
        width_factor: Range of the shift to the right, as a fraction of the width, likewise.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"` or `"wrap"`, see `Resampling`.
        **options: `interpolation`, `seed`, `fill_value`, `data_format` of `Resampling`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Result: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomTranslation(0.0, (0.25, 0.25), fill_mode="constant")
        >>> layer(np.asarray([[[[1.0], [2.0], [3.0], [4.0]]]]), training=True).ravel()
        array([0., 1., 2., 3.])
    """

    def __init__(self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect", **options: Any) -> None:
        super().__init__(fill_mode, **options)
        self.height_range = self.require_range("height_factor", height_factor, 1.0)
        self.width_range = self.require_range("width_factor", width_factor, 1.0)

    def sources(self, x: Array) -> tuple[Array, Array]:
        rows, columns = self.grid(x)
        shape = (x.shape[0], 1, 1)
        down, right = self.uniform(x, shape, *self.height_range), self.uniform(x, shape, *self.width_range)
        return rows - down * x.shape[1], columns - right * x.shape[2]


class RandomRotation(Resampling):
    """In training, rotate each image about its centre by a random angle; as `keras.layers.RandomRotation`.

    Args:
        factor: Range of the angle, counter-clockwise, as a fraction of the full circle: a pair (low, high), or a number
            for a range from its negative to itself.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"` or `"wrap"`, see `Resampling`.
        **options: `interpolation`, `seed`, `fill_value`, `data_format` of `Resampling`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Result: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomRotation((0.25, 0.25))
        >>> layer(np.asarray([[[[1.0], [2.0]], [[3.0], [4.0]]]]), training=True)[0, :, :, 0].round(6)
        array([[2., 4.],
               [1., 3.]])
    """

    def __init__(self, factor: Any, fill_mode: str = "reflect", **options: Any) -> None:
        super().__init__(fill_mode, **options)
        self.range = self.require_range("factor", factor)

    def sources(self, x: Array) -> tuple[Array, Array]:
        rows, columns = self.grid(x)
        middle_row, middle_column = (x.shape[1] - 1) / 2, (x.shape[2] - 1) / 2
        angle = self.uniform(x, (x.shape[0], 1, 1), *self.range) * (2 * math.pi)
        xp = raw_namespace(angle)
        down, right = rows - middle_row, columns - middle_column
        cos, sin = xp.cos(angle), xp.sin(angle)
        return right * sin + down * cos + middle_row, right * cos - down * sin + middle_column


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
    places = (examples * height + rows) * width + columns  # in the images one after another
    xp = array_namespace(x)
    flat = xp.reshape(x, (batch * height * width, channels))
    return xp.reshape(xp.take(flat, plain.reshape(places, (-1,)), axis=0), (*places.shape, channels))
