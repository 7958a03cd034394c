"""MobileNet: depthwise convolutions, each followed by one of size 1 (A. Howard et al. 2017, arXiv:1704.04861)."""

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
    create_model,
    is_imagenet,
    known_size,
    require_trained,
)
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm
from portanet.layers import (
    Activation,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from portanet.models import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
    (1024, 2), (1024, 1),
)  # fmt: skip
"""Filters and stride of each block."""
ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
SIZES = (128, 160, 192, 224)
"""Those for which there are weights trained on ImageNet."""


def _features(x: Any, alpha: float, depth_multiplier: int) -> Any:
    def activated(x: Any, name: str) -> Any:
        return ReLU(6.0, name=f"{name}_relu")(batch_norm(x, f"{name}_bn"))

    x = Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
    x = activated(x, "conv1")
    for number, (filters, strides) in enumerate(BLOCKS, 1):
        depthwise, pointwise = f"conv_dw_{number}", f"conv_pw_{number}"
        if strides == 2:
            x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
        x = DepthwiseConv2D(
            3,
            strides=strides,
            padding="same" if strides == 1 else "valid",
            depth_multiplier=depth_multiplier,
            use_bias=False,
            name=depthwise,
        )(x)
        x = activated(x, depthwise)
        x = Conv2D(int(filters * alpha), 1, padding="same", use_bias=False, name=pointwise)(x)
        x = activated(x, pointwise)
    return x


def _top(x: Any, classes: int, activation: Any, dropout: float) -> Any:
    x = Dropout(dropout, name="dropout")(GlobalAveragePooling2D(keepdims=True)(x))
    x = Conv2D(classes, 1, padding="same", name="conv_preds")(x)
    return Activation(activation, name="predictions")(Reshape((classes,), name="reshape_2")(x))


def MobileNet(  # noqa: N802
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Path | None = IMAGENET,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNet.

    Args:
        input_shape: The shape of an image, if there is no `input_tensor`; (224, 224, 3) with a top.
        alpha: Multiplies the number of filters; weights of ImageNet exist for .25, .5, .75 and 1.
        depth_multiplier: Outputs of each depthwise convolution per channel; 1 for weights of ImageNet.
        dropout: Rate of the dropout before the classifier.
        include_top: Whether to end in a classifier.
        weights: `"imagenet"` to download weights, the path of a file of weights, or None to draw them.
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
        >>> model = MobileNet((32, 32, 3), alpha=0.25, weights=None, classes=10)
        >>> model.name, model.output_shape
        ('mobilenet_0.25_32', (None, 10))
    """
    of = "MobileNet"
    alpha = checks.positive("alpha", alpha, of)
    depth_multiplier = checks.positive_int("depth_multiplier", depth_multiplier, of)
    if is_imagenet(weights):
        require_trained(of, "alpha", alpha, tuple(ALPHAS))
        require_trained(of, "depth_multiplier", depth_multiplier, (1,))
    size = known_size(SIZES, input_shape)
    network = Network(
        partial(_features, alpha=alpha, depth_multiplier=depth_multiplier),
        partial(_top, dropout=checks.rate("dropout", dropout, of)),
        f"mobilenet_{alpha:.2f}_{{rows}}",
        size=size,
        pooling_names=(None, None),
        pretrained=f"mobilenet_{ALPHAS.get(alpha)}_{size}_tf",
    )
    return create_model(
        of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )
