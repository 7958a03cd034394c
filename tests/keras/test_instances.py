"""What instances of Keras and of portanet say of themselves is the same: layers, graphs, metrics of models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from tests.keras.file_layers import CASES

keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Tensor.T is deprecated"),  # by Keras's RandAugment
]

INTEGERS = ("Embedding", "ReversibleEmbedding", "CategoryEncoding")
MORE: dict[str, Any] = {
    "Discretization": lambda L: L.Discretization([1.0, 2.0]),
    "Dropout of nothing": lambda L: L.Dropout(0.0),
    "Lambda": lambda L: L.Lambda(lambda x: x),
    "Layer": lambda L: type("Own", (L.Layer,), {"call": lambda self, x: x})(),
    "a subclass of Dropout": lambda L: type("Drop", (L.Dropout,), {})(0.5),
    "a subclass of Flatten": lambda L: type("Flat", (L.Flatten,), {})(),
    "a layer with a build": lambda L: type(
        "Own", (L.Layer,), {"call": lambda self, x: x, "build": lambda self, shape: None}
    )(),
}


@pytest.mark.parametrize("name", [*CASES, *MORE])
def test_layers_are_built_when_those_of_keras_are(name: str) -> None:
    make, shapes = CASES[name] if name in CASES else (MORE[name], ((3,),))
    dtype = "int32" if name.partition(",")[0] in INTEGERS else "float32"
    x = [np.ones((2, *shape), dtype) for shape in shapes]
    seen = []
    for library in (keras, portanet):
        layer = make(library.layers)
        before = layer.built
        if "MultiHead" in name or "GroupQuery" in name:
            layer(*x)
        else:
            layer(x if len(x) > 1 else x[0])
        seen.append((before, layer.built))
    assert seen[1] == seen[0]


def graphs(library: Any) -> dict[str, Any]:
    layers, make = library.layers, library.Model
    a, b = layers.Input((3,), name="a"), layers.Input((4,), name="b")
    both = layers.Concatenate()([a, b])
    one, two = layers.Dense(1, name="one")(both), layers.Dense(2, name="two")(both)
    return {
        "one": make(a, layers.Dense(2, name="three")(a)),
        "lists": make([a, b], [one, two]),
        "tuples": make((a, b), (one, two)),
        "dicts": make({"b": b, "a": a}, {"z": one, "y": two}),
        "dicts of one": make({"a": a}, {"z": layers.Dense(2, name="four")(a)}),
        "nested": make([a, {"k": b}], [{"k": one}, two]),
        "Sequential": library.Sequential([layers.Input((3,)), layers.Dense(2)]),
    }


@pytest.mark.parametrize("name", graphs(portanet))
def test_shapes_and_names_of_graphs(name: str) -> None:
    def described(model: Any) -> Any:
        shapes = [[tuple(array.shape) for array in arrays] for arrays in (model.inputs, model.outputs)]
        return shapes, model.input_shape, model.output_shape, getattr(model, "output_names", None)

    theirs, ours = (described(graphs(library)[name]) for library in (keras, portanet))
    assert ours[: 3 if name == "Sequential" else None] == theirs[: 3 if name == "Sequential" else None]


def test_data_in_lists_for_a_dict_of_outputs() -> None:
    """Metrics in a list, and the entries of what `evaluate` returns, are in the order of the keys."""
    results = []
    for library in (keras, portanet):
        model = graphs(library)["dicts"]
        model.set_weights([np.full(np.shape(weight), 0.5, "float32") for weight in model.get_weights()])
        model.compile("sgd", "mse", metrics=["mae", "mse"])
        x = {"a": np.ones((2, 3)), "b": np.ones((2, 4))}
        results.append(model.evaluate(x, {"z": np.ones((2, 1)), "y": np.zeros((2, 2))}, verbose=0))
        results.append(list(model.predict(x, verbose=0)))
    np.testing.assert_allclose(results[2], results[0], rtol=1e-6)
    assert results[3] == results[1]


def test_layers_in_several_graphs_and_in_none() -> None:
    for library in (keras, portanet):
        x, layer = library.layers.Input((3,)), library.layers.Dense(2)
        with pytest.raises(AttributeError):
            _ = layer.input
        with pytest.raises(ValueError, match=r"build|built"):
            layer.count_params()
        first = layer(x)
        layer(library.layers.Input((3,)))
        assert layer.input is x
        assert layer.output is first
        assert layer.count_params() == 8
        model = library.Sequential([library.layers.Dense(2)])
        assert not hasattr(model, "input_shape")
        assert not hasattr(model, "output_shape")


class Looping:
    """A model whose step goes through its metrics; mixed into the model of either library."""

    def train_step(self: Any, data: Any) -> Any:
        x, y, weight = data
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight)
        for metric in self.metrics:
            if metric.name in ("loss", "own"):
                metric.update_state(loss)
            elif metric.name == "compile_metrics":
                metric.update_state(y, y_pred, sample_weight=weight)
        return {metric.name: metric.result() for metric in self.metrics}


@pytest.mark.parametrize("several", [False, True])
def test_a_step_that_goes_through_the_metrics(several: bool) -> None:
    weight = np.asarray([1.0, 2.0, 0.0, 3.0], "float32")
    x, y = np.arange(12, dtype="float32").reshape(4, 3), np.ones((4, 1), "float32")
    seen = []
    for library in (keras, portanet):
        layers = library.layers
        inputs = layers.Input((3,))
        outputs = [layers.Dense(1, kernel_initializer="ones", name=name)(inputs) for name in ("p", "q")]
        model = type("Model", (Looping, library.Model), {})(inputs, outputs if several else outputs[0])
        model.own = library.metrics.Mean(name="own")
        metrics = [["mae"], ["mse"]] if several else ["mae"]
        model.compile("sgd", "mse", metrics=metrics, weighted_metrics=metrics)
        names = [(type(metric).__name__, metric.name) for metric in model.metrics]
        history = model.fit(x, [y, y] if several else y, sample_weight=weight, verbose=0, shuffle=False).history
        logs = {name: float(value[0]) for name, value in history.items()}
        names += [(type(metric).__name__, metric.name) for metric in model.metrics]
        inner = next(metric for metric in model.metrics if metric.name == "compile_metrics")
        results = [float(metric.result()) for metric in inner.metrics]
        seen.append((names, model.metrics_names, logs, results))
    assert seen[1][:2] == seen[0][:2]
    assert seen[1][2] == pytest.approx(seen[0][2], rel=1e-5)
    assert seen[1][3] == pytest.approx(seen[0][3], rel=1e-5)


def test_metrics_after_training() -> None:
    """They hold what the last epoch, or the last evaluation, gave; an own metric without data is 0."""
    x, y = np.arange(12, dtype="float32").reshape(4, 3), np.ones((4, 1), "float32")
    seen = []
    for library in (keras, portanet):
        model = library.Sequential([library.layers.Input((3,)), library.layers.Dense(1, kernel_initializer="ones")])
        assert model.metrics == []
        model.compile("sgd", "mse", metrics=["mae"])
        model.fit(x, y, verbose=0, epochs=2, shuffle=False)
        results = [{name: float(value) for name, value in model.get_metrics_result().items()}]
        model.evaluate(x + 1, y, verbose=0)
        results.append({name: float(value) for name, value in model.get_metrics_result().items()})
        owner = type("Owner", (library.Model,), {"call": lambda self, x: x})()
        owner.own = library.metrics.Mean(name="own")
        owner.compile("sgd", "mse")
        results.append(owner.evaluate(x, x + 1, verbose=0, return_dict=True))
        seen.append(results)
    for ours, theirs in zip(seen[1], seen[0], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_added_losses_in_a_list() -> None:
    x, seen = np.ones((2, 3), "float32"), []
    for library in (keras, portanet):

        class Adding(library.layers.Layer):
            def call(self, x: Any) -> Any:
                total = library.ops.sum(x)  # noqa: B023
                self.add_loss([0.1 * total, 0.2 * total])
                return x

        layer = Adding()
        layer(x)
        seen.append([float(loss) for loss in layer.losses])
        with pytest.raises(ValueError, match="loss"):
            layer.add_loss(1.0)
    assert seen[1] == pytest.approx(seen[0])
