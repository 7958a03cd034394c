"""Outputs of layers: against NumPy, and against the values of the initialisation study."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import ActivationMonitor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")


def test_figures_are_those_of_numpy(backend):
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(3, "relu")])
    kernel = model.layers[0].get_weights()[0]
    kernel[:, 0] *= 100
    model.layers[0].set_weights([kernel, np.zeros(5)])
    model.layers[1].set_weights([RNG.normal(size=(5, 3)), np.asarray([-100.0, 0.0, 0.0])])  # the first is dead
    result = ActivationMonitor(X, bins=7).look(model)
    first = np.tanh(X @ kernel)
    weights, bias = model.layers[1].get_weights()
    for path, values in (("dense", first), ("dense_1", np.maximum(first @ weights + bias, 0))):
        figures = result[path]
        assert figures["mean"] == pytest.approx(values.mean(), rel=1e-4)
        assert figures["std"] == pytest.approx(values.std(), rel=1e-4)
        assert figures["norm"] == pytest.approx(np.linalg.norm(values), rel=1e-4)
        assert figures["largest"] == pytest.approx(np.abs(values).max(), rel=1e-4)
        assert (figures["counts"].sum(), len(figures["edges"])) == (values.size, 8)
    assert [result[path]["dead"] for path in result] == [0.0, pytest.approx(1 / 3)]
    assert result["dense"]["saturated"] == pytest.approx(np.mean(np.abs(first) > 0.95))
    assert result["dense_1"]["saturated"] is None


def test_looks_before_training_and_after_epochs(backend):
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    monitor = ActivationMonitor(X, every=2, log=["std", "saturated"])
    before = model.get_weights()[0]
    history = model.fit(X, X[:, :1], epochs=4, verbose=0, callbacks=[monitor]).history
    assert monitor.epochs == [0, 2, 4]
    assert monitor.records[0]["dense"]["std"] == pytest.approx(np.tanh(X @ before).std(), rel=1e-4)
    assert history["dense_1/std"] == [record["dense_1"]["std"] for record in monitor.records[1:]]
    assert "dense_1/saturated" not in history  # it has no bounds
    assert "call" not in vars(model.layers[0])


def test_a_look_changes_nothing(backend):
    """Random counters and weights are those of a run without the monitor."""
    result = []
    for callbacks in ([], [ActivationMonitor(X)]):
        portanet.random.set_seed(1)
        model = portanet.Sequential([layers.Input((4,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X, X[:, :1], epochs=2, verbose=0, callbacks=callbacks)
        result.append(model.get_weights())
    np.testing.assert_array_equal(result[0][0], result[1][0])


# Shanahan's initialisation study: ten layers of 500 units; standard deviations of the first and the tenth.
STUDY = [
    ("tanh", 0.01, 0.2131, 0.0),
    ("tanh", 1.0, 0.9819, 0.9817),
    ("tanh", 500**-0.5, 0.6280, 0.2280),
    ("relu", 250**-0.5, 0.8252, 0.8445),
]


@pytest.mark.parametrize(("activation", "scale", "first", "tenth"), STUDY)
def test_initialisation_study(activation, scale, first, tenth):
    portanet.random.set_seed(0)
    initial = portanet.initializers.RandomNormal(0.0, scale)
    model = portanet.Sequential(
        [layers.Input((500,)), *(layers.Dense(500, activation, kernel_initializer=initial) for _ in range(10))]
    )
    result = ActivationMonitor(np.random.default_rng(0).normal(size=(1000, 500))).look(model)
    assert len(next(iter(result.values()))["counts"]) == 30
    stds = [figures["std"] for figures in result.values()]
    assert stds[0] == pytest.approx(first, rel=0.06)
    assert stds[9] == pytest.approx(tenth, rel=0.25, abs=1e-5)  # with relu, seeds differ by 14 %
    saturated = [figures["saturated"] for figures in result.values()]
    assert saturated[9] is None if activation == "relu" else (saturated[9] > 0.8) == (scale == 1.0)


def test_saturated_is_closer_to_a_bound_than_the_margin():
    layer = layers.Dense(4, "sigmoid")
    margin = 0.025  # of the whole width
    values = np.asarray([[margin, np.nextafter(margin, 0), 1 - margin, np.nextafter(1 - margin, 1)]])
    figures = ActivationMonitor(X)._statistics(layer, [values])
    assert (figures["saturated"], figures["dead"]) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("sigmoid", 0.0, 1.0),
        ("hard_sigmoid", 0.0, 1.0),
        ("tanh", -1.0, 1.0),
        ("hard_tanh", -1.0, 1.0),
        ("scaled_tanh", -1.7159, 1.7159),
        ("softsign", -1.0, 1.0),
    ],
)
def test_bounds_of_activations(name, low, high):
    layer, width = layers.Dense(4, name), high - low
    values = np.asarray([[low + 0.024 * width, low + 0.026 * width, high - 0.026 * width, high - 0.024 * width]])
    assert ActivationMonitor(X)._statistics(layer, [values])["saturated"] == 0.5
    outputs = portanet.activations.get(name)(np.asarray([-1e4, 1e4]))
    np.testing.assert_allclose(outputs, [low, high], atol=1e-3)


@pytest.mark.parametrize(("every", "epochs"), [(1, [0, 1, 2, 3, 4]), (3, [0, 3]), (4, [0, 4])])
def test_epochs_of_the_looks(every, epochs):
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    monitor = ActivationMonitor(X, every=every)
    model.fit(X, X[:, :1], epochs=4, verbose=0, callbacks=[monitor])
    assert monitor.epochs == epochs
