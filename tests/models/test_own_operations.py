"""`Operation`, `Function` and `KerasTensor`: operations of a user's own, and graphs as operations."""

from __future__ import annotations

import copy
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.models import clone_model
from tests.support import asarray, assert_close

KerasTensor, Operation = portanet.KerasTensor, portanet.Operation


@portanet.saving.register_keras_serializable("own_operations")
class Scaled(portanet.Operation):
    """The first array times a number, and the second if there is one."""

    def __init__(self, factor: float = 2.0, name: str | None = None) -> None:
        super().__init__(name)
        self.factor = factor

    def call(self, x: Any, y: Any = None) -> Any:
        scaled = x * self.factor
        return scaled if y is None else scaled + y


class Parts(portanet.Operation):
    """An operation that tells its output itself, since it cannot be tried."""

    def call(self, x: Any) -> Any:
        if float(ops.sum(x)) == 0:
            raise ValueError("zeros")
        return {"whole": x, "row": x[0, ...]}

    def compute_output_spec(self, x: Any) -> Any:
        return {"whole": KerasTensor(x.shape, dtype=x.dtype), "row": KerasTensor(x.shape[1:], dtype=x.dtype)}


def graph() -> Any:
    x = layers.Input((2,))
    return portanet.Model(x, Scaled(3.0)(Scaled()(layers.Dense(2, kernel_initializer="ones")(x)), y=x))


def test_an_operation_computes_and_becomes_part_of_a_graph(backend: Any, tmp_path: pathlib.Path) -> None:
    data = asarray([[1.0, 2.0]])
    assert_close(Scaled()(data), [[2.0, 4.0]])
    model = graph()
    assert_close(model(data), [[19.0, 20.0]])
    assert [type(each).__name__ for each in model.operations] == ["InputLayer", "Dense", "Scaled", "Scaled"]
    assert [layer.name for layer in model.layers] == ["input_layer", "dense"]
    model.save(tmp_path / "m.safetensors")
    loaded = portanet.load_model(tmp_path / "m.safetensors")
    for same in (loaded, clone_model(model), copy.deepcopy(model)):
        same.set_weights(model.get_weights())
        assert_close(same(data), [[19.0, 20.0]])
    assert [each.factor for each in loaded.operations[2:]] == [2.0, 3.0]
    model.compile("sgd", "mse")
    assert model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0).history["loss"][0] > 1


def test_names_and_configurations() -> None:
    operation = Scaled(4.0, name="mine")
    assert operation.get_config() == {"factor": 4.0, "name": "mine"}
    assert Scaled.from_config(operation.get_config()).factor == 4.0
    assert Scaled().name == "scaled"
    assert Parts().get_config() == {"name": "parts"}
    assert isinstance(layers.Dense(2), Operation)
    assert not isinstance(ops.add, Operation)
    with pytest.raises(ValueError, match="Argument `name` of Scaled"):
        Scaled(name="a/b")
    with pytest.raises(NotImplementedError, match="does not implement call"):
        portanet.Operation()(3)


def test_what_an_operation_tells_is_believed(backend: Any) -> None:
    x = layers.Input((3,), batch_size=2)
    parts = Parts()(x)
    assert {key: part.shape for key, part in parts.items()} == {"whole": (2, 3), "row": (3,)}
    out = portanet.Model(x, parts)(asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert_close(out["row"], [1.0, 2.0, 3.0])
    assert Scaled().compute_output_spec(x).shape == (2, 3)


def test_tensors_without_a_graph() -> None:
    x = KerasTensor((None, 3), dtype="int32", name="x")
    assert (x.shape, x.dtype, x.name, x.ndim, x.sparse) == ((None, 3), "int32", "x", 2, False)
    assert isinstance(layers.Input((3,)), KerasTensor)
    assert isinstance(layers.Dense(2).compute_output_spec(KerasTensor((5, 3))), KerasTensor)
    assert KerasTensor(()).shape == ()
    with pytest.raises(ValueError, match="dense"):
        KerasTensor((3,), sparse=True)
    with pytest.raises(ValueError, match="shape"):
        KerasTensor((3, "x"))
    with pytest.raises(ValueError, match="dtype"):
        KerasTensor((3,), "floating")


@pytest.mark.parametrize("told", [None, (None, 3), "x", 3, [KerasTensor((None, 3)), 3]])
def test_what_tells_no_specs(told: Any) -> None:
    class Telling(portanet.Operation):
        def compute_output_spec(self, x: Any) -> Any:
            return told

    with pytest.raises(TypeError, match="compute_output_spec of operation 'telling' must return symbolic arrays"):
        Telling()(KerasTensor((None, 3)))


def test_a_graph_as_a_function(backend: Any) -> None:
    x, y = KerasTensor((None, 2)), KerasTensor((None, 2))
    function = portanet.Function({"x": x, "y": y}, [ops.maximum(x - y, 0.0)], name="positive")
    data = {"x": asarray([[1.0, 2.0]]), "y": asarray([[2.0, 1.0]])}
    (result,) = function(data)
    assert_close(result, [[0.0, 1.0]])
    assert function.name == "positive"
    assert [array.shape for array in (*function.inputs, *function.outputs)] == [(None, 2)] * 3
    assert function.compute_output_shape({"x": (7, 2), "y": (7, 2)}) == [(7, 2)]
    assert function.compute_output_spec({"x": x, "y": y})[0].shape == (None, 2)
    assert [each.name for each in function.operations][-2:] == ["subtract", "maximum"]
    inner = layers.Input((2,))
    model = portanet.Model(inner, function({"x": inner, "y": inner * 0.5})[0])
    assert_close(model(asarray([[4.0, -4.0]])), [[2.0, 0.0]])
    with pytest.raises(TypeError, match="Argument `inputs`"):
        portanet.Function([], x)
    with pytest.raises(ValueError, match="depends on the input"):
        portanet.Function(x, x + y)


@pytest.mark.parametrize("file", ["model.safetensors", "model.keras"])
def test_a_function_in_a_saved_model_names_the_remedy(file: str, backend: Any, tmp_path: pathlib.Path) -> None:
    if file.endswith(".keras"):
        pytest.importorskip("h5py")
    x = layers.Input((2,))
    model = portanet.Model(x, portanet.Function(x, x * 2)(x))
    with pytest.raises(ValueError, match=r"call Model\(inputs, outputs\) in its place"):
        model.save(tmp_path / file)
