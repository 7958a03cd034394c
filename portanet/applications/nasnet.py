"""NASNet: two kinds of cells, found by search (B. Zoph et al. 2018, arXiv:1707.07012)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, cast

from portanet.applications.base import CLASSES, IMAGENET, Network, Path, create_model, documented
from portanet.applications.imagenet_utils import decode_predictions
from portanet.applications.imagenet_utils import preprocess_tf as preprocess_input
from portanet.applications.parts import batch_norm, channels, padded, pooled_top
from portanet.layers import (
    Activation,
    Add,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Cropping2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)
from portanet.models import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

norm = partial(batch_norm, momentum=0.9997, epsilon=1e-3)
conv = partial(Conv2D, padding="same", use_bias=False, kernel_initializer="he_normal")


class Application(Protocol):
    """A function with the arguments of these networks."""

    def __call__(
        self,
        input_shape: Sequence[int | None] | None = None,
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = None,
    ) -> Model:
        """Create the network."""


def _separable(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    """Two separable convolutions, the first with strides."""
    x = Activation("relu")(x)
    if strides == 2:
        x = padded(x, size, f"separable_conv_1_pad_{name}")
    for number, step in ((1, strides), (2, 1)):
        padding = "valid" if step == 2 else "same"
        layer = SeparableConv2D(
            filters, size, strides=step, padding=padding, use_bias=False, name=f"separable_conv_{number}_{name}"
        )
        x = norm(layer(x), f"separable_conv_{number}_bn_{name}")
        if number == 1:
            x = Activation("relu")(x)
    return x


def _adjusted(before: Any, x: Any, filters: int, halve: bool, cell: str) -> Any:
    """The output of the cell before the last, with the size and channels of this one."""
    if before is None:
        return x
    if halve:
        before = Activation("relu", name=f"adjust_relu_1_{cell}")(before)
        shifted = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(before))
        halves = []
        for number, start in ((1, before), (2, shifted)):
            start = AveragePooling2D(1, strides=2, padding="valid", name=f"adjust_avg_pool_{number}_{cell}")(start)
            halves.append(conv(filters // 2, 1, name=f"adjust_conv_{number}_{cell}")(start))
        return norm(Concatenate()(halves), f"adjust_bn_{cell}")
    if channels(before) != filters:
        before = conv(filters, 1, name=f"adjust_conv_projection_{cell}")(Activation("relu")(before))
        return norm(before, f"adjust_bn_{cell}")
    return before


def _start(x: Any, filters: int, kind: str, cell: str) -> Any:
    return norm(conv(filters, 1, name=f"{kind}_conv_1_{cell}")(Activation("relu")(x)), f"{kind}_bn_1_{cell}")


def _normal(x: Any, before: Any, filters: int, halve: bool, cell: str) -> Any:
    """A cell that keeps the size."""
    p = _adjusted(before, x, filters, halve, cell)
    h = _start(x, filters, "normal", cell)

    def average(x: Any, name: str) -> Any:
        return AveragePooling2D(3, strides=1, padding="same", name=f"normal_{name}_{cell}")(x)

    def total(number: int, *parts: Any) -> Any:
        return Add(name=f"normal_add_{number}_{cell}")(list(parts))

    separable = partial(_separable, filters=filters)
    first = total(
        1,
        separable(h, size=5, name=f"normal_left1_{cell}"),
        separable(p, size=3, name=f"normal_right1_{cell}"),
    )
    second = total(
        2,
        separable(p, size=5, name=f"normal_left2_{cell}"),
        separable(p, size=3, name=f"normal_right2_{cell}"),
    )
    third = total(3, average(h, "left3"), p)
    fourth = total(4, average(p, "left4"), average(p, "right4"))
    fifth = total(5, separable(h, size=3, name=f"normal_left5_{cell}"), h)
    return Concatenate(name=f"normal_concat_{cell}")([p, first, second, third, fourth, fifth])


def _reduction(x: Any, before: Any, filters: int, halve: bool, cell: str) -> Any:
    """A cell that halves the size."""
    p = _adjusted(before, x, filters, halve, cell)
    h = _start(x, filters, "reduction", cell)
    h3 = padded(h, 3, f"reduction_pad_1_{cell}")

    def half(x: Any, size: int, name: str) -> Any:
        return _separable(x, filters, size, f"reduction_{name}_{cell}", strides=2)

    def pooled(kind: Any, name: str) -> Any:
        return kind(3, strides=2, padding="valid", name=f"reduction_{name}_{cell}")(h3)

    def total(name: str | None, *parts: Any) -> Any:
        return Add(name=name and f"reduction_{name}_{cell}")(list(parts))

    first = total("add_1", half(h, 5, "left1"), half(p, 7, "right1"))
    second = total("add_2", pooled(MaxPooling2D, "left2"), half(p, 7, "right2"))
    third = total("add3", pooled(AveragePooling2D, "left3"), half(p, 5, "right3"))
    fourth = AveragePooling2D(3, strides=1, padding="same", name=f"reduction_left4_{cell}")(first)
    fourth = total(None, second, fourth)
    fifth = _separable(first, filters, 3, f"reduction_left4_{cell}")
    fifth = total("add4", fifth, pooled(MaxPooling2D, "right5"))
    return Concatenate(name=f"reduction_concat_{cell}")([second, third, fourth, fifth])


def _features(x: Any, stem: int, filters: int, repeats: int, skip: bool) -> Any:
    """The features.

    Args:
        x: Images.
        stem: Filters of the first convolution.
        filters: Filters in the cells of the first stage; they double from stage to stage.
        repeats: Cells that keep the size, in each stage.
        skip: Whether the cell after a reduction takes the output from before the input of the reduction.
    """
    x = Conv2D(stem, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1")(x)
    x = norm(x, "stem_bn1")
    before, x = x, _reduction(x, None, filters // 4, False, "stem_1")
    before, x = x, _reduction(x, before, filters // 2, True, "stem_2")
    for stage in range(3):
        count = repeats * stage
        if stage:
            reduced = _reduction(x, before, filters * 2**stage, False, f"reduce_{count}")
            before, x = before if skip else x, reduced
        for index in range(repeats):
            cell = str(count + index + (stage > 0))
            before, x = x, _normal(x, before, filters * 2**stage, index == 0, cell)
    return Activation("relu")(x)


def _application(version: str, size: int, **options: Any) -> Application:
    of, default = f"NASNet{version}", f"nasnet_{version.lower()}"
    network = Network(
        partial(_features, **options),
        partial(pooled_top, pool=None),
        default,
        size=size,
        pooling_names=(None, None),
        channels_first=False,
    )

    def create(
        input_shape: Sequence[int | None] | None = None,
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = default,
    ) -> Model:
        return create_model(
            of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )

    return cast(Application, documented(create, of, f"NASNet-A {version}, for images of {size} x {size} pixels."))


NASNetMobile = _application("Mobile", 224, stem=32, filters=44, repeats=4, skip=False)
NASNetLarge = _application("Large", 331, stem=96, filters=168, repeats=6, skip=True)
