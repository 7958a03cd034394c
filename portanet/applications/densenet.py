"""DenseNet: each layer takes the features of all before it (G. Huang et al. 2017, arXiv:1608.06993)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from portanet.applications.base import Network, TorchVersion, application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_torch as preprocess_input
from portanet.applications.parts import batch_norm, channels, pooled_top
from portanet.layers import Activation, AveragePooling2D, Concatenate, Conv2D, MaxPooling2D, ZeroPadding2D

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

GROWTH = 32
"""Channels that each layer adds."""


def _features(x: Any, depths: tuple[int, ...], epsilon: float = 1.001e-5) -> Any:
    def activated(x: Any, bn: str, relu: str) -> Any:
        return Activation("relu", name=relu)(batch_norm(x, bn, epsilon=epsilon))

    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(ZeroPadding2D(3)(x))
    x = MaxPooling2D(3, strides=2, name="pool1")(ZeroPadding2D(1)(activated(x, "conv1_bn", "conv1_relu")))
    for stage, depth in enumerate(depths, 2):
        for index in range(1, depth + 1):
            block = f"conv{stage}_block{index}"
            y = activated(x, f"{block}_0_bn", f"{block}_0_relu")
            y = Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{block}_1_conv")(y)
            y = activated(y, f"{block}_1_bn", f"{block}_1_relu")
            y = Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{block}_2_conv")(y)
            x = Concatenate(axis=-1, name=f"{block}_concat")([x, y])
        if stage < 5:
            x = activated(x, f"pool{stage}_bn", f"pool{stage}_relu")
            x = Conv2D(channels(x) // 2, 1, use_bias=False, name=f"pool{stage}_conv")(x)
            x = AveragePooling2D(2, name=f"pool{stage}_pool")(x)
    return activated(x, "bn", "relu")


def _module(layer: str) -> str:
    """The name of a layer in torchvision."""
    known = {
        "predictions": "classifier",
        "conv1_conv": "features.conv0",
        "conv1_bn": "features.norm0",
        "bn": "features.norm5",
    }
    if layer in known:
        return known[layer]
    if transition := re.fullmatch(r"pool(\d)_(conv|bn)", layer):
        return f"features.transition{int(transition[1]) - 1}.{'conv' if transition[2] == 'conv' else 'norm'}"
    stage, index, number, kind = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_(conv|bn)", layer).groups()  # type: ignore[union-attr]
    own = f"conv{number}" if kind == "conv" else f"norm{int(number) + 1}"
    return f"features.denseblock{int(stage) - 1}.denselayer{index}.{own}"


def _network(depths: tuple[int, ...], name: str) -> Network:
    torch = TorchVersion(partial(_features, depths=depths, epsilon=1e-5), _module)
    return Network(partial(_features, depths=depths), pooled_top, name, torch=torch, channels_first=False)


DenseNet121 = application("DenseNet121", "DenseNet with 121 layers.", _network((6, 12, 24, 16), "densenet121"))
DenseNet169 = application("DenseNet169", "DenseNet with 169 layers.", _network((6, 12, 32, 32), "densenet169"))
DenseNet201 = application("DenseNet201", "DenseNet with 201 layers.", _network((6, 12, 48, 32), "densenet201"))
