"""Layers of strings in graphs: computed on the host as data is taken in, the rest on the device."""

from __future__ import annotations

import copy
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops

TEXTS = np.asarray(["good film", "bad film", "a good one", "the bad bad"])
LABELS = np.asarray([1.0, 0.0, 1.0, 0.0], dtype="float32")
WORDS = ["good", "bad", "film", "a", "one", "the"]


def vectorize(**options: Any) -> layers.TextVectorization:
    return layers.TextVectorization(**{"output_sequence_length": 3, "vocabulary": WORDS, **options})


def head() -> list[layers.Layer]:
    return [layers.Embedding(8, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(1)]


def functional() -> portanet.Model:
    inputs = x = portanet.Input(shape=(1,), dtype="string", name="x")
    for layer in [vectorize(), *head()]:
        x = layer(x)
    return portanet.Model(inputs, x)


def stack() -> portanet.Model:
    return portanet.Sequential([vectorize(), *head()])


@pytest.mark.parametrize("make", [functional, stack])
def test_training_is_that_on_numbers(make: Any, backend: portanet.Backend) -> None:
    """The same weights, losses and predictions as of the model after the layer, trained on what the layer returns."""
    model = make()
    model.predict(TEXTS)
    after = portanet.Sequential(head())
    ids = backend.to_host(vectorize()(TEXTS))
    after.predict(ids)
    after.set_weights(model.get_weights())
    fit = {"epochs": 3, "batch_size": 2, "shuffle": False, "verbose": 0}
    for each, x in ((model, TEXTS), (after, ids)):
        each.compile(portanet.optimizers.SGD(0.1), "mse")
        each.losses_seen = each.fit(x, LABELS, **fit).history["loss"]
    np.testing.assert_allclose(model.losses_seen, after.losses_seen, rtol=1e-6)
    expected = after.predict(ids)
    for x in (TEXTS, TEXTS[:, None], list(TEXTS), TEXTS.astype(object), TEXTS.astype("S")):
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-6)
    np.testing.assert_allclose(backend.to_host(model(list(TEXTS))), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(TEXTS), expected, rtol=1e-6)
    assert model.evaluate(TEXTS, LABELS, verbose=0) == pytest.approx(after.evaluate(ids, LABELS, verbose=0), rel=1e-6)
    assert model.test_on_batch(TEXTS, LABELS) == pytest.approx(after.test_on_batch(ids, LABELS), rel=1e-6)
    assert model.train_on_batch(TEXTS, LABELS) == pytest.approx(after.train_on_batch(ids, LABELS), rel=1e-6)


def test_batches_from_generators_and_parts_for_validation() -> None:
    def batches() -> Iterator[Any]:
        yield list(TEXTS[:2]), LABELS[:2]
        yield list(TEXTS[2:]), LABELS[2:]

    model = functional()
    model.compile("sgd", "mse")
    kept = model.get_weights()
    losses = []
    for x, y in ((batches(), None), (TEXTS, LABELS)):
        model.set_weights(kept)
        losses += model.fit(x, y, batch_size=None if y is None else 2, shuffle=False, verbose=0).history["loss"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    history = model.fit(TEXTS, LABELS, validation_split=0.5, class_weight={0: 1.0, 1: 2.0}, verbose=0).history
    assert set(history) == {"loss", "val_loss"}
    assert "val_loss" in model.fit(TEXTS, LABELS, validation_data=(TEXTS, LABELS), verbose=0).history


def test_texts_are_as_long_as_the_longest_of_their_batch() -> None:
    """As in Keras: an array of all texts at once may not fit into memory."""
    inputs = portanet.Input((1,), dtype="string")
    ids = vectorize(output_sequence_length=None)(inputs)
    model = portanet.Model(inputs, ops.sum(ops.ones_like(ids), axis=1))
    assert model.predict(TEXTS, batch_size=2).tolist() == [2, 2, 3, 3]


COLUMNS = {"tag": np.asarray(["m", "f", "x"]), "number": np.asarray([3, 5, 7]), "age": np.asarray([1.0, 2.0, 3.0])}


def table() -> portanet.Model:
    tag, number = portanet.Input((1,), dtype="string", name="tag"), portanet.Input((1,), dtype="int64", name="number")
    age = portanet.Input((1,), name="age")
    codes = [
        layers.StringLookup(vocabulary=["m", "f"], output_mode="one_hot")(tag),
        layers.IntegerLookup(vocabulary=[3, 5], output_mode="one_hot")(number),
        layers.HashedCrossing(4, output_mode="one_hot")([tag, number]),
        layers.CategoryEncoding(3, output_mode="one_hot")(layers.Hashing(3)(tag)),
        ops.cast(layers.StringLookup(vocabulary=["f"])(tag), "float32"),
    ]
    return portanet.Model({"tag": tag, "number": number, "age": age}, layers.concatenate([*codes, age * 2.0]))


def test_columns(backend: portanet.Backend) -> None:
    codes = [
        layers.StringLookup(vocabulary=["m", "f"], output_mode="one_hot")(COLUMNS["tag"]),
        layers.IntegerLookup(vocabulary=[3, 5], output_mode="one_hot")(COLUMNS["number"]),
        layers.HashedCrossing(4, output_mode="one_hot")([COLUMNS["tag"], COLUMNS["number"]]),
        layers.Hashing(3, output_mode="one_hot")(COLUMNS["tag"]),
        layers.StringLookup(vocabulary=["f"])(COLUMNS["tag"][:, None]),
        portanet.asarray(COLUMNS["age"][:, None] * 2),
    ]
    expected = np.concatenate([backend.to_host(code) for code in codes], axis=1)
    model = table()
    np.testing.assert_allclose(model.predict(COLUMNS), expected, rtol=1e-6)
    lists = {name: column.tolist() for name, column in COLUMNS.items()}
    np.testing.assert_allclose(model.predict(lists), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict([lists[name] for name in sorted(lists)]), expected, rtol=1e-6)
    given = {name: portanet.asarray(x[:, None]) if name == "age" else x for name, x in COLUMNS.items()}
    np.testing.assert_allclose(backend.to_host(model(given)), expected, rtol=1e-6)


def test_a_model_of_strings_in_another() -> None:
    encode = table()
    inputs = {name: portanet.Input(a.shape[1:], dtype=a.dtype, name=name) for name, a in encode.input.items()}
    x = layers.Concatenate()([encode(inputs), layers.Hashing(5)(inputs["tag"]) * 1.0])
    model = portanet.Model(inputs, layers.Dense(2)(x))
    assert [layer.name for layer in model.layers if layer.name == encode.name] == [encode.name]
    features = np.concatenate([encode.predict(COLUMNS), layers.Hashing(5)(COLUMNS["tag"][:, None])], axis=1)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(COLUMNS), features @ kernel + bias, rtol=1e-5)
    again = portanet.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(COLUMNS), model.predict(COLUMNS))
    assert len(encode.layers[-1]._nodes) == 1


def test_string_lookups_in_a_row() -> None:
    """What a lookup returns is looked up by the next, as strings."""
    inputs = portanet.Input((1,), dtype="int64")
    names = layers.StringLookup(vocabulary=["a", "b"], invert=True)(inputs)
    assert (names.dtype, names.shape) == ("string", (None, 1))
    model = portanet.Model(inputs, layers.StringLookup(vocabulary=["b"])(names))
    assert model.predict(np.asarray([[2], [1]])).tolist() == [[1], [0]]
    only = portanet.Sequential([layers.StringLookup(vocabulary=["a"], output_mode="count")])
    assert only.predict([["a", "a"], ["a", "b"]]).tolist() == [[0, 2], [1, 1]]


def test_the_input_of_a_stack() -> None:
    model = stack()
    model.predict(TEXTS)
    assert (model.input_shape, model.input.dtype) == ((None,), "string")
    numbers = portanet.Sequential([layers.IntegerLookup(vocabulary=[3, 5]), layers.Embedding(3, 2)])
    assert numbers.predict(np.asarray([[3], [4]])).shape == (2, 1, 2)
    assert numbers.input.dtype == "int64"
    built = stack()
    built.build((None, 1))
    assert built.output_shape == (None, 1)


@pytest.mark.parametrize("make", [functional, stack])
def test_files_and_copies(make: Any, tmp_path: pathlib.Path) -> None:
    model = make()
    model.compile("adam", "mse")
    model.fit(TEXTS, LABELS, verbose=0)
    model.save(tmp_path / "m.safetensors")
    expected = model.predict(TEXTS)
    for again in (portanet.load_model(tmp_path / "m.safetensors"), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict(TEXTS), expected)
        again.fit(TEXTS, LABELS, verbose=0)


def test_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    model = stack()
    model.predict(TEXTS)
    model.summary()
    assert re.search(r"text_vectorization\w* \(TextVectorization\) +\(None, 3\)", capsys.readouterr().out)


def test_strings_are_not_exported() -> None:
    pytest.importorskip("ndonnx", reason="extra `onnx`")
    model = stack()
    model.predict(TEXTS)
    with pytest.raises(ValueError, match="Export the model after these layers"):
        model.export("m.onnx")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: layers.Dense(1)(x), r"Layer 'dense\w*' computes with numbers; encode strings first"),
        (lambda x: ops.expand_dims(x, 1), r"ops\.expand_dims computes with numbers"),
        (
            lambda x: portanet.Model(
                x, layers.StringLookup(vocabulary=["a"], invert=True)(layers.StringLookup(vocabulary=["a"])(x))
            ),
            "must be numbers; apply layers of strings to what it predicts",
        ),
        (
            lambda x: portanet.Model(
                (y := portanet.Input((1,))), layers.IntegerLookup(vocabulary=[1])(layers.Dense(1)(y))
            ),
            r"so it takes inputs of the model(?s:.)*Received: the output of layer 'dense",
        ),
        (lambda x: functional().predict(np.ones((2, 1))), "takes strings or integers"),
        (lambda x: functional().predict(np.asarray([["a", "b"]])), r"takes arrays of shape \(None, 1\)"),
        (lambda x: functional().predict([["a"], ["b", "c"]]), "Argument `x` must have the same number of elements"),
        (
            lambda x: layers.Hashing(3)([["a"], ["b", "c"]]),
            r"The input of layer 'hashing\w*' must have the same number",
        ),
        (lambda x: functional().predict(None), "must be an array of inputs.* Received: x=None"),
        (lambda x: portanet.Sequential([layers.Hashing(3)])(None), "must be an array of inputs.* Received: x=None"),
        (lambda x: functional().predict({"x": None}), "must be an array of shape .* Received: None"),
        (lambda x: functional()(TEXTS, TEXTS), "takes its inputs as one argument"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call(portanet.Input((1,), dtype="string"))
