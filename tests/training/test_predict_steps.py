"""Overridden steps and functions of prediction and evaluation, on every backend."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.training.step_methods import packed, unpacked

generator = np.random.default_rng(0)
X = generator.normal(size=(10, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def graph(cls):
    portanet.random.set_seed(1)
    x = layers.Input((4,))
    model = cls(x, layers.Dense(1)(layers.Dropout(0.5)(x)))
    model.compile("sgd", "mse", metrics=["mae"])
    return model


class Doubled(portanet.Model):
    def predict_step(self, data):
        return 2 * super().predict_step(data)

    def test_step(self, data):
        return {"more": super().test_step(data)["loss"] + 1}


class Wrapped(portanet.Model):
    def make_predict_function(self, force=False):
        function = super().make_predict_function(force)
        return lambda iterator: 3 * function(iterator)

    def make_test_function(self, force=False):
        function = super().make_test_function(force)
        return lambda iterator: function(iterator) | {"extra": 1.0}


@pytest.mark.parametrize(("cls", "factor"), [(portanet.Model, 1), (Doubled, 2), (Wrapped, 3)])
def test_predictions(backend, cls, factor):
    model = graph(cls)
    kernel, bias = model.get_weights()
    for batch_size in (3, 10):
        np.testing.assert_allclose(model.predict(X, batch_size), factor * (X @ kernel + bias), rtol=1e-5, atol=1e-6)


def test_evaluations(backend):
    plain = graph(portanet.Model).evaluate(X, Y, batch_size=10, return_dict=True)
    assert set(plain) == {"loss", "mae"}
    assert graph(Doubled).evaluate(X, Y, batch_size=10, return_dict=True) == pytest.approx({"more": plain["loss"] + 1})
    wrapped = graph(Wrapped).evaluate(X, Y, batch_size=10, return_dict=True)
    assert wrapped == pytest.approx(plain | {"extra": 1.0})


def test_functions_are_made_once_unless_forced(backend):
    model = graph(portanet.Model)
    for kind in ("train", "test", "predict"):
        make = getattr(model, f"make_{kind}_function")
        first = make()
        assert getattr(model, f"{kind}_function") is make() is first
        assert make(force=True) is not first
    with pytest.raises(StopIteration):
        first(iter([]))
    np.testing.assert_allclose(portanet.to_host(first(iter([portanet.asarray(X)]))), model.predict(X), rtol=1e-5)


def test_batches_as_keras_passes_them():
    x, y, w, two = X, Y, Y[:, 0], [X, Y]
    for batch, parts in [((x, y), (x, y, None)), ((x, y, w), (x, y, w)), ((two,), (two, None, None))]:
        assert all(a is b for a, b in zip(packed(*parts), batch, strict=True))
        assert all(a is b for a, b in zip(unpacked(batch), parts, strict=True))
    assert packed(x, None, None) is x
    assert unpacked(x) == (x, None, None) == unpacked([x])
