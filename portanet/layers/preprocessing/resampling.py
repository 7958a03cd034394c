"""Layers that take pixels from other positions of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")


class Resampling(ImageAugmentation):
    """A layer that takes each pixel from where an affine map sends it.

    Subclasses implement `maps(x)`, which draws.

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

    def maps(self, x: Array) -> Sequence[Any]:
        """Draw a0, a1, a2, b0, b1, b2 of `ops.image.affine_transform`: numbers, and arrays of shape (batch,)."""
        raise NotImplementedError

    def transformation(self, x: Array) -> Any:
        return {"transform": stacked((*self.maps(x), 0.0, 0.0))}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self._sampled(x, transformation, self.interpolation)

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self._sampled(x, transformation, "nearest")

    def _sampled(self, x: Array, transformation: Any, interpolation: str) -> Array:
        from portanet.ops.sampling import projected  # few models need portanet.ops

        return projected(x, transformation["transform"], interpolation, self.fill_mode, self.fill_value)


def stacked(values: Sequence[Any]) -> Array:
    """Numbers and arrays of shape (batch,) as columns of an array.

    Example:
        >>> import numpy as np
        >>> stacked([np.asarray([1.0, 2.0]), 3.0])
        array([[1., 3.],
               [2., 3.]])
    """
    like = next(value for value in values if hasattr(value, "dtype"))
    xp = array_namespace(like)
    return xp.stack([v if hasattr(v, "dtype") else xp.full_like(like, v) for v in values], axis=-1)
