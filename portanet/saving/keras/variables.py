"""Where the weights of a model are in a file of Keras.

Keras names weights by attributes: `layers/dense_1/vars/0` is the first weight of the second `Dense` in the list
`layers` of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portanet import layers
from portanet.configurable import overrides
from portanet.layers import Layer
from portanet.lookup import snake_case
from portanet.saving.keras.hdf5 import WeightFile
from portanet.saving.keras.kinds import kinds
from portanet.variables import Variable

CLASS_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Classes that have another name inside of Keras than in its interface."""
PROJECTIONS: dict[type, str] = {layers.MultiHeadAttention: "{}_dense", layers.GroupQueryAttention: "_{}_dense"}
"""Layers whose projections are layers in Keras, and the attributes that hold these."""
IGNORED = ("optimizer/", "metrics/", "_metrics/", "compile_metrics/", "_compile_metrics/", "_loss_tracker/")
"""What a file may hold besides the weights of layers."""
WITHOUT_VARIABLE = ("/idf_weights",)
"""Ends of names of arrays that are no variables here."""

Groups = dict[str, list[Variable]]


def groups(model: Layer) -> Groups:
    """The weights of each layer that leaves them to the file, by the path of its group in it."""
    return _groups({path: layer for path, layer in layers_in_file(model).items() if not has_own_arrays(layer)})


def layers_in_file(model: Layer) -> dict[str, Layer]:
    """A model and all layers in it, by their paths in a file."""
    return dict(_visit(model, "", set(), in_file=True))


def has_own_arrays(layer: Layer) -> bool:
    """Whether a layer has methods of its own that write or read its arrays."""
    return overrides(type(layer), Layer, "save_own_variables", "load_own_variables")


def names(model: Layer) -> dict[str, list[str]]:
    """The names of a model's weights in a file, by their paths in the model; a shared one may be there twice."""
    paths = {variable: path for path, variable in model.named_variables().items()}
    named: dict[str, list[str]] = {}
    for group, variables in groups(model).items():
        for index, variable in enumerate(variables):
            named.setdefault(paths[variable], []).append(array_name(group, index))
    return named


def array_name(group: str, name: int | str) -> str:
    """The name of an array in a file, by its index or name in a group."""
    return _joined(group, f"vars/{name}")


def in_file(model: Layer, file: WeightFile) -> dict[str, str]:
    """The arrays of a file by their paths in a model, and those that it does not have, by their names."""
    present = set(file.names)
    named = names(model)
    known = {path: several[-1] for path, several in named.items() if several[-1] in present}
    used = {name for several in named.values() for name in several}
    own = tuple(array_name(path, "") for path, layer in layers_in_file(model).items() if has_own_arrays(layer))
    others = (n for n in file.names if n not in used and not n.startswith(IGNORED + own) and "seed_generator" not in n)
    others = (name for name in others if not name.endswith(WITHOUT_VARIABLE))
    return known | {name: name for name in others}


def trained(model: Layer) -> list[str]:
    """The paths of the weights that an optimizer trains, in Keras's order."""
    several = _groups(dict(_visit(model, "", set(), in_file=False))).values()
    wanted = set(model.trainable_paths())
    paths = {variable: path for path, variable in model.named_variables().items()}
    order = dict.fromkeys(paths[variable] for variables in several for variable in variables)
    return [path for path in order if path in wanted]


def layers_of(model: Layer) -> list[Layer]:
    """The layers of a graph or a stack, as `model.layers` of Keras, with the inputs of a graph."""
    if isinstance(model, kinds().functional):
        return list(model._order)
    if isinstance(model, kinds().sequential):
        return list(model._chain.values())
    return []


def _groups(visited: dict[str, Layer]) -> Groups:
    parts = ((_joined(path, part), own) for path, layer in visited.items() for part, own in _own(layer).items())
    return {path: variables for path, variables in parts if variables}


def _visit(layer: Layer, path: str, seen: set[Layer], in_file: bool) -> Iterator[tuple[str, Layer]]:
    if layer in seen:
        return
    seen.add(layer)
    yield path, layer
    parts = list(_parts(layer))
    if in_file:  # attributes by name, private ones last; the layers of a graph or a stack come first
        first = "layers" if isinstance(layer, (kinds().functional, kinds().sequential)) else None
        if first is None and isinstance(layer, kinds().model):
            parts.append(("layers", list(layer.sublayers().values())))
        parts.sort(key=lambda part: (part[0] != first, part[0].startswith("_"), part[0]))
    for attribute, held in parts:
        if isinstance(held, Layer):
            yield from _visit(held, _joined(path, attribute), seen, in_file)
        else:
            yield from _visit_list(held, _joined(path, attribute), seen, in_file)


def _visit_list(held: Any, path: str, seen: set[Layer], in_file: bool) -> Iterator[tuple[str, Layer]]:
    counts: dict[str, int] = {}
    for item in held.values() if isinstance(held, dict) else held:
        nested = isinstance(item, (list, tuple, dict))
        if not nested and not isinstance(item, Layer):
            continue
        name = "container" if nested else _class_name(item)
        count = counts.get(name, 0)
        counts[name] = count + 1
        below = f"{path}/{name}_{count}" if count else f"{path}/{name}"
        yield from (_visit_list if nested else _visit)(item, below, seen, in_file)


def _own(layer: Layer) -> Groups:
    """The weights of a layer itself, by the path of the group below it."""
    variables = layer.saved_variables()
    attribute = next((PROJECTIONS[cls] for cls in type(layer).__mro__ if cls in PROJECTIONS), None)
    if attribute is not None:
        parts = {attribute.format(part): part for part in ("query", "key", "value", "output")} | {"_gate_dense": "gate"}
        return {path: [v for v in variables if v.name.startswith(f"{part}_")] for path, part in parts.items()}
    if isinstance(layer, layers.RNN):  # states, which Keras does not save
        return {}
    if isinstance(layer, layers.SpectralNormalization) and layer.layer._built:
        variables = [next(iter(layer.layer._variables.values())), *variables]
        variables.sort(key=lambda variable: not variable.can_train)
    return {"": variables}


def _parts(layer: Layer) -> Iterator[tuple[str, Any]]:
    """The attributes that hold layers, in the order in which they were set."""
    if isinstance(layer, (kinds().functional, kinds().sequential)):
        yield "layers", layers_of(layer)
    for attribute, value in vars(layer).items():
        if attribute not in ("_config", "_nodes", "_layers", "_chain", "input_layers", "_plan") and isinstance(
            value, (Layer, list, tuple, dict)
        ):
            yield attribute, value


def _class_name(layer: Layer) -> str:
    name = type(layer).__name__
    return snake_case(CLASS_NAMES.get(name, name))


def _joined(path: str, part: str) -> str:
    return f"{path}/{part}" if path and part else path or part
