"""Masks that leave a model reach the losses and metrics of fit and evaluate."""

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.support import to_numpy

WORDS = np.asarray([[1, 2, 0, 0], [3, 0, 0, 0], [2, 1, 3, 0], [0, 0, 0, 0]])
TARGETS = np.random.default_rng(0).normal(size=(4, 4, 2)).astype("float32")
WEIGHTS = np.asarray([0.5, 2.0, 1.0, 3.0], dtype="float32")
SHOWN = WORDS != 0


def model(targets_of=lambda x: x, **settings):
    portanet.random.set_seed(0)
    words = layers.Input((4,), dtype="int32")
    x = layers.Embedding(5, 2, mask_zero=True)(words)
    built = portanet.Model(words, layers.Dense(2)(targets_of(x)))
    built.compile(portanet.optimizers.SGD(0.1), "mse", **settings)
    return built


def squares(built):
    return ((built.predict(WORDS, verbose=0) - TARGETS) ** 2).mean(axis=-1)


def test_padding_is_not_counted(backend):
    built = model(metrics=["mse", portanet.metrics.MeanAbsoluteError()], weighted_metrics=["mse"])
    values, absolute = squares(built), np.abs(built.predict(WORDS, verbose=0) - TARGETS).mean(axis=-1)
    logs = built.evaluate(WORDS, TARGETS, sample_weight=WEIGHTS, batch_size=4, return_dict=True, verbose=0)
    weights = WEIGHTS[:, None] * SHOWN
    assert logs["loss"] == pytest.approx((values * weights).sum() / SHOWN.sum(), rel=1e-5)
    assert logs["mse"] == pytest.approx(values[SHOWN].mean(), rel=1e-5)
    assert logs["mean_absolute_error"] == pytest.approx(absolute[SHOWN].mean(), rel=1e-5)
    assert logs["weighted_mse"] == pytest.approx((values * weights).sum() / weights.sum(), rel=1e-5)


@pytest.mark.parametrize("value", [1e6, float("nan")])
def test_padding_has_no_influence_on_weights(backend, value):
    """Whatever the targets of padding are, the weights after training are the same."""
    filled = np.where(SHOWN[..., None], TARGETS, np.float32(value))
    results = []
    for targets in (TARGETS, filled):
        built = model(metrics=["mae"])
        history = built.fit(
            WORDS, targets, batch_size=2, epochs=2, shuffle=False, check_finite=False, verbose=0
        ).history
        results.append((history["loss"], history["mae"], *built.get_weights()))
    for plain, changed in zip(*results, strict=True):
        np.testing.assert_array_equal(plain, changed)


def test_gradient_of_one_batch(backend):
    built = model()
    table, kernel, bias = (v.numpy() for v in built.weights)
    y_pred = table[WORDS] @ kernel + bias
    slope = (y_pred - TARGETS) * SHOWN[..., None] / SHOWN.sum()  # mean over 2 features cancels the factor 2
    built.train_on_batch(WORDS, TARGETS)
    np.testing.assert_allclose(built.weights[2].numpy(), bias - 0.1 * slope.sum(axis=(0, 1)), rtol=1e-4, atol=1e-6)


def test_merged_masks_reach_the_loss(backend):
    """One of two inputs counts: a step is left out where neither does."""
    a, b = layers.Input((4,), dtype="int32", name="a"), layers.Input((4,), dtype="int32", name="b")
    embedding = layers.Embedding(5, 2, mask_zero=True)
    built = portanet.Model([a, b], layers.Add()([embedding(a), embedding(b)]))
    built.compile("sgd", "mse")
    other = np.asarray([[0, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    values = ((built.predict([WORDS, other], verbose=0) - TARGETS) ** 2).mean(axis=-1)
    loss = built.evaluate([WORDS, other], TARGETS, verbose=0)
    assert loss == pytest.approx(values[SHOWN | (other != 0)].mean(), rel=1e-5)


def test_sequence_in_reverse(backend):
    """Outputs come in the order of computation, and so does their mask."""
    built = model(lambda x: layers.SimpleRNN(2, return_sequences=True, go_backwards=True)(x))
    values = squares(built)
    assert built.evaluate(WORDS, TARGETS, verbose=0) == pytest.approx(values[SHOWN[:, ::-1]].mean(), rel=1e-5)


def test_layers_after_which_no_mask_applies(backend):
    for function in (
        lambda x: layers.Lambda(lambda x: x + 0.0)(x),
        lambda x: layers.Conv1D(2, 3, padding="same")(x),
        lambda x: layers.Reshape((4, 2))(x),
    ):
        built = model(function)
        assert built.evaluate(WORDS, TARGETS, verbose=0) == pytest.approx(squares(built).mean(), rel=1e-5)


def test_loss_of_sequences_that_has_no_steps(backend):
    built = model()
    built.compile("sgd", portanet.losses.FunctionLoss(lambda t, p: ((t - p) ** 2)[:, 0, 0]))
    with pytest.raises(ValueError, match=r"mask of shape \(4, 4\)"):
        built.evaluate(WORDS, TARGETS, verbose=0)


def test_masked_metrics_of_classes(backend):
    labels = np.asarray([[1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]])
    for metric, expected in (
        (portanet.metrics.SparseCategoricalAccuracy(), lambda hit: hit[SHOWN].mean()),
        (portanet.metrics.SparseCategoricalCrossentropy(from_logits=True), None),
    ):
        built = model()
        built.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[metric])
        y_pred = built.predict(WORDS, verbose=0)
        logs = built.evaluate(WORDS, labels, return_dict=True, verbose=0)
        hit = y_pred.argmax(axis=-1) == labels
        assert logs[metric.name] == pytest.approx(logs["loss"] if expected is None else expected(hit), rel=1e-5)


def test_predictions_are_those_of_a_call(backend):
    built = model()
    np.testing.assert_allclose(built.predict(WORDS, verbose=0), to_numpy(built(portanet.asarray(WORDS))), rtol=1e-5)
