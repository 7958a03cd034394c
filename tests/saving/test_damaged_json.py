"""JSON of models in which one part is not what it must be: a LoadError says which, whatever the part is."""

from __future__ import annotations

import copy
import functools
import json
import re
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, saving
from portanet.models import model_from_json


def documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """A graph of an input and a layer, and a chain of the same."""
    x = layers.Input((3,), name="in")
    graph = portanet.Model(x, layers.Dense(2, name="one")(x))
    chain = portanet.Sequential([layers.Input((3,), name="in"), layers.Dense(2, name="one")])
    return json.loads(graph.to_json()), json.loads(chain.to_json())


GRAPH, CHAIN = documents()
INPUT, DENSE = ("config", "layers", 0), ("config", "layers", 1)
NODE = (*DENSE, "inbound_nodes", 0)
TENSOR = (*NODE, "args", 0)

# The place of a part, what stands there, and what the error says.
DAMAGED: list[tuple[tuple[Any, ...], Any, str]] = [
    ((), [1], "describes another object"),
    ((), {"class_name": "Dense", "config": {"units": 2}, "module": "keras.layers"}, "describes another object"),
    (("class_name",), 3, "an invalid part"),
    (("config",), [], "the configuration of 'Functional' is not a JSON object"),
    (("config", "layers"), None, "has no list of layers"),
    (("config", "layers"), {}, "has no list of layers"),
    (("config", "layers", 0), 3, "has no list of layers"),
    (("config", "layers", 0), {"name": "in"}, "an entry that is no layer"),
    ((*INPUT, "name"), 3, "or one without a name"),
    ((*INPUT, "name"), "one", "two layers named 'one'"),
    ((*INPUT, "config", "batch_shape"), None, "no array of known rank"),
    ((*INPUT, "config", "batch_shape"), [], "no array of known rank"),
    ((*INPUT, "config", "batch_shape"), "ab", "no array of known rank"),
    ((*INPUT, "config", "sparse"), True, "no array of known rank"),
    ((*INPUT, "config", "ragged"), True, "no array of known rank"),
    ((*DENSE, "class_name"), "Dens", "Dens"),
    ((*DENSE, "config", "name"), "", "has no name"),
    ((*DENSE, "config", "name"), 3, "has no name"),
    ((*DENSE, "config", "name"), "a/b", "has no name"),
    ((*DENSE, "config", "none"), 3, "has none=3, which portanet does not have"),
    ((*DENSE, "config", "units"), "a", "`units`"),
    ((*DENSE, "config", "activation"), {"class_name": "function", "config": 3}, "an invalid part"),
    ((*DENSE, "config", "activation"), {"class_name": "function", "config": "none"}, "none"),
    ((*DENSE, "config", "activation"), {"class_name": "__lambda__", "config": {}}, "no code of a file is executed"),
    ((*DENSE, "config", "activation"), {"class_name": "__none__", "config": {}}, "cannot be read: '__none__'"),
    ((*DENSE, "config", "activation"), {"class_name": "__bytes__", "config": {"value": 3}}, "cannot be read"),
    (
        (*DENSE, "config", "kernel_initializer"),
        {"class_name": "__numpy__", "config": {"value": [1, [2]], "dtype": "float32"}},
        "an invalid array",
    ),
    (
        (*DENSE, "config", "kernel_initializer"),
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}},
        "an invalid array",
    ),
    (
        (*DENSE, "config", "kernel_initializer"),
        {"class_name": "__numpy__", "config": {"value": "a", "dtype": "float32"}},
        "cannot be read: '__numpy__'",
    ),
    (NODE, 3, "written by Keras 2"),
    (NODE, {"args": []}, "written by Keras 2"),
    ((*NODE, "more"), 3, "written by Keras 2"),
    ((*NODE, "args"), {}, "an invalid call"),
    ((*NODE, "kwargs"), [], "an invalid call"),
    ((*TENSOR, "config", "keras_history"), ["in", 0], "cannot be read: '__keras_tensor__'"),
    ((*TENSOR, "config", "keras_history"), ["in", 0, 1], "has no output 1 of call 0"),
    ((*TENSOR, "config", "keras_history"), ["in", 0, -1], "has no output -1 of call 0"),
    ((*TENSOR, "config", "keras_history"), ["in", 1, 0], "'in'"),
    ((*TENSOR, "config", "keras_history"), ["none", 0, 0], "'none'"),
    ((*TENSOR, "config", "keras_history"), ["one", 0, 0], "'one'"),
    (("config", "input_layers"), ["none", 0, 0], "none of a layer"),
    (("config", "output_layers"), ["one", 0, 1], "has no output 1"),
    (("config", "output_layers"), ["one", 1, 0], "has no output 0 of call 1"),
    (("config", "output_layers"), None, "none of a layer"),
]


def damaged(document: Any, place: tuple[Any, ...], part: Any) -> str:
    """The JSON with another part at a place."""
    if not place:
        return json.dumps(part)
    document = copy.deepcopy(document)
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = part
    return json.dumps(document)


@pytest.mark.parametrize("i", range(len(DAMAGED)))
def test_damaged_graphs(i: int) -> None:
    place, part, text = DAMAGED[i]
    with pytest.raises(saving.LoadError, match=re.escape(text)):
        model_from_json(damaged(GRAPH, place, part))


def in_chains(place: tuple[Any, ...]) -> bool:
    """Chains have no calls, and no names of layers beside those in configurations."""
    return place[:2] == ("config", "layers") and "inbound_nodes" not in place and place != (*INPUT, "name")


@pytest.mark.parametrize("i", [i for i, row in enumerate(DAMAGED) if in_chains(row[0])])
def test_damaged_chains(i: int) -> None:
    place, part, text = DAMAGED[i]
    with pytest.raises(saving.LoadError, match=re.escape(text)):
        model_from_json(damaged(CHAIN, place, part))


@pytest.mark.parametrize("document", [GRAPH, CHAIN])
def test_what_is_not_damaged_loads(document: Any) -> None:
    model = model_from_json(json.dumps(document))
    assert model.predict(np.ones((1, 3)), verbose=0).shape == (1, 2)
    frozen = damaged(document, (*DENSE, "config", "trainable"), False)
    assert [v.path for v in model_from_json(frozen).trainable_variables] == []
    assert [v.path for v in model.trainable_variables] == ["one/kernel", "one/bias"]


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "nan'"], ids=["open", "deep", "quote"])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(saving.LoadError, match="not JSON"):
        model_from_json(text)


def test_what_cannot_be_registered() -> None:
    class Plain:
        pass

    with pytest.raises(TypeError, match="takes classes and functions"):
        saving.register_serializable()(3)
    with pytest.raises(TypeError, match="takes classes and functions"):
        saving.register_serializable()(functools.partial(abs))  # without a name
    with pytest.raises(ValueError, match="needs get_config"):
        saving.register_serializable()(Plain)
