"""EfficientNet: inverted residual blocks, scaled in width, depth and size together (M. Tan and Q. Le 2019,
arXiv:1905.11946).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from portanet.applications.base import Application, Network, application
from portanet.applications.imagenet_utils import DEVIATION, decode_predictions
from portanet.applications.imagenet_utils import preprocess_nothing as preprocess_input
from portanet.applications.parts import batch_norm, channel_axis, padded, rounded
from portanet.initializers import VarianceScaling
from portanet.layers import (
    Activation,
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
)

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

STAGES = (
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)  # fmt: skip
"""Size of the kernel, blocks, filters, expansion and stride of each stage, before scaling."""
STEM, LAST = 32, 1280
"""Filters of the first and the last convolution, before scaling."""
SQUEEZE = 0.25
"""Channels between both convolutions of squeeze and excitation, relative to the input's."""
DROP = 0.2
"""The rate at which the last block is dropped; the rates of those before increase linearly from 0."""


def conv(x: Any, filters: int, size: int, name: str, **options: Any) -> Any:
    """A convolution with this family's initial weights."""
    options = {"padding": "same", "use_bias": False, **options}
    initial = VarianceScaling(2.0, "fan_out", "truncated_normal")
    return Conv2D(filters, size, kernel_initializer=initial, name=name, **options)(x)


def activated(x: Any, bn: str, activation: str, **options: Any) -> Any:
    """Batch normalization and swish, by the names of the layers."""
    return Activation("swish", name=activation)(batch_norm(x, bn, **options))


def depthwise(x: Any, size: int, name: str, **options: Any) -> Any:
    """A depthwise convolution with this family's initial weights."""
    initial = VarianceScaling(2.0, "fan_out", "truncated_normal")
    return DepthwiseConv2D(size, depthwise_initializer=initial, use_bias=False, name=name, **options)(x)


def squeezed(x: Any, squeeze: int, filters: int, block: str) -> Any:
    """Squeeze and excitation: channels are scaled by a function of their means."""
    shape = (filters, 1, 1) if channel_axis() == 1 else (1, 1, filters)
    scale = Reshape(shape, name=f"{block}se_reshape")(GlobalAveragePooling2D(name=f"{block}se_squeeze")(x))
    scale = conv(scale, squeeze, 1, f"{block}se_reduce", activation="swish", use_bias=True)
    scale = conv(scale, filters, 1, f"{block}se_expand", activation="sigmoid", use_bias=True)
    return Multiply(name=f"{block}se_excite")([x, scale])


def with_shortcut(x: Any, start: Any, rate: float, block: str) -> Any:
    """The sum with the block's input; in training, the block is dropped at a rate, example by example."""
    if rate > 0:
        x = Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{block}drop")(x)
    return Add(name=f"{block}add")([x, start])


def top(x: Any, classes: int, activation: Any, dropout: float) -> Any:
    """Global average pooling, dropout and a dense layer."""
    x = Dropout(dropout, name="top_dropout")(GlobalAveragePooling2D(name="avg_pool")(x))
    initial = VarianceScaling(1.0 / 3.0, "fan_out", "uniform")
    return Dense(classes, activation=activation, kernel_initializer=initial, name="predictions")(x)


def _block(x: Any, size: int, before: int, after: int, expansion: int, strides: int, rate: float, block: str) -> Any:
    start, filters = x, before * expansion
    if expansion != 1:
        x = activated(conv(x, filters, 1, f"{block}expand_conv"), f"{block}expand_bn", f"{block}expand_activation")
    if strides == 2:
        x = padded(x, size, f"{block}dwconv_pad")
    x = depthwise(x, size, f"{block}dwconv", strides=strides, padding="same" if strides == 1 else "valid")
    x = activated(x, f"{block}bn", f"{block}activation")
    x = squeezed(x, max(1, int(before * SQUEEZE)), filters, block)
    x = batch_norm(conv(x, after, 1, f"{block}project_conv"), f"{block}project_bn")
    return with_shortcut(x, start, rate, block) if strides == 1 and before == after else x


def _features(x: Any, width: float, depth: float, pretrained: bool = False) -> Any:
    x = Normalization(axis=channel_axis())(Rescaling(1.0 / 255.0)(x))
    if pretrained:  # the statistics in the file are variances, where the network was trained with their squares
        scale = [1.0 / math.sqrt(deviation) for deviation in DEVIATION]
        x = Rescaling(scale)(x)
    x = conv(padded(x, 3, "stem_conv_pad"), rounded(STEM * width), 3, "stem_conv", strides=2, padding="valid")
    x = activated(x, "stem_bn", "stem_activation")
    before, count = rounded(STEM * width), 0
    total = sum(math.ceil(depth * blocks) for _, blocks, *_ in STAGES)
    for stage, (size, blocks, filters, expansion, strides) in enumerate(STAGES, 1):
        after = rounded(filters * width)
        for index in range(math.ceil(depth * blocks)):
            block = f"block{stage}{chr(ord('a') + index)}_"
            x = _block(x, size, before, after, expansion, 1 if index else strides, DROP * count / total, block)
            before, count = after, count + 1
    return activated(conv(x, rounded(LAST * width), 1, "top_conv"), "top_bn", "top_activation")


def _application(version: str, width: float, depth: float, size: int, dropout: float) -> Application:
    features = partial(_features, width=width, depth=depth)
    network = Network(
        features,
        partial(top, dropout=dropout),
        f"efficientnet{version.lower()}",
        size=size,
        imagenet_features=partial(features, pretrained=True),
    )
    title = f"EfficientNet {version}, for images of {size} x {size} pixels with values from 0 to 255."
    return application(f"EfficientNet{version}", title, network)


EfficientNetB0 = _application("B0", 1.0, 1.0, 224, 0.2)
EfficientNetB1 = _application("B1", 1.0, 1.1, 240, 0.2)
EfficientNetB2 = _application("B2", 1.1, 1.2, 260, 0.3)
EfficientNetB3 = _application("B3", 1.2, 1.4, 300, 0.3)
EfficientNetB4 = _application("B4", 1.4, 1.8, 380, 0.4)
EfficientNetB5 = _application("B5", 1.6, 2.2, 456, 0.4)
EfficientNetB6 = _application("B6", 1.8, 2.6, 528, 0.5)
EfficientNetB7 = _application("B7", 2.0, 3.1, 600, 0.5)
