"""Weights of PyTorch and Keras that do not fit a model are refused one by one, and nothing is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import load_keras_weights, load_torch_state_dict

KERNEL, BIAS = np.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.asarray([7.0, 8.0])
TORCH = {"fc.weight": KERNEL.T, "fc.bias": BIAS}
KERAS = {"dense_4/kernel": KERNEL, "dense_4/bias": BIAS}


def model(**options: Any) -> Any:
    return portanet.Sequential([layers.Input((3,)), layers.Dense(2, name="dense", **options)])


def refused(load: Any, message: str, **options: Any) -> None:
    built = model(**options)
    before = built.get_weights()
    with pytest.raises(ValueError, match=message):
        load(built)
    for old, new in zip(before, built.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("weights", "mapping", "message"),
    [
        (TORCH, {"dense": "fd"}, r"layer 'dense': no module 'fd' among \['fc'\]"),
        (TORCH, {"dance": "fc"}, r"layer 'dance': not among layers \['dense'\]"),
        ({"fc.bias": BIAS}, {"dense": "fc"}, r"layer 'dense': module \['fc'\] has no 'weight'"),
        ({"fc.weight": KERNEL, "fc.bias": BIAS}, None, r"'dense/kernel': expected shape \(3, 2\), got \(2, 3\)"),
        (TORCH | {"more.weight": KERNEL.T}, None, "do not match one to one; pass a mapping"),
        ({}, None, "do not match one to one; pass a mapping"),
    ],
)
def test_modules_of_torch(weights: Any, mapping: Any, message: str) -> None:
    refused(lambda built: load_torch_state_dict(built, weights, mapping), message)


@pytest.mark.parametrize("length", [1, 4])
def test_positions_with_and_without_a_batch_axis(length: int) -> None:
    table = np.arange(3.0 * length).reshape(length, 3)
    built = portanet.Sequential([layers.Input((length, 3)), layers.PositionEmbedding(length)])
    for shape in (table.shape, (1, *table.shape)):
        built.set_weights([np.zeros_like(table)])
        load_torch_state_dict(built, {"positions.weight": table.reshape(shape)})
        np.testing.assert_array_equal(built.get_weights()[0], table)
    for wrong in ((2, *table.shape), (1, 1, *table.shape), (length, 3, 1)):
        with pytest.raises(ValueError, match="'position_embedding/position_embeddings': expected shape"):
            load_torch_state_dict(built, {"positions.weight": np.ones(wrong)})


def test_cells_that_torch_does_not_have() -> None:
    gates = {f"weight_{kind}_l0": np.ones((3, 3)) for kind in ("ih", "hh")}
    for cell in (layers.JordanCell(3, 3), layers.StackedRNNCells([layers.JordanCell(3, 3)])):
        built = portanet.Sequential([layers.Input((2, 3)), layers.RNN(cell)])
        with pytest.raises(ValueError, match="PyTorch has no JordanCell"):
            load_torch_state_dict(built, {f"rnn.{name}": values for name, values in gates.items()})


def test_a_module_with_a_bias_for_a_layer_without() -> None:
    message = "'dense/bias': the layer has no such weight"
    refused(lambda built: load_torch_state_dict(built, TORCH), message, use_bias=False)


@pytest.mark.parametrize(
    ("weights", "mapping", "message"),
    [
        (KERAS | {"more/kernel": KERNEL}, None, "the model has 2 weights, and 3 are given"),
        ({"dense_4/kernel": KERNEL}, None, "the model has 2 weights, and 1 are given"),
        ({"a/bias": BIAS, "a/kernel": KERNEL}, None, "'dense/kernel': the weight at its position is 'a/bias'"),
        (KERAS, {"dance": "dense_4"}, "no layer 'dance' with weights"),
        (KERAS, {"dense": "dense_5"}, "'dense/kernel': no such weight under 'dense_5'"),
        (KERAS | {"dense_4/more/bias": BIAS}, {"dense": "dense_4"}, "'dense/bias': no such weight under 'dense_4'"),
        ({**KERAS, "dense_4/kernel": KERNEL.T}, None, r"'dense/kernel': expected shape \(3, 2\), got \(2, 3\)"),
    ],
)
def test_weights_of_keras(weights: Any, mapping: Any, message: str) -> None:
    refused(lambda built: load_keras_weights(built, weights, mapping), message)


@pytest.mark.parametrize("mapping", [None, {"dense": "dense_4"}])
def test_states_of_random_generators_are_not_weights(mapping: Any) -> None:
    built = model()
    load_keras_weights(built, {**KERAS, "dropout/seed_generator/state": np.zeros(2)}, mapping)
    for value, expected in zip(built.get_weights(), (KERNEL, BIAS), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_names_of_cells_do_not_count_but_those_of_nested_layers_do() -> None:
    built = portanet.Sequential(
        [
            layers.Input((3,)),
            portanet.Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="b")], name="inner"),
        ],
        name="outer",
    )
    values = [np.full(w.shape, float(i)) for i, w in enumerate(built.get_weights())]
    names = ["inner/a/kernel", "inner/a/bias", "inner/b/kernel", "inner/b/bias"]
    by_name = {f"m/{name}": value for name, value in zip(names, values, strict=True)}
    load_keras_weights(built, by_name, {"inner/a": "m/inner/a", "inner/b": "m/inner/b"})
    for value, expected in zip(built.get_weights(), values, strict=True):
        np.testing.assert_array_equal(value, expected)
    recurrent = portanet.Sequential([layers.Input((4, 3)), layers.SimpleRNN(2, name="rnn")])
    cell = {
        f"r/cell/{path.rpartition('/')[2]}": np.full(v.shape, 2.0) for path, v in recurrent.named_variables().items()
    }
    load_keras_weights(recurrent, cell, {"rnn": "r"})
    assert all((value == 2).all() for value in recurrent.get_weights())
