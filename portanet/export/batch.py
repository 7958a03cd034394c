"""An ONNX graph with a dynamic batch size, from graphs of two batch sizes.

Layers are written for arrays of known shape, so a model is traced twice, with two batch sizes. The graphs have the same
nodes. They differ in constants that depend on the batch size: mostly sizes in a shape, `a * n + b` for a batch of n.
The two graphs determine a and b; in the result the constant is computed from the size of an input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends import HostArray

BATCH = "batch"


def join(few: Any, many: Any, sizes: tuple[int, int]) -> Any:
    """The graph for any batch size, an `onnx.ModelProto`.

    Args:
        few: The model traced with batch size `sizes[0]`; it becomes the result in place.
        many: The model traced with batch size `sizes[1]`.
        sizes: Two different batch sizes.

    Raises:
        ValueError: The graphs differ in more than constants that depend on the batch size.
    """
    from onnx import helper

    dynamic: list[Any] = []
    _join_nodes(few.graph, many.graph, sizes, dynamic)
    batch_axes = [
        (x.name, axis)
        for x, y in zip(few.graph.input, many.graph.input, strict=True)
        for axis in _make_dynamic(x, y, sizes)
    ]
    for x, y in zip(few.graph.output, many.graph.output, strict=True):
        _make_dynamic(x, y, sizes)
    if dynamic:
        name, axis = batch_axes[0]
        size = [
            helper.make_node("Shape", [name], ["batch_shape"], start=axis, end=axis + 1),
            helper.make_node("Squeeze", ["batch_shape"], [BATCH]),
        ]
        nodes = [*size, *dynamic, *few.graph.node]
        del few.graph.node[:]
        few.graph.node.extend(nodes)
    return few


def _join_nodes(few: Any, many: Any, sizes: tuple[int, int], dynamic: list[Any]) -> None:
    """Remove constants that differ between two graphs from the first; add nodes that compute them to `dynamic`."""
    nodes = []
    for x, y in zip(few.node, many.node, strict=False):
        if x != y and x.op_type == y.op_type == "Constant" and x.output == y.output:
            dynamic.extend(_dynamic_constant(x.output[0], _value(x), _value(y), sizes))
            continue
        for a, b in zip(x.attribute, y.attribute, strict=False):
            if a.HasField("g") and b.HasField("g"):
                _join_nodes(a.g, b.g, sizes, dynamic)
                b.g.CopyFrom(a.g)
        if x != y:
            raise ValueError(
                f"The model's computation depends on the batch size: it does {x.op_type} for {sizes[0]} examples, and "
                f"{y.op_type} for {sizes[1]}"
            )
        nodes.append(x)
    del few.node[:], few.value_info[:]
    few.node.extend(nodes)


def _dynamic_constant(name: str, few: HostArray, many: HostArray, sizes: tuple[int, int]) -> list[Any]:
    """Nodes that compute a constant from the batch size, given its values for two sizes."""
    from onnx import helper, numpy_helper

    def constant(output: str, value: HostArray) -> Any:
        return helper.make_node("Constant", [], [output], value=numpy_helper.from_array(value))

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
                *_dynamic_constant(f"{name}_shape", *shapes, sizes),
                helper.make_node("Expand", [f"{name}_row", f"{name}_shape"], [name]),
            ]
    raise ValueError(
        f"The model's computation depends on the batch size: a constant of shape {few.shape} for {sizes[0]} examples "
        f"has shape {many.shape} or other values for {sizes[1]}"
    )


def _value(node: Any) -> HostArray:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(node.attribute[0].t))


def _make_dynamic(few: Any, many: Any, sizes: tuple[int, int]) -> list[int]:
    """Make sizes dynamic that differ between two inputs or outputs; return the axes of the batch size."""
    batch_axes = []
    pairs = zip(few.type.tensor_type.shape.dim, many.type.tensor_type.shape.dim, strict=True)
    for axis, (x, y) in enumerate(pairs):
        if (x.dim_value, y.dim_value) == sizes:
            x.dim_param = BATCH
            batch_axes.append(axis)
        elif x.dim_value != y.dim_value:
            x.Clear()
    return batch_axes


def name_constants(graph: Any) -> None:
    """Turn constant nodes into initialisers of the graph, where other programs expect weights."""
    from onnx import TensorProto

    nodes = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            tensor = TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
