"""Export of models as ONNX graphs, by calling them on ndonnx arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from portanet.backends import BackendUnavailableError, backend_class_of
from portanet.backends.ndonnx.backend import NdonnxBackend
from portanet.export import batch
from portanet.layers import Layer
from portanet.layers.preprocessing.host_layer import has_host_part
from portanet.saving.atomic import write_atomically
from portanet.tree import tree_leaves, tree_map

SIZES = (5, 7)
"""Batch sizes for tracing a model; not 1, which a layer may treat differently."""


class Entrance:
    """The signature of an input of a model.

    Args:
        shape: Shape; the first size is None if it is dynamic.
        dtype: Name of the dtype.
        name: Name of the input in the file.

    Example:
        >>> Entrance((None, 28, 28, 1), "float32", "image").shape
        (None, 28, 28, 1)
    """

    def __init__(self, shape: tuple[int | None, ...], dtype: str, name: str | None = None) -> None:
        self.shape, self.dtype, self.name = shape, dtype, name


def export_onnx(model: Layer, path: str | os.PathLike[str], signature: Any) -> None:
    """Write a built model, or any layer, as an ONNX file for inference; see `Model.export`.

    Args:
        model: The model; it is not modified.
        path: The file; an existing one is replaced.
        signature: For each input an object with a `shape`, batch axis first, and a `dtype`, in the structure of the
            model's input: arrays, whose batch size is dynamic, or `Entrance` objects. Floats become the model's dtype.

    Raises:
        BackendUnavailableError: ndonnx is not installed.
        ValueError: A size other than the batch size is unknown, or the model cannot be traced.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from portanet import export, layers
        >>> layer, x = layers.Dense(2), np.ones((1, 3), dtype="float32")
        >>> layer(x).shape
        (1, 2)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "dense.onnx"
        >>> export.export_onnx(layer, path, x)  # doctest: +SKIP
    """
    reason = NdonnxBackend.unavailable()
    if reason is not None:
        raise BackendUnavailableError(f"Model '{model.name}' cannot be exported to ONNX: {reason}")
    if has_host_part(model):
        raise ValueError(
            f"Model '{model.name}' takes strings, which are looked up before data reaches the device. Export the model "
            "after these layers: portanet.Model(model.get_layer('...').output, model.output). Received: a model with "
            "layers of strings"
        )
    leaves = _entrances(model, signature)
    entrances = dict(zip(_names(signature, leaves, getattr(model, "input_names", None), "input"), leaves, strict=True))
    try:
        if any(entrance.shape[0] is None for entrance in leaves):
            few, many = (_trace(model, signature, entrances, size) for size in SIZES)
            graph = batch.join(few, many, SIZES)
        else:
            graph = _trace(model, signature, entrances, 0)
    except Exception as error:
        raise ValueError(
            f"Model '{model.name}' cannot be exported to ONNX (see docs/export.md). Received: {error}"
        ) from error
    batch.name_constants(graph.graph)
    graph.producer_name = "portanet"
    with write_atomically(path) as file:
        file.write(graph.SerializeToString(deterministic=True))


def _trace(model: Layer, signature: Any, entrances: dict[str, Entrance], size: int) -> Any:
    """The model's graph, an `onnx.ModelProto`, with `size` in place of a dynamic batch size."""
    inputs = {
        name: NdonnxBackend.argument(tuple(size if n is None else n for n in entrance.shape), entrance.dtype)
        for name, entrance in entrances.items()
    }
    remaining = iter(inputs.values())
    out = model(tree_map(lambda _: next(remaining), signature), training=False)
    leaves = tree_leaves(out)
    known = None if isinstance(out, Mapping) else getattr(model, "output_names", None)
    names = _names(out, leaves, known, "output")
    # Copies give separate names to outputs that are also inputs or that repeat an output.
    return NdonnxBackend.build(inputs, {name: leaf.copy() for name, leaf in zip(names, leaves, strict=True)})


def _entrances(model: Layer, signature: Any) -> list[Entrance]:
    """The entrances of a signature."""
    entrances = []
    for leaf in tree_leaves(signature):
        example_shape = tuple(leaf.shape[1:])
        if None in example_shape:
            raise ValueError(
                f"Model '{model.name}' is exported for examples of fixed size; pass input_signature, an array of "
                f"such examples. Received: an input of shape {tuple(leaf.shape)}"
            )
        size = None if backend_class_of(leaf) is not None else leaf.shape[0]
        dtype = str(leaf.dtype).rpartition(".")[2]
        dtype = model.compute_dtype if "float" in dtype else dtype
        entrances.append(Entrance((size, *example_shape), dtype, _name_of(leaf)))
    return entrances


def _name_of(leaf: Any) -> str | None:
    name = getattr(leaf, "name", None)
    return name if isinstance(name, str) else None


def _names(tree: Any, leaves: list[Any], names: Any, default: str) -> list[str]:
    """Names of inputs or outputs: the model's, the keys of a dict, those of the leaves, or numbered defaults."""
    if names is not None:
        return list(names)
    if isinstance(tree, Mapping) and len(tree) == len(leaves):
        return [str(key) for key in tree]
    if len(leaves) == 1:
        return [_name_of(leaves[0]) or default]
    return [_name_of(leaf) or f"{default}_{i}" for i, leaf in enumerate(leaves)]
