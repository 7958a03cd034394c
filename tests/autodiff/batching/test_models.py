"""Models, losses and functions with derivatives of their own under `vmap`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, random
from portanet.autodiff import TraceError, array_namespace, custom_jvp, custom_vjp, grad, primitive, vmap
from portanet.layers import Layer
from portanet.models import Sequential
from portanet.random import streams
from portanet.variables import bind
from tests.autodiff.batching.test_vmap import close, double, loop
from tests.support import asarray, assert_close, to_numpy

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2))
LAST = RNG.normal(size=3)


@pytest.fixture
def model(xp: Any) -> Any:
    random.set_seed(1)
    model = Sequential([layers.Dense(5, activation="tanh"), layers.LayerNormalization(), layers.Dense(2)])
    model.build((None, 3))
    return model


def call(layer: Layer, values: dict[str, Any], x: Any, **options: Any) -> Any:
    """The layer as a function of its variables."""
    variables = layer.named_variables()
    with bind({variables[path]: value for path, value in values.items()}):
        return layer(x, **options)


def weights_of(layer: Layer) -> dict[str, Any]:
    return {path: variable.value for path, variable in layer.named_variables().items()}


def float32_close(value: Any, expected: Any) -> None:
    np.testing.assert_allclose(to_numpy(value), expected, rtol=1e-4, atol=2e-5)


def test_gradients_per_example(model: Any) -> None:
    def loss(weights: Any, x: Any, y: Any) -> Any:
        return losses.MeanSquaredError().compute(y[None, :], call(model, weights, x[None, :]))

    weights, x, y = weights_of(model), asarray(X), asarray(Y)
    gradients = vmap(grad(loss), (None, 0, 0))(weights, x, y)
    by_loop = [grad(loss)(weights, x[i, :], y[i, :]) for i in range(4)]
    for path, gradient in gradients.items():
        float32_close(gradient, np.stack([to_numpy(g[path]) for g in by_loop]))


def test_an_ensemble(model: Any) -> None:
    stacked = {path: asarray(RNG.normal(size=(3, *v.shape))) for path, v in weights_of(model).items()}
    x = asarray(X)
    members = [{path: v[i, ...] for path, v in stacked.items()} for i in range(3)]
    outputs = vmap(lambda w: call(model, w, x))(stacked)
    float32_close(outputs, np.stack([to_numpy(call(model, w, x)) for w in members]))

    def total(w: Any) -> Any:
        out = call(model, w, x)
        return array_namespace(out).sum(out**2)

    gradients = vmap(grad(total))(stacked)
    for i, member in enumerate(members):
        for path, gradient in grad(total)(member).items():
            float32_close(gradients[path][i, ...], to_numpy(gradient))


def test_dropout_draws_once_or_by_counter(xp: Any) -> None:
    layer = layers.Dropout(0.5)
    layer.build((1, 200))
    ones = asarray(np.ones((3, 1, 200)))
    masks = to_numpy(vmap(lambda x: call(layer, weights_of(layer), x, training=True))(ones))
    assert (masks[0] == masks[1]).all()
    assert 0 < masks.mean() < 2
    counters = asarray(np.arange(3), "int32")
    varied = vmap(lambda n, x: call(layer, dict.fromkeys(weights_of(layer), n), x, training=True))(counters, ones)
    for i in range(3):
        by_loop = call(layer, dict.fromkeys(weights_of(layer), counters[i]), ones[i, ...], training=True)
        np.testing.assert_array_equal(to_numpy(varied)[i], to_numpy(by_loop))
    drawn = to_numpy(vmap(lambda n: streams.uniform(7, n, (5,)))(counters))
    by_loop = np.stack([to_numpy(streams.uniform(7, counters[i], (5,))) for i in range(3)])
    np.testing.assert_array_equal(drawn, by_loop)


def test_variables_keep_their_one_value(xp: Any) -> None:
    layer = layers.BatchNormalization()
    layer.build((4, 3))
    with pytest.raises(TraceError, match=r"Variable 'moving_mean' holds one value.*bind"):
        vmap(lambda x: layer(x, training=True))(asarray(np.stack([X, X])))
    call_bound = vmap(lambda x: call(layer, weights_of(layer), x, training=True))
    assert call_bound(asarray(np.stack([X, X]))).shape == (2, 4, 3)
    assert not to_numpy(layer.moving_mean.value).any()


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_masks_of_each_example(xp: Any, kind: str) -> None:
    random.set_seed(2)
    layer = getattr(layers, kind)(3)
    layer.build((2, 4, 3))
    x = asarray(RNG.normal(size=(3, 2, 4, 3)))
    masks = asarray(RNG.random((3, 2, 4)) < 0.6, "bool")
    outputs = vmap(lambda x, mask: layer(x, mask=mask))(x, masks)
    float32_close(outputs, np.stack([to_numpy(layer(x[i, ...], mask=masks[i, ...])) for i in range(3)]))
    total = grad(lambda x, mask: array_namespace(x).sum(layer(x, mask=mask) ** 2))
    by_loop = np.stack([to_numpy(total(x[i, ...], masks[i, ...])) for i in range(3)])
    float32_close(vmap(total)(x, masks), by_loop)
    shared = vmap(total, (None, 0))(x[0, ...], masks)
    float32_close(shared, np.stack([to_numpy(total(x[0, ...], masks[i, ...])) for i in range(3)]))


def test_hidden_values_that_are_not_finite(xp: Any) -> None:
    random.set_seed(2)
    layer = layers.MultiHeadAttention(2, 3)
    layer.build((1, 4, 5))
    x = RNG.normal(size=(3, 1, 4, 5))
    x[1, 0, 3] = np.nan
    visible = np.tril(np.ones((1, 4, 4))) == 1
    batch, mask = asarray(x), asarray(visible, "bool")
    outputs = vmap(lambda x: layer(x, attention_mask=mask))(batch)
    expected = np.stack([to_numpy(layer(batch[i, ...], attention_mask=mask)) for i in range(3)])
    assert np.isfinite(expected[1, 0, :3]).all()
    float32_close(outputs, expected)


def test_losses(xp: Any) -> None:
    true, pred = asarray(RNG.integers(0, 3, (4, 5)), "int32"), asarray(RNG.normal(size=(4, 5, 3)))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    float32_close(vmap(loss)(true, pred), np.stack([to_numpy(loss(true[i, ...], pred[i, ...])) for i in range(4)]))
    float32_close(
        vmap(loss, (None, 0))(true[0, ...], pred), [float(loss(true[0, ...], pred[i, ...])) for i in range(4)]
    )
    with pytest.raises(ValueError, match="Received"):
        vmap(loss)(true + 5, pred)
    ctc = losses.CTC()
    labels = asarray([[[1, 2], [2, 0]], [[2, 0], [1, 1]]], "int32")
    logits = asarray(RNG.normal(size=(2, 2, 6, 3)))
    by_loop = [float(ctc(labels[i, ...], logits[i, ...])) for i in range(2)]
    float32_close(vmap(ctc)(labels, logits), by_loop)


def test_operands_of_both_kinds_inside_a_trace(xp: Any) -> None:
    """Differentiated together, where one is batched and the other is not."""

    @custom_vjp
    def product(x: Any, w: Any) -> Any:
        return x * w, lambda g: (g * w, g * x)

    @custom_jvp
    def pushed(x: Any, w: Any) -> Any:
        return x * w, lambda dx, dw: (0.0 if dx is None else dx * w) + (0.0 if dw is None else x * dw)

    w = double(LAST)
    for op in (product, pushed):
        gradients = grad(lambda x, w, op=op: array_namespace(x, w).sum(op(w, x) ** 2 * op(x, w)), (0, 1))
        for axes in ((0, None), (None, 0)):
            both = vmap(gradients, axes)(*((double(X), w) if axes[0] == 0 else (w, double(X))))
            for number in (0, 1):
                one = lambda row, g=gradients, a=axes, n=number: (g(row, w) if a[0] == 0 else g(w, row))[n]
                close(both[number], loop(one, X))


def test_options_that_are_batched(xp: Any) -> None:
    """They have no derivative; a derivative that would be lost is an error."""

    @custom_vjp
    def masked(x: Any, *, keep: Any) -> Any:
        xp = array_namespace(x)
        return xp.where(keep, x, 0.0), lambda g: (array_namespace(g).where(keep, g, 0.0),)

    flipped = primitive(
        lambda x, *, sign: array_namespace(x).flip(x) * sign,
        lambda y, x, *, sign: lambda g: (flipped(g, sign=sign),),
    )
    x, w = double(X), double(LAST)
    keeps, signs = double(X > 0), double(np.sign(X[:, :1]))
    square = lambda op: lambda x, option: array_namespace(x).sum(op(x, option) ** 3)
    for op, option in (
        (lambda x, k: masked(x, keep=k), keeps),
        (lambda x, s: flipped(x, sign=s[0]), signs),
    ):
        rows = [option[i, ...] for i in range(4)]
        close(vmap(op)(x, option), np.stack([to_numpy(op(x[i, ...], r)) for i, r in enumerate(rows)]))
        close(vmap(op, (None, 0))(w, option), np.stack([to_numpy(op(w, r)) for r in rows]))
        gradient = grad(square(op))
        close(vmap(gradient)(x, option), np.stack([to_numpy(gradient(x[i, ...], r)) for i, r in enumerate(rows)]))
        close(vmap(gradient, (None, 0))(w, option), np.stack([to_numpy(gradient(w, r)) for r in rows]))
    lost = grad(lambda s: array_namespace(s).sum(vmap(lambda x, s: flipped(x, sign=s[0]))(x, s)))
    with pytest.raises(TraceError, match="pass the array by position"):
        lost(signs)


def test_closures_over_batched_arrays(xp: Any) -> None:
    x, y = double(X), double(LAST)

    def scaled_by(c: Any) -> Any:
        @custom_vjp
        def scaled(x: Any) -> Any:
            return c * x, lambda g: (c * g,)

        return scaled

    outer = vmap(lambda c: vmap(lambda a: scaled_by(c)(a))(y))(x)
    close(outer, X[:, None, :] * LAST[None, :, None])
    gradients = vmap(lambda c: grad(lambda a: array_namespace(a).sum(scaled_by(c)(a) ** 2))(y))(x)
    close(gradients, 2 * LAST * X**2)
    with pytest.raises(TraceError, match="closes over an array of the batch"):
        vmap(lambda c: scaled_by(c)(c))(x)


@pytest.mark.parametrize("make", [
    lambda: layers.RandomCrop(3, 3, seed=1),
    lambda: layers.RandomTranslation(0.3, 0.3, seed=1),
    lambda: layers.RandomRotation(0.2, seed=1),
    lambda: layers.RandomFlip(seed=1),
    lambda: layers.RandomContrast(0.2, seed=1),
    lambda: layers.RandomZoom(0.2, seed=1),
    lambda: layers.RandomShear(0.2, seed=1),
    lambda: layers.RandomPerspective(scale=0.3, seed=1),
    lambda: layers.RandomElasticTransform((1.0, 1.0), seed=1),
    lambda: layers.RandomGaussianBlur((1.0, 1.0), seed=1),
    lambda: layers.RandomErasing((1.0, 1.0), (0.3, 0.6), seed=1),
    lambda: layers.CutMix(seed=1),
    lambda: layers.MixUp(seed=1),
    lambda: layers.Dropout(0.5, seed=1),
])  # fmt: skip
def test_random_layers_whose_state_alone_differs(backend, xp, make):
    """The same images with several draws: each as with this state alone."""
    portanet.random.set_seed(1)  # also numbers the layers that no model owns, on which their draws depend
    x = asarray(np.random.default_rng(0).normal(size=(2, 5, 5, 1)), "float32")
    layer = make()
    layer(x, training=True)
    counts = asarray([0, 1, 7], "int32")

    def drawn(count: Any) -> Any:
        with bind({layer.counter: count}):
            return layer(x, training=True)

    expected = [to_numpy(drawn(asarray(i, "int32"))) for i in (0, 1, 7)]
    assert_close(vmap(drawn)(counts), expected, dtype="float32")
    assert np.max(np.abs(expected[0] - expected[2])) > 0
