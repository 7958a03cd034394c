"""Embeddings of sentences, against BERT's formulas written with NumPy alone."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

page = load("beyond/sentence_embeddings")
Weights = dict[str, np.ndarray]


def dense(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def normalized(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)


def embedding(w: Weights, numbers: Any, sizes: dict[str, int]) -> np.ndarray:
    """The vector of one sentence without padding."""
    x = w["embeddings.word_embeddings.weight"][numbers]
    x = x + w["embeddings.position_embeddings.weight"][: len(numbers)] + w["embeddings.token_type_embeddings.weight"][0]
    x, heads = normalized(x), sizes["heads"]
    for i in range(sizes["layers"]):
        own = f"encoder.layer.{i}"
        q, k, v = (
            dense(w, f"{own}.attention.self.{part}", x).reshape(len(x), heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1]))
        y = (scores / scores.sum(axis=-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(x), -1)
        x = normalized(x + dense(w, f"{own}.attention.output.dense", y))
        y = dense(w, f"{own}.intermediate.dense", x)
        y = y * (1 + np.vectorize(math.erf)(y / math.sqrt(2))) / 2
        x = normalized(x + dense(w, f"{own}.output.dense", y))
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_vectors_are_those_of_bert(tmp_path: pathlib.Path) -> None:
    sentences = page.SENTENCES[1:4]
    with portanet.use_backend("numpy"):
        model, vocabulary, unused = page.load(page.stand_in(tmp_path, sentences), page.SMALL)
        numbers = page.encode(sentences, vocabulary)
        vectors = model.predict(numbers, verbose=0)
    assert unused == ["pooler.dense.weight", "pooler.dense.bias"]
    weights = {name: value.astype(float) for name, value in page.tensors(len(vocabulary), page.SMALL).items()}
    expected = [embedding(weights, row[row != 0], page.SMALL) for row in numbers]
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_the_file_is_read_by_others(tmp_path: pathlib.Path) -> None:

    safetensors = pytest.importorskip("safetensors.numpy")
    page.stand_in(tmp_path, ["One word."])
    read = safetensors.load_file(tmp_path / "model.safetensors")
    expected = page.tensors(7, page.SMALL)
    assert set(read) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(read[name], value)


def test_the_longest_piece_comes_first() -> None:
    numbers = {"[UNK]": 0, "em": 1, "##bed": 2, "##ding": 3, "##s": 4, "##d": 5, "embed": 6}
    assert page.pieces("embeddings", numbers) == [6, 3, 4]
    assert page.pieces("emx", numbers) == [0]
    assert page.split("Café, no?") == ["cafe", ",", "no", "?"]
