"""One ONNX graph for every batch size, from the graphs of two.

Layers are written for arrays of known sizes, so a model is traced twice, with batches of two sizes. The two graphs have
the same nodes. Whatever differs is a constant that follows the batch size: most often an entry of a shape, which is
`a * n + b` for a batch of n. Two graphs tell a and b; in the result the constant is computed from the size of an input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends import HostArray

BATCH = "batch"


def join(few: Any, many: Any, sizes: tuple[int, int]) -> Any:
    """The graph for any batch size, an `onnx.ModelProto`.

    Args:
        few: The model traced with a batch of `sizes[0]`; it is changed into the result.
        many: The same, traced with `sizes[1]`.
        sizes: Two different batch sizes.

    Raises:
        ValueError: The graphs differ in more than constants that follow the batch size.
    """
    from onnx import helper

    follow: list[Any] = []
    _join_nodes(few.graph, many.graph, sizes, follow)
    where = [
        (x.name, axis)
        for x, y in zip(few.graph.input, many.graph.input, strict=True)
        for axis in _open_axes(x, y, sizes)
    ]
    for x, y in zip(few.graph.output, many.graph.output, strict=True):
        _open_axes(x, y, sizes)
    if follow:
        name, axis = where[0]
        size = [
            helper.make_node("Shape", [name], ["batch_shape"], start=axis, end=axis + 1),
            helper.make_node("Squeeze", ["batch_shape"], [BATCH]),
        ]
        nodes = [*size, *follow, *few.graph.node]
        del few.graph.node[:]
        few.graph.node.extend(nodes)
    return few


def _join_nodes(few: Any, many: Any, sizes: tuple[int, int], follow: list[Any]) -> None:
    """Take what differs between two graphs out of the first; add the nodes that compute it to `follow`."""
    kept = []
    for x, y in zip(few.node, many.node, strict=False):
        if x != y and x.op_type == y.op_type == "Constant" and x.output == y.output:
            follow.extend(_following(x.output[0], _value(x), _value(y), sizes))
            continue
        for a, b in zip(x.attribute, y.attribute, strict=False):
            if a.HasField("g") and b.HasField("g"):
                _join_nodes(a.g, b.g, sizes, follow)
                b.g.CopyFrom(a.g)
        if x != y:
            raise ValueError(
                f"What the model computes depends on the number of examples in a batch: with {sizes[0]} of them it "
                f"does {x.op_type} where with {sizes[1]} it does {y.op_type}"
            )
        kept.append(x)
    del few.node[:], few.value_info[:]
    few.node.extend(kept)


def _following(name: str, few: HostArray, many: HostArray, sizes: tuple[int, int]) -> list[Any]:
    """Nodes that compute a constant from the batch size, given its values for two sizes."""
    from onnx import helper, numpy_helper

    def constant(called: str, value: HostArray) -> Any:
        return helper.make_node("Constant", [], [called], value=numpy_helper.from_array(value))

    if few.shape == many.shape and few.dtype == many.dtype == np.int64:
        factor, rest = np.divmod(many - few, sizes[1] - sizes[0])
        if not np.any(rest):
            return [
                constant(f"{name}_factor", np.asarray(factor)),
                constant(f"{name}_offset", np.asarray(few - factor * sizes[0])),
                helper.make_node("Mul", [f"{name}_factor", BATCH], [f"{name}_product"]),
                helper.make_node("Add", [f"{name}_product", f"{name}_offset"], [name]),
            ]
    axes = [axis for axis in range(min(few.ndim, many.ndim)) if few.shape[axis] != many.shape[axis]]
    if few.ndim == many.ndim and len(axes) == 1:
        first = np.take(few, [0], axis=axes[0])
        if np.array_equal(few, np.broadcast_to(first, few.shape)) and np.array_equal(
            many, np.broadcast_to(first, many.shape)
        ):
            shapes = np.asarray(few.shape), np.asarray(many.shape)
            return [
                constant(f"{name}_row", first),
                *_following(f"{name}_shape", *shapes, sizes),
                helper.make_node("Expand", [f"{name}_row", f"{name}_shape"], [name]),
            ]
    raise ValueError(
        "What the model computes depends on the number of examples in a batch: a constant of shape "
        f"{few.shape} for {sizes[0]} examples has the shape {many.shape} or other values for {sizes[1]}"
    )


def _value(node: Any) -> HostArray:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(node.attribute[0].t))


def _open_axes(few: Any, many: Any, sizes: tuple[int, int]) -> list[int]:
    """Leave the sizes open that differ between two inputs or outputs; give the axes that have the batch size."""
    found = []
    pairs = zip(few.type.tensor_type.shape.dim, many.type.tensor_type.shape.dim, strict=True)
    for axis, (x, y) in enumerate(pairs):
        if (x.dim_value, y.dim_value) == sizes:
            x.dim_param = BATCH
            found.append(axis)
        elif x.dim_value != y.dim_value:
            x.Clear()
    return found


def name_constants(graph: Any) -> None:
    """Make constant nodes the graph's initialisers, where other programs look for weights."""
    from onnx import TensorProto

    kept = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            tensor = TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
