"""Xception: depthwise separable convolutions with shortcuts (F. Chollet 2017, arXiv:1610.02357)."""

from __future__ import annotations

from typing import Any

from portanet.applications.base import Network, application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm, pooled_top
from portanet.layers import Activation, Add, Conv2D, MaxPooling2D, SeparableConv2D

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

ENTRY = ((2, 128, 128), (3, 256, 256), (4, 728, 728))
EXIT = ((13, 728, 1024),)
"""Blocks that halve the size: their number, and the filters of both convolutions."""
MIDDLE, FILTERS = range(5, 13), 728
"""Blocks that keep the size, and the filters of their three convolutions."""


def _separable(x: Any, filters: int, name: str) -> Any:
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return batch_norm(x, f"{name}_bn")


def _activation(x: Any, name: str) -> Any:
    return Activation("relu", name=f"{name}_act")(x)


def _halving(x: Any, number: int, first: int, second: int) -> Any:
    block = f"block{number}"
    shortcut = batch_norm(Conv2D(second, 1, strides=2, padding="same", use_bias=False)(x))
    if number > 2:  # the stem ends in an activation
        x = _activation(x, f"{block}_sepconv1")
    x = _activation(_separable(x, first, f"{block}_sepconv1"), f"{block}_sepconv2")
    x = _separable(x, second, f"{block}_sepconv2")
    x = MaxPooling2D(3, strides=2, padding="same", name=f"{block}_pool")(x)
    return Add()([x, shortcut])


def _features(x: Any) -> Any:
    for index, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{index}"
        x = Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
        x = _activation(batch_norm(x, f"{name}_bn"), name)
    for block in ENTRY:
        x = _halving(x, *block)
    for number in MIDDLE:
        shortcut = x
        for index in (1, 2, 3):
            name = f"block{number}_sepconv{index}"
            x = _separable(_activation(x, name), FILTERS, name)
        x = Add()([x, shortcut])
    for block in EXIT:
        x = _halving(x, *block)
    for index, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{index}"
        x = _activation(_separable(x, filters, name), name)
    return x


Xception = application(
    "Xception",
    "Xception, for images of 299 x 299 pixels.",
    Network(_features, pooled_top, "xception", size=299, least=71, pooling_names=(None, None)),
)
