"""What overridden steps must not return."""

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.training.test_predict_steps import X, Y, graph


@pytest.mark.parametrize("result", [None, 3.0, [1.0]], ids=str)
@pytest.mark.parametrize("kind", ["train", "test"])
def test_a_step_that_returns_no_dict_is_named(backend, kind, result):
    class Wrong(portanet.Model):
        pass

    setattr(Wrong, f"{kind}_step", lambda self, data: result)
    model = graph(Wrong)
    model.compile("sgd", "mse")
    function = model.fit if kind == "train" else model.evaluate
    with pytest.raises(TypeError, match=rf"Method `{kind}_step` of model '\w+' must return a dict.* Received: "):
        function(X, Y, verbose=0)


def test_a_function_of_a_loop_that_returns_no_dict_is_named():
    class Wrong(portanet.Model):
        def make_train_function(self, force=False):
            return lambda iterator: None

    model = graph(Wrong)
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"function of `make_train_function` must return a dict, .* Received: None"):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        (lambda y: y[1:, ...], r"an array of shape \(\d+, \d+\)"),
        (lambda y: {"a": y, "b": y[:1, ...]}, r"an array of shape \(1, \d+\)"),
        (lambda y: y.mean() if hasattr(y, "mean") else 3.0, r"an array of shape \(\)|3.0"),
    ],
)
def test_rows_that_are_missing_are_an_error(wrong, received):
    class Short(portanet.Model):
        def predict_step(self, data):
            return wrong(super().predict_step(data))

    x = layers.Input((3,))
    model = Short(x, layers.Dense(2)(x))
    with pytest.raises(ValueError, match=rf"`predict_step` of model '\w+' must return one row for each.*: {received}"):
        model.predict(np.ones((8, 3), dtype="float32"), batch_size=4)
    with pytest.raises(ValueError, match=r"must return one row for each example, 8\. Received: "):
        model.predict_on_batch(np.ones((8, 3), dtype="float32"))
