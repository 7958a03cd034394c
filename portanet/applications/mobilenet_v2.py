"""MobileNetV2: inverted residual blocks, which are narrow outside (M. Sandler et al. 2018, arXiv:1801.04381)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from portanet import checks
from portanet.applications.base import (
    CLASSES,
    IMAGENET,
    Network,
    Path,
    TorchVersion,
    create_model,
    is_imagenet,
    known_size,
    require_trained,
)
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm, channels, padded, pooled_top, rounded
from portanet.applications.pretrained import KERNELS
from portanet.layers import Add, Conv2D, DepthwiseConv2D, ReLU, ZeroPadding2D
from portanet.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1), (96, 1), (96, 1), (96, 1),
    (160, 2), (160, 1), (160, 1), (320, 1),
)  # fmt: skip
"""Filters and stride of each block."""
EXPANSION, LAST = 6, 1280
"""Channels inside of blocks, relative to their input's; filters of the last convolution."""
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
SIZES = (96, 128, 160, 192, 224)
"""Those for which there are weights trained on ImageNet."""


def _features(x: Any, alpha: float, torch: bool = False) -> Any:
    """The features; `torch` for torchvision's, padded alike on all sides."""
    norm = partial(batch_norm, epsilon=1e-5 if torch else 1e-3, momentum=0.999)

    def activated(x: Any, bn: str, relu: str) -> Any:
        return ReLU(6.0, name=relu)(norm(x, bn))

    if torch:
        x = ZeroPadding2D(1, name="Conv1_pad")(x)
    padding = "valid" if torch else "same"
    x = Conv2D(rounded(32 * alpha), 3, strides=2, padding=padding, use_bias=False, name="Conv1")(x)
    x = activated(x, "bn_Conv1", "Conv1_relu")
    for number, (filters, strides) in enumerate(BLOCKS):
        start, before, after = x, channels(x), rounded(int(filters * alpha))
        block = f"block_{number}_" if number else "expanded_conv_"
        if number:
            x = Conv2D(EXPANSION * before, 1, padding="same", use_bias=False, name=f"{block}expand")(x)
            x = activated(x, f"{block}expand_BN", f"{block}expand_relu")
        if strides == 2:
            x = ZeroPadding2D(1, name=f"{block}pad")(x) if torch else padded(x, 3, f"{block}pad")
        padding = "same" if strides == 1 else "valid"
        x = DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{block}depthwise")(x)
        x = activated(x, f"{block}depthwise_BN", f"{block}depthwise_relu")
        x = Conv2D(after, 1, padding="same", use_bias=False, name=f"{block}project")(x)
        x = norm(x, f"{block}project_BN")
        if before == after and strides == 1:
            x = Add(name=f"{block}add")([start, x])
    last = rounded(LAST * alpha) if alpha > 1 else LAST
    return activated(Conv2D(last, 1, use_bias=False, name="Conv_1")(x), "Conv_1_bn", "out_relu")


def _module(layer: str) -> str:
    """The name of a layer in torchvision."""
    known = {
        "Conv1": "features.0.0", "bn_Conv1": "features.0.1", "predictions": "classifier.1",
        "Conv_1": f"features.{len(BLOCKS) + 1}.0", "Conv_1_bn": f"features.{len(BLOCKS) + 1}.1",
    }  # fmt: skip
    if layer in known:
        return known[layer]
    block, part = layer.removesuffix("_BN").rsplit("_", 1)
    number = 0 if block == "expanded_conv" else int(block.removeprefix("block_"))
    parts = ("expand", "depthwise", "project") if number else ("depthwise", "project")
    norm = layer.endswith("_BN")
    index = parts.index(part)
    own = f"{index + norm}" if part == "project" else f"{index}.{int(norm)}"
    return f"features.{number + 1}.conv.{own}"


def MobileNetV2(  # noqa: N802
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Path | None = IMAGENET,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNetV2.

    Args:
        input_shape: The shape of an image, if there is no `input_tensor`; (224, 224, 3) with a top.
        alpha: Multiplies the number of filters; weights of ImageNet exist for .35, .5, .75, 1, 1.3 and 1.4.
        include_top: Whether to end in a classifier.
        weights: `"imagenet"` to download weights, the path of a file of weights (of torchvision, too), or None.
        input_tensor: A symbolic array of images.
        pooling: Without a top, `"avg"` or `"max"` for global pooling of the features; None to return them.
        classes: Number of classes.
        classifier_activation: Activation of the top, or None for logits.
        name: Name of the model; by default with alpha and the height of the images.

    Returns:
        The model.

    Raises:
        ValueError: An argument is wrong, or weights and architecture do not match.
        ImportError: An extra is missing.
        OSError: The weights cannot be downloaded or opened.

    Example:
        >>> model = MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=10)
        >>> model.name, model.output_shape
        ('mobilenetv2_0.35_32', (None, 10))
    """
    of = "MobileNetV2"
    alpha = checks.positive("alpha", alpha, of)
    if is_imagenet(weights):
        require_trained(of, "alpha", alpha, ALPHAS)
    size = known_size(SIZES, input_shape, input_tensor)
    features = partial(_features, alpha=alpha)
    network = Network(
        features,
        partial(pooled_top, pool=None),
        f"mobilenetv2_{alpha:.2f}_{{rows}}",
        size=size,
        pooling_names=(None, None),
        torch=TorchVersion(partial(features, torch=True), _module),
        pretrained=f"mobilenet_v2{KERNELS}_{float(alpha)}_{size}",
    )
    return create_model(
        of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )
