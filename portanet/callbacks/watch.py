"""Observing the calls of a model's layers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from portanet import checks
from portanet.backends import to_host
from portanet.layers import Layer
from portanet.tree import tree_leaves
from portanet.variables import bind


def named_layers(model: Layer, prefix: str = "") -> dict[str, Layer]:
    """The layers of a model, and of models inside it, by path; a layer that holds others is one entry.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> inner = portanet.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="b")], name="inner")
        >>> list(named_layers(portanet.Sequential([layers.Input((3,)), inner, layers.Dense(1)])))
        ['inner/a', 'inner/b', 'dense']
    """
    layers: dict[str, Layer] = {}
    for name, layer in model.sublayers().items():
        if hasattr(layer, "fit"):
            layers |= named_layers(layer, f"{prefix}{name}/")
        else:
            layers[prefix + name] = layer
    return layers


def all_layers(model: Layer, path: str = "") -> dict[str, Layer]:
    """All layers of a model by path, including those inside others, and the model itself under its name."""
    layers: dict[str, Layer] = {}
    for name, layer in model.sublayers().items():
        layers |= all_layers(layer, f"{path}/{name}" if path else name)
    layers[path or model.name] = model
    return layers


@contextlib.contextmanager
def watched(
    layers: dict[str, Layer], callback: Callable[[str, tuple[Any, ...], dict[str, Any], Any], None]
) -> Iterator[None]:
    """A `with` block in which a function is called after each call of the given layers.

    Call the model itself in the block: compiled steps bypass the function. After the block the layers and their
    variables are as before.

    Args:
        layers: Layers by path.
        callback: Function of a layer's path, the positional and keyword arguments of its `call`, and the result.
    """

    def wrap(path: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            callback(path, args, kwargs, result)
            return result

        return wrapped

    paths = {layer: path for path, layer in reversed(layers.items())}
    try:
        for layer, path in paths.items():
            vars(layer)["call"] = wrap(path, layer.call)
        with bind({v: v.value for layer in paths for v in layer.variables}):  # discards assignments of the calls
            yield
    finally:
        for layer in paths:
            vars(layer).pop("call", None)


def batch(name: str, x: Any, of: type) -> Any:
    """An argument that is a batch: an array of numbers, or a tree of them, on any device."""
    for leaf in tree_leaves(x) or [x]:
        host = to_host(leaf)
        if host.dtype.kind not in "biuf" or host.ndim == 0:
            received = f"{type(leaf).__name__} of shape {host.shape} and dtype {host.dtype}"
            raise ValueError(
                f"{checks.argument(name, of)} must be an array of numbers with a batch axis, or a tree of them. "
                f"Received: {received}"
            )
    return x
