"""Copies of models and layers: deepcopy, pickle and joblib give independent ones that go on in the same way."""

from __future__ import annotations

import copy
import io
import pickle

import joblib
import numpy as np
import pytest

import portanet
from portanet import callbacks, layers
from portanet.training import TrainingRun

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")


def through_joblib(thing):
    file = io.BytesIO()
    joblib.dump(thing, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "joblib": through_joblib,
}


class Custom(portanet.Model):
    """A model by subclassing."""

    def __init__(self):
        super().__init__()
        self.parts = [layers.Dense(5, "tanh"), layers.Dropout(0.3), layers.Dense(2)]

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x


def stack():
    hidden = [layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dropout(0.3)]
    return portanet.Sequential([layers.Input((4,)), *hidden, layers.Dense(2, kernel_regularizer="l2")])


def graph():
    x = layers.Input((4,))
    dense = layers.Dense(4, "tanh")
    inner = portanet.Sequential([layers.Input((4,)), layers.Dropout(0.2), layers.Dense(4)])
    return portanet.Model(x, layers.Dense(2)(dense(dense(x)) + inner(x)))


MODELS = {"stack": stack, "graph": graph, "custom": Custom}


def trained(make):
    portanet.random.set_seed(3)
    model = make()
    model.compile(portanet.optimizers.Adam(0.01, use_ema=True), "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[callbacks.EarlyStopping("loss", patience=5)])
    model.evaluate(X, Y, verbose=0)
    model.predict(X)
    return model


def state_of(model):
    """All values of a model, and what it computes."""
    return [*(v.numpy() for v in model.variables), model.predict(X), np.asarray(model.evaluate(X, Y, verbose=0))]


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_copy_of_a_used_model_is_equal_and_independent(backend, make, way):
    model = trained(make)
    twin = WAYS[way](model)
    before = state_of(model)
    assert_same(state_of(twin), before)
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert not set(twin.variables) & set(model.variables)
    # The copy is trained, and given weights: the original stays.
    twin.fit(X, Y, batch_size=5, epochs=4, initial_epoch=twin.position, verbose=0)
    after = state_of(twin)
    assert_same(state_of(model), before)
    assert any(not np.array_equal(a, b) for a, b in zip(after, before, strict=True))
    # The original goes on in the same way.
    model.fit(X, Y, batch_size=5, epochs=4, initial_epoch=model.position, verbose=0)
    assert_same(state_of(model), after)
    assert model.position == twin.position
    twin.set_weights([np.zeros_like(w) for w in twin.get_weights()])
    assert_same(state_of(model), after)
    assert not twin.predict(X).any()


def test_a_copy_of_a_copy_and_a_copy_in_training(backend):
    copies = []

    class Copying(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            copies.append(copy.deepcopy(self.model))

    model = stack()
    model.compile("adam", "mse")
    model.fit(X, Y, batch_size=5, epochs=3, verbose=0, callbacks=[Copying()])
    again = pickle.loads(pickle.dumps(copies[0]))
    again.fit(X, Y, batch_size=5, epochs=3, initial_epoch=again.position, verbose=0)
    assert_same([v.numpy() for v in again.variables], [v.numpy() for v in model.variables])
    assert TrainingRun(again).step is not TrainingRun(model).step


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
@pytest.mark.parametrize("depth", [150, 2000])
def test_depth_does_not_matter(way, depth):
    x = start = layers.Input((4,))
    shared = layers.Dense(4)
    for i in range(depth):
        x = shared(x) if i % 10 == 0 else layers.Activation("tanh")(x)
    model = portanet.Model(start, x)
    twin = WAYS[way](model)
    assert len(twin.nodes) == depth
    assert [node.layer.name for node in twin.nodes] == [node.layer.name for node in model.nodes]
    chain = portanet.Sequential([layers.Input((4,)), *(layers.Dense(4) for _ in range(depth))])
    assert_same([WAYS[way](chain).predict(X), twin.predict(X)], [chain.predict(X), model.predict(X)])


@pytest.mark.parametrize("way", WAYS)
def test_nested_models_are_copied(way):
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(4)])
    for _ in range(40):
        model = portanet.Sequential([layers.Input((4,)), model])
    assert_same([WAYS[way](model).predict(X)], [model.predict(X)])


@pytest.mark.parametrize("way", WAYS)
def test_graphs_of_a_copy_can_be_extended(way):
    model = graph()
    twin = WAYS[way](model)
    longer = portanet.Model(twin.input, layers.Dense(3)(twin.output))
    assert longer.layers[:-1] == twin.layers
    assert longer.predict(X).shape == (12, 3)
    assert twin.layers[-1].output is twin.output
    assert portanet.models.clone_model(twin).count_params() == model.count_params()


@pytest.mark.parametrize("way", WAYS)
def test_models_that_share_layers_share_them_in_copies(way):
    x = layers.Input((4,))
    code = layers.Dense(3, name="code")(x)
    whole, encoder = portanet.Model(x, layers.Dense(4)(code)), portanet.Model(x, code)
    twin, part = WAYS[way]([whole, encoder])
    assert part.layers[1] is twin.get_layer("code") is not whole.get_layer("code")
    assert part.output is twin.get_layer("code").output


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_of_a_model_is_copied_alone(backend, way):
    model = stack()
    dense = WAYS[way](model.layers[0])
    assert dense._nodes == []
    assert_same(dense.get_weights(), model.layers[0].get_weights())
    inputs = WAYS[way](model.input.node.layer)
    assert inputs.output.shape == (None, 4)
    assert portanet.Sequential([inputs.output, dense]).predict(X).shape == (12, 5)


def test_a_copy_and_a_copy_of_it_know_the_states_of_callbacks():
    model = trained(stack)
    states = model.callbacks.get_states()
    assert states
    twin = copy.deepcopy(model)
    assert twin.position.callbacks == copy.deepcopy(twin).position.callbacks == states
