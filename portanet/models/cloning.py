"""Copies of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from portanet import checks
from portanet.configurable import clone
from portanet.layers import Input, InputLayer, Layer
from portanet.layers.operation_call import OperationCall
from portanet.layers.symbolic import SymbolicArray, fill
from portanet.models.functional import Functional
from portanet.models.model import Model
from portanet.models.sequential import Sequential
from portanet.tree import tree_leaves

M = TypeVar("M", bound=Model)
CloneFunction = Callable[[Layer], Layer]
CallFunction = Callable[..., Any]


def clone_model(
    model: M,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    call_function: CallFunction | None = None,
    recursive: bool = False,
) -> M:
    """A model of the same architecture with new layers and new weights; as `keras.models.clone_model`.

    It is compiled if the model is, with a new optimizer and new metrics.

    Args:
        model: A graph, a `Sequential`, or, without further arguments, a custom model that its arguments describe.
        input_tensors: Symbolic arrays to build on, one or a list in the order of the inputs; by default new ones.
        clone_function: Function from a layer to the one that takes its place; by default a copy with new weights.
        call_function: For a graph, `call_function(layer, *args, **options)`, which calls a new layer on its inputs and
            returns what later layers get: it may call others before or after. By default `layer(*args, **options)`.
        recursive: Whether models in the model are cloned with the same functions; else they go to `clone_function`.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
        >>> twin = portanet.models.clone_model(model)
        >>> list(twin.named_variables()), twin.layers[0] is model.layers[0]
        (['dense/kernel', 'dense/bias'], False)
        >>> wider = portanet.models.clone_model(model, clone_function=lambda layer: layers.Dense(4, name=layer.name))
        >>> wider.output_shape
        (None, 4)
    """
    if not isinstance(model, Model):
        raise checks.invalid("model", model, "a model", "clone_model")
    for name, function in (("clone_function", clone_function), ("call_function", call_function)):
        if function is not None and (isinstance(function, type) or not callable(function)):
            raise checks.invalid(name, function, "a function", "clone_model")
    recursive = checks.boolean("recursive", recursive, "clone_model")
    twin = _cloned(model, input_tensors, clone_function, call_function, recursive)
    if model.compiled and (config := model.get_compile_config()):
        twin.compile_from_config(clone(config))
    return cast(M, twin)


def _cloned(
    model: Model,
    input_tensors: Any,
    clone_function: CloneFunction | None,
    call_function: CallFunction | None,
    recursive: bool,
) -> Model:
    if input_tensors is None and clone_function is None and call_function is None:
        return cast(Model, clone(model))
    graph = isinstance(model, Functional)
    if not graph and (call_function is not None or not isinstance(model, Sequential)):
        allowed = "a graph" if call_function is not None else "a graph or a Sequential, with these arguments"
        raise checks.invalid("model", model, allowed, "clone_model")
    inputs = _inputs(model, input_tensors)

    def copied(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Functional, Sequential)):
            call = call_function if isinstance(layer, Functional) else None
            return clone_model(layer, None, clone_function, call, recursive)
        if clone_function is None or isinstance(layer, (OperationCall, InputLayer)):
            return cast(Layer, clone(layer))
        twin = clone_function(layer)
        if not isinstance(twin, Layer):
            raise checks.invalid("clone_function", twin, "a function that returns a layer", "clone_model")
        return twin

    if not graph:
        layers = [copied(layer) for layer in model.layers]
        return Sequential([*(array.node.layer for array in inputs), *layers], name=model.name)
    values = dict(zip(model.inputs, inputs, strict=True))
    twins: dict[Layer, Layer] = {}
    for node in cast(Functional, model).nodes:
        if node.layer not in twins:
            twins[node.layer] = copied(node.layer)
        twin, (args, options) = twins[node.layer], node.arguments(values)
        out = twin(*args, **options) if call_function is None else call_function(twin, *args, **options)
        values.update(zip(tree_leaves(node.outputs), tree_leaves(out), strict=True))
    return Functional(fill(model.input, values), fill(model.output, values), name=model.name)


def _inputs(model: Model, given: Any) -> list[SymbolicArray]:
    """The symbolic arrays that take the place of the inputs of a model."""
    if given is None:
        arrays = model.inputs if model.built else []
        return [Input(batch_shape=array.shape, dtype=array.dtype, name=array.name) for array in arrays]
    chosen = [leaf.output if isinstance(leaf, InputLayer) else leaf for leaf in tree_leaves(given)]
    if len(chosen) != len(model.inputs) or not all(isinstance(array, SymbolicArray) for array in chosen):
        raise checks.invalid("input_tensors", given, f"{len(model.inputs)} symbolic arrays", "clone_model")
    return chosen
