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


def small(library: Any) -> Any:
    layers = library.layers
    x = layers.Input((2,))
    hidden = layers.BatchNormalization(name="bn")(x)
    model = library.Model(x, layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2", name="d")(hidden))
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_the_state_of_a_model_as_a_tree() -> None:
    trees = []
    for library in (keras, portanet):
        model = small(library)
        tree = model.get_state_tree("numpy_array")
        tree["trainable_variables"]["d"]["bias"] = np.asarray([3.0], "float32")
        model.set_state_tree({"trainable_variables": tree["trainable_variables"]})
        with pytest.raises(ValueError, match="weights"):
            model.set_state_tree({"weights": {}})
        with pytest.raises(ValueError, match="value_format"):
            model.get_state_tree("torch")
        trees.append({name: model.get_state_tree("numpy_array")[name] for name in list(tree)[:2]})
    assert str(trees[1]) == str(trees[0])


def test_the_loss_as_a_function_of_the_state() -> None:
    y, results = np.asarray([[1.0], [3.0]], "float32"), []
    for library in (keras, portanet):
        model = small(library)
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        weights = [library.ops.convert_to_tensor(np.full(v.shape, 2.0, "float32")) for v in model.trainable_variables]
        others = [v.value for v in model.non_trainable_variables], [v.value for v in model.metrics_variables]
        loss, after = model.stateless_compute_loss(weights, *others, y=y, y_pred=y + 1, sample_weight=y[:, 0])
        results.append([float(loss), *map(len, after)])
    with pytest.raises(ValueError, match="trainable_variables"):
        model.stateless_compute_loss([], *others, y=y, y_pred=y)
    assert results[1] == pytest.approx(results[0])


def test_what_recurrent_layers_say() -> None:
    seen = []
    for library in (keras, portanet):
        layers = library.layers
        made = [
            layers.LSTM(2),
            layers.GRU(2),
            layers.SimpleRNN(2),
            layers.RNN(layers.LSTMCell(2)),
        ]
        said = [(layer.single_state, layer.states) for layer in made]
        both = layers.Bidirectional(layers.GRU(2, stateful=True))
        both(np.ones((1, 2, 3), "float32"))
        seen.append([*said, made[0].use_cudnn, [tuple(state.shape) for state in both.states]])
    assert seen[1] == seen[0]


def test_what_normalization_says() -> None:
    seen = []
    for library in (keras, portanet):
        layer, given = (
            library.layers.Normalization(),
            library.layers.Normalization(mean=[1.0, 1.0, 1.0], variance=[1.0, 2.0, 3.0]),
        )
        said = [layer.mean, layer.input_mean, list(given.input_mean), list(given.input_variance)]
        layer.adapt(np.arange(6.0, dtype="float32").reshape(2, 3))
        layer.finalize_state()
        given.build((None, 3))
        arrays = layer.mean, layer.variance, given.mean, given.variance, layer.adapt_mean.value
        seen.append([*said, *(np.asarray(array).ravel().tolist() for array in arrays)])
    assert seen[1] == seen[0]


def test_images_one_by_one() -> None:
    image = np.arange(48, dtype="float32").reshape(4, 4, 3)
    for library in (keras, portanet):
        layer = library.layers.CenterCrop(2, 2)
        crop = layer.transform_single_image(library.ops.convert_to_tensor(image), None)
        np.testing.assert_array_equal(np.asarray(crop), image[1:3, 1:3])
        mask = layer.transform_single_segmentation_mask(library.ops.convert_to_tensor(image), None)
        np.testing.assert_array_equal(np.asarray(mask), image[1:3, 1:3])
        label = layer.transform_single_label(library.ops.convert_to_tensor(image[0]), None)
        np.testing.assert_array_equal(np.asarray(label), image[0])


def test_attributes_of_metrics_losses_and_policies() -> None:
    seen = []
    for library in (keras, portanet):
        metrics, x = library.metrics, library.ops.convert_to_tensor(np.ones((2,), "float32"))
        entropy = metrics.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1, axis=1)
        iou = metrics.MeanIoU(2)
        iou.update_state([0, 1], [0, 0])
        scale = library.optimizers.LossScaleOptimizer(library.optimizers.SGD())
        seen.append(
            [
                (entropy.from_logits, entropy.label_smoothing, entropy.axis),
                (metrics.Precision([0.2, 0.5]).init_thresholds, metrics.Recall().init_thresholds),
                np.asarray(iou.total_cm.value).tolist(),
                np.asarray(library.losses.MeanSquaredError().fn(x, 3 * x)).tolist(),
                [bool(scale.check_finite(given)) for given in ([x, None], [x, x * float("inf")])],
                (library.Variable([1.0]).aggregation, library.Variable([1.0]).synchronization),
                library.callbacks.EarlyStopping("loss").get_monitor_value({"loss": 2.0}),
                library.callbacks.Callback().params,
            ]
        )
    assert seen[1] == seen[0]
