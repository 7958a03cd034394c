"""Checksums detect every changed byte, and the error names its tensor."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import portanet
from portanet import layers
from portanet.saving import LoadError, archive, load_model
from portanet.saving.archive import open_archive, write_archive
from portanet.saving.safetensors import SafetensorsFile, Tensor

DOCUMENT = {"kind": "test", "numbers": [1, 2.5], "text": "häß\ud800"}
TENSORS = {"a/b": Tensor(np.arange(4.0), "float64"), "c": Tensor(np.ones((2, 2), "float32"), "bfloat16")}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "x"
    write_archive(path, DOCUMENT, TENSORS)
    return path.read_bytes()


def test_everything_comes_back(tmp_path):
    write_archive(tmp_path / "x", DOCUMENT, TENSORS)
    with open_archive(tmp_path / "x") as result:
        assert {key: result.document[key] for key in DOCUMENT} == DOCUMENT
        assert result.document["version"] == archive.VERSION
        for name, tensor in TENSORS.items():
            assert (result.shape(name), result.dtype(name)) == (tensor.shape, tensor.dtype)
            np.testing.assert_array_equal(result.read(name).values, tensor.values)


def read_all(path):
    with open_archive(path) as result:
        for name in result.names:
            result.read(name)
        return result.document


def test_every_flipped_bit_is_noticed(tmp_path, good):
    """Except in the keys of description and checksum: the file is then not one of portanet's."""
    path = tmp_path / "x"
    for place in range(len(good)):
        for bit in (1, 64):
            changed = bytearray(good)
            changed[place] ^= bit
            path.write_bytes(changed)
            try:
                assert read_all(path) is None
            except LoadError:
                continue
            with SafetensorsFile(path) as file:
                assert archive.DOCUMENT not in file.metadata
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(LoadError):
            read_all(path)


def test_the_damaged_tensor_is_named(tmp_path, good):
    for name, place in (("a/b", -20), ("c", -1)):
        changed = bytearray(good)
        changed[place] ^= 1
        (tmp_path / "x").write_bytes(changed)
        with open_archive(tmp_path / "x") as result:
            with pytest.raises(LoadError, match=f"tensor '{name}' is damaged: its bytes do not match the checksum"):
                result.read(name)
            result.read("c" if name == "a/b" else "a/b")


def test_later_versions_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "VERSION", 2)
    write_archive(tmp_path / "x", DOCUMENT, TENSORS)
    monkeypatch.undo()
    with pytest.raises(LoadError, match="it has version 2 of the format, and this portanet reads 1; use the portanet"):
        read_all(tmp_path / "x")


@settings(max_examples=200)
@given(data=st.data())
def test_random_damage_gives_the_documented_error(tmp_path_factory, data):
    path, good = saved_model(tmp_path_factory)
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "insert", "repeat"]))
        if kind == "set":
            changed[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del changed[place : place + data.draw(st.integers(1, 50))]
        elif kind == "insert":
            changed[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        else:
            changed[place:place] = changed[place : place + 20]
        changed = changed or bytearray(b" ")
    path.write_bytes(changed)
    if changed != good:
        with pytest.raises(LoadError, match=re.escape(str(path))):
            load_model(path)


_saved = []


def saved_model(tmp_path_factory):
    if not _saved:
        path = tmp_path_factory.mktemp("damaged") / "model"
        model = portanet.Sequential([layers.Input((2,)), layers.Dense(2, "relu"), layers.Dropout(0.1), layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        model.save(path)
        _saved.extend([path, path.read_bytes()])
    return _saved
