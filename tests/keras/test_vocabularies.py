"""Lookups in files of Keras, with the vocabularies that they learned.

`files/vocabularies.keras` was written by Keras 3.15.1 on TensorFlow, without which it has no lookups.
"""

from __future__ import annotations

import json
import pathlib
import zipfile
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import LoadError, deserialize_keras_object, serialize_keras_object

pytest.importorskip("h5py")

FILE = pathlib.Path(__file__).parent / "files" / "vocabularies.keras"


class Net(portanet.Model):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.words = layers.TextVectorization(output_sequence_length=3)
        self.tags = layers.StringLookup(output_mode="tf_idf")
        self.emb = layers.Embedding(8, 2)
        self.head = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.head(self.emb(x))


def test_learned_vocabularies(tmp_path: pathlib.Path) -> None:
    first = portanet.load_model(FILE, custom_objects={"Net": Net})
    first.save(tmp_path / "again.keras")
    with zipfile.ZipFile(FILE) as theirs, zipfile.ZipFile(tmp_path / "again.keras") as ours:
        names = [name for name in theirs.namelist() if name.startswith("assets/")]
        assert len(names) == 3
        assert [ours.read(name) for name in names] == [theirs.read(name) for name in names]
    for model in (first, portanet.load_model(tmp_path / "again.keras", custom_objects={"Net": Net})):
        assert model.words(["the cat dog"]).tolist() == [[2, 4, 3]]
        np.testing.assert_allclose(model.tags(["a", "z"]), [0.63237333, 0.51082563, 0.0, 0.0], rtol=1e-6)
        np.testing.assert_allclose(model.predict(np.ones((1, 3), "int32"))[0], [[0.05526687]] * 3, rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"\xff\xfe", "vocabulary of layer 'string_lookup"), (b"[UNK]\na\na", "repeated"), (b"", "at least one token")],
)
def test_damaged_vocabularies(text: bytes, message: str, tmp_path: pathlib.Path) -> None:
    with zipfile.ZipFile(FILE) as source, zipfile.ZipFile(tmp_path / "m.keras", "w") as target:
        for name in source.namelist():
            target.writestr(name, text if "string_lookup" in name else source.read(name))
    with pytest.raises(LoadError, match=rf"m\.keras(?s:.)*{message}"):
        portanet.load_model(tmp_path / "m.keras", custom_objects={"Net": Net})


def test_vocabularies_in_descriptions() -> None:
    for layer, x in (
        (layers.StringLookup(vocabulary=["a", "b"]), ["b", "c"]),
        (layers.IntegerLookup(vocabulary=[3, 5], mask_token=0), [5, 0, 1]),
        (layers.TextVectorization(vocabulary=["a", "b"], output_mode="tf_idf", idf_weights=[0.5, 2.0]), ["a b b"]),
        (layers.Discretization([0.0, 2.0]), np.asarray([[1.0, 3.0]], "float32")),
        (layers.Hashing(5), ["a", "b"]),
        (layers.HashedCrossing(5), (["a", "b"], [1, 2])),
    ):
        again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(layer))))
        np.testing.assert_array_equal(again(x), layer(x))


def test_a_path_in_a_description_is_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "secret.txt").write_text("a\nb")
    layer = layers.StringLookup(vocabulary=str(tmp_path / "secret.txt"))
    config = serialize_keras_object(layer)
    assert config["config"]["vocabulary"] == ["a", "b"]
    config["config"]["vocabulary"] = str(tmp_path / "secret.txt")
    with pytest.raises(LoadError, match="must be a list of tokens in a configuration"):
        deserialize_keras_object(config)


def test_layers_of_strings_in_graphs(tmp_path: pathlib.Path) -> None:
    """`files/strings.keras` was written by Keras 3.15.1 on TensorFlow: a model of strings in another, all adapted."""
    columns = [
        np.asarray(["good film", "bad film", "a good one", "the bad bad"]),
        np.asarray([["m"], ["f"], ["x"], ["m"]]),
        np.asarray([[3], [5], [7], [3]]),
    ]
    expected = [[0.4199555218219757], [-0.007993973791599274], [0.2779022455215454], [-0.22352993488311768]]
    model = portanet.load_model(FILE.with_name("strings.keras"))
    np.testing.assert_allclose(model.predict(columns), expected, rtol=1e-5)
    model.save(tmp_path / "again.keras")
    np.testing.assert_allclose(portanet.load_model(tmp_path / "again.keras").predict(columns), expected, rtol=1e-5)
