"""EfficientNetV2: EfficientNet with full convolutions in the first stages (M. Tan and Q. Le 2021, arXiv:2104.00298)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, cast

from portanet import checks
from portanet.applications.base import CLASSES, IMAGENET, Network, Path, create_model, documented
from portanet.applications.efficientnet import DROP, LAST, SQUEEZE, activated, conv, depthwise, squeezed, top
from portanet.applications.efficientnet import with_shortcut as shortcut
from portanet.applications.imagenet_utils import DEVIATION, MEAN, decode_predictions
from portanet.applications.imagenet_utils import preprocess_nothing as preprocess_input
from portanet.applications.parts import batch_norm, channel_axis, channels, rounded
from portanet.layers import Normalization, Rescaling
from portanet.models import Model

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

FUSED, PLAIN = True, False
STAGES = {
    "b": (
        32, (FUSED, 1, 16, 1, 1), (FUSED, 2, 32, 4, 2), (FUSED, 2, 48, 4, 2), (PLAIN, 3, 96, 4, 2),
        (PLAIN, 5, 112, 6, 1), (PLAIN, 8, 192, 6, 2),
    ),
    "s": (
        24, (FUSED, 2, 24, 1, 1), (FUSED, 4, 48, 4, 2), (FUSED, 4, 64, 4, 2), (PLAIN, 6, 128, 4, 2),
        (PLAIN, 9, 160, 6, 1), (PLAIN, 15, 256, 6, 2),
    ),
    "m": (
        24, (FUSED, 3, 24, 1, 1), (FUSED, 5, 48, 4, 2), (FUSED, 5, 80, 4, 2), (PLAIN, 7, 160, 4, 2),
        (PLAIN, 14, 176, 6, 1), (PLAIN, 18, 304, 6, 2), (PLAIN, 5, 512, 6, 1),
    ),
    "l": (
        32, (FUSED, 4, 32, 1, 1), (FUSED, 7, 64, 4, 2), (FUSED, 7, 96, 4, 2), (PLAIN, 10, 192, 4, 2),
        (PLAIN, 19, 224, 6, 1), (PLAIN, 25, 384, 6, 2), (PLAIN, 7, 640, 6, 1),
    ),
}  # fmt: skip
"""Filters of the stem; of each stage whether it is fused, its blocks, filters, expansion and stride; before scaling."""
MOMENTUM, DROPOUT = 0.9, 0.2


class Application(Protocol):
    """A function with the arguments of these networks."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = None,
    ) -> Model:
        """Create the network."""


def _scaled(x: Any, version: str) -> Any:
    """Images with values from 0 to 255 in the range of the network."""
    if version == "b" and channels(x) == 3:
        variance = [deviation**2 for deviation in DEVIATION]
        return Normalization(axis=channel_axis(), mean=list(MEAN), variance=variance)(Rescaling(1.0 / 255)(x))
    return Rescaling(1.0 / 128, -1.0)(x)


def _block(x: Any, fused: bool, before: int, after: int, expansion: int, strides: int, rate: float, block: str) -> Any:
    start, filters = x, before * expansion
    if expansion != 1:
        size, step = (3, strides) if fused else (1, 1)
        x = conv(x, filters, size, f"{block}expand_conv", strides=step)
        x = activated(x, f"{block}expand_bn", f"{block}expand_activation", momentum=MOMENTUM)
    if not fused:
        x = depthwise(x, 3, f"{block}dwconv2", strides=strides, padding="same")
        x = activated(x, f"{block}bn", f"{block}activation", momentum=MOMENTUM)
        x = squeezed(x, max(1, int(before * SQUEEZE)), filters, block)
    size, step = (3, strides) if fused and expansion == 1 else (1, 1)
    x = conv(x, after, size, f"{block}project_conv", strides=step)
    if fused and expansion == 1:
        x = activated(x, f"{block}project_bn", f"{block}project_activation", momentum=MOMENTUM)
    else:
        x = batch_norm(x, f"{block}project_bn", momentum=MOMENTUM)
    return shortcut(x, start, rate, block) if strides == 1 and before == after else x


def _features(x: Any, version: str, width: float, depth: float, rescale: bool) -> Any:
    scaled = partial(rounded, bounded=False)
    stem, *stages = cast(tuple[int, *tuple[tuple[bool, int, int, int, int], ...]], STAGES[version])
    if rescale:
        x = _scaled(x, version)
    before, count = scaled(stem * width), 0
    x = activated(conv(x, before, 3, "stem_conv", strides=2), "stem_bn", "stem_activation", momentum=MOMENTUM)
    total = sum(blocks for _, blocks, *_ in stages)
    for stage, (fused, blocks, filters, expansion, strides) in enumerate(stages, 1):
        after = scaled(filters * width)
        for index in range(math.ceil(depth * blocks)):
            block = f"block{stage}{chr(ord('a') + index)}_"
            x = _block(x, fused, before, after, expansion, 1 if index else strides, DROP * count / total, block)
            before, count = after, count + 1
    return activated(conv(x, scaled(LAST * width), 1, "top_conv"), "top_bn", "top_activation", momentum=MOMENTUM)


def _application(version: str, width: float, depth: float, size: int) -> Application:
    of, default = f"EfficientNetV2{version}", f"efficientnetv2-{version.lower()}"

    def create(
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = default,
    ) -> Model:
        rescale = checks.boolean("include_preprocessing", include_preprocessing, of)
        features = partial(_features, version=version[0].lower(), width=width, depth=depth, rescale=rescale)
        network = Network(features, partial(top, dropout=DROPOUT), default, size=size)
        return create_model(
            of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )

    title = (
        f"EfficientNetV2 {version}, for images of {size} x {size} pixels with values from 0 to 255; from -1 to 1 with "
        "`include_preprocessing=False`."
    )
    return cast(Application, documented(create, of, title))


EfficientNetV2B0 = _application("B0", 1.0, 1.0, 224)
EfficientNetV2B1 = _application("B1", 1.0, 1.1, 240)
EfficientNetV2B2 = _application("B2", 1.1, 1.2, 260)
EfficientNetV2B3 = _application("B3", 1.2, 1.4, 300)
EfficientNetV2S = _application("S", 1.0, 1.0, 384)
EfficientNetV2M = _application("M", 1.0, 1.0, 480)
EfficientNetV2L = _application("L", 1.0, 1.0, 480)
