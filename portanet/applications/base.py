"""How networks for images are put together: arguments, input, top and weights."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from portanet import activations, checks
from portanet.applications.parts import channel_axis
from portanet.applications.pretrained import pretrained_weights
from portanet.layers import GlobalAveragePooling2D, GlobalMaxPooling2D, Input, InputLayer
from portanet.layers.symbolic import SymbolicArray, nodes_before
from portanet.models import Model
from portanet.saving.archive import open_archive
from portanet.saving.foreign import load_torch_state_dict
from portanet.saving.safetensors import format_of
from portanet.variables import allocate_for_loading

Path = str | os.PathLike[str]
Layout = Callable[[Model, dict[str, Any]], dict[str, Any]]
IMAGENET = "imagenet"
CLASSES = 1000
"""The number of classes of ImageNet."""


@dataclass(frozen=True)
class TorchVersion:
    """The same network as torchvision has it.

    Attributes:
        features: Its features, where details differ.
        module: The module for a layer, by their names.
        convert: A conversion of arrays by name, for layouts that differ.
    """

    features: Callable[[Any], Any]
    module: Callable[[str], str]
    convert: Layout | None = None


@dataclass(frozen=True)
class Network:
    """A network without arguments.

    Attributes:
        features: From a symbolic array of images to features.
        top: From features, the number of classes and an activation to probabilities.
        size: Height and width of images by default.
        least: Their minimum.
        name: The name of the model by default, with `{rows}` for the height of images.
        pooling_names: The names of the layers of average and maximum pooling.
        any_size: Whether images may be of any size with a top, too.
        imagenet_features: The features for weights of ImageNet, where they differ.
        torch: The version of torchvision, if weights of it can be loaded.
        channels_first: Whether images may have channels first.
        pretrained: The key of its weights in `pretrained.py`, if it is not the name.
    """

    features: Callable[[Any], Any]
    top: Callable[[Any, int, Any], Any]
    name: str
    size: int = 224
    least: int = 32
    pooling_names: tuple[str | None, str | None] = ("avg_pool", "max_pool")
    any_size: bool = False
    imagenet_features: Callable[[Any], Any] | None = None
    torch: TorchVersion | None = None
    channels_first: bool = True
    pretrained: str = ""


class Application(Protocol):
    """A function that creates a network, with the arguments that most of them have."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = None,
    ) -> Model:
        """Create the network.

        Args:
            include_top: Whether to end in a classifier.
            weights: `"imagenet"` to download weights (extras `data` and `keras`), the path of a file of weights, or
                None to draw them. Files are those of `Model.load_weights`, `.h5` files of earlier versions of Keras,
                and for some networks safetensors files of torchvision's.
            input_tensor: A symbolic array of images, instead of an `Input`.
            input_shape: The shape of an image, if there is no `input_tensor`; (224, 224, 3), or the size for which the
                network was designed, with a top, any size without one.
            pooling: Without a top, `"avg"` or `"max"` for global pooling of the features; None to return them.
            classes: Number of classes of the top.
            classifier_activation: Activation of the top: a name, a function, or None for logits.
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


def application(of: str, title: str, network: Network) -> Application:
    """A function with the arguments of `Application`.

    Args:
        of: Its name.
        title: The first line of its docstring.
        network: What it creates.
    """

    def create(
        include_top: bool = True,
        weights: Path | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = network.name,
    ) -> Model:
        return create_model(
            of, network, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )

    return cast(Application, documented(create, of, title))


def documented(create: Callable[..., Model], of: str, title: str) -> Callable[..., Model]:
    """Name and document a function that creates a network; its docstring begins with `title`."""
    text = create.__doc__ or Application.__call__.__doc__ or ""
    create.__name__ = create.__qualname__ = of
    text = text.removeprefix("Create the network.").replace("applications.MobileNet(", f"applications.{of}(")
    create.__doc__ = title + text
    return create


def create_model(
    of: str,
    network: Network,
    include_top: bool,
    weights: Path | None,
    input_tensor: Any,
    input_shape: Sequence[int | None] | None,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str | None,
) -> Model:
    """Create a network, and load its weights; see `Application`."""
    checks.boolean("include_top", include_top, of)
    checks.choice("pooling", pooling, (None, "avg", "max"), of)
    checks.positive_int("classes", classes, of)
    if name is not None:
        checks.text("name", name, of)
    activations.get(classifier_activation, "classifier_activation", of)
    if channel_axis() == 1 and not network.channels_first:
        raise ValueError(
            f"{of} takes images with channels last: call portanet.config.set_image_data_format('channels_last'). "
            "Received: image_data_format='channels_first'"
        )
    _check_weights(of, weights, include_top, classes, classifier_activation)
    pretrained = is_imagenet(weights)
    shape = _image_shape(of, network, input_shape, include_top, pretrained)
    images = Input(shape) if input_tensor is None else _symbolic(of, input_tensor)
    if pretrained:
        weights = pretrained_weights(network.pretrained or network.name, include_top)
    torch = None if weights is None else _torch_version(of, network, weights)
    features = network.features if torch is None else torch.features
    if pretrained and network.imagenet_features is not None:
        features = network.imagenet_features
    with contextlib.nullcontext() if weights is None else allocate_for_loading(os.path.getsize(weights)):
        x = features(images)
        if include_top:
            x = network.top(x, classes, classifier_activation)
        elif pooling == "avg":
            x = GlobalAveragePooling2D(name=network.pooling_names[0])(x)
        elif pooling == "max":
            x = GlobalMaxPooling2D(name=network.pooling_names[1])(x)
    if name is None:
        name = network.name.format(rows=network.size if pretrained else shape[1 if channel_axis() == 1 else 0])
    model = Model(images if input_tensor is None else _sources(input_tensor), x, name=name)
    if torch is not None:
        _load_torch(model, torch, cast(Path, weights))
    elif weights is not None:
        model.load_weights(weights)
    return model


def is_imagenet(weights: Any) -> bool:
    """Whether weights are those trained on ImageNet."""
    return isinstance(weights, str) and weights == IMAGENET


def require_trained(of: str, name: str, value: Any, known: tuple[Any, ...]) -> None:
    """Refuse an argument for which there are no weights trained on ImageNet."""
    if value not in known:
        raise checks.invalid(name, value, f"one of {', '.join(map(str, known))} with weights='imagenet'", of)


def known_size(sizes: tuple[int, ...], input_shape: Any, input_tensor: Any = None) -> int:
    """The size of square images if it is one of `sizes`, else 224."""
    if input_shape is None and isinstance(input_tensor, SymbolicArray):
        input_shape = input_tensor.shape[1:]
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 3:
        return 224
    rows, columns = input_shape[1:] if channel_axis() == 1 else input_shape[:2]
    return int(rows) if rows == columns and rows in sizes else 224


def _image_shape(
    of: str, network: Network, input_shape: Any, include_top: bool, pretrained: bool
) -> tuple[int | None, ...]:
    """The shape of an image, checked; the default if `input_shape` is None."""
    first = channel_axis() == 1
    default = (3, network.size, network.size) if first else (network.size, network.size, 3)
    fixed = include_top and not network.any_size
    if input_shape is None:
        if fixed:
            return default
        return (3, None, None) if first else (None, None, 3)
    shape = checks.sizes("input_shape", input_shape, of, least=1)
    if len(shape) != 3:
        raise checks.invalid("input_shape", input_shape, "three sizes, such as (224, 224, 3)", of)
    channels, sides = (shape[0], shape[1:]) if first else (shape[2], shape[:2])
    if pretrained and fixed and shape != default:
        expected = f"{default}, which the pretrained top takes; pass include_top=False for other sizes"
        raise checks.invalid("input_shape", input_shape, expected, of)
    if pretrained and channels != 3:
        raise checks.invalid("input_shape", input_shape, "a shape with 3 channels, which pretrained weights take", of)
    if channels not in (1, 3):
        warnings.warn(f"{of} usually takes images with 1 or 3 channels. Received: {input_shape=}", stacklevel=4)
    if any(side is not None and side < network.least for side in sides):
        raise checks.invalid("input_shape", input_shape, f"images of at least {network.least} pixels a side", of)
    if fixed and None in shape:
        raise checks.invalid("input_shape", input_shape, "a shape without None; or pass include_top=False", of)
    return shape


def _check_weights(of: str, weights: Any, include_top: bool, classes: int, activation: Any) -> None:
    if weights is None:
        return
    expected = "None, 'imagenet', or the path of a file of weights"
    try:
        path = checks.path("weights", weights, of)
    except ValueError:
        raise checks.invalid("weights", weights, expected, of) from None
    if not is_imagenet(weights) and not os.path.exists(path):
        raise checks.invalid("weights", weights, f"{expected}; there is no such file", of)
    if is_imagenet(weights) and include_top and classes != CLASSES:
        raise checks.invalid(
            "classes", classes, f"{CLASSES} with weights='imagenet'; pass include_top=False for other classes", of
        )
    if include_top and activations.get(activation) not in (activations.get(None), activations.get("softmax")):
        raise checks.invalid("classifier_activation", activation, "None or 'softmax' with loaded weights", of)


# Inputs


def _symbolic(of: str, input_tensor: Any) -> SymbolicArray:
    if not isinstance(input_tensor, SymbolicArray):
        raise checks.invalid("input_tensor", input_tensor, "a symbolic array, such as layers.Input((224, 224, 3))", of)
    return input_tensor


def _sources(array: SymbolicArray) -> list[SymbolicArray]:
    """The inputs on which a symbolic array depends."""
    if isinstance(array.node.layer, InputLayer):
        return [array]
    arrays = [source for node in nodes_before([array], {}) for source in node.sources]
    return list(dict.fromkeys(source for source in arrays if isinstance(source.node.layer, InputLayer)))


# Weights of torchvision


def _torch_version(of: str, network: Network, weights: Path) -> TorchVersion | None:
    """The version of torchvision, if the weights are of it: a safetensors file that portanet did not write."""
    if format_of(weights) is not None:
        return None
    with open_archive(weights) as archive:
        if archive.document is not None:
            return None
    if network.torch is None:
        raise checks.invalid(
            "weights",
            weights,
            "a file of Keras or portanet; for other weights, use weights=None and load_torch_state_dict with a mapping",
            of,
        )
    return network.torch


def _load_torch(model: Model, version: TorchVersion, path: Path) -> None:
    with open_archive(path) as archive:
        arrays: dict[str, Any] = {name: archive.read(name).values for name in archive.names}
    if version.convert is not None:
        arrays = version.convert(model, arrays)
    modules = {layer.name: version.module(layer.name) for layer in model.layers if layer.weights}
    load_torch_state_dict(model, arrays, modules)
