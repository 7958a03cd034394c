from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, numeric_grad, numeric_jvp
from tests.support import asarray, assert_close

METHODS = ("forward", "backward", "central", "richardson")


@pytest.mark.parametrize("method", METHODS)
def test_definitions(method):
    f, h, x = (lambda x: x**5), 0.25, 1.5
    central = lambda h: (f(x + h) - f(x - h)) / (2 * h)
    want = {
        "forward": (f(x + h) - f(x)) / h,
        "backward": (f(x) - f(x - h)) / h,
        "central": central(h),
        "richardson": (4 * central(h) - central(2 * h)) / 3,
    }[method]
    assert float(numeric_jvp(f, (np.asarray(x),), (np.asarray(1.0),), method, h)) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(("method", "error"), {"forward": 1e-7, "central": 1e-9, "richardson": 1e-11}.items())
def test_the_default_step_suits_the_method(method, error):
    slope = numeric_jvp(np.sin, (np.asarray(1.0),), (np.asarray(1.0),), method)
    assert abs(float(slope) - math.cos(1.0)) < error


def test_trees_in_and_out(xp):
    def f(t: Any, y: Any) -> Any:
        return {"p": t["x"] * y, "q": (t["x"] ** 2,)}

    x, y = asarray([1.0, 2.0], "float64"), asarray([3.0, 4.0], "float64")
    slope = numeric_jvp(f, ({"x": x}, y), ({"x": y}, x))
    assert_close(slope["p"], [1 + 9.0, 4 + 16.0], dtype="float64", rtol=1e-8)
    assert_close(slope["q"][0], [6.0, 16.0], dtype="float64", rtol=1e-8)


def test_gradient_by_differences(xp):
    f = lambda scale, t: scale * array_namespace(t["w"]).sum(t["w"] ** 2) + t["b"] ** 3
    tree = {"w": asarray([[1.0, 2.0], [3.0, 4.0]], "float64"), "b": asarray(2.0, "float64"), "none": None}
    slope = numeric_grad(f, 1)(0.5, tree)
    assert_close(slope["w"], [[1.0, 2.0], [3.0, 4.0]], dtype="float64", rtol=1e-8)
    assert_close(slope["b"], 12.0, dtype="float64", rtol=1e-8)
    assert_close(numeric_grad(array_namespace(tree["b"]).sum)(asarray(np.zeros((0, 2)), "float64")), np.zeros((0, 2)),
                 dtype="float64")  # fmt: skip


def test_unknown_method():
    with pytest.raises(ValueError, match="Received: method='magic'"):
        numeric_jvp(np.sin, (np.asarray(1.0),), (np.asarray(1.0),), "magic")  # type: ignore[arg-type]
