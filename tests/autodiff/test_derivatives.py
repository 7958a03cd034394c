from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian, hvp, jacobian, stop_gradient
from tests.support import asarray, assert_close, to_numpy


def wide(x: Any) -> Any:
    """4 results of 2 arguments."""
    xp = array_namespace(x)
    return xp.reshape(xp.stack([x[0] * x[1], xp.sin(x[0]), x[1] ** 2, x[0]]), (2, 2))


def wide_jacobian(a: float, b: float) -> Any:
    return np.asarray([[b, a], [np.cos(a), 0.0], [0.0, 2 * b], [1.0, 0.0]]).reshape(2, 2, 2)


@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_jacobian_in_every_mode(xp, mode):
    assert_close(jacobian(wide, mode=mode)(asarray([0.3, -1.5], "float64")), wide_jacobian(0.3, -1.5), dtype="float64")


@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_jacobian_of_trees_and_several_arguments(xp, mode):
    def f(t: Any, scale: Any, unused: Any) -> Any:
        return {"p": t["x"] * scale, "q": [t["y"] ** 2]}

    t = {"x": asarray([1.0, 2.0]), "y": asarray(3.0)}
    jac = jacobian(f, (0, 1), mode=mode)(t, asarray([5.0, 7.0]), asarray([1], "int32"))
    by_tree, by_scale = jac["p"]
    assert_close(by_tree["x"], [[5.0, 0.0], [0.0, 7.0]])
    assert_close(by_tree["y"], [0.0, 0.0])
    assert_close(by_scale, [[1.0, 0.0], [0.0, 2.0]])
    by_tree, by_scale = jac["q"][0]
    assert_close(by_tree["x"], [0.0, 0.0])
    assert_close(by_tree["y"], 6.0)
    assert_close(by_scale, [0.0, 0.0])


def test_the_cheaper_mode_is_chosen(xp):
    def runs(mode: Any, make: Any) -> int:
        count = 0

        def f(x: Any) -> Any:
            nonlocal count
            count += 1
            return make(x)

        jacobian(f, mode=mode)(asarray([1.0, 2.0, 3.0, 4.0]))
        return count

    narrow = lambda x: x[:2] ** 2
    broad = lambda x: array_namespace(x).concat([x, x])
    assert runs(None, narrow) == runs("reverse", narrow) == 1
    assert runs("forward", broad) == 1  # all directions in one batch
    assert runs(None, broad) == 2  # one run determines the shape of the result


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("elements", [1, 7, 20])
def test_large_jacobians_are_computed_in_parts(xp, mode, elements, monkeypatch):
    monkeypatch.setattr("portanet.autodiff.derivatives.CHUNK", elements)
    parts = {"a": asarray([1.0, 2.0, 3.0]), "b": asarray([[4.0, 5.0]])}

    def f(t: Any) -> Any:
        xp = array_namespace(t["a"], t["b"])
        return {"p": t["a"] * xp.sum(t["b"]), "q": xp.concat([t["a"] ** 2, xp.reshape(t["b"], (-1,))])}

    jac = jacobian(f, mode=mode)(parts)
    assert_close(jac["p"]["a"], 9.0 * np.eye(3))
    assert_close(jac["p"]["b"], np.asarray([[[1.0, 1.0]], [[2.0, 2.0]], [[3.0, 3.0]]]))
    assert_close(jac["q"]["a"], np.concat([np.diag([2.0, 4.0, 6.0]), np.zeros((2, 3))]))
    assert_close(jac["q"]["b"], np.concat([np.zeros((3, 1, 2)), np.eye(2)[:, None, :]]))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_control_flow_of_a_jacobian_follows_the_values(xp, mode):
    def f(x: Any) -> Any:
        if x[0] > 0:
            return x * float(stop_gradient(x)[1])
        return x

    assert_close(jacobian(f, mode=mode)(asarray([1.0, 2.0])), 2.0 * np.eye(2))
    assert_close(jacobian(f, mode=mode)(asarray([-1.0, 2.0])), np.eye(2))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_of_size_zero(xp, mode):
    x = asarray(np.zeros((0, 2)))
    assert_close(jacobian(lambda x: x * 2.0, mode=mode)(x), np.zeros((0, 2, 0, 2)))
    assert_close(jacobian(lambda x: x[:0] * 2.0, mode=mode)(asarray([1.0, 2.0])), np.zeros((0, 2)))


def test_unknown_mode():
    with pytest.raises(ValueError, match=r"Received: mode='sideways'"):
        jacobian(wide, mode="sideways")  # type: ignore[arg-type]


def test_hessian_of_a_quadratic_form_is_its_matrix(xp):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4, 4))
    matrix, x = asarray(a, "float64"), asarray(rng.normal(size=4), "float64")
    f = lambda x: array_namespace(x).sum(x * array_namespace(x).matmul(matrix, x))
    assert_close(hessian(f)(x), a + a.T, dtype="float64")
    v = rng.normal(size=4)
    assert_close(hvp(f, (x,), (asarray(v, "float64"),)), (a + a.T) @ v, dtype="float64")


def test_hessian_over_several_arguments_and_its_product(xp):
    f = lambda x, y: x * x * y + y**3
    x, y = asarray(2.0, "float64"), asarray(3.0, "float64")
    (xx, xy), (yx, yy) = hessian(f, (0, 1))(x, y)
    for got, want in ((xx, 6.0), (xy, 4.0), (yx, 4.0), (yy, 18.0)):
        assert_close(got, want, dtype="float64")
    hx, hy = hvp(f, (x, y), (asarray(1.0, "float64"), asarray(10.0, "float64")))
    assert_close(hx, 46.0, dtype="float64")
    assert_close(hy, 184.0, dtype="float64")


def test_a_jacobian_can_be_differentiated(xp):
    """d/dx of the sum of squares of the Jacobian of x^2 is 8 x: the contractive penalty of an autoencoder."""
    f = lambda x: array_namespace(x).sum(jacobian(lambda y: y * y)(x) ** 2)
    assert_close(grad(f)(asarray([1.0, 2.0])), [8.0, 16.0])
    reverse = lambda x: array_namespace(x).sum(jacobian(lambda y: y * y, mode="reverse")(x) ** 2)
    assert_close(grad(reverse)(asarray([1.0, 2.0])), [8.0, 16.0])
    assert to_numpy(hessian(f)(asarray([1.0, 2.0]))).tolist() == [[8.0, 0.0], [0.0, 8.0]]
