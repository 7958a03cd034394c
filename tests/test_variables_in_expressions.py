"""Variables stand for their arrays: in operators, indices and functions, also where they are bound to traced arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad, unwrap
from portanet.variables import Variable, bind
from tests.support import asarray, assert_close, assert_equal

X = np.asarray([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.asarray([[1.0, 2.0], [-3.0, 0.5], [0.75, -1.5]])

EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "x @ w": lambda x, w: x @ w,
    "w @ x": lambda x, w: w @ x,
    "operators": lambda x, w: (1 - w) / 2 + (w + 1) * 3 - 2 * w + w**2 - w / x.mT,
    "from the left": lambda x, w: x.mT + w - x.mT * w + x.mT / w - (2 / w) - (4 - w),
    "of one": lambda x, w: -w + abs(w) * +w,
    "powers": lambda x, w: abs(w) ** abs(w) + 2**w,
    "of two": lambda x, w: w * w - w.mT.mT + w / w,
    "indices": lambda x, w: w[0, ...] + w[-1, :] * w[1:, 0] + w[..., 1][None, :2],
    "iteration": lambda x, w: sum(w[i, ...] for i in range(w.shape[0])) * x[0, 0],
    "its namespace": lambda x, w: (lambda xp: xp.exp(w) + xp.linalg.matrix_transpose(w).mT)(array_namespace(w)),
    "a common namespace": lambda x, w: array_namespace(x, w).matmul(x, w),
    "a list": lambda x, w: array_namespace(w).concat([w, w * 2]),
}
CONDITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "w > 0": lambda x, w: (w > 0) & (w <= 2) | (w < -2) ^ (w >= 2),
    "x > w": lambda x, w: (x.mT > w) & ~(x.mT <= w) | (x.mT < w) & (x.mT >= w),
    "w == w": lambda x, w: (w == w) & (w != x.mT) & (x.mT != w) & ~(x.mT == w),
}


def make(backend: Any, values: Any = W) -> Variable:
    return Variable(asarray(values), name="w")


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_values_and_gradients_are_those_of_the_array(case: str, backend: Any) -> None:
    function, x, w = EXPRESSIONS[case], asarray(X), make(backend)
    assert_equal(function(x, w), portanet.to_host(function(x, w.value)))

    def total(y: Any) -> Any:
        return array_namespace(y).sum(y * y)

    def with_variable(value: Any) -> Any:
        with bind({w: value}):
            return total(function(x, w))

    assert_equal(grad(with_variable)(w.value), portanet.to_host(grad(lambda v: total(function(x, v)))(w.value)))
    assert_equal(
        grad(lambda v: total(function(v, w)))(x), portanet.to_host(grad(lambda v: total(function(v, w.value)))(x))
    )


@pytest.mark.parametrize("case", CONDITIONS)
def test_comparisons_are_element_by_element(case: str, backend: Any) -> None:
    function, x, w = CONDITIONS[case], asarray(X), make(backend)
    expected = function(X, W)
    assert_equal(function(x, w), expected)

    def inside(value: Any) -> Any:
        with bind({w: value}):
            assert_equal(unwrap(function(x, w)), expected)
            return array_namespace(w).sum(w)

    grad(inside)(w.value)


def test_second_derivatives_and_batches(backend: Any) -> None:
    w = make(backend)

    def inner(x: Any) -> Any:
        def loss(value: Any) -> Any:
            with bind({w: value}):
                y = x @ w
                return array_namespace(y).sum(y**3)

        g = grad(loss)(w.value)
        return array_namespace(g).sum(g * g)

    x = asarray(X)
    assert_close(
        grad(inner)(x),
        portanet.to_host(grad(lambda x: array_namespace(x).sum((3 * x.mT @ (x @ w.value) ** 2) ** 2))(x)),
    )
    assert_close(portanet.autodiff.vmap(lambda row: w.mT @ row + row @ w)(x), X @ W + X @ W)


def test_numbers_and_conversions(backend: Any) -> None:
    w, one = make(backend), Variable(2.0, name="one")
    assert (w.ndim, len(w), w.shape, len(list(w))) == (2, 3, (3, 2), 3)
    assert (float(one), int(one), bool(one), complex(one), math.sqrt(one)) == (2, 2, True, 2, 2**0.5)
    assert_equal(sum(w), W.sum(axis=0))
    assert range(5)[Variable(2, name="index")] == 2
    np.testing.assert_array_equal(np.asarray(w), w.numpy())
    np.testing.assert_array_equal(np.asarray(w, dtype="float64"), W)
    np.testing.assert_allclose(np.exp(w), np.exp(W), rtol=1e-6)
    assert_equal(portanet.asarray(w), W)
    np.testing.assert_array_equal(portanet.to_host(w), W)
    assert_equal(w.__array_namespace__().negative(w), -W)
    with pytest.raises(TypeError, match=r"no length\. Received: <Variable one"):
        len(one)
    assert w in {w: 1}


def test_assignments_in_place(backend: Any) -> None:
    v = make(backend, [1.0, 2.0])
    v.assign_add(1)
    v.assign_sub([0.5, 1.0])
    v.assign_add(asarray([1.0, 1.0]))
    v.assign_sub(np.asarray([2.0, 0.0]))
    assert_equal(v.value, [0.5, 3.0])
    v.assign(v * 2)
    v.assign_add(v)
    assert_equal(v.value, [2.0, 12.0])
    with bind({v: asarray([0.0, 0.0])}) as bound:
        v.assign_add(v + 1)
        assert_equal(bound[v], [1.0, 1.0])
    assert_equal(v.value, [2.0, 12.0])
    with pytest.raises(ValueError, match=r"Variable 'w' has shape \(2,\).*Received: \(3,\)"):
        v.assign([1.0, 2.0, 3.0])


class Affine(layers.Layer):
    """As in Keras's guides: variables in operators, a counter of calls."""

    def __init__(self, units: int, values: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.values = units, values

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight((input_shape[-1], self.units), "glorot_uniform", name="w")
        self.b = self.add_weight((self.units,), "ones", name="b")
        self.calls = self.add_weight((), "zeros", name="calls", trainable=False)

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1)
        w, b = (self.w.value, self.b.value) if self.values else (self.w, self.b)
        xp = array_namespace(x, self.w.value)
        self.add_loss(0.01 * xp.sum(w**2))
        return x @ w * (1 + w[0, :]) + b


@pytest.mark.parametrize("dtype", [None, "mixed_float16"])
def test_layers_train_as_with_values(dtype: str | None, backend: Any) -> None:
    if dtype and "strict" in backend.name:
        pytest.skip("array-api-strict has no half precision")
    results = []
    for values in (False, True):
        portanet.random.set_seed(1)
        model = portanet.Sequential(
            [layers.Input((3,)), Affine(4, values, dtype=dtype), Affine(1, values, dtype=dtype)]
        )
        model.compile("sgd", "mse", auto_scale_loss=False)
        model.fit(X, X[:, :1], epochs=3, batch_size=1, verbose=0, shuffle=False)
        results.append([*model.get_weights(), np.asarray(model.predict(X, verbose=0))])
    assert float(results[0][2]) == 6
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6 if dtype is None else 1e-3)  # casts per use, or one


def test_layers_take_variables(backend: Any) -> None:
    layer = layers.Dense(2)
    assert_equal(layer(make(backend)), portanet.to_host(layer(asarray(W))))
