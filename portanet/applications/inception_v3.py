"""Inception V3: parallel convolutions of several sizes (C. Szegedy et al. 2016, arXiv:1512.00567)."""

from __future__ import annotations

from functools import partial
from typing import Any

from portanet.applications.base import Network, application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm, chained, joined, pooled_top
from portanet.layers import Activation, AveragePooling2D, Conv2D, MaxPooling2D

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def _conv(x: Any, filters: int, height: int, width: int, strides: int = 1, padding: str = "same") -> Any:
    x = Conv2D(filters, (height, width), strides=strides, padding=padding, use_bias=False)(x)
    return Activation("relu")(batch_norm(x, scale=False))


_chain = partial(chained, _conv)


def _pooled(x: Any, filters: int) -> Any:
    return _conv(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _stem(x: Any) -> Any:
    x = _conv(x, 32, 3, 3, strides=2, padding="valid")
    x = _conv(x, 32, 3, 3, padding="valid")
    x = MaxPooling2D(3, strides=2)(_conv(x, 64, 3, 3))
    x = _conv(_conv(x, 80, 1, 1, padding="valid"), 192, 3, 3, padding="valid")
    return MaxPooling2D(3, strides=2)(x)


def _small_kernels(x: Any, pooled: int, name: str) -> Any:
    """Kernels of at most 5 x 5, for the largest images."""
    branches = [
        _chain(x, (64, 1, 1)),
        _chain(x, (48, 1, 1), (64, 5, 5)),
        _chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
        _pooled(x, pooled),
    ]
    return joined(branches, name)


def _flat_kernels(x: Any, filters: int, name: str) -> Any:
    """Kernels of 7 x 7, as products of 1 x 7 and 7 x 1."""
    wide, high = (filters, 1, 7), (filters, 7, 1)
    branches = [
        _chain(x, (192, 1, 1)),
        _chain(x, (filters, 1, 1), wide, (192, 7, 1)),
        _chain(x, (filters, 1, 1), high, wide, high, (192, 1, 7)),
        _pooled(x, 192),
    ]
    return joined(branches, name)


def _split_kernels(x: Any, name: str, inner: str) -> Any:
    """Kernels of 1 x 3 and 3 x 1 side by side, for the smallest images."""
    branches = [_chain(x, (320, 1, 1))]
    for start, joint in ((((384, 1, 1),), inner), (((448, 1, 1), (384, 3, 3)), None)):
        y = _chain(x, *start)
        branches.append(joined([_conv(y, 384, 1, 3), _conv(y, 384, 3, 1)], joint))
    return joined([*branches, _pooled(x, 192)], name)


def _features(x: Any) -> Any:
    x = _stem(x)
    for index, pooled in enumerate((32, 64, 64)):
        x = _small_kernels(x, pooled, f"mixed{index}")
    branches = [
        _chain(x, (384, 3, 3), halving=True),
        _chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3), halving=True),
        MaxPooling2D(3, strides=2)(x),
    ]
    x = joined(branches, "mixed3")
    for index, filters in enumerate((128, 160, 160, 192), 4):
        x = _flat_kernels(x, filters, f"mixed{index}")
    branches = [
        _chain(x, (192, 1, 1), (320, 3, 3), halving=True),
        _chain(x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3), halving=True),
        MaxPooling2D(3, strides=2)(x),
    ]
    x = joined(branches, "mixed8")
    for index in (0, 1):
        x = _split_kernels(x, f"mixed{9 + index}", f"mixed9_{index}")
    return x


InceptionV3 = application(
    "InceptionV3",
    "Inception V3, for images of 299 x 299 pixels.",
    Network(_features, pooled_top, "inception_v3", size=299, least=75, pooling_names=(None, None)),
)
