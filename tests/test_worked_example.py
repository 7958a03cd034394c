"""The worked example of backpropagation in NumPyDL's documentation (after M. Mazur): every number it prints.

Two inputs, two hidden and two output units, all sigmoid; biases fixed; the loss is half the sum of squares.

The errors and outputs that it prints for after the first step do not belong to the printed weights: they come from a
loop that computes the hidden gradients with output weights already updated, which the text says not to do. Here that
loop is repeated in NumPy to show this, and portanet is compared with the correct values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad, lift
from portanet.backends import Backend, use_backend
from portanet.losses.base import FunctionLoss
from portanet.variables import bind

X, Y = np.asarray([[0.05, 0.10]]), np.asarray([[0.01, 0.99]])
HIDDEN = np.asarray([[0.15, 0.25], [0.20, 0.30]])  # w1 w3, w2 w4
OUTPUT = np.asarray([[0.40, 0.50], [0.45, 0.55]])  # w5 w7, w6 w8
STEPS = 10_000


def half_squares(y_true: Any, y_pred: Any) -> Any:
    difference = y_pred - y_true
    return 0.5 * array_namespace(difference).sum(difference**2, axis=-1)


def network() -> portanet.Sequential:
    model = portanet.Sequential(
        [
            layers.Input((2,)),
            layers.Dense(2, activation="sigmoid", name="hidden"),
            layers.Dense(2, activation="sigmoid", name="output"),
        ]
    )
    model.set_weights([HIDDEN, [0.35, 0.35], OUTPUT, [0.60, 0.60]])
    for path, variable in model.named_variables().items():
        variable.trainable = path.endswith("kernel")
    model.compile(portanet.optimizers.SGD(0.5), FunctionLoss(half_squares, reduction="sum"))
    return model


@pytest.fixture
def model(backend: Backend) -> Any:
    with use_backend(backend.name, backend.device, "float64"):
        yield network()


def near(result: Any, expected: Any) -> None:
    """To the 9 decimal places that the document prints."""
    np.testing.assert_allclose(np.ravel(portanet.to_host(result)), np.ravel(expected), atol=6e-10, rtol=0)


def test_forward(model: Any) -> None:
    hidden, output = model.layers
    h = hidden(portanet.asarray(X))
    near(h, [0.593269992, 0.596884378])
    near(output(h), [0.75136507, 0.772928465])
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(0.298371109, abs=6e-10)


def test_gradients(model: Any) -> None:
    def loss(kernels: dict[str, Any]) -> Any:
        named = model.named_variables()
        with bind({named[path]: kernel for path, kernel in kernels.items()}):
            return half_squares(lift(portanet.asarray(Y)), model(lift(portanet.asarray(X))))[0]

    slopes = grad(loss)({v.path: v.value for v in model.trainable_weights})
    near(slopes["output/kernel"][0, 0], 0.082167041)
    near(slopes["hidden/kernel"][0, 0], 0.000438568)


def test_one_step(model: Any) -> None:
    model.train_on_batch(X, Y)
    hidden, hidden_bias, output, output_bias = model.get_weights()
    np.testing.assert_allclose(output.T, [[0.35891648, 0.408666186], [0.511301270, 0.561370121]], atol=6e-9)
    np.testing.assert_allclose(hidden.T, [[0.149780716, 0.19956143], [0.24975114, 0.29950229]], atol=6e-9)
    near([*hidden_bias, *output_bias], [0.35, 0.35, 0.60, 0.60])
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(0.291027774, abs=6e-10)
    assert by_hand(1)[0] == pytest.approx(0.291027774, abs=6e-10)


def by_hand(steps: int, output_first: bool = False) -> tuple[float, np.ndarray]:
    """The error and the outputs after some steps, in NumPy; `output_first` is the document's mistake."""
    first, second = HIDDEN, OUTPUT
    for step in range(steps + 1):
        h = 1 / (1 + np.exp(-(X @ first + 0.35)))
        out = 1 / (1 + np.exp(-(h @ second + 0.60)))
        if step < steps:
            slope = (out - Y) * out * (1 - out)
            updated = second - 0.5 * h.T @ slope
            back = slope @ (updated if output_first else second).T
            first, second = first - 0.5 * X.T @ (back * h * (1 - h)), updated
    return 0.5 * float(((out - Y) ** 2).sum()), out


def test_what_the_document_prints_comes_of_updating_the_output_weights_first() -> None:
    assert by_hand(1, output_first=True)[0] == pytest.approx(0.291027924, abs=6e-10)
    error, out = by_hand(STEPS, output_first=True)
    assert error == pytest.approx(0.000035085, abs=6e-10)
    near(out, [0.015912196, 0.984065734])


def test_ten_thousand_steps() -> None:
    with use_backend("numpy", dtype="float64"):
        model = network()
        model.fit(
            np.repeat(X, STEPS // 10, axis=0), np.repeat(Y, STEPS // 10, axis=0), batch_size=1, epochs=10, verbose=0
        )
        error, out = by_hand(STEPS)
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(error, rel=1e-9)
        assert error == pytest.approx(0.0000351019, abs=6e-11)
        np.testing.assert_allclose(model.predict(X), out, rtol=1e-9)
        np.testing.assert_allclose(out, [[0.015913619, 0.984064272]], atol=6e-9)
