"""Checks of several conditions: each alone is refused, and what none refuses is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import checks, layers, optimizers
from portanet.fused.convolution import conv_nd
from portanet.fused.least_squares import least_squares
from portanet.layers.several_inputs import Several


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype="float32")


def bools(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=bool)


def jordan(**options: Any) -> Any:
    options = {"return_sequences": True, **options}
    return layers.JordanRNN(3, 2, **options)(ones(2, 4, 3), teacher=ones(2, 4, 2))


def attending(shape: tuple[int, ...]) -> Any:
    return layers.MultiHeadAttention(2, 4)(ones(2, 3, 4), ones(2, 5, 4), attention_mask=bools(*shape))


def normalised(axis: Any) -> Any:
    return layers.LayerNormalization(axis=axis)(ones(2, 3, 4))


def masked(axis: int, shape: tuple[int, ...]) -> Any:
    return layers.BatchNormalization(axis=axis)(ones(2, 3, 4), training=True, mask=bools(*shape))


def excluded(**options: Any) -> Any:
    optimizers.AdamW().exclude_from_weight_decay(**options)


class Typed:
    dtype = np.dtype("float32")


class Shaped:
    shape = (2, 3)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    # layers/base.py, calling.py, weights.py
    "a list for a layer of one array": (lambda: layers.Dense(3)([ones(2, 3), ones(2, 3)]), "one array"),
    "a dict for a layer of one array": (lambda: layers.Dense(3)({"a": ones(2, 3)}), "one array"),
    "no shape": (lambda: layers.Dense(3)(Typed()), "array"),
    "no dtype": (lambda: layers.Dense(3)(Shaped()), "array"),
    "name of another type": (lambda: layers.Dense(3, name=3), "`name` of Dense must be a non-empty string"),
    "empty name": (lambda: layers.Dense(3, name=""), "`name` of Dense must be a non-empty string"),
    "name with a slash": (lambda: layers.Dense(3, name="a/b"), "`name` of Dense must be a non-empty string"),
    "unknown size of a weight": (lambda: layers.Layer().add_weight((3, None)), "non-negative integers"),
    "negative size of a weight": (lambda: layers.Layer().add_weight((3, -1)), "non-negative integers"),
    "fractional size of a weight": (lambda: layers.Layer().add_weight((3, 1.5)), "non-negative integers"),
    # several_inputs.py
    "one array for a list": (lambda: layers.Add()(ones(2, 3)), "takes a list of arrays"),
    "no arrays": (lambda: layers.Add()([]), "takes a list of arrays"),
    "too few arrays": (lambda: layers.Attention()([ones(2, 3, 4)]), "Received: one array"),
    "too many arrays": (lambda: layers.Attention()([ones(2, 3, 4)] * 4), "Received: 4 arrays"),
    # attention
    "another size of the key": (lambda: layers.Attention()([ones(2, 3, 4), ones(2, 5, 4), ones(2, 5, 3)]), "same size"),
    "another length of the key": (
        lambda: layers.Attention()([ones(2, 3, 4), ones(2, 5, 4), ones(2, 4, 4)]),
        "same length",
    ),
    "two axes": (lambda: layers.Attention()([ones(2, 4), ones(2, 4)]), r"shape \(batch, time, features\)"),
    "a mask of another shape": (
        lambda: layers.Attention()([ones(2, 3, 4)] * 2, mask=[bools(2, 4), None]),
        "must be an array of shape",
    ),
    "a mask that is no array": (
        lambda: layers.Attention()([ones(2, 3, 4)] * 2, mask=[[True] * 3, None]),
        "must be an array of shape",
    ),
    "five axes of pairs": (lambda: attending((1, 2, 1, 3, 5)), "`attention_mask`.*Received: "),
    "other pairs": (lambda: attending((2, 3, 4)), "`attention_mask`.*Received: "),
    "other heads": (lambda: attending((2, 3, 3, 5)), "`attention_mask`.*Received: "),
    "another batch of pairs": (lambda: attending((3, 3, 5)), "`attention_mask`.*Received: "),
    "a negative position": (lambda: layers.PositionEmbedding(4)(ones(2, 3, 4), start_index=-1), "knows 4 positions"),
    "a position too far": (lambda: layers.PositionEmbedding(4)(ones(2, 3, 4), start_index=2), "knows 4 positions"),
    "odd features": (lambda: layers.RotaryEmbedding()(ones(2, 3, 5)), "even number of features"),
    "rotation along time": (lambda: layers.RotaryEmbedding(sequence_axis=-1)(ones(2, 3, 4)), "even number of features"),
    # merging
    "arrays of another rank": (lambda: layers.Concatenate()([ones(2, 3), ones(2, 3, 1)]), "differ along axis -1 only"),
    "arrays of other sizes": (
        lambda: layers.Concatenate()([ones(2, 3, 4), ones(2, 4, 4)]),
        "differ along axis -1 only",
    ),
    # normalization
    "an axis that is not there": (lambda: normalised([1, 3]), "must name axes of the input"),
    "an axis that is too negative": (lambda: normalised([1, -4]), "must name axes of the input"),
    "an axis twice": (lambda: normalised([1, -2]), "must name axes of the input"),
    "the batch axis": (lambda: normalised([0, 1]), "must name axes of the input"),
    "the batch axis from the end": (lambda: normalised(-3), "must name axes of the input"),
    "a mask of other sizes": (lambda: masked(-1, (2, 4)), "needs a mask that broadcasts"),
    "a mask of all axes": (lambda: masked(-1, (2, 3, 4)), "needs a mask that broadcasts"),
    # preprocessing, regularization, reshaping
    "three ends": (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "a pair"),
    "one end": (lambda: layers.RandomRotation((0.1,)), "a pair"),
    "noise of fewer axes": (lambda: layers.Dropout(0.5, (2,))(ones(2, 3), training=True), "an entry for each axis"),
    "noise of other sizes": (lambda: layers.Dropout(0.5, (2, 2))(ones(2, 3), training=True), "an entry for each axis"),
    "noise of more axes": (lambda: layers.Dropout(0.5, (2, 3, 1))(ones(2, 3), training=True), "an entry for each axis"),
    "nothing left": (lambda: layers.Cropping1D((1, 2))(ones(2, 3, 1)), "leaves nothing"),
    # rnn
    "teacher of the last step": (lambda: jordan(return_sequences=False), "takes a teacher with"),
    "teacher and states": (lambda: jordan(return_state=True), "takes a teacher with"),
    "teacher of a stateful layer": (lambda: jordan(stateful=True), "takes a teacher with"),
    "teacher backwards": (lambda: jordan(go_backwards=True), "takes a teacher with"),
    "a cell that is no layer": (lambda: layers.RNN(SimpleNamespace(state_size=3, name="c")), "attribute `state_size`"),
    "a cell without states": (lambda: layers.RNN(layers.Dense(3)), "attribute `state_size`"),
    "no cells": (lambda: layers.StackedRNNCells([]), "`cells`"),
    "one cell without states": (lambda: layers.StackedRNNCells([layers.GRUCell(2), layers.Dense(3)]), "`cells`"),
    "stateful from a learned state": (lambda: layers.GRU(3, stateful=True, learn_initial_state=True), "not both"),
    "twice forwards": (
        lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3)),
        "must go in different directions",
    ),
    # core
    "too small an integer": (lambda: layers.Embedding(4, 2)(np.array([[0, -1]])), "integers from 0 to 3"),
    "too large an integer": (lambda: layers.Embedding(4, 2)(np.array([[0, 4]])), "integers from 0 to 3"),
    "a transform that is no layer": (lambda: layers.Highway(transform="relu"), "must be a layer or None"),
    "a gate that is no layer": (lambda: layers.Highway(gate=np.tanh), "must be a layer or None"),
    "as much as a stride": (lambda: layers.Conv1DTranspose(2, 3, strides=2, output_padding=2), "less than strides"),
    # ops
    "another rank for a kernel": (lambda: conv_nd(ones(2, 5, 5, 2), ones(3, 2, 4)), "must have shape"),
    "other channels for a kernel": (lambda: conv_nd(ones(2, 5, 3), ones(3, 2, 4)), "must have shape"),
    "no groups": (lambda: conv_nd(ones(2, 5, 0), ones(3, 2, 4), groups=0), "`groups` must divide"),
    "groups that do not divide": (lambda: conv_nd(ones(2, 5, 4), ones(3, 2, 3), groups=2), "`groups` must divide"),
    "one axis of x": (lambda: least_squares(ones(3), ones(3, 1)), "Received"),
    "one axis of y": (lambda: least_squares(ones(3, 1), ones(3)), "Received"),
    "other rows of y": (lambda: least_squares(ones(3, 1), ones(4, 1)), "Received"),
    # optimizers
    "one name for several": (lambda: excluded(var_names="bias"), "takes a list of variables and a list of names"),
    "no variables": (lambda: excluded(var_list=[3.0]), "takes a list of variables and a list of names"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_condition_alone(case: str) -> None:
    call, message = REFUSED[case]
    layers.Dense(3)(ones(2, 3))  # an array of a dtype that is known then
    with portanet.use_backend("numpy"), pytest.raises((ValueError, TypeError, IndexError), match=message) as caught:
        call()
    assert "Received: " in str(caught.value)


def built_by_shapes(layer: Any, *shapes: Any) -> Any:
    return layer.compute_output_shape(shapes[0] if len(shapes) == 1 else list(shapes))


ACCEPTED: dict[str, tuple[Callable[[], Any], Any]] = {
    "a tuple for a layer that takes any tree": (lambda: tree_layer()((ones(2, 3), ones(2, 3))).shape, (2, 3)),
    "arrays by position": (lambda: layers.Add()(ones(2, 3), ones(2, 3)).shape, (2, 3)),
    "an array by name": (lambda: layers.Attention()(ones(2, 3, 4), value=ones(2, 5, 4)).shape, (2, 3, 4)),
    "any number of states": (lambda: layers.LSTM(3)([ones(2, 4, 3), ones(2, 3), ones(2, 3)]).shape, (2, 3)),
    "a key of another size": (
        lambda: layers.MultiHeadAttention(2, 4)(ones(2, 3, 4), ones(2, 5, 6), ones(2, 5, 3)).shape,
        (2, 3, 4),
    ),
    "unknown sizes of keys": (
        lambda: built_by_shapes(layers.Attention(), (None, 3, 4), (None, None, 5), (None, 6, None)),
        (None, 3, 5),
    ),
    "one mask for all heads": (lambda: attending((2, 1, 3, 5)).shape, (2, 3, 4)),
    "one mask for all examples": (lambda: attending((1, 3, 5)).shape, (2, 3, 4)),
    "two axes of pairs": (lambda: attending((3, 5)).shape, (2, 3, 4)),
    "one axis of pairs": (lambda: attending((5,)).shape, (2, 3, 4)),
    "the last positions": (lambda: layers.PositionEmbedding(4)(ones(2, 3, 4), start_index=1).shape, (2, 3, 4)),
    "rotation along another axis": (lambda: layers.RotaryEmbedding(sequence_axis=-2)(ones(2, 3, 4)).shape, (2, 3, 4)),
    "unknown sizes joined": (
        lambda: built_by_shapes(layers.Concatenate(), (None, 3, 4), (2, None, 4), (None, 3, None)),
        (None, 3, None),
    ),
    "axes in any order": (lambda: normalised([-1, 1]).shape, (2, 3, 4)),
    "the first axis from the end": (lambda: normalised(-2).shape, (2, 3, 4)),
    "a mask of the axes before": (lambda: masked(-1, (2, 3)).shape, (2, 3, 4)),
    "a mask of the batch": (lambda: masked(1, (2,)).shape, (2, 3, 4)),
    "both ends equal": (lambda: layers.RandomRotation((0.1, 0.1))(ones(1, 4, 4, 1)).shape, (1, 4, 4, 1)),
    "noise of one row": (lambda: layers.Dropout(0.5, (1, 3))(ones(2, 3), training=True).shape, (2, 3)),
    "noise of unknown rows": (lambda: layers.Dropout(0.5, (None, 1))(ones(2, 3), training=True).shape, (2, 3)),
    "one step left": (lambda: layers.Cropping1D((1, 1))(ones(2, 3, 1)).shape, (2, 1, 1)),
    "unknown steps left": (lambda: built_by_shapes(layers.Cropping1D((9, 9)), (None, None, 1)), (None, None, 1)),
    "a teacher": (lambda: jordan().shape, (2, 4, 2)),
    "stateful": (lambda: layers.GRU(3, stateful=True)(ones(2, 4, 3)).shape, (2, 3)),
    "a learned state": (lambda: layers.GRU(3, learn_initial_state=True)(ones(2, 4, 3)).shape, (2, 3)),
    "the other direction": (
        lambda: (
            layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3, go_backwards=True))(ones(2, 4, 3)).shape
        ),
        (2, 6),
    ),
    "the smallest and largest integer": (lambda: layers.Embedding(4, 2)(np.array([[0, 3]])).shape, (1, 2, 2)),
    "less than a stride": (
        lambda: layers.Conv1DTranspose(2, 3, strides=2, output_padding=1)(ones(1, 4, 1)).shape,
        (1, 10, 2),
    ),
    "as many groups as filters": (lambda: conv_nd(ones(2, 5, 4), ones(3, 1, 4), groups=4).shape, (2, 3, 4)),
    "more equations than unknowns": (lambda: least_squares(ones(3, 1), ones(3, 2)).shape, (1, 2)),
    "lists of names": (lambda: excluded(var_names=["bias"]), None),
    "nothing excluded": (excluded, None),
    "a weight of size 0": (lambda: layers.Layer().add_weight((0, np.int64(3))).shape, (0, 3)),
    "a name": (lambda: layers.Dense(3, name="a.b").name, "a.b"),
}


def tree_layer() -> Any:
    class Sum(layers.Layer):
        def call(self, x: Any) -> Any:
            return x[0] + x[1]

    return Sum()


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_no_condition_refuses(case: str) -> None:
    call, expected = ACCEPTED[case]
    with portanet.use_backend("numpy"):
        assert call() == expected


def test_arrays_of_a_library_that_the_weights_are_not_of() -> None:
    strict = pytest.importorskip("array_api_strict")
    with portanet.use_backend("numpy"):
        layer = layers.Dense(2)
        layer(ones(2, 3))
        with pytest.raises(TypeError, match="was built on backend"):
            layer(strict.ones((2, 3)))
        assert layers.Flatten()(strict.ones((2, 3, 1))).shape == (2, 3)  # without weights, any library


def test_lazy_arrays_of_a_library_that_the_weights_are_or_are_not_of() -> None:
    dask = pytest.importorskip("dask.array")
    pytest.importorskip("array_api_strict")
    lazy = dask.from_array(ones(2, 3))
    for name in ("numpy", "strict"):
        with portanet.use_backend(name):
            layer = layers.Dense(2)
            layer.build((None, 3))
            if name == "numpy":
                np.testing.assert_allclose(layer(lazy).compute(), layer(ones(2, 3)), rtol=1e-6)
            else:
                with pytest.raises(TypeError, match="was built on backend 'strict'"):
                    layer(lazy)


def test_attributes_of_symbolic_arrays() -> None:
    """Methods of arrays are explained; private names, and properties that failed, are missing as usual."""
    x = layers.Input((3,))

    class Failing(type(x)):  # type: ignore[misc]
        @property
        def size(self) -> Any:
            raise AttributeError("inside")

    failing = object.__new__(Failing)
    for array, name, message in (
        (x, "sum", "no values, and of methods only reshape"),
        (x, "_sum", "_sum$"),
        (failing, "size", "size$"),
    ):
        with pytest.raises(AttributeError, match=message) as caught:
            getattr(array, name)
        assert ("no values" in str(caught.value)) == (name == "sum")


def test_numbers_of_arrays() -> None:
    several, layer = Several("a", "b", optional=("c",)), SimpleNamespace(name="d")
    for count in range(6):
        given = [ones(2)] * count
        if count in (2, 3):
            assert len(several.entries(layer, given)) == count
        else:
            with pytest.raises(ValueError, match=re.escape("'d' takes a list of arrays: a, b, optionally c. Received")):
                several.entries(layer, given)
    further = Several("a", more="b")
    assert [len(further.entries(layer, [ones(2)] * count)) for count in (1, 2, 5)] == [1, 2, 5]
    with pytest.raises(ValueError, match="Received: 0 arrays"):
        further.entries(layer, [])


# checks.py


def test_each_condition_of_a_choice() -> None:
    for value in (1, True, ("a",)):
        with pytest.raises(ValueError, match="`n` must be one of"):
            checks.choice("n", value, [value, "a"])  # type: ignore[list-item] -- equal to a choice, but no string
    with pytest.raises(ValueError, match="`n` must be one of"):
        checks.choice("n", None, ["a"])
    assert checks.choice("n", None, ["a", None]) is None


def test_each_condition_of_a_number() -> None:
    for value in ("0.5", 0.5j, None, [0.5], np.ones(1)):
        with pytest.raises(ValueError, match="`n` must be a number"):
            checks.number("n", value, "[0, 1]")
    for value in (True, np.True_):
        with pytest.raises(ValueError, match="`n` must be a number"):
            checks.number("n", value, "[0, 1]")
    for within, inside in (("[0, 1]", [0, 1]), ("(0, 1]", [1]), ("[0, 1)", [0]), ("(0, 1)", [])):
        for value in (0, 1):
            if value in inside:
                assert checks.number("n", value, within) == value
            else:
                with pytest.raises(ValueError, match="`n` must be a number in"):
                    checks.number("n", value, within)
        assert checks.number("n", 0.5, within) == 0.5
        for value in (-0.5, 1.5):
            with pytest.raises(ValueError, match="`n` must be a number in"):
                checks.number("n", value, within)


def test_each_condition_of_integers() -> None:
    for value in (1.0, True, np.True_, "1", None):
        for call in (checks.integer, checks.integers):
            with pytest.raises(ValueError, match="`n` must be an integer"):
                call("n", value)
    for value, count in (([], None), ((), 2), ([1], 2), ([1, 2, 3], 2), ([1, 2.0], 2), ([1, 2.0], None)):
        with pytest.raises(ValueError, match="`n` must be an integer, or"):
            checks.integers("n", value, count)
    assert checks.integers("n", [1, 2, 3]) == (1, 2, 3)
    assert checks.integers("n", -1) == (-1,)
    assert checks.integer("n", 2, least=2) == 2
    with pytest.raises(ValueError, match="an integer of at least 2"):
        checks.integers("n", [2, 1], least=2)


def test_each_condition_of_pairs() -> None:
    for value in (-1, 1.0, True, [1], [1, 2, 3], [(1, 2, 3), 1], [(1,), 1], [(1, -1), 1], [(1, 1.0), 1], [1, "1"]):
        with pytest.raises(ValueError, match="`n` must be an integer, or for each of 2 axes"):
            checks.pairs("n", value, 2)
    assert checks.pairs("n", (1, (0, 2)), 2) == ((1, 1), (0, 2))
    assert checks.pairs("n", (1, 2), 1) == ((1, 2),)
    assert checks.pairs("n", ((1, 2),), 1) == ((1, 2),)
    assert checks.pairs("n", (3,), 1) == ((3, 3),)


def test_formats_of_data() -> None:
    layer = SimpleNamespace(name="c")
    assert checks.data_format(None, layer) == checks.data_format("channels_last", layer) == "channels_last"
    assert checks.data_format("channels_first", layer) == "channels_first"
    for value in ("first", 1):
        with pytest.raises(ValueError, match="`data_format` of layer 'c' must be one of"):
            checks.data_format(value, layer)
