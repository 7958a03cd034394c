"""Layers that take strings: lookups, hashes, text."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend

LENGTHS = [1700082268, 1389842991, 1663584323, 251088324, 748240020, 1332286392, 384982841, 2106002455, 1503175615]
VOCABULARY = ["a", "b", "c", "d"]


def values(x: Any) -> Any:
    """As lists."""
    return portanet.to_host(x).tolist()


def test_indices_are_arrays_of_the_backend(backend: Backend) -> None:
    result = layers.StringLookup(vocabulary=VOCABULARY)([["a", "x"], ["d", "b"]])
    assert backend.owns(result)
    assert values(result) == [[1, 0], [4, 2]]
    vectors = layers.StringLookup(vocabulary=VOCABULARY, output_mode="count")([["a", "a", "x"]])
    assert backend.dtype_name(vectors.dtype) == backend.dtype_name(backend.dtype)
    assert values(vectors) == [[1, 2, 0, 0, 0]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 2, 4, 0]]),
        ({"num_oov_indices": 2}, [[0, 3, 5, 1]]),
        ({"mask_token": "z"}, [[1, 3, 5, 0]]),
        ({"output_mode": "multi_hot"}, [[1, 0, 1, 0, 1]]),
        ({"output_mode": "count"}, [[2, 0, 1, 0, 1]]),
        ({"output_mode": "count", "mask_token": "z"}, [[1, 0, 1, 0, 1]]),
        ({"output_mode": "binary", "max_tokens": 7, "pad_to_max_tokens": True}, [[1, 0, 1, 0, 1, 0, 0]]),
        ({"output_mode": "tf_idf", "idf_weights": [0.25, 0.75, 0.6, 0.4]}, [[1.0, 0, 0.75, 0, 0.4]]),
    ],
)
def test_output_modes(options: dict[str, Any], expected: Any) -> None:
    layer = layers.StringLookup(vocabulary=VOCABULARY, **options)
    np.testing.assert_allclose(layer([["m", "b", "d", "z"]]), expected)
    copy = layers.StringLookup.from_config(layer.get_config())
    np.testing.assert_allclose(copy([["m", "b", "d", "z"]]), expected)
    assert copy.get_vocabulary() == layer.get_vocabulary()
    assert layer.vocabulary_size() == len(layer.get_vocabulary())


def test_one_hot_of_a_column_and_of_rows() -> None:
    layer = layers.StringLookup(vocabulary=["a"], output_mode="one_hot")
    assert values(layer([["a"], ["x"]])) == [[0, 1], [1, 0]]
    assert values(layer(["a", "x"])) == [[0, 1], [1, 0]]
    assert values(layer([["a", "x"]])) == [[[0, 1], [1, 0]]]


def test_a_vocabulary_is_made_by_frequency_then_backwards() -> None:
    layer = layers.StringLookup()
    layer.adapt([["a", "c", "d"], ["d", "z", "b"]])
    assert layer.get_vocabulary() == ["[UNK]", "d", "z", "c", "b", "a"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["d", "z", "c", "b", "a"]
    limited = layers.StringLookup(max_tokens=3, mask_token="")
    limited.adapt(np.asarray([batch]) for batch in (["a", "c", ""], ["c", "b", ""]))
    assert limited.get_vocabulary() == ["", "[UNK]", "c"]
    numbers = layers.IntegerLookup()
    numbers.adapt(np.asarray([[12, 1138], [42, 12]]))
    assert numbers.get_vocabulary() == [-1, 12, 1138, 42]
    assert values(numbers([[12, 7]])) == [[1, 0]]


def test_document_frequencies() -> None:
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt([["a", "a"], ["a", "b"]])
    idf = {"a": np.log(1 + 2 / 3), "b": np.log(1 + 2 / 2)}
    np.testing.assert_allclose(layer([["b", "a", "a"]]), [[0, 2 * idf["a"], idf["b"]]], rtol=1e-6)


def test_inversion() -> None:
    layer = layers.StringLookup(vocabulary=VOCABULARY, invert=True)
    assert values(layer(np.asarray([[1, 3, 4], [0, 2, 9]]))) == [["a", "c", "d"], ["[UNK]", "b", "[UNK]"]]
    assert values(layers.IntegerLookup(vocabulary=[7, 9], invert=True)([2, 0])) == [9, -1]


def test_vocabularies_come_from_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("ä\nb c\n", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=path)
    assert layer.get_vocabulary() == ["[UNK]", "ä", "b c"]
    assert layers.StringLookup.from_config(layer.get_config()).get_vocabulary() == layer.get_vocabulary()
    (tmp_path / "numbers.txt").write_text("3\n-4\n")
    assert layers.IntegerLookup(vocabulary=str(tmp_path / "numbers.txt")).get_vocabulary() == [-1, 3, -4]


def test_hashes_are_those_of_farmhash_and_siphash() -> None:
    column = [["A"], ["B"], ["C"], ["D"], ["E"]]
    assert values(layers.Hashing(3)(column)) == [[1], [0], [1], [1], [2]]
    assert values(layers.Hashing(3, salt=(133, 137))(column)) == [[1], [2], [1], [0], [2]]
    assert values(layers.Hashing(3, salt=133)(column)) == [[0], [0], [2], [1], [0]]
    assert values(layers.Hashing(3, mask_value="")([["A"], [""]]))[1] == [0]
    lengths = [layers.Hashing(1 << 31)(["x" * n]).item() for n in (3, 7, 12, 20, 40, 64, 65, 128, 200)]
    assert lengths == LENGTHS  # pyfarmhash 0.5.1
    crossing = layers.HashedCrossing(5)([["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102]])
    assert values(crossing) == [1, 4, 1, 1, 3]
    assert values(layers.HashedCrossing(2, "one_hot")([["A"], ["B"]])) in ([[1, 0]], [[0, 1]])


def test_text() -> None:
    layer = layers.TextVectorization(output_sequence_length=4)
    layer.adapt(["foo bar", "bar baz", "baz bada boom"])
    assert layer.get_vocabulary() == ["", "[UNK]", "baz", "bar", "foo", "boom", "bada"]
    assert values(layer([["Foo, qux bar!"], ["qux baz"]])) == [[4, 1, 3, 0], [1, 2, 0, 0]]
    layer = layers.TextVectorization(ngrams=2, vocabulary=["a b", "b"])
    assert values(layer(["a b c"])) == [[1, 3, 1, 2, 1]]
    counts = layers.TextVectorization(
        split="character", output_mode="count", vocabulary=["a", "b"], standardize="lower"
    )
    assert values(counts(["ABa?!", ""])) == [[2, 2, 1], [0, 0, 0]]
    own = layers.TextVectorization(
        standardize=lambda x: np.char.replace(x, "-", " "), split=lambda text: text.split(" "), vocabulary=["a", "b"]
    )
    assert values(own(np.asarray(["a-b"]))) == [[2, 3]]
    assert values(layers.TextVectorization(split=None, vocabulary=["a b"])([["A b", "c"]])) == [[2, 1]]


@pytest.mark.parametrize(
    ("options", "one", "empty"),
    [
        ({}, [2, 1], []),
        ({"output_sequence_length": 3}, [2, 1, 0], [0, 0, 0]),
        ({"output_mode": "count"}, [1, 1, 0], [0, 0, 0]),
    ],
)
def test_one_text_and_empty_ones(options: dict[str, Any], one: Any, empty: Any) -> None:
    """As in Keras on TensorFlow."""
    layer = layers.TextVectorization(vocabulary=["a", "b"], **options)
    for text, expected in (("A c", one), ("", empty), (np.asarray("a c"), one)):
        assert values(layer(text)) == expected
    assert values(layer(["A c"])) == values(layer([["a c"]])) == [one]
    assert values(layer(["", ""])) == [empty, empty]


def test_text_is_saved_with_its_vocabulary() -> None:
    layer = layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(["a b", "b c"])
    copy = layers.TextVectorization.from_config(layer.get_config())
    np.testing.assert_allclose(copy(["a c c x"]), layer(["a c c x"]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.StringLookup()(["a"]), "has no vocabulary yet"),
        (lambda: layers.TextVectorization()(["a"]), "has no vocabulary yet"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), r"without repeated tokens.*Received: \['a'\]"),
        (lambda: layers.StringLookup(vocabulary=["b", ""], mask_token=""), "without special tokens"),
        (lambda: layers.StringLookup(vocabulary=[]), "at least one token"),
        (lambda: layers.StringLookup(vocabulary="nowhere.txt"), "or the path of a file"),
        (lambda: layers.StringLookup(vocabulary=[1]), "a list of strings"),
        (lambda: layers.IntegerLookup(vocabulary=["x"]), "a list of integers"),
        (lambda: layers.IntegerLookup(vocabulary=[1])([1.5]), "takes strings or integers"),
        (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), "takes integers"),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), "'b' is not in its vocabulary"),
        (lambda: layers.StringLookup(3, vocabulary=VOCABULARY), "at most 2 tokens besides"),
        (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "given with the vocabulary"),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), "Argument `max_tokens`"),
        (lambda: layers.StringLookup(invert=True, output_mode="count"), "'int' where `invert` is True"),
        (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), r"shape \(batch,\) or \(batch, 1\)"),
        (lambda: layers.TextVectorization(split="letters"), "'whitespace', 'character', None"),
        (lambda: layers.HashedCrossing(3)([["a"], ["b", "c"]]), "features of one shape"),
        (lambda: layers.HashedCrossing(3)(["a"]), "a list of at least two features"),
        (lambda: layers.Hashing(3)([[1, 2], [3]]), "."),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_model_on_looked_up_text() -> None:
    text = layers.TextVectorization(output_sequence_length=3)
    text.adapt(["good film", "bad film"])
    model = portanet.Sequential([layers.Embedding(text.vocabulary_size(), 2), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    x = text(["good film", "bad film"])
    losses = model.fit(x, np.asarray([[1.0], [0.0]]), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
