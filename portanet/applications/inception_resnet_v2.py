"""Inception-ResNet V2: blocks of Inception with shortcuts (C. Szegedy et al. 2017, arXiv:1602.07261)."""

from __future__ import annotations

from functools import partial
from typing import Any

from portanet.applications.base import Network, application
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm, chained, channels, joined, pooled_top
from portanet.layers import Activation, AveragePooling2D, Conv2D, MaxPooling2D

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

Convolution = tuple[int, int | tuple[int, int]]
"""Filters and size of the kernel."""
BLOCKS: dict[str, tuple[float, tuple[tuple[Convolution, ...], ...]]] = {
    "block35": (0.17, (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))),
    "block17": (0.1, (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))),
    "block8": (0.2, (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))),
}
"""Scale of the sum of the branches in each kind of block, and the convolutions of each branch."""


def _conv(x: Any, filters: int, size: int | tuple[int, int], name: str | None = None, **options: Any) -> Any:
    x = Conv2D(filters, size, use_bias=False, name=name, **{"padding": "same", **options})(x)
    x = batch_norm(x, name and f"{name}_bn", scale=False)
    return Activation("relu", name=name and f"{name}_ac")(x)


_chain = partial(chained, _conv)


def _block(x: Any, kind: str, number: int, last: bool = False) -> Any:
    scale, chains = BLOCKS[kind]
    block = f"{kind}_{number}"
    branches = joined([_chain(x, *chain) for chain in chains], f"{block}_mixed")
    up = Conv2D(channels(x), 1, padding="same", name=f"{block}_conv")(branches)
    if last:
        return x + up
    return Activation("relu", name=f"{block}_ac")(x + up * scale)


def _features(x: Any) -> Any:
    x = _conv(x, 32, 3, strides=2, padding="valid")
    x = _conv(_conv(x, 32, 3, padding="valid"), 64, 3)
    x = _conv(MaxPooling2D(3, strides=2)(x), 80, 1, padding="valid")
    x = MaxPooling2D(3, strides=2)(_conv(x, 192, 3, padding="valid"))
    branches = [_chain(x, (96, 1)), _chain(x, (48, 1), (64, 5)), _chain(x, (64, 1), (96, 3), (96, 3))]
    branches.append(_conv(AveragePooling2D(3, strides=1, padding="same")(x), 64, 1))
    x = joined(branches, "mixed_5b")
    for number in range(1, 11):
        x = _block(x, "block35", number)
    branches = [_chain(x, (384, 3), halving=True), _chain(x, (256, 1), (256, 3), (384, 3), halving=True)]
    x = joined([*branches, MaxPooling2D(3, strides=2)(x)], "mixed_6a")
    for number in range(1, 21):
        x = _block(x, "block17", number)
    branches = [
        _chain(x, (256, 1), (384, 3), halving=True),
        _chain(x, (256, 1), (288, 3), halving=True),
        _chain(x, (256, 1), (288, 3), (320, 3), halving=True),
    ]
    x = joined([*branches, MaxPooling2D(3, strides=2)(x)], "mixed_7a")
    for number in range(1, 11):
        x = _block(x, "block8", number, last=number == 10)
    return _conv(x, 1536, 1, "conv_7b")


InceptionResNetV2 = application(
    "InceptionResNetV2",
    "Inception-ResNet V2, for images of 299 x 299 pixels.",
    Network(_features, pooled_top, "inception_resnet_v2", size=299, least=75, pooling_names=(None, None)),
)
