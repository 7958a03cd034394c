"""Defects of the original NumPyDL that must not recur; each test is named after the defect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import activations, layers, losses, optimizers, schedules
from portanet.autodiff import array_namespace, grad, jacobian, lift
from portanet.backends import Backend
from portanet.fused import one_hot
from portanet.utils import to_categorical
from portanet.variables import bind
from tests.support import asarray, assert_close, assert_equal, to_numpy

DECAYS = [
    schedules.InverseTimeDecay(0.1, 10, 0.5),
    schedules.ExponentialDecay(0.1, 10, 0.9),
    schedules.StepDecay(0.1, 10, 0.5),
    schedules.PolynomialDecay(0.1, 100),
    schedules.PowerDecay(0.1),
    schedules.CosineDecay(0.1, 100),
]


@pytest.mark.parametrize("decay", DECAYS, ids=lambda decay: type(decay).__name__)
def test_decay_that_raises_the_learning_rate(backend: Any, decay: Any) -> None:
    """Under a constant gradient, steps never grow, and finally shrink."""
    optimizer = optimizers.SGD(decay)
    params = {"w": asarray([0.0])}
    state = optimizer.init(params)
    places = [0.0]
    for _ in range(60):
        params, state = optimizer.update(params, {"w": asarray([1.0])}, state)
        places.append(float(to_numpy(params["w"])[0]))
    moves = -np.diff(places)
    assert moves[0] == pytest.approx(0.1, rel=1e-4)
    assert (np.diff(moves) <= 1e-6).all()
    assert moves[-1] < 0.6 * moves[0]


def test_dropout_active_in_predict_and_validation(backend: Any) -> None:
    x = asarray(np.ones((20, 30)))
    for layer in (layers.Dropout(0.5), layers.SpatialDropout1D(0.5), layers.AlphaDropout(0.5)):
        batch = asarray(np.ones((4, 5, 6))) if isinstance(layer, layers.SpatialDropout1D) else x
        assert (to_numpy(layer(batch)) == 1).all()
        assert (to_numpy(layer(batch, training=False)) == 1).all()
        assert (to_numpy(layer(batch, training=True)) != 1).any()


def test_one_hot_that_puts_class_2_in_column_1(backend: Backend) -> None:
    """The original's `one_hot([0, 2], 3)` uses column 1 for class 2: it numbers only the classes that occur."""
    labels = portanet.asarray(np.asarray([0, 2]))
    expected = np.asarray([[1, 0, 0], [0, 0, 1]], dtype="float32")
    assert_equal(to_categorical(labels, 3), expected)
    assert_equal(one_hot(labels, 3, backend.xp.float32), expected)


def small_model(*more: layers.Layer) -> portanet.Sequential:
    model = portanet.Sequential([layers.Input((3,)), *more, layers.Dense(1)])
    model.compile(portanet.optimizers.SGD(0.1), "mse")
    return model


def data(count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.standard_normal((count, 3)).astype("float32"), generator.random((count, 1)).astype("float32")


def test_callers_arrays_shuffled_in_place(backend: Backend) -> None:
    x, y = data(20)
    native = portanet.asarray(x), portanet.asarray(y)
    kept = x.copy(), y.copy()
    for given in ((x, y), native):
        small_model().fit(*given, epochs=2, batch_size=4, shuffle=True, verbose=0)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])
    assert_equal(native[0], kept[0])
    assert_equal(native[1], kept[1])


def test_global_numpy_rng_reseeded(backend: Backend) -> None:
    np.random.seed(5)  # noqa: NPY002 -- the very thing that must stay as it is
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    portanet.random.set_seed(0)
    model = small_model(layers.Dense(4), layers.Dropout(0.5), layers.GaussianNoise(0.1))
    model.fit(*data(10), epochs=2, batch_size=4, verbose=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_last_partial_batch_dropped(backend: Backend) -> None:
    """10 examples in batches of 4: only the last 2 are informative, and the mean includes every example."""
    x, y = data(10)
    x[:8], y[:8] = 0.0, 0.0
    model = small_model()
    model.set_weights([np.zeros((3, 1)), [0.0]])
    history = model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history
    assert np.abs(model.get_weights()[0]).max() > 0
    assert history["loss"][0] == pytest.approx(float(np.mean(y**2)), rel=1e-5)
    assert model.predict(x, batch_size=4).shape == (10, 1)
    weights = model.get_weights()
    expected = float(np.mean((x @ weights[0] + weights[1] - y) ** 2))
    assert model.evaluate(x, y, batch_size=4, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_dropout_active_in_a_models_predict_and_evaluate(backend: Backend) -> None:
    x, y = data(32)
    model = small_model(layers.Dropout(0.5))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(x), x @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.predict(x), model.predict(x))
    expected = float(np.mean((x @ kernel + bias - y) ** 2))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-4)
    still = portanet.Sequential([layers.Input((3,)), layers.Dropout(0.5), layers.Dense(1)])
    still.set_weights([kernel, bias])
    still.compile(portanet.optimizers.SGD(1e-12), "mse")
    history = still.fit(x, y, validation_data=(x, y), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-4)  # nor is it in validation
    assert abs(history["loss"][0] - expected) > 1e-3  # but it is in training


def test_softmax_derivative_of_ones(xp: Any) -> None:
    """The derivative of softmax is `diag(p) - p p^T`."""
    x = asarray([0.3, -1.2, 2.0], "float64")
    p = to_numpy(activations.softmax(x))
    np.testing.assert_allclose(to_numpy(jacobian(activations.softmax)(x)), np.diag(p) - np.outer(p, p), atol=1e-12)


def test_softplus_of_1000_infinite(xp: Any) -> None:
    assert float(activations.softplus(asarray(1000.0))) == 1000
    assert float(grad(activations.softplus)(asarray(1000.0))) == 1


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_batch_normalization_derivative_by_std_for_variance(xp: Any, spread: float) -> None:
    """The derivative is inverse to the standard deviation; with the variance in its place, to the square of it."""
    layer, host = layers.BatchNormalization(epsilon=0.0, dtype="float64"), data(6)[0].astype("float64")
    weights = asarray(np.random.default_rng(1).standard_normal(host.shape), "float64")

    def value(x: Any) -> Any:
        out = layer(x, training=True)
        return array_namespace(out).sum(out * weights)

    slope = to_numpy(grad(value)(asarray(spread * host, "float64")))
    for place in [(0, 0), (3, 1)]:
        step = np.zeros_like(host)
        step[place] = 1e-5 * spread
        ends = [float(value(asarray(spread * host + sign * step, "float64"))) for sign in (1, -1)]
        assert slope[place] == pytest.approx((ends[0] - ends[1]) / (2e-5 * spread), rel=1e-6)


def test_batch_normalization_without_running_averages(backend: Backend) -> None:
    """A prediction does not depend on the other examples of its batch, and uses statistics from training."""
    x = (3 * data(64)[0] + 5).astype("float32")
    model = portanet.Sequential([layers.Input((3,)), layers.BatchNormalization(momentum=0.5)])
    model.compile(optimizers.SGD(1e-12), "mse")
    model.fit(x, x, batch_size=64, epochs=20, verbose=0)
    np.testing.assert_allclose(model.predict(x[:1]), model.predict(x)[:1], rtol=1e-5)
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_nan_binary_crossentropy_at_certain_predictions(xp: Any, y: float, p: float) -> None:
    loss, y_true, y_pred = losses.BinaryCrossentropy(), asarray([[y]]), asarray([[p]])
    value = float(loss(y_true, y_pred))
    assert value == pytest.approx(0 if y == p else -np.log(1e-7), abs=0.2)
    assert np.isfinite(to_numpy(grad(lambda q: loss(y_true, q))(y_pred))).all()


def test_infinite_hellinger_gradient_at_zero(xp: Any) -> None:
    loss, y_true = losses.HellingerDistance(), asarray([[0.0, 1.0]])
    slope = to_numpy(grad(lambda q: loss(y_true, q))(asarray([[1.0, 0.0]])))
    assert np.isfinite(slope).all()
    assert slope[0, 0] > 0 > slope[0, 1]  # and it has the right sign


def test_integer_targets_giving_a_silently_wrong_loss(xp: Any) -> None:
    p, labels = asarray([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]), asarray(np.asarray([0, 1]))
    for loss in (losses.CategoricalCrossentropy(), losses.MeanSquaredError(), losses.HellingerDistance()):
        with pytest.raises(ValueError, match=r"Received: y_true of shape \(2,\), y_pred of shape \(2, 3\)"):
            loss(labels, p)
    right = float(losses.SparseCategoricalCrossentropy()(labels, p))
    assert right == pytest.approx(-np.log([0.7, 0.2]).mean(), rel=1e-5)
    one_hot = asarray(np.eye(3)[[0, 1]])
    assert float(losses.CategoricalCrossentropy()(one_hot, p)) == pytest.approx(right, rel=1e-6)


def first_symbol(examples: int, steps: int, seed: int) -> tuple[Any, Any]:
    symbols = np.random.default_rng(seed).integers(0, 4, (examples, steps))
    return np.eye(4, dtype="float32")[symbols], symbols[:, 0]


def slow_forgetting(shape: tuple[int, ...], generator: Any) -> Any:
    """Bias of an LSTM (i, f, c, o) or GRU (z, r, h) whose units forget at rates from 1 to 20 steps."""
    bias = np.zeros(shape)
    units = shape[-1] // (4 if len(shape) == 1 else 3)
    bias[..., units : 2 * units] = 1.0
    keeping = bias[units : 2 * units] if len(shape) == 1 else bias[0, :units]
    keeping[:] = np.log(generator.uniform(1, 19, units))
    return bias


def accuracy_on_new(layer: Any, data: Any, epochs: int, mask: bool = False) -> float:
    portanet.random.set_seed(0)
    (x, y), (new_x, new_y) = data
    masking = [layers.Masking()] if mask else []
    model = portanet.Sequential([layers.Input(x.shape[1:]), *masking, layer, layers.Dense(4)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01, clipnorm=1.0), loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    result: float = model.evaluate(new_x, new_y, verbose=0, return_dict=True)["accuracy"]
    return result


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_gradients_that_stop_at_the_last_step(kind: str) -> None:
    """The first symbol is remembered over 20 steps, and the gradient reaches it."""
    options = {"unit_forget_bias": False} if kind == "LSTM" else {}
    layer = getattr(layers, kind)(16, bias_initializer=slow_forgetting, **options)
    data = first_symbol(512, 20, 1), first_symbol(256, 20, 2)
    assert accuracy_on_new(layer, data, 16) >= 0.99
    x = data[1][0]
    slope = grad(lambda x: x.__array_namespace__().sum(layer(x)))(x)
    assert np.abs(slope[:, 0]).max() > 1e-3


@pytest.mark.parametrize("kind", ["GRU", "GRU reset before", "LSTM", "SimpleRNN"])
def test_gru_and_masked_lstm_that_cannot_train(kind: str) -> None:
    """Padded sequences of 3 to 8 symbols: the last symbol must be predicted."""

    def last_symbol(seed: int) -> tuple[Any, Any]:
        rng = np.random.default_rng(seed)
        symbols, lengths = rng.integers(0, 4, (512, 8)), rng.integers(3, 9, 512)
        x = np.where((np.arange(8) < lengths[:, None])[..., None], np.eye(4, dtype="float32")[symbols], 0)
        return x, symbols[np.arange(512), lengths - 1]

    options = {"reset_after": False} if kind == "GRU reset before" else {}
    layer = getattr(layers, kind.split()[0])(12, **options)
    assert accuracy_on_new(layer, (last_symbol(1), last_symbol(2)), 12, mask=True) >= 0.99


def test_pooling_windows_at_every_place_instead_of_every_pool_size(backend: Backend) -> None:
    x = asarray(np.arange(16.0).reshape(1, 4, 4, 1))
    assert_close(layers.MaxPooling2D(2)(x), np.reshape([5.0, 7.0, 13.0, 15.0], (1, 2, 2, 1)))
    assert_close(layers.AveragePooling2D(2)(x), np.reshape([2.5, 4.5, 10.5, 12.5], (1, 2, 2, 1)))


def test_bias_gradient_averaged_while_the_kernel_gradient_is_summed(backend: Backend) -> None:
    """For a constant input, the kernel's gradient is that of the bias times the constant."""
    layer = layers.Conv2D(3, 1)
    layer.build((8, 4, 4, 1))
    x = asarray(np.full((8, 4, 4, 1), 2.0))

    def total(weights: Any) -> Any:
        with bind(dict(zip(layer.weights, weights, strict=True))):
            y = layer(lift(x))
        return array_namespace(y).sum(y)

    kernel, bias = grad(total)([w.value for w in layer.weights])
    assert_close(bias, np.full(3, 8.0 * 16))
    assert_close(kernel, np.full((1, 1, 1, 3), 2.0 * 8 * 16))
