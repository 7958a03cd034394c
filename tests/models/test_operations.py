"""Operators, indices and functions of `portanet.ops` on symbolic arrays: operations of graphs."""

from __future__ import annotations

import copy
import pathlib
import pickle
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.configurable import arguments_of
from portanet.layers.symbolic import SymbolicArray
from portanet.models import clone_model, plot_model
from portanet.ops.operation import OPERATIONS
from portanet.saving import LoadError
from tests.models.operations import CASES, drawn

Input, Model = layers.Input, portanet.Model


def flat(tree: Any) -> list[Any]:
    return list(tree) if isinstance(tree, (list, tuple)) else [tree]


def made(case: str) -> tuple[Any, list[Any], list[Any]]:
    """A graph of a case, data for it, and its outputs computed by NumPy without a graph."""
    shapes, function = CASES[case]
    inputs = [Input(shape) for shape in shapes]
    data = drawn(shapes, 5)
    with portanet.use_backend("numpy"):
        expected = flat(function(ops, *data))
    return Model(inputs, function(ops, *inputs)), list(map(portanet.asarray, data)), expected


def assert_same(model: Any, data: list[Any], expected: list[Any]) -> None:
    for one, other in zip(flat(model(data)), expected, strict=True):
        assert str(one.dtype).endswith(other.dtype.name)
        np.testing.assert_allclose(portanet.to_host(one), other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_a_graph_computes_what_its_functions_compute(case: str, backend: Any, tmp_path: pathlib.Path) -> None:
    model, data, expected = made(case)
    assert_same(model, data, expected)
    for symbolic, array in zip(model.outputs, expected, strict=True):
        assert symbolic.dtype == array.dtype.name
        assert len(symbolic.shape) == array.ndim
        assert all(n in (None, m) for n, m in zip(symbolic.shape, array.shape, strict=True))
    model.save(tmp_path / "m.safetensors")
    loaded = portanet.load_model(tmp_path / "m.safetensors")
    assert [o.name for o in loaded.operations] == [o.name for o in model.operations]
    assert_same(loaded, data, expected)
    assert_same(clone_model(model), data, expected)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies(copied: Any) -> None:
    for case in ("numbers", "indices", "several outputs", "by keyword"):
        model, data, expected = made(case)
        assert_same(copied(model), data, expected)


def trained(inputs: Any, outputs: Any) -> Any:
    model = Model(inputs, outputs)
    model.compile("sgd", "mse")
    x, y = drawn([(6,)], 8)[0], drawn([(2,)], 8)[0]
    model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    return model


def test_training_is_that_of_a_lambda(backend: Any) -> None:
    """On all backends; those that compile, compile."""

    def scaled(h: Any) -> Any:
        return (1 - h) / (2 + ops.exp(h)) * ops.flip(h, axis=-1)

    results = []
    for wrapped in (False, True):
        portanet.random.set_seed(3)
        x = Input((6,))
        h = layers.Dense(4, name="hidden")(x)
        h = layers.Lambda(scaled)(h) if wrapped else scaled(h)
        results.append(trained(x, layers.Dense(2, name="out")(h)).get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_between_shared_layers_and_models(backend: Any) -> None:
    x = Input((3,))
    inner = Model(x, ops.tanh(x) * 2 + 1, name="inner")
    dense = layers.Dense(3, name="dense")
    y = Input((3,))
    shared = dense(inner(y)) - dense(inner(2 * y)) / 2
    model = Model(y, [shared, inner(shared)[:, :2]])
    assert [layer.name for layer in model.layers] == ["input_layer", "inner", "dense"]
    data = portanet.asarray(drawn([(3,)])[0])
    expected = dense(ops.tanh(data) * 2 + 1) - dense(ops.tanh(2 * data) * 2 + 1) / 2
    first, second = model(data)
    np.testing.assert_allclose(portanet.to_host(first), portanet.to_host(expected), rtol=1e-6)
    np.testing.assert_allclose(
        portanet.to_host(second), portanet.to_host((ops.tanh(expected) * 2 + 1)[:, :2]), rtol=1e-5
    )
    assert model.compute_output_shape((7, 3)) == [(7, 3), (7, 2)]


def test_layers_and_operations_of_a_model() -> None:
    x = Input((3,), name="x")
    model = Model(x, layers.Dense(2)(1 - x) + (1 - x)[:, :2] / 2)
    assert [layer.name for layer in model.layers] == ["x", "dense"]
    names = ["x", "subtract_1", "subtract", "get_item", "dense", "true_divide", "add"]
    assert [operation.name for operation in model.operations] == names  # by the distance from the output
    assert list(model.named_variables()) == ["dense/kernel", "dense/bias"]
    with pytest.raises(ValueError, match=r"has the layers x, dense; choose.*Received: name='subtract'"):
        model.get_layer("subtract")
    texts: list[str] = []
    model.summary(print_fn=texts.append)
    assert "true_divide (TrueDivide)" in texts[0]
    assert "add = Add(dense, true_divide)" in " ".join(str(plot_model(model)).split())
    features = Model(x, model.get_layer("dense").input)
    np.testing.assert_array_equal(features(np.ones((1, 3), "float32")), np.zeros((1, 3)))


def test_numbers_and_shapes_while_a_graph_is_built(backend: Any) -> None:
    x = Input((4, 3))
    assert ops.shape(x) == (None, 4, 3)
    assert ops.ndim(x) == 3
    count = ops.size(x)
    assert isinstance(count, SymbolicArray)
    mean = Model(x, ops.sum(x, axis=(1, 2)) / ops.cast(count, "float32"))
    data = portanet.asarray(np.ones((2, 4, 3)))
    np.testing.assert_allclose(portanet.to_host(mean(data)), [0.5, 0.5])
    fixed = Input((3,), batch_size=2)
    assert len(fixed) == 2
    first, second = fixed
    np.testing.assert_array_equal(portanet.to_host(Model(fixed, first - second)(data[:, 0, ...])), [0.0, 0.0, 0.0])


def test_parts_of_a_batch_of_unknown_size() -> None:
    x = Input((4,))
    assert x[x > 0].shape == (None,)  # by values
    assert x[20].shape == x[-300].shape == x[np.int64(20), :].shape == (4,)
    assert x[:5].shape == x[5:].shape == x[300:].shape == x[:-30].shape == x[:, :].shape == (None, 4)
    assert x[..., 2:].shape == x[40::3, -2:].shape == (None, 2)
    assert x[:1].shape == x[None, 7].shape == (1, 4)
    assert Input((None, 3))[:, 100].shape == (None, 3)
    assert ops.slice(x, (30, 0), (3, 2)).shape == (3, 2)
    assert ops.take(x, [20], axis=0).shape == (1, 4)
    with pytest.raises(ValueError, match="out of bounds for axis 1"):
        x[:, 5]
    data = np.arange(84, dtype="float32").reshape(21, 4)
    np.testing.assert_array_equal(Model(x, x[20] + x[19:20])(data), data[20] + data[19:20])


def test_constants_of_a_backend_serve_on_others() -> None:
    torch = pytest.importorskip("torch")
    with portanet.use_backend("torch"):
        x = Input((3,))
        model = Model(x, layers.Dense(2)(x * torch.tensor([1.0, 2.0, 3.0])))
        data = drawn([(3,)])[0]
        expected = portanet.to_host(model(torch.asarray(data)))
    moved = model.to("numpy")
    np.testing.assert_allclose(moved(data), expected, rtol=1e-5)


def test_variables_in_graphs(backend: Any, tmp_path: pathlib.Path) -> None:
    """Their current values count; files cannot hold them."""
    x = Input((3,))
    dense = layers.Dense(3, use_bias=False)
    model = Model(x, dense(x) @ dense.kernel)
    data, kernel = drawn([(3,)])[0], np.asarray(drawn([(3,)], 3)[0])
    dense.set_weights([kernel])
    np.testing.assert_allclose(portanet.to_host(model(portanet.asarray(data))), data @ kernel @ kernel, rtol=1e-4)
    with pytest.raises(ValueError, match=r"Cannot save .*Variable"):
        model.save(tmp_path / "m.safetensors")


def test_mixed_precision(backend: Any) -> None:
    if "strict" in backend.name:
        pytest.skip("array-api-strict has no half precision")
    x = Input((3,))
    h = layers.Dense(4, dtype="mixed_float16")(x)
    y = 1 - h * 2
    assert (h.dtype, y.dtype) == ("float16", "float16")
    out = Model(x, y)(portanet.asarray(drawn([(3,)])[0]))
    assert backend.dtype_name(out.dtype) == "float16"


def test_unknown_operations_in_files_are_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = Input((3,))
    model = Model(x, ops.exp(x))
    for name in ("ops.system", "ops.os", "os.system", "activations.relu", 3, None):
        config = arguments_of(model)
        config["nodes"][0]["operation"] = name
        with pytest.raises(ValueError, match=r"names the operation .*portanet\.ops has no such function"):
            type(model).from_config(config)
    path = tmp_path / "m.safetensors"
    model.save(path)
    monkeypatch.delitem(OPERATIONS, "exp")
    with pytest.raises(LoadError, match=r"operation 'ops.exp', but portanet\.ops has no such function"):
        portanet.load_model(path)


def test_files_with_merging_layers_for_operators_still_load(tmp_path: pathlib.Path) -> None:
    """Earlier versions wrote layers for +, - and *."""
    x, y = Input((3,)), Input((3,))
    out = layers.Multiply()([layers.Add()([x, y]), layers.Subtract()([x, y])])
    Model([x, y], out).save(tmp_path / "m.safetensors")
    data = drawn([(3,), (3,)])
    loaded = portanet.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded(data), Model([x, y], (x + y) * (x - y))(data))
