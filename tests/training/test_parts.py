"""Parts of a batch: the same results, and only for models with independent examples."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import portanet
from portanet import activations, layers
from portanet.autodiff import array_namespace, hvp
from portanet.backends.numpy import backend as numpy_backend
from portanet.training import TrainingRun, step
from portanet.training.step import Division

pytestmark = pytest.mark.usefixtures("small_ones_too")


@pytest.fixture
def small_ones_too(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(numpy_backend, "ENOUGH", 1)
    with portanet.use_backend("numpy", dtype="float64"):
        yield


def model(*extra: Any, **options: Any) -> Any:
    portanet.random.set_seed(1)
    block = layers.TransformerEncoder(6, 2, dropout=0.4, activation="gelu", name="block")
    made = portanet.Sequential(
        [layers.Input((5, 4)), block, *extra, layers.GlobalAveragePooling1D(), layers.Dense(3, **options)]
    )
    made.compile(portanet.optimizers.Adam(0.1), "mse", metrics=["mae"])
    return made


def data(count: int = 21) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.standard_normal((count, 5, 4)), generator.standard_normal((count, 3))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of parts computed in each call of `in_parts`."""
    counts: list[int] = []
    backend = portanet.get_backend()

    def map_parts(function: Callable[[Any], Any], given: Any) -> list[Any]:
        counts.append(len(given))
        return [function(part) for part in given]

    monkeypatch.setattr(type(backend), "map_parts", staticmethod(map_parts))
    return counts


def trained(made: Any, weight: Any = None) -> tuple[Any, Any]:
    run, totals = TrainingRun(made), made.totals()
    x, y = data()
    for _ in range(3):
        totals.add(run(x, y, weight))
    return made.get_weights(), totals.logs()


@pytest.mark.parametrize("weight", [None, np.linspace(0.0, 2.0, 21)])
def test_training_is_that_of_the_whole_batch(weight: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counted(monkeypatch)
    divided, logs = trained(model(kernel_regularizer="l2"), weight)
    assert counts == [2] * 6  # forward and backward, three times
    monkeypatch.setattr(numpy_backend, "ENOUGH", 10**9)
    whole, expected = trained(model(kernel_regularizer="l2"), weight)
    assert logs == pytest.approx(expected, rel=1e-9)
    for ours, theirs in zip(divided, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_predictions_are_those_of_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counted(monkeypatch)
    made, (x, _) = model(), data()
    divided = made.predict_on_batch(x)
    assert counts == [2]
    np.testing.assert_allclose(divided, made(x), rtol=1e-9)
    inputs = layers.Input((4,))
    several = portanet.Model(inputs, {"a": layers.Dense(2)(inputs), "b": [layers.Dense(3)(inputs)]})
    several.compile("sgd")
    results, whole = several.predict_on_batch(x[:, 0]), several(x[:, 0])
    assert counts == [2, 2]
    np.testing.assert_allclose(results["a"], whole["a"], rtol=1e-9)
    np.testing.assert_allclose(results["b"][0], whole["b"][0], rtol=1e-9)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    result = []
    for count in (1, 2, 4):
        with threadpoolctl.threadpool_limits(count):
            result.append(trained(model())[0])
    for other in result[1:]:
        for ours, theirs in zip(result[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_few_examples_are_not_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counted(monkeypatch)
    TrainingRun(model())(*data(6))
    assert counts == []


def test_derivatives_of_derivatives_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    made, (x, y) = model(), data()
    values, variables = made.named_values(), made.named_variables()
    trainable = made.trainable_paths()
    params = {path: values.pop(path) for path in trainable}
    direction = {path: np.ones_like(value) for path, value in params.items()}

    def curvature() -> Any:
        def goal(params: Any) -> Any:
            batch = (x, [y], [None])
            return step.training_loss(made, made.find_objective(), variables, params, values, batch, Division(made))[0]

        return hvp(goal, (params,), (direction,))

    result = curvature()
    monkeypatch.setattr(numpy_backend, "ENOUGH", 10**9)
    expected = curvature()
    for path in trainable:
        np.testing.assert_allclose(result[path], expected[path], rtol=1e-7, atol=1e-10)


class Mean(layers.Layer):
    """Examples depend on each other."""

    keeps_shape = True

    def call(self, x: Any) -> Any:
        return x - array_namespace(x).mean(x, axis=0, keepdims=True)


class Doubled(layers.Layer):
    """Examples are independent, as declared."""

    keeps_shape = True
    independent_examples = True

    def call(self, x: Any) -> Any:
        return 2 * x


class OwnDense(layers.Dense):
    """It may do anything."""


class OwnDropout(layers.Dropout):
    """So may this."""


class Named(Doubled):
    """Its axis has a name."""

    independent_examples = True
    axis = "time"


def apart(x: Any) -> Any:
    return x - 1


@pytest.mark.parametrize(
    ("extra", "divided"),
    [
        (layers.Dropout(0.5), True),
        (layers.Dropout(0.5, noise_shape=(21, 1, 4)), False),
        (layers.LayerNormalization(), True),
        (Doubled(), True),
        (Mean(), False),
        (OwnDense(4), False),
        (OwnDropout(0.1), False),
        (Named(), False),
        (layers.Dense(4, activation=apart), False),
        (layers.Dense(4, activation=functools.partial(activations.softmax, axis=0)), False),
        (layers.Lambda(activations.softmax, arguments={"axis": 0}), False),
        (layers.RotaryEmbedding(), True),
        (layers.RotaryEmbedding(sequence_axis=0), False),
        (layers.Dense(4, activity_regularizer="l2"), False),
        (layers.BatchNormalization(), False),
        (layers.GaussianNoise(0.1), False),
        (layers.Softmax(axis=0), False),
        (layers.Softmax(axis=-3), False),
        (layers.Softmax(axis=1), True),
        (layers.LSTM(4, return_sequences=True), False),
        (layers.TimeDistributed(layers.Dense(4)), True),
        (layers.TimeDistributed(Mean()), False),
        (layers.ActivityRegularization(0.1), False),
    ],
)
def test_what_is_divided(extra: Any, divided: bool) -> None:
    assert bool(Division(model(extra)).count) is divided


@pytest.mark.parametrize("time", [5, None])
def test_what_layers_see_decides(time: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = portanet.Sequential([layers.Input((time, 4)), layers.MultiHeadAttention(2, 2), layers.LayerNormalization()])
    x = np.ones((21, 5, 4))
    for enough, expected in ((21 * 5 * 4, 2), (21 * 5 * 4 + 1, 1)):
        monkeypatch.setattr(numpy_backend, "ENOUGH", enough)
        assert len(Division(made).parts(x)) == expected


class Failing(Doubled):
    independent_examples = True

    def call(self, x: Any) -> Any:
        return x.no_such_thing


def test_an_error_in_a_part_names_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model(Doubled())
    x, y = data()
    TrainingRun(made)(x, y)
    made.layers[1].__class__ = Failing
    counts = counted(monkeypatch)
    with pytest.raises(AttributeError, match="no_such_thing") as error:
        TrainingRun(made)(x, y)
    assert counts == [2]
    assert any("(Failing), given float64 (11, 5, 4)" in note for note in error.value.__notes__)


def test_a_loss_that_looks_at_weights_trains_them() -> None:
    made = model()
    kernel = made.layers[-1].kernel

    def shrinking(y: Any, pred: Any) -> Any:
        return 0 * array_namespace(pred).sum(pred, axis=-1) + array_namespace(kernel.value).sum(kernel.value**2)

    made.compile(portanet.optimizers.SGD(0.25), shrinking)
    before = np.copy(kernel.value)
    TrainingRun(made)(*data())
    np.testing.assert_allclose(kernel.value, 0.5 * before)


def test_constants_of_a_graph_may_be_for_a_whole_batch() -> None:
    start, mask = layers.Input((5, 4)), np.ones((1, 5, 5), dtype="bool")
    made = portanet.Model(start, layers.MultiHeadAttention(2, 2)(start, attention_mask=mask))
    assert not Division(made).count
    assert Division(portanet.Model(start, layers.MultiHeadAttention(2, 2)(start))).count


def test_masks_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The masks of the parts reach the loss in order."""
    generator = np.random.default_rng(1)
    words = generator.integers(0, 5, (21, 6)) * (np.arange(6) < generator.integers(1, 6, (21, 1)))
    targets = generator.normal(size=(21, 6, 2))

    def trained() -> tuple[list[Any], Any]:
        portanet.random.set_seed(0)
        made = portanet.Sequential(
            [layers.Input((6,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True), layers.Dense(2)]
        )
        made.compile("sgd", "mse", metrics=["mae"])
        return made.train_on_batch(words, targets), made.get_weights()

    counts = counted(monkeypatch)
    logs, weights = trained()
    assert counts == [2] * 2
    monkeypatch.setattr(numpy_backend, "ENOUGH", 10**9)
    expected, others = trained()
    assert logs == pytest.approx(expected, rel=1e-9)
    for ours, theirs in zip(weights, others, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
