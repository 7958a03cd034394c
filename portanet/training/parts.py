"""A model's result for a batch, computed for parts of the batch at the same time.

NumPy computes one elementwise operation after the other on one core. Parts of a batch, each differentiated on its own,
have a core each: half a batch takes half the time, whatever the layers do. It is for models whose layers all say that
they keep examples apart (`Layer.by_example`), some that they gain by it, and for backends that have parts
(`Backend.parts`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp, is_traced, vjp
from portanet.backends import Array, backend_class_of
from portanet.layers import Layer
from portanet.layers.calling import part_of_batch
from portanet.layers.several_inputs import map_shapes
from portanet.layers.symbolic import SymbolicArray
from portanet.tree import tree_leaves, tree_map

Forward = Callable[[dict[str, Array], Any], tuple[list[Array], Any]]
"""A model's results for parameters and inputs, with the examples as their first axis; and something beside, the same
for each part of a batch.
"""

ENOUGH = 2**17
"""How many numbers of a batch a layer has to see, on average: with fewer, parts wait for the interpreter more than they
gain. Measured for transformers on two cores: half of it takes 1.2 of the time of the whole, twice 0.75.
"""


class Division:
    """How batches are divided in the training of a model, if they are.

    Args:
        model: The model, built.
    """

    def __init__(self, model: Layer) -> None:
        layers = list(model.flatten_layers())
        divides = any(layer.gains_by_parts for layer in layers) and keeps_examples_apart(model)
        self.seen = [_input_shape(layer) for layer in layers if divides and layer.built and not layer.sublayers()]
        """Shapes that layers see; empty for models that would not gain, or for which a result might change."""

    def parts(self, x: Array) -> list[slice]:
        """The parts of a batch, of which `x` is the first input; sizes that layers do not know are those of `x`."""
        count, backend, whole = x.shape[0], backend_class_of(x), [slice(0, x.shape[0])]
        if not self.seen or backend is None:
            return whole
        sizes = dict(enumerate(x.shape))
        numbers = [math.prod(n or sizes.get(i, 1) for i, n in enumerate(shape[1:], 1)) for shape in self.seen]
        return backend.parts(count) if count * sum(numbers) >= ENOUGH * len(numbers) else whole

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
        layer.by_example
        and layer.activity_regularizer is None
        and not _goes_along_the_batch(layer)
        and not _has_constants(layer)
        and all(map(_is_ours, vars(layer).values()))
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


def _is_ours(value: Any) -> bool:
    """Whether it is no function, or one of this library."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return not callable(value) or module.partition(".")[0] == "portanet"


def _in_parts(forward: Forward, params: dict[str, Array], x: Any, parts: list[slice], backend: Any) -> Any:
    beside: list[Any] = []

    @custom_vjp
    def parted(*values: Array) -> Any:
        # Derivatives of derivatives are taken of the whole.
        chosen = [slice(0, parts[-1].stop)] if is_traced(values) else parts

        def compute(part: slice) -> Any:
            mine = tree_map(lambda leaf: leaf[part, ...], x)
            with part_of_batch(part):
                out, pull, aside = vjp(lambda p: forward(p, mine), dict(zip(params, values, strict=True)), has_aux=True)
            beside.append(aside)
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

    return list(parted(*params.values())), beside[0]
