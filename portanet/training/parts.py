"""A model's result for a batch, computed for parts of the batch at the same time.

Each part is differentiated on its own, so that a core has much to do before it has to wait for another: that is worth
more than dividing one operation after the other. It is for models whose layers all say that they keep examples apart
(`Layer.independent_examples`), and for backends that divide batches (`Backend.parts`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from portanet import activations
from portanet.autodiff import array_namespace, custom_vjp, is_traced, vjp
from portanet.backends import Array, backend_class_of
from portanet.configurable import Configurable
from portanet.layers import Layer
from portanet.layers.several_inputs import map_shapes
from portanet.layers.symbolic import SymbolicArray
from portanet.random.streams import part_of_batch
from portanet.tree import tree_leaves, tree_map

Forward = Callable[[dict[str, Array], Any], tuple[list[Array], Any]]
"""A model's results for parameters and inputs, with the examples as their first axis; and something else, the same
for each part of a batch.
"""


class Division:
    """How batches are divided in the training of a model, if they are.

    Args:
        model: The model, built.
    """

    def __init__(self, model: Layer) -> None:
        inner = [layer for layer in model.flatten_layers() if layer.built and not layer.sublayers()]
        self.shapes = [_input_shape(layer) for layer in inner] if keeps_examples_apart(model) else []
        """Shapes that layers see; none for models whose result might change."""

    def parts(self, x: Array) -> list[slice]:
        """The parts of a batch, of which `x` is the first input; sizes that layers do not know are those of `x`."""
        backend, sizes = backend_class_of(x), dict(enumerate(x.shape))
        if not self.shapes or backend is None:
            return [slice(0, x.shape[0])]
        seen = [math.prod(n or sizes.get(i, 1) for i, n in enumerate(shape[1:], 1)) for shape in self.shapes]
        return backend.parts(x.shape[0], sum(seen) / len(seen))

    def compute(self, forward: Forward, params: dict[str, Array], x: Any) -> tuple[list[Array], Any]:
        """As `forward(params, x)`.

        Args:
            forward: The model.
            params: Traced arrays by name.
            x: A tree of arrays, constants for the derivative.
        """
        first = tree_leaves(x)[0]
        parts = self.parts(first)
        return forward(params, x) if len(parts) < 2 else _in_parts(forward, params, x, parts, backend_class_of(first))


def keeps_examples_apart(model: Layer) -> bool:
    """Whether the result for each example is known to depend on that example alone, and to be all that comes of a call.

    Functions that a user wrote, be it an activation, may do anything.
    """
    return all(
        layer.independent_examples
        and layer.activity_regularizer is None
        and not _goes_along_the_batch(layer)
        and not _has_constants(layer)
        and not any(map(_is_unknown_function, vars(layer).values()))
        for layer in model.flatten_layers()
    )


def _goes_along_the_batch(layer: Layer) -> bool:
    """Whether the axis that a layer works along is the batch."""
    axis: Any = getattr(layer, "axis", None)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    if axis is None:
        return False
    known = layer.built and all(isinstance(each, int) for each in axes)
    return not known or any(each % len(_input_shape(layer)) == 0 for each in axes)


def _has_constants(layer: Layer) -> bool:
    """Whether it is called, in a graph, with arrays that are no inputs of the model: they may be for a whole batch."""
    leaves = tree_leaves([node.options for node in layer._nodes])
    return any(hasattr(leaf, "shape") and not isinstance(leaf, SymbolicArray) for leaf in leaves)


def _input_shape(layer: Layer) -> Any:
    """The shape that a layer was built for, or the first of several."""
    shapes: list[Any] = []
    map_shapes(shapes.append, layer.build_shape)
    return shapes[0]


_ACTIVATIONS = {getattr(activations, name) for name in activations.__all__}


def _is_unknown_function(value: Any) -> bool:
    """Whether it is a function of the user's."""
    return callable(value) and not isinstance(value, Configurable) and value not in _ACTIVATIONS


def _in_parts(forward: Forward, params: dict[str, Array], x: Any, parts: list[slice], backend: Any) -> Any:
    states: list[Any] = []

    @custom_vjp
    def parted(*values: Array) -> Any:
        # Derivatives of derivatives are taken of the whole.
        chosen = [slice(0, parts[-1].stop)] if is_traced(values) else parts

        def compute(part: slice) -> Any:
            mine = tree_map(lambda leaf: leaf[part, ...], x)
            with part_of_batch(part):
                out, pull, aside = vjp(lambda p: forward(p, mine), dict(zip(params, values, strict=True)), has_aux=True)
            states.append(aside)
            return out, pull

        found = backend.map_parts(compute, chosen)
        xp = array_namespace(*found[0][0])
        results = tuple(xp.concat(each) for each in zip(*(out for out, _ in found), strict=True))

        def pullback(cotangents: tuple[Array | None, ...]) -> tuple[Array, ...]:
            gs = [
                array_namespace(out).zeros_like(out) if g is None else g
                for g, out in zip(cotangents, results, strict=True)
            ]

            def pull(i: int) -> Any:
                return found[i][1]([g[chosen[i], ...] for g in gs])[0]

            grads = backend.map_parts(pull, range(len(chosen)))
            xp = array_namespace(*gs, *values)
            return tuple(functools.reduce(xp.add, [each[name] for each in grads]) for name in params)

        return results, pullback

    return list(parted(*params.values())), states[0]
