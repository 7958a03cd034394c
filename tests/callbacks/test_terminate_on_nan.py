"""Models made to fail at a known place."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace
from portanet.callbacks import TerminateOnNaN

X, Y = np.ones((8, 2), dtype="float32"), np.ones((8, 2), dtype="float32")


class Root(layers.Layer):
    """The root of a value that is 0 in the third step: the root is finite, its derivative is not."""

    def call(self, x):
        xp = array_namespace(x)
        return xp.sqrt(xp.abs(x - 2.0))


class Inverse(layers.Layer):
    def call(self, x):
        return 1.0 / (x - x)


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def fit(model, x=X, y=Y, optimizer=None, loss="mse", **options):
    model.compile(optimizer or portanet.optimizers.SGD(0.01), loss)
    stop = TerminateOnNaN(**options)
    history = model.fit(x, y, batch_size=4, epochs=3, verbose=0, shuffle=False, check_finite=False, callbacks=[stop])
    assert model.stop_training == (stop.report is not None)
    assert len(history.epoch) == (3 if stop.report is None else 1)
    return stop.report


def test_a_layer_inside_a_model_inside(backend):
    inner = portanet.Sequential([layers.Dense(2), Inverse(name="inverse")], name="inner")
    report = fit(portanet.Sequential([layers.Input((2,)), inner, layers.Dense(2)]))
    assert report.startswith("Epoch 1, batch 1: the loss is ")
    assert "First to go bad: the result of layer 'inner/inverse' (Inverse) in batch 1, 8 of whose 8 elements" in report
    assert "are not finite (inf); its inputs are finite, up to " in report


class InverseOfIntegers(layers.Layer):
    def call(self, x):
        xp = array_namespace(x)
        return 1.0 / xp.astype(x - x, xp.float32)


def test_a_layer_of_integers(backend):
    model = portanet.Sequential([layers.Input((2,), dtype="int32"), InverseOfIntegers(name="inverse"), layers.Dense(2)])
    report = fit(model, x=np.ones((8, 2), "int32"))
    assert "'inverse' (InverseOfIntegers) in batch 1" in report
    assert report.endswith("are not finite (inf); its inputs are finite, up to 0.")


def test_a_gradient(backend):
    """The weights become NaN in the first step, and the loss only in the second."""
    identity = portanet.Sequential([layers.Input((2,)), layers.Dense(2, name="first"), Root(), layers.Dense(2)])
    identity.layers[0].set_weights([np.eye(2) * 2, np.zeros(2)])
    report = fit(identity)
    assert report.startswith("Epoch 1, batch 2: the loss is nan")
    assert "the gradient of weight 'first/bias' in batch 1, 2 of whose 2 elements are not finite (" in report
    assert "though the loss is finite" in report


def test_the_loss(backend):
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2)])
    report = fit(model, loss=lambda y, p: array_namespace(p).log(p[:, 0] * 0.0))
    assert "First to go bad: the loss in batch 1, 1 of whose 1 elements are not finite (inf)" in report


def test_the_data(backend):
    y = Y.copy()
    y[5, 1] = np.nan
    report = fit(portanet.Sequential([layers.Input((2,)), layers.Dense(2)]), y=y)
    assert report.endswith("the data: y in batch 2, 1 of whose 8 elements are not finite (nan).")


def test_an_update(backend):
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2, kernel_initializer="zeros", use_bias=False)])
    report = fit(model, y=1e10 * Y, optimizer=portanet.optimizers.SGD(1e30))
    assert "weight 'dense/kernel', 4 of whose 4 elements are not finite (inf) before batch 2, though its" in report


def test_nothing_happens_to_a_good_model(backend, capsys):
    assert fit(portanet.Sequential([layers.Input((2,)), layers.Dropout(0.5), layers.Dense(2)])) is None
    assert capsys.readouterr().out == ""


def test_an_error_if_asked_for():
    model = portanet.Sequential([layers.Input((2,)), Inverse()])
    with pytest.raises(RuntimeError, match=r"the result of layer 'inverse' \(Inverse\) in batch 1"):
        fit(model, raise_error=True)


class InverseInTraining(layers.Layer):
    def call(self, x, training=False):
        return 1.0 / (x - x) if training else x


def test_a_layer_that_fails_in_training_alone(backend):
    report = fit(portanet.Sequential([layers.Input((2,)), layers.Dense(2), InverseInTraining(name="inverse")]))
    assert "First to go bad: the result of layer 'inverse' (InverseInTraining) in batch 1" in report
