"""Plans for calls in inference: the bits of ordinary Python, whatever happens between calls; and no plan where a call
could do more than a list of NumPy's calls.
"""

from __future__ import annotations

import copy
import gc
import weakref

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.autodiff import value_and_grad
from portanet.backends import use_backend
from portanet.layers import Layer
from portanet.saving import register_serializable
from tests.training.planned import assert_same, draw, mlp, never_planned, ordinary, plans, warmed


@pytest.fixture(autouse=True)
def numpy_backend():
    with use_backend("numpy"):
        portanet.random.set_seed(0)
        yield


def lstm_step():
    x, h, c = layers.Input((1, 4)), layers.Input((5,)), layers.Input((5,))
    return portanet.Model([x, h, c], layers.LSTM(5, return_state=True)(x, initial_state=[h, c])), [(1, 4), (5,), (5,)]


def block():
    x = start = layers.Input((6, 8))
    y = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(2, 4)(y, y)
    x = x + layers.Dense(8)(layers.Dense(16, "gelu")(layers.LayerNormalization()(x)))
    return portanet.Model(start, {"out": x, "mean": ops.mean(x, axis=1)}), [(6, 8)]


def detector():
    x, h, c = layers.Input((72, 1)), layers.Input((8,)), layers.Input((8,))
    y = layers.Conv1D(18, 32, strides=16, use_bias=False)(layers.ZeroPadding1D((0, 8))(x))
    y = ops.sqrt(y[..., :9] * y[..., :9] + y[..., 9:] ** 2)
    for filters, strides in ((12, 1), (8, 2)):
        y = layers.Conv1D(filters, 3, strides=strides, padding="same", activation="relu")(y)
    y, *states = layers.LSTM(8, return_sequences=True, return_state=True)(y, initial_state=[h, c])
    return portanet.Model([x, h, c], [layers.Conv1D(1, 1, activation="sigmoid")(y), *states]), [(72, 1), (8,), (8,)]


def cnn():
    return portanet.Sequential(
        [
            layers.Input((12, 12, 2)),
            *(layers.Conv2D(4, 3, padding="same", activation="relu"), layers.BatchNormalization()),
            *(layers.MaxPooling2D(2), layers.DepthwiseConv2D(3), layers.Dropout(0.5), layers.Flatten()),
            layers.Dense(3, "softmax"),
        ]
    ), [(12, 12, 2)]


@pytest.mark.parametrize("make", [lstm_step, block, detector, cnn], ids=lambda make: make.__name__)
@pytest.mark.parametrize("batch", [1, 3])
def test_bits_and_structure(make, batch):
    model, shapes = make()
    kept = []
    for seed in range(6):
        arrays = [draw(batch, *shape, seed=100 * seed + i) for i, shape in enumerate(shapes)]
        x = arrays if len(arrays) > 1 else arrays[0]
        results, expected = model(x), ordinary(model, x)
        assert type(results) is type(expected)
        assert_same(results, expected)
        kept.append((results, copy.deepcopy(expected)))
    assert plans(model)
    for results, expected in kept:  # no later call has written to results
        assert_same(results, expected)


def test_functions_of_ops_in_random_graphs():
    unary = [ops.tanh, ops.exp, ops.abs, ops.sin, ops.square, lambda x: x[:, ::2], lambda x: x[:, -3:], ops.softmax]
    unary += [lambda x: ops.concatenate([x, x * 2.0]), lambda x: ops.transpose(x), lambda x: ops.cumsum(x, axis=1)]
    unary += [lambda x: ops.sum(x, axis=1, keepdims=True), lambda x: ops.flip(x, axis=1), lambda x: 1.0 / (x * x + 1)]
    unary += [lambda x: ops.where(x > 0.0, x, -0.5 * x), lambda x: x**3, lambda x: ops.reshape(x, (-1, 2))]
    binary = [lambda a, b: a + b, lambda a, b: a * b, ops.maximum, lambda a, b: a - b]
    generator, found = np.random.default_rng(1), 0
    for number in range(25):
        arrays = [layers.Input((4,), batch_size=2)]
        for _ in range(6):
            x = arrays[generator.integers(len(arrays))]
            try:
                arrays.append(unary[generator.integers(len(unary))](x))
            except ValueError:  # a shape that does not fit
                continue
            alike = [other for other in arrays if other.shape == arrays[-1].shape]
            other = alike[generator.integers(len(alike))]
            arrays.append(binary[generator.integers(len(binary))](arrays[-1], other))
        model = portanet.Model(arrays[0], arrays[-2:])
        for seed in range(5):
            x = draw(2, 4, seed=seed + 10 * number)
            assert_same(model(x), ordinary(model, x))
        found += bool(plans(model))
    assert found > 15


# What results are


def test_a_result_is_the_users():
    model, x = warmed(mlp(), 2, 6), draw(2, 6)
    first = model(x)
    expected = first.copy()
    first[...] = 7.0
    assert_same(model(x), expected)
    assert model(x) is not model(x)


def test_inputs_are_not_kept():
    model = warmed(mlp(), 2, 6)
    x = draw(2, 6)
    before = x.copy()
    model(x)
    assert_same(x, before)
    x *= 2
    assert_same(model(x), ordinary(model, x))


@pytest.mark.parametrize("layer", [layers.Flatten(), layers.Reshape((3, 2)), layers.Dropout(0.5), layers.Cropping1D(1)])
def test_views_of_the_input_are_left_to_ordinary_python(layer):
    shape = (6, 1) if isinstance(layer, layers.Cropping1D) else (6,)
    model = portanet.Sequential([layers.Input(shape), layer])
    for seed in range(4):
        x = draw(2, *shape, seed=seed)
        assert_same(model(x), ordinary(model, x))
    assert not plans(model)


# Weights


def test_weights_that_change_in_place_or_are_replaced():
    model, x = warmed(mlp(), 1, 6), draw(1, 6)
    kernel = model.layers[0].kernel
    for change in (
        lambda: kernel.assign(kernel.value * 2),
        lambda: kernel._value.__imul__(3),
        lambda: kernel.assign_add(np.ones((6, 5), dtype="float32")),
        lambda: model.set_weights([w * -1 for w in model.get_weights()]),
        lambda: model.layers[1].bias.assign([1.0, 2.0, 3.0]),
    ):
        before = ordinary(model, x)
        change()
        for _ in range(4):
            results = model(x)
            assert_same(results, ordinary(model, x))
            assert results.tobytes() != before.tobytes()


def test_training_between_calls():
    model, x = mlp(), draw(4, 6)
    model.compile("adam", "mse")
    for _ in range(4):
        for _ in range(4):
            assert_same(model(x), ordinary(model, x))
            assert_same(model.predict_on_batch(x), ordinary(model, x))
        assert plans(model)
        model.fit(x, draw(4, 3), verbose=0)
        assert not plans(model)  # they would hold the former weights
    for _ in range(6):
        model.train_on_batch(x, draw(4, 3))
        assert_same(model.predict_on_batch(x), ordinary(model, x))
    assert not plans(model)


def test_former_weights_are_not_held():
    model = warmed(mlp(), 1, 6)
    former = weakref.ref(model.layers[0].kernel._value)
    model.layers[0].kernel.assign(np.ones((6, 5), dtype="float32"))
    model(draw(1, 6))
    gc.collect()
    assert former() is None


def test_a_gradient_does_not_use_plans():
    model = warmed(mlp(), 1, 6)
    loss, slope = value_and_grad(lambda x: ops.sum(model(x) ** 2))(portanet.asarray(draw(1, 6)))
    assert loss > 0
    assert np.abs(slope).max() > 0


# Attributes, and the model


def change_activation(model):
    model.layers[0].activation = "tanh"


def change_dict(model):
    vars(model.layers[0])["use_bias"] = False


def change_call(model):
    model.layers[0].call = lambda x: x[:, :5] * 2


def add_layer(model):
    model.add(layers.Activation("tanh"))


def pop_layer(model):
    model.pop()


def change_variable(model):
    model.layers[0].bias = model.layers[0].add_weight((5,), "ones", "another")


@pytest.mark.parametrize("change", [change_activation, change_dict, change_call, add_layer, pop_layer, change_variable])
def test_changes_of_layers(change):
    model, x = mlp(), draw(2, 6)
    model.layers[0].bias.assign(draw(5))
    before = warmed(model, 2, 6)(x)
    change(model)
    for seed in range(4):
        x = draw(2, 6, seed=seed)
        results = model(x)
        assert_same(results, ordinary(model, x))
    x = draw(2, 6)
    after = model(x)
    assert after.shape != before.shape or after.tobytes() != before.tobytes()


def test_an_attribute_that_is_gone():
    model, x = warmed(mlp(), 2, 6), draw(2, 6)
    attributes = vars(model.layers[0])
    attributes["used_bias"] = attributes.pop("use_bias")  # as many as before
    with pytest.raises(AttributeError, match="use_bias"):
        model(x)


def test_a_class_that_is_patched(monkeypatch):
    model, x = warmed(mlp(), 2, 6), draw(2, 6)
    monkeypatch.setattr(layers.Dense, "call", lambda self, x: x[:, :3] + 1)
    for _ in range(4):
        assert_same(model(x), x[:, :3] + 1 + 1)


def test_a_class_that_was_patched(monkeypatch):
    seen = []
    call = layers.Dense.call
    monkeypatch.setattr(layers.Dense, "call", lambda self, x: seen.append(x) or call(self, x))
    never_planned(mlp(), draw(2, 6))
    assert len(seen) == 10
    assert all(type(x) is np.ndarray for x in seen)


def test_a_call_that_sets_attributes(monkeypatch):
    def call(self, x):
        self.seen = x
        return x * 2.0

    call.__module__ = "portanet.layers.core.dense"
    monkeypatch.setattr(layers.Dense, "call", call)
    model = mlp()
    for seed in range(4):
        x = draw(2, 6, seed=seed)
        model(x)
        assert_same(model.layers[0].seen, x)
    assert not plans(model)


def test_frozen_normalization_and_policies():
    model = portanet.Sequential([layers.Input((4,)), layers.BatchNormalization(), layers.Dense(2, dtype="float64")])
    model.layers[0].moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    for trainable in (True, False, True):
        model.layers[0].trainable = trainable
        for seed in range(4):
            x = draw(2, 4, seed=seed)
            assert_same(model(x), ordinary(model, x))
        assert plans(model)
    assert model(x).dtype == "float64"


def test_training_and_its_flag():
    model, x = warmed(mlp(layers.Dropout(0.5)), 8, 6), draw(8, 6)
    dropped = [model(x, training=True) for _ in range(4)]
    assert len({y.tobytes() for y in dropped}) == 4
    for _ in range(4):
        assert_same(model(x, training=False), ordinary(model, x))


# What has no plan


def test_layers_of_users():
    class Counting(Layer):
        calls = 0

        def call(self, x):
            Counting.calls += 1
            return x + float(Counting.calls)

    class Unchanged(layers.Dense):
        pass

    results = never_planned(portanet.Sequential([layers.Input((2,)), Counting()]), np.zeros((1, 2), dtype="float32"))
    assert [float(y[0, 0]) for y in results] == [Counting.calls - 4 + i for i in range(5)]
    never_planned(portanet.Sequential([layers.Input((2,)), Unchanged(2)]), draw(1, 2))


def test_functions_of_users():
    factor = [1.0]

    @register_serializable()
    def scaled(x):
        return x * factor[0]

    x = np.ones((1, 2), dtype="float32")
    for layer in (layers.Lambda(scaled), layers.Activation(scaled), layers.Dense(2, activation=scaled)):
        model = portanet.Sequential([layers.Input((2,)), layer])
        factor[0] = 1.0
        one = never_planned(model, x)[0]
        factor[0] = 2.0
        np.testing.assert_allclose(model(x), 2 * one)


def test_models_with_a_call_of_their_own():
    class Own(portanet.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.seen = layers.Dense(2), []

        def call(self, x):
            self.seen.append(float(x[0, 0]))
            return self.dense(x) if x[0, 0] > 0 else -x

    model = Own()
    model(np.ones((1, 2), dtype="float32"))
    for value in (1.0, -1.0, 1.0, -1.0, -1.0):
        x = np.full((1, 2), value, dtype="float32")
        assert (model(x).tobytes() == (-x).tobytes()) == (value < 0)
    assert len(model.seen) == 6
    assert not plans(model)


def test_random_draws_and_states():
    model = portanet.Sequential([layers.Input((4, 4, 1)), layers.RandomFlip(seed=1)])
    x = np.repeat(draw(1, 4, 4, 1), 16, axis=0)
    assert len({model(x).tobytes() for _ in range(5)}) > 1
    stateful = portanet.Sequential([layers.Input((2, 3), batch_size=1), layers.LSTM(4, stateful=True)])
    x = draw(1, 2, 3)
    assert len({y.tobytes() for y in never_planned(stateful, x)}) == 5
    assert len({stateful.predict_on_batch(x).tobytes() for _ in range(5)}) == 5


def test_masks_and_losses():
    masking = portanet.Sequential([layers.Input((3, 2)), layers.Masking(), layers.LSTM(2, return_sequences=True)])
    x = draw(2, 3, 2)
    x[:, 2] = 0
    for _ in range(5):
        y = masking(x)
        pooled = layers.GlobalAveragePooling1D()(y)
        np.testing.assert_allclose(pooled, y[:, :2].mean(axis=1), rtol=1e-6)
    never_planned(masking, x)
    follows = warmed(portanet.Sequential([layers.Input((3, 2)), layers.GlobalAveragePooling1D()]), 2, 3, 2)
    np.testing.assert_allclose(follows(y), y[:, :2].mean(axis=1), rtol=1e-6)  # while others have no mask
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2, activity_regularizer="l2")])
    for seed in range(4):
        y = model(draw(1, 2, seed=seed))
        np.testing.assert_allclose(float(model.losses[0]), 0.01 * float((y**2).sum()), rtol=1e-6)


def test_values_that_are_looked_at():
    words = portanet.Sequential([layers.Input((3,), dtype="int32"), layers.Embedding(5, 2)])
    good, bad = np.asarray([[0, 1, 4]], dtype="int32"), np.asarray([[0, 1, -1]], dtype="int32")
    for _ in range(4):
        words(good)
    with pytest.raises(IndexError, match="-1"):
        words(bad)
    x = layers.Input((3,))
    chosen = portanet.Model(x, ops.nan_to_num(x) * ops.cast(ops.any(x > 0), "float32"))
    for value in (1.0, -1.0, 1.0, -1.0, 1.0):
        given = np.full((1, 3), value, dtype="float32")
        assert_same(chosen(given), ordinary(chosen, given))
