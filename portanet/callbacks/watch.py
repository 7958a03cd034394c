"""Seeing what each layer of a model computes, without a part in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from portanet.layers import Layer
from portanet.variables import bind


def named_layers(model: Layer, prefix: str = "") -> dict[str, Layer]:
    """The layers of a model, and of models inside it, by path; a layer that holds others, as one.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> inner = portanet.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="b")], name="inner")
        >>> list(named_layers(portanet.Sequential([layers.Input((3,)), inner, layers.Dense(1)])))
        ['inner/a', 'inner/b', 'dense']
    """
    found: dict[str, Layer] = {}
    for name, layer in model.sublayers().items():
        if hasattr(layer, "fit"):
            found |= named_layers(layer, f"{prefix}{name}/")
        else:
            found[prefix + name] = layer
    return found


def all_layers(model: Layer, path: str = "") -> dict[str, Layer]:
    """Every layer of a model by path, those inside others too, and the model itself under its name."""
    found: dict[str, Layer] = {}
    for name, layer in model.sublayers().items():
        found |= all_layers(layer, f"{path}/{name}" if path else name)
    found[path or model.name] = model
    return found


@contextlib.contextmanager
def watched(
    layers: dict[str, Layer], saw: Callable[[str, tuple[Any, ...], dict[str, Any], Any], None]
) -> Iterator[None]:
    """A `with` block in which a function is told of each call of some layers, when the call is done.

    The block is to call the model itself: steps that are compiled do not notice. Outside of the block layers are as
    they were, and calling them costs what it did.

    Args:
        layers: Layers by path.
        saw: Function of a layer's path, the positional and the other arguments of its `call`, and the result.
    """

    def tell(path: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def telling(*args: Any, **options: Any) -> Any:
            result = call(*args, **options)
            saw(path, args, options, result)
            return result

        return telling

    chosen = {layer: path for path, layer in reversed(layers.items())}
    try:
        for layer, path in chosen.items():
            vars(layer)["call"] = tell(path, layer.call)
        with bind({v: v.value for layer in chosen for v in layer.variables}):  # what calls assign is discarded
            yield
    finally:
        for layer in chosen:
            vars(layer).pop("call", None)
