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

from portanet.autodiff import array_namespace, custom_vjp, vjp
from portanet.autodiff.boundary import zeros_like
from portanet.autodiff.traced import TracedArray
from portanet.autodiff.tree import tree_leaves, tree_map
from portanet.backends import Array, backend_class_of
from portanet.layers import Layer
from portanet.layers.calling import part_of_batch
from portanet.layers.several import map_shapes

Forward = Callable[[dict[str, Array], Any], tuple[list[Array], Any]]


ENOUGH = 2**17
"""How many numbers of a batch a layer has to see, on average: with fewer, parts wait for the interpreter, not for each
other's results. Measured for transformers on two cores: half of it takes 1.2 of the time of the whole, twice 0.75.
"""


def seen_in_parts(model: Layer) -> int:
    """What `seen_by_a_layer` says; 0 for models that would not gain, or for which it might change a result."""
    gains = any(layer.gains_by_parts for layer in model.flatten_layers())
    return seen_by_a_layer(model) if gains and keeps_examples_apart(model) else 0


def keeps_examples_apart(model: Layer) -> bool:
    """Whether the result for each example is known to depend on that example alone, and to be all that comes of a call.

    Functions that a user wrote, be it an activation, may do anything.
    """
    return all(
        layer.by_example
        and layer.activity_regularizer is None
        and not _goes_along_the_batch(layer)
        and all(map(_is_ours, vars(layer).values()))
        for layer in model.flatten_layers()
    )


def _goes_along_the_batch(layer: Layer) -> bool:
    """Whether the axis that a layer works along is the batch."""
    axis: Any = getattr(layer, "axis", None)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    return axis is not None and (not layer.built or any(each % len(_input_shape(layer)) == 0 for each in axes))


def _input_shape(layer: Layer) -> Any:
    """The shape that a layer was built for, or the first of several."""
    shapes: list[Any] = []
    map_shapes(shapes.append, layer.build_shape)
    return shapes[0]


def _is_ours(value: Any) -> bool:
    """Whether it is no function, or one of this library."""
    function = getattr(value, "func", value)
    module = getattr(function, "__module__", None) or type(function).__module__
    return not callable(function) or module.partition(".")[0] == "portanet"


def seen_by_a_layer(model: Layer) -> int:
    """How many numbers of an example a layer sees, on average; of sizes that are not known, 1."""
    shapes = [_input_shape(layer) for layer in model.flatten_layers() if layer.built and not layer.sublayers()]
    return sum(math.prod(n or 1 for n in shape[1:]) for shape in shapes) // max(1, len(shapes))


def in_parts(forward: Forward, params: dict[str, Array], x: Any, seen: int) -> tuple[list[Array], Any]:
    """As `forward(params, x)`, in the parts that the backend has for so many examples, if there is enough to do.

    Args:
        forward: Gives a list of arrays, the examples being their first axis, and something beside, the same for each
            part.
        params: Traced arrays by name.
        x: A tree of arrays, constants for the derivative.
        seen: What `seen_in_parts` says of the model.
    """
    first = tree_leaves(x)[0]
    count, backend = first.shape[0], backend_class_of(first)
    if count * seen < ENOUGH or backend is None or len(backend.parts(count)) < 2:
        return forward(params, x)
    beside: list[Any] = []

    @custom_vjp
    def parted(*values: Array) -> Any:
        # Derivatives of derivatives are taken of the whole.
        parts = [slice(0, count)] if any(type(v) is TracedArray for v in values) else backend.parts(count)

        def compute(part: slice) -> Any:
            mine = tree_map(lambda leaf: leaf[part, ...], x)
            with part_of_batch(part):
                out, pull, aside = vjp(lambda p: forward(p, mine), dict(zip(params, values, strict=True)), has_aux=True)
            beside.append(aside)
            return out, pull

        found = backend.map_parts(compute, parts)
        xp = array_namespace(*found[0][0])
        results = tuple(xp.concat(each) for each in zip(*(out for out, _ in found), strict=True))

        def pullback(cotangents: tuple[Array | None, ...]) -> tuple[Array, ...]:
            gs = [zeros_like(out) if g is None else g for g, out in zip(cotangents, results, strict=True)]

            def pull(i: int) -> Any:
                return found[i][1]([g[parts[i], ...] for g in gs])[0]

            grads = backend.map_parts(pull, range(len(parts)))
            xp = array_namespace(*gs, *values)
            return tuple(functools.reduce(xp.add, [each[name] for each in grads]) for name in params)

        return results, pullback

    return list(parted(*params.values())), beside[0]
