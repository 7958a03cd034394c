"""Models as ONNX files, run by onnxruntime."""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace
from portanet.backends import Array, Backend, BackendUnavailableError
from portanet.export import Entrance, export_onnx
from tests.export.facts import Session, with_batch

onnx = pytest.importorskip("onnx", reason="extra `onnx`")
pytest.importorskip("ndonnx", reason="extra `onnx`")
pytest.importorskip("onnxruntime", reason="it runs what is exported")


def image_model() -> portanet.Sequential:
    model = portanet.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2DTranspose(3, 2, strides=2),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_a_trained_model_for_every_batch_size(backend: Backend, tmp_path: pathlib.Path) -> None:
    model = image_model()
    g = np.random.default_rng(0)
    x = g.standard_normal((40, 8, 8, 1)).astype("float32")
    model.fit(x, g.integers(0, 5, 40), epochs=1, verbose=0)
    path = tmp_path / "model.onnx"
    model.export(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    run = Session(path)
    assert run.inputs == [(model.input_names[0], ["batch", 8, 8, 1], "tensor(float)")]
    assert run.outputs == [(model.output_names[0], ["batch", 5], "tensor(float)")]
    for size in (1, 3, 40):
        np.testing.assert_allclose(run(x[:size])[0], model.predict(x[:size]), rtol=1e-4, atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_convolutions_become_convolutions(tmp_path: pathlib.Path) -> None:
    image_model().export(tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("Conv") == 1
    assert kinds.count("ConvTranspose") == 1
    assert (3, 3, 1, 4) in [tuple(weight.dims) for weight in graph.initializer]


def test_text_with_a_signature(tmp_path: pathlib.Path) -> None:
    model = portanet.Sequential([layers.Embedding(20, 4, mask_zero=True), layers.LSTM(6), layers.Dense(2)])
    x = np.random.default_rng(1).integers(0, 20, (9, 7)).astype("int32")
    expected = model.predict(x)
    model.export(tmp_path / "model.onnx", input_signature=x[:1])
    run = Session(tmp_path / "model.onnx")
    assert run.inputs == [(model.input_names[0], ["batch", 7], "tensor(int32)")]
    np.testing.assert_allclose(run(x)[0], expected, rtol=1e-4, atol=1e-6)


class Several(layers.Layer):
    """Two inputs, two outputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = layers.Dense(3)

    def call(self, x: list[Array]) -> dict[str, Array]:
        return {"sum": self.mix(x[0]) + x[1], "first": x[0]}


def test_several_inputs_and_outputs(tmp_path: pathlib.Path) -> None:
    layer, g = Several(), np.random.default_rng(2)
    x = [g.standard_normal((4, 2)).astype("float32"), g.standard_normal((4, 3)).astype("float32")]
    expected = layer(x)
    export_onnx(layer, tmp_path / "layer.onnx", x)
    run = Session(tmp_path / "layer.onnx")
    assert [name for name, _, _ in run.inputs] == ["input_0", "input_1"]
    assert [name for name, _, _ in run.outputs] == ["sum", "first"]
    for name, result in zip(("sum", "first"), run(*with_batch(x, 4)), strict=True):
        np.testing.assert_allclose(result, expected[name], rtol=1e-5, atol=1e-6)


class Named(portanet.Model):
    """A model that knows its inputs and the names of its outputs, as graphs do."""

    input = (Entrance((None, 2), "float32", "short"), Entrance((None, 3), "float32", "long"))
    output_names = ("total", "copy")

    def __init__(self) -> None:
        super().__init__()
        self.inner = Several()

    def call(self, x: list[Array]) -> list[Array]:
        return list(self.inner(x).values())


def test_names_of_inputs_and_outputs(tmp_path: pathlib.Path) -> None:
    model, g = Named(), np.random.default_rng(3)
    x = (g.standard_normal((4, 2)).astype("float32"), g.standard_normal((4, 3)).astype("float32"))
    expected = model(x)
    model.export(tmp_path / "model.onnx")
    run = Session(tmp_path / "model.onnx")
    assert [(name, shape) for name, shape, _ in run.inputs] == [("short", ["batch", 2]), ("long", ["batch", 3])]
    assert [(name, shape) for name, shape, _ in run.outputs] == [("total", ["batch", 3]), ("copy", ["batch", 2])]
    for ours, theirs in zip(run(*x), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_fixed_batch_stays_fixed(tmp_path: pathlib.Path) -> None:
    model = portanet.Sequential([layers.Input((5, 2), batch_size=4), layers.GRU(3, stateful=True)])
    model.export(tmp_path / "model.onnx")
    assert Session(tmp_path / "model.onnx").inputs[0][1] == [4, 5, 2]


class Counting(layers.Layer):
    """The result depends on the number of examples."""

    def call(self, x: Array) -> Array:
        return x * float(x.shape[0])


class Numbering(layers.Layer):
    """Each example gets its number."""

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return x + xp.asarray([[float(i)] for i in range(x.shape[0])], dtype=x.dtype)


class Branching(layers.Layer):
    """Another computation for many examples."""

    def call(self, x: Array) -> Array:
        return array_namespace(x).tanh(x) if x.shape[0] > 6 else x


class Peeking(layers.Layer):
    """Data-dependent control flow."""

    def call(self, x: Array) -> Array:
        return x if float(array_namespace(x).sum(x)) > 0 else -x


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Counting(), "depends on the batch size"),
        (Numbering(), "depends on the batch size"),
        (Branching(), "depends on the batch size"),
        (Peeking(), "cannot be exported to ONNX"),
    ],
)
def test_what_cannot_be_exported_says_why_and_leaves_no_file(layer: Any, message: str, tmp_path: pathlib.Path) -> None:
    x = np.ones((2, 3), dtype="float32")
    layer(x)
    with pytest.raises(ValueError, match=message):
        export_onnx(layer, tmp_path / "layer.onnx", x)
    assert not list(tmp_path.iterdir())


def test_misuse(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(ValueError, match="not built yet"):
        portanet.Sequential([layers.Dense(2)]).export(path)
    with pytest.raises(ValueError, match="must be 'onnx'"):
        image_model().export(path, format="tf_saved_model")
    with pytest.raises(ValueError, match="pass input_signature"):
        portanet.Sequential([layers.Input((None, 2)), layers.LSTM(2)]).export(path)
    result = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ndonnx" else result(name))
    with pytest.raises(BackendUnavailableError, match=r"portanet\[onnx\]"):
        image_model().export(path)
    assert not list(tmp_path.iterdir())
