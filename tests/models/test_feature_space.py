"""`FeatureSpace`: how tables are encoded, by data and in models."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, models
from portanet.models.feature_space import Cross
from portanet.utils import FeatureSpace, PyDataset

TABLE: dict[str, Any] = {
    "age": [20.0, 30.0, 70.0, 40.0],
    "city": ["Oslo", "Rome", "Oslo", "Bonn"],
    "kind": [3, 1, 3, 3],
}
CITIES = {"Oslo": 1, "Rome": 2, "Bonn": 3}


def host(x: Any) -> Any:
    return portanet.to_host(x)


def one_hot(indices: Any, size: int) -> Any:
    return np.eye(size, dtype="float32")[np.asarray(indices)]


def adapted(**options: Any) -> FeatureSpace:
    features = {"city": "string_categorical", "age": "float_normalized", "kind": "integer_categorical"}
    space = FeatureSpace(features, **options)
    space.adapt(TABLE)
    return space


def expected() -> Any:
    age = np.asarray(TABLE["age"])
    scaled = (age - age.mean()) / age.std()
    return np.concatenate([scaled[:, None], one_hot([1, 2, 1, 3], 4), one_hot([1, 2, 1, 1], 3)], axis=1)


def test_features_are_joined_in_alphabetical_order(backend: Any) -> None:
    space = adapted()
    np.testing.assert_allclose(host(space(TABLE)), expected(), rtol=1e-5, atol=1e-6)
    assert space.preprocessors["city"].get_vocabulary() == ["[UNK]", "Oslo", "Rome", "Bonn"]


def test_one_row_and_forms_of_columns(backend: Any) -> None:
    space = adapted()
    row = space({name: column[1] for name, column in TABLE.items()})
    np.testing.assert_allclose(host(row), expected()[1], rtol=1e-5, atol=1e-6)
    arrays = {name: np.asarray(column).reshape(-1, 1) for name, column in TABLE.items()}
    np.testing.assert_array_equal(host(space(arrays)), host(space(TABLE)))
    unknown = host(space({"age": [40.0], "city": ["Lima"], "kind": [9]}))
    np.testing.assert_allclose(unknown, [[0, 1, 0, 0, 0, 1, 0, 0]], atol=1e-6)


def test_a_dict_of_features(backend: Any) -> None:
    out = adapted(output_mode="dict", crosses=[("city", "kind")], crossing_dim=5)(TABLE)
    assert list(out) == ["age", "city", "city_X_kind", "kind"]
    crossing = layers.HashedCrossing(5, "one_hot")([np.asarray([1, 2, 1, 3]), np.asarray([1, 2, 1, 1])])
    np.testing.assert_array_equal(host(out["city_X_kind"]), host(crossing))
    np.testing.assert_array_equal(host(out["city"]), one_hot([1, 2, 1, 3], 4))


def test_kinds_with_options(backend: Any) -> None:
    features = {
        "plain": FeatureSpace.float(),
        "scaled": FeatureSpace.float_rescaled(scale=2.0, offset=1.0),
        "between": FeatureSpace.float_discretized(3, bin_boundaries=[0.0, 1.0], output_mode="int"),
        "hashed": FeatureSpace.string_hashed(6, output_mode="int"),
        "number": FeatureSpace.integer_hashed(4),
        "few": FeatureSpace.string_categorical(max_tokens=2, output_mode="int"),
        "own": FeatureSpace.feature("string", layers.TextVectorization(output_mode="count"), "float"),
    }
    space = FeatureSpace(features, "dict", [FeatureSpace.cross(["hashed", "between"], 3, "int")])
    numbers, words = [-1.0, 0.5, 2.0], ["a b", "a", "b b"]
    table = {"plain": numbers, "scaled": numbers, "between": numbers, "hashed": words, "number": [1, 2, 3]}
    table |= {"few": ["x", "x", "y"], "own": words}
    space.adapt(table)
    out = {name: host(value).tolist() for name, value in space(table).items()}
    assert out["plain"] == [[-1.0], [0.5], [2.0]]
    assert out["scaled"] == [[-1.0], [2.0], [5.0]]
    assert out["between"] == [[0], [1], [2]]
    hashed = host(layers.Hashing(6)(np.asarray(words))).reshape(-1, 1)
    assert out["hashed"] == hashed.tolist()
    assert np.shape(out["number"]) == (3, 4)
    assert out["few"] == [[1], [1], [0]]
    assert out["own"] == [[0, 1, 1], [0, 0, 1], [0, 2, 0]]
    crossed = layers.HashedCrossing(3)([hashed, np.asarray([[0], [1], [2]])])
    assert out["hashed_X_between"] == host(crossed).tolist()


@pytest.mark.parametrize("targets", [False, True])
def test_it_adapts_to_batches(targets: bool, backend: Any) -> None:
    class Batches(PyDataset):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            x = {name: np.asarray(column[2 * index : 2 * index + 2]) for name, column in TABLE.items()}
            return (x, np.ones(2)) if targets else x

    space = adapted()
    space.adapt({**TABLE, "age": [0.0] * 4})
    space.adapt(Batches())
    np.testing.assert_allclose(host(space(TABLE)), expected(), rtol=1e-5, atol=1e-6)


def test_before_a_model(backend: Any, tmp_path: Any) -> None:
    space = adapted(crosses=[("city", "kind")])
    inputs, encoded = space.get_inputs(), space.get_encoded_features()
    out = layers.Dense(1)(encoded)
    whole, rest = models.Model(inputs, out), models.Model(encoded, out)
    whole.compile("sgd", "mse")
    table = {name: np.asarray(column) for name, column in TABLE.items()}
    whole.fit(table, np.ones(4, dtype="float32"), verbose=0)
    expected = rest.predict(host(space(TABLE)), verbose=0)
    np.testing.assert_allclose(whole.predict(table, verbose=0), expected, rtol=1e-5, atol=1e-6)
    again = space({name: layers.Input((1,), dtype=feature.dtype) for name, feature in space.features.items()})
    assert again.shape == encoded.shape
    whole.save(tmp_path / "whole.safetensors")
    loaded = portanet.load_model(tmp_path / "whole.safetensors")
    np.testing.assert_allclose(loaded.predict(table, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("way", ["file", "config", "copy", "pickle"])
def test_copies_and_files(way: str, backend: Any, tmp_path: Any) -> None:
    space = adapted(crosses=[("city", "kind")], crossing_dim=4)
    if way == "file":
        space.save(tmp_path / "space.safetensors")
        other: Any = portanet.load_model(tmp_path / "space.safetensors")
    elif way == "config":
        other = FeatureSpace.from_config(space.get_config())
        assert other.preprocessors["city"].get_vocabulary() == space.preprocessors["city"].get_vocabulary()
        other.adapt(TABLE)
    else:
        other = copy.deepcopy(space) if way == "copy" else pickle.loads(pickle.dumps(space))
    np.testing.assert_array_equal(host(other(TABLE)), host(space(TABLE)))


def test_files_of_keras_have_another_form(tmp_path: Any) -> None:
    with portanet.use_backend("numpy"), pytest.raises(ValueError, match=r"in another form.*\.safetensors"):
        adapted().save(tmp_path / "space.keras")


def test_what_it_refuses(backend: Any) -> None:
    with pytest.raises(ValueError, match="has to be adapted"):
        FeatureSpace({"age": "float_normalized"})(TABLE)
    assert FeatureSpace({"age": "float"})(TABLE).shape == (4, 1)  # which learns nothing
    with pytest.raises(ValueError, match=r"features\['age'\].*one of float"):
        FeatureSpace({"age": "floats"})
    with pytest.raises(ValueError, match="must name columns"):
        FeatureSpace({"age": "float"}, crosses=[("age", "city")])
    with pytest.raises(ValueError, match="at least two"):
        Cross(["age"], 3)
    with pytest.raises(ValueError, match="`features`"):
        FeatureSpace({})
    with pytest.raises(ValueError, match="cannot be joined"):
        FeatureSpace({"kind": FeatureSpace.integer_hashed(3, output_mode="int")})(TABLE)
    with pytest.raises(ValueError, match="number of its categories"):
        FeatureSpace({"age": FeatureSpace.feature("float32", layers.Identity(), "one_hot")})(TABLE)
    with pytest.raises(ValueError, match=r"a column for each feature.*city"):
        adapted()({"age": [1.0], "kind": [1]})
    with pytest.raises(ValueError, match=r"`dataset`.*city"):
        adapted().adapt({"age": [1.0], "kind": [1]})
    with pytest.raises(ValueError, match="`dataset`"):
        adapted().adapt(3)
    with pytest.raises(ValueError, match="`data`"):
        adapted()(np.ones((2, 3)))
    with pytest.raises(ValueError, match="`preprocessor`"):
        FeatureSpace.feature("float32", len, "float")  # type: ignore[arg-type]
