"""ConvNeXt: convolutions in the design of transformers (Z. Liu et al. 2022, arXiv:2201.03545)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, cast

from portanet import checks
from portanet.applications.base import CLASSES, IMAGENET, Network, Path, create_model, documented
from portanet.applications.imagenet_utils import DEVIATION, MEAN, decode_predictions
from portanet.applications.imagenet_utils import preprocess_nothing as preprocess_input
from portanet.applications.parts import channels
from portanet.layers import (
    Activation,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    LayerNormalization,
    LayerScale,
    Normalization,
)
from portanet.models import Model, Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

EPSILON, SCALE = 1e-6, 1e-6


class Application(Protocol):
    """A function with the arguments of these networks."""

    def __call__(
        self,
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = None,
    ) -> Model:
        """Create the network; see `applications.base.Application`."""


def _normalization(name: str) -> LayerNormalization:
    return LayerNormalization(epsilon=EPSILON, name=name)


def _block(x: Any, filters: int, block: str) -> Any:
    start = x
    x = Conv2D(filters, 7, padding="same", groups=filters, name=f"{block}_depthwise_conv")(x)
    x = _normalization(f"{block}_layernorm")(x)
    x = Dense(4 * filters, name=f"{block}_pointwise_conv_1")(x)
    x = Activation("gelu", name=f"{block}_gelu")(x)
    x = Dense(filters, name=f"{block}_pointwise_conv_2")(x)
    x = LayerScale(SCALE, filters, name=f"{block}_layer_scale")(x)
    return start + Activation("linear", name=f"{block}_identity")(x)


def _features(x: Any, depths: tuple[int, ...], filters: tuple[int, ...], rescale: bool, prefix: str) -> Any:
    if rescale and channels(x) == 3:
        mean, variance = [255 * value for value in MEAN], [(255 * value) ** 2 for value in DEVIATION]
        x = Normalization(mean=mean, variance=variance, name=f"{prefix}_prestem_normalization")(x)
    for stage, (depth, count) in enumerate(zip(depths, filters, strict=True)):
        if stage == 0:
            stem = [Conv2D(count, 4, strides=4, name=f"{prefix}_stem_conv"), _normalization(f"{prefix}_stem_layernorm")]
            x = Sequential(stem, name=f"{prefix}_stem")(x)
        else:
            smaller = [
                _normalization(f"{prefix}_downsampling_layernorm_{stage - 1}"),
                Conv2D(count, 2, strides=2, name=f"{prefix}_downsampling_conv_{stage - 1}"),
            ]
            x = Sequential(smaller, name=f"{prefix}_downsampling_block_{stage - 1}")(x)
        for index in range(depth):
            x = _block(x, count, f"{prefix}_stage_{stage}_block_{index}")
    return x


def _top(x: Any, classes: int, activation: Any, prefix: str) -> Any:
    x = _normalization(f"{prefix}_head_layernorm")(GlobalAveragePooling2D(name=f"{prefix}_head_gap")(x))
    return Dense(classes, activation=activation, name=f"{prefix}_head_dense")(x)


def _application(version: str, blocks: int, filters: int) -> Application:
    of, default = f"ConvNeXt{version}", f"convnext_{version.lower()}"

    def create(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = default,
    ) -> Model:
        rescale = checks.boolean("include_preprocessing", include_preprocessing, of)
        prefix = name if isinstance(name, str) and name else default
        sizes = tuple(filters << stage for stage in range(4))
        features = partial(_features, depths=(3, 3, blocks, 3), filters=sizes, rescale=rescale, prefix=prefix)
        network = Network(
            features, partial(_top, prefix=prefix), default, pooling_names=(None, None), channels_first=False
        )
        return create_model(
            of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )

    title = (
        f"ConvNeXt {version}, for images with values from 0 to 255; standardized ones with "
        "`include_preprocessing=False`."
    )
    return cast(Application, documented(create, of, title))


ConvNeXtTiny = _application("Tiny", 9, 96)
ConvNeXtSmall = _application("Small", 27, 96)
ConvNeXtBase = _application("Base", 27, 128)
ConvNeXtLarge = _application("Large", 27, 192)
ConvNeXtXLarge = _application("XLarge", 27, 256)
