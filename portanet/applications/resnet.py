"""ResNet: residual networks (K. He et al. 2016, arXiv:1512.03385)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from portanet.applications.base import Network, TorchVersion, application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_caffe as preprocess_input
from portanet.applications.parts import batch_norm, pooled_top
from portanet.layers import Activation, Add, Conv2D, MaxPooling2D, ZeroPadding2D

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

FILTERS = (64, 128, 256, 512)
"""Filters of the inner convolutions of each stage; the outputs have four times as many."""


def stem(x: Any, use_bias: bool = True) -> Any:
    """The first convolution, padded as in the original."""
    return Conv2D(64, 7, strides=2, use_bias=use_bias, name="conv1_conv")(ZeroPadding2D(3, name="conv1_pad")(x))


def first_pooling(x: Any) -> Any:
    """The pooling before the first stage."""
    return MaxPooling2D(3, strides=2, name="pool1_pool")(ZeroPadding2D(1, name="pool1_pad")(x))


def _features(x: Any, depths: tuple[int, ...], torch: bool = False) -> Any:
    """The features; `torch` for torchvision's: strides in the inner convolution, which has no bias before its norm."""
    norm = partial(batch_norm, epsilon=1e-5 if torch else 1.001e-5)
    conv = partial(Conv2D, use_bias=not torch)
    x = norm(stem(x, use_bias=not torch), name="conv1_bn")
    x = first_pooling(Activation("relu", name="conv1_relu")(x))
    for stage, (filters, depth) in enumerate(zip(FILTERS, depths, strict=True), 2):
        for index in range(1, depth + 1):
            block = f"conv{stage}_block{index}"
            strides = 2 if index == 1 and stage > 2 else 1
            outer, inner = (1, strides) if torch else (strides, 1)
            shortcut = x
            if index == 1:
                shortcut = conv(4 * filters, 1, strides=strides, name=f"{block}_0_conv")(x)
                shortcut = norm(shortcut, name=f"{block}_0_bn")
            x = norm(conv(filters, 1, strides=outer, name=f"{block}_1_conv")(x), name=f"{block}_1_bn")
            x = Activation("relu", name=f"{block}_1_relu")(x)
            if inner == 2:
                x = conv(filters, 3, strides=2, name=f"{block}_2_conv")(ZeroPadding2D(1, name=f"{block}_2_pad")(x))
            else:
                x = conv(filters, 3, padding="same", name=f"{block}_2_conv")(x)
            x = Activation("relu", name=f"{block}_2_relu")(norm(x, name=f"{block}_2_bn"))
            x = norm(conv(4 * filters, 1, name=f"{block}_3_conv")(x), name=f"{block}_3_bn")
            x = Activation("relu", name=f"{block}_out")(Add(name=f"{block}_add")([shortcut, x]))
    return x


def _module(layer: str) -> str:
    """The name of a layer in torchvision."""
    if layer == "predictions":
        return "fc"
    if layer in ("conv1_conv", "conv1_bn"):
        return layer.split("_")[1].replace("conv", "conv1").replace("bn", "bn1")
    stage, block, number, kind = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_(conv|bn)", layer).groups()  # type: ignore[union-attr]
    own = f"{kind}{number}" if number != "0" else f"downsample.{('conv', 'bn').index(kind)}"
    return f"layer{int(stage) - 1}.{int(block) - 1}.{own}"


def _network(depths: tuple[int, ...], name: str) -> Network:
    torch = TorchVersion(partial(_features, depths=depths, torch=True), _module)
    return Network(partial(_features, depths=depths), pooled_top, name, torch=torch)


ResNet50 = application("ResNet50", "ResNet with 50 layers.", _network((3, 4, 6, 3), "resnet50"))
ResNet101 = application("ResNet101", "ResNet with 101 layers.", _network((3, 4, 23, 3), "resnet101"))
ResNet152 = application("ResNet152", "ResNet with 152 layers.", _network((3, 8, 36, 3), "resnet152"))
