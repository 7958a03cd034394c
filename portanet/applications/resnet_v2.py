"""ResNet V2: residual networks with normalization before convolutions (K. He et al. 2016, arXiv:1603.05027)."""

from __future__ import annotations

from functools import partial
from typing import Any

from portanet.applications.base import Network, application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm, pooled_top
from portanet.applications.resnet import FILTERS, first_pooling, stem
from portanet.layers import Activation, Add, Conv2D, MaxPooling2D, ZeroPadding2D

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def _activated(x: Any, name: str) -> Any:
    return Activation("relu", name=f"{name}_relu")(batch_norm(x, f"{name}_bn", epsilon=1.001e-5))


def _features(x: Any, depths: tuple[int, ...]) -> Any:
    x = first_pooling(stem(x))
    for stage, (filters, depth) in enumerate(zip(FILTERS, depths, strict=True), 2):
        for index in range(1, depth + 1):
            block = f"conv{stage}_block{index}"
            strides = 2 if index == depth and stage < 5 else 1
            start = _activated(x, f"{block}_preact")
            if index == 1:
                shortcut = Conv2D(4 * filters, 1, name=f"{block}_0_conv")(start)
            else:
                shortcut = MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
            y = Conv2D(filters, 1, use_bias=False, name=f"{block}_1_conv")(start)
            y = ZeroPadding2D(1, name=f"{block}_2_pad")(_activated(y, f"{block}_1"))
            y = Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{block}_2_conv")(y)
            y = Conv2D(4 * filters, 1, name=f"{block}_3_conv")(_activated(y, f"{block}_2"))
            x = Add(name=f"{block}_out")([shortcut, y])
    return _activated(x, "post")


def _network(depths: tuple[int, ...], name: str) -> Network:
    return Network(partial(_features, depths=depths), pooled_top, name)


ResNet50V2 = application("ResNet50V2", "ResNet V2 with 50 layers.", _network((3, 4, 6, 3), "resnet50v2"))
ResNet101V2 = application("ResNet101V2", "ResNet V2 with 101 layers.", _network((3, 4, 23, 3), "resnet101v2"))
ResNet152V2 = application("ResNet152V2", "ResNet V2 with 152 layers.", _network((3, 8, 36, 3), "resnet152v2"))
