"""MobileNetV3: inverted residual blocks with squeeze and excitation (A. Howard et al. 2019, arXiv:1905.02244)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from portanet import checks
from portanet.applications.base import (
    CLASSES,
    IMAGENET,
    Network,
    Path,
    create_model,
    documented,
    is_imagenet,
    require_trained,
)
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_nothing as preprocess_input
from portanet.applications.parts import batch_norm, channels, padded, rounded
from portanet.layers import (
    Activation,
    Add,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
)
from portanet.models import Model

__all__ = ["decode_predictions", "preprocess_input"]

RELU, SWISH = "relu", "hard_swish"
SMALL = (
    (1, 16, 3, 2, True, RELU), (72 / 16, 24, 3, 2, False, RELU), (88 / 24, 24, 3, 1, False, RELU),
    (4, 40, 5, 2, True, SWISH), (6, 40, 5, 1, True, SWISH), (6, 40, 5, 1, True, SWISH), (3, 48, 5, 1, True, SWISH),
    (3, 48, 5, 1, True, SWISH), (6, 96, 5, 2, True, SWISH), (6, 96, 5, 1, True, SWISH), (6, 96, 5, 1, True, SWISH),
)  # fmt: skip
LARGE = (
    (1, 16, 3, 1, False, RELU), (4, 24, 3, 2, False, RELU), (3, 24, 3, 1, False, RELU), (3, 40, 5, 2, True, RELU),
    (3, 40, 5, 1, True, RELU), (3, 40, 5, 1, True, RELU), (6, 80, 3, 2, False, SWISH), (2.5, 80, 3, 1, False, SWISH),
    (2.3, 80, 3, 1, False, SWISH), (2.3, 80, 3, 1, False, SWISH), (6, 112, 3, 1, True, SWISH),
    (6, 112, 3, 1, True, SWISH), (6, 160, 5, 2, True, SWISH), (6, 160, 5, 1, True, SWISH), (6, 160, 5, 1, True, SWISH),
)  # fmt: skip
"""Expansion, filters, size of the kernel, stride, squeeze and excitation, and activation of each block."""
LAST = {"small": 1024, "large": 1280}
"""Filters of the convolution before the classifier."""


@dataclass(frozen=True)
class _Builder:
    """The parts of a network, with its options."""

    alpha: float
    minimalistic: bool

    def norm(self, x: Any, name: str) -> Any:
        return batch_norm(x, name, epsilon=1e-3, momentum=0.999)

    def activation(self, x: Any, kind: str = SWISH) -> Any:
        return ReLU()(x) if self.minimalistic or kind == RELU else Activation(SWISH)(x)

    def squeezed(self, x: Any, filters: int, block: str) -> Any:
        """Squeeze and excitation: channels are scaled by a function of their means."""
        start = f"{block}squeeze_excite_"
        scale = GlobalAveragePooling2D(keepdims=True, name=f"{start}avg_pool")(x)
        scale = Conv2D(rounded(filters / 4), 1, padding="same", name=f"{start}conv")(scale)
        scale = Conv2D(filters, 1, padding="same", name=f"{start}conv_1")(ReLU(name=f"{start}relu")(scale))
        scale = ReLU(6.0)(scale + 3.0) * (1.0 / 6.0)
        return Multiply(name=f"{start}mul")([x, scale])

    def block(
        self, x: Any, number: int, expansion: float, filters: int, size: int, strides: int, squeeze: bool, kind: str
    ) -> Any:
        """An inverted residual block."""
        size = 3 if self.minimalistic else size
        start, before, after = x, channels(x), rounded(filters * self.alpha)
        inner = rounded(before * expansion)
        block = f"expanded_conv_{number}_" if number else "expanded_conv_"
        if number:
            x = Conv2D(inner, 1, padding="same", use_bias=False, name=f"{block}expand")(x)
            x = self.activation(self.norm(x, f"{block}expand_bn"), kind)
        if strides == 2:
            x = padded(x, size, f"{block}depthwise_pad")
        padding = "same" if strides == 1 else "valid"
        x = DepthwiseConv2D(size, strides=strides, padding=padding, use_bias=False, name=f"{block}depthwise")(x)
        x = self.activation(self.norm(x, f"{block}depthwise_bn"), kind)
        if squeeze and not self.minimalistic:
            x = self.squeezed(x, inner, block)
        x = Conv2D(after, 1, padding="same", use_bias=False, name=f"{block}project")(x)
        x = self.norm(x, f"{block}project_bn")
        return Add(name=f"{block}add")([start, x]) if strides == 1 and before == after else x

    def features(self, x: Any, blocks: tuple[tuple[Any, ...], ...], rescale: bool) -> Any:
        if rescale:
            x = Rescaling(1.0 / 127.5, -1.0)(x)
        x = Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
        x = self.activation(self.norm(x, "conv_bn"))
        for number, block in enumerate(blocks):
            x = self.block(x, number, *block)
        x = Conv2D(rounded(6 * channels(x)), 1, padding="same", use_bias=False, name="conv_1")(x)
        return self.activation(self.norm(x, "conv_1_bn"))

    def top(self, x: Any, classes: int, activation: Any, last: int, dropout: float) -> Any:
        """Global average pooling, and two dense layers as convolutions."""
        filters = rounded(last * self.alpha) if self.alpha > 1 else last
        x = Conv2D(filters, 1, padding="same", name="conv_2")(GlobalAveragePooling2D(keepdims=True)(x))
        x = self.activation(x)
        if dropout > 0:
            x = Dropout(dropout)(x)
        x = Flatten()(Conv2D(classes, 1, padding="same", name="logits")(x))
        return Activation(activation, name="predictions")(x)


def _application(version: str, blocks: tuple[tuple[Any, ...], ...]) -> Callable[..., Model]:
    of = f"MobileNetV3{version.capitalize()}"

    def create(
        input_shape: Sequence[int | None] | None = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        classes: int = CLASSES,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = of,
    ) -> Model:
        """Create the network.

        Args:
            input_shape: The shape of an image, if there is no `input_tensor`; by default any size.
            alpha: Multiplies the number of filters; weights of ImageNet exist for .75 and 1, or 1 if `minimalistic`.
            minimalistic: Whether to use kernels of 3 x 3 and ReLU only, without squeeze and excitation.
            include_top: Whether to end in a classifier.
            weights: `"imagenet"` to download weights, the path of a file of weights, or None to draw them.
            input_tensor: A symbolic array of images.
            classes: Number of classes.
            pooling: Without a top, `"avg"` or `"max"` for global pooling of the features; None to return them.
            dropout_rate: Rate of the dropout before the classifier.
            classifier_activation: Activation of the top, or None for logits.
            include_preprocessing: Whether images have values from 0 to 255; else from -1 to 1.
            name: Name of the model.

        Returns:
            The model.

        Raises:
            ValueError: An argument is wrong, or weights and architecture do not match.
            ImportError: An extra is missing.
            OSError: The weights cannot be downloaded or opened.

        Example:
            >>> from portanet import applications
            >>> applications.MobileNet(weights=None, classes=10).output_shape
            (None, 10)
        """
        alpha = checks.positive("alpha", alpha, of)
        minimalistic = checks.boolean("minimalistic", minimalistic, of)
        if is_imagenet(weights):
            require_trained(of, "alpha", alpha, (1.0,) if minimalistic else (0.75, 1.0))
        builder = _Builder(alpha, minimalistic)
        rescale = checks.boolean("include_preprocessing", include_preprocessing, of)
        kind = f"{version}_minimalistic" if minimalistic else version
        network = Network(
            partial(builder.features, blocks=blocks, rescale=rescale),
            partial(builder.top, last=LAST[version], dropout=checks.rate("dropout_rate", dropout_rate, of)),
            of,
            any_size=True,
            pretrained=f"mobilenet_v3_{kind}_224_{alpha}_float",
        )
        return create_model(
            of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )

    return documented(create, of, f"MobileNetV3, {version}.")


MobileNetV3Small = _application("small", SMALL)
MobileNetV3Large = _application("large", LARGE)
