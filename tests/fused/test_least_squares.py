from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.autodiff import grad
from portanet.backends import Backend, use_backend
from portanet.fused.least_squares import least_squares
from tests.support import assert_close, to_numpy


def columns(*each):
    return portanet.asarray(np.stack(each, axis=1).astype("float64"))


def test_a_line_through_five_points(backend: Backend) -> None:
    """S. Shanahan, Nabla: the gradient: (1,2) (2,3) (3,7) (4,8) (5,9) have the slope 1.9 and the intercept 0.1."""
    with use_backend(backend.name, backend.device, "float64"):
        w = least_squares(columns(np.arange(1, 6), np.ones(5)), columns([2, 3, 7, 8, 9]))
        assert_close(w, [[1.9], [0.1]], rtol=1e-9)


def test_against_scikit_learn(backend: Backend) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((20, 4)), generator.standard_normal((20, 3))
    with use_backend(backend.name, backend.device, "float64"):
        for l2 in (0.0, 0.7):
            model = linear_model.Ridge(l2, fit_intercept=False, solver="svd").fit(x, y)
            result = least_squares(portanet.asarray(x), portanet.asarray(y), l2)
            assert_close(result, model.coef_.T, rtol=1e-8)


def test_columns_that_depend_on_each_other(backend: Backend) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        x = columns([1, 2, 3], [1, 2, 3])
        assert_close(least_squares(x, columns([2, 4, 6])), [[1.0], [1.0]], rtol=1e-9)


def test_it_has_a_derivative(backend: Backend) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        x, y = columns([1, 2, 4], [1, 1, 1]), columns([1, 3, 2])
        w = to_numpy(least_squares(x, y, 0.5))
        slope = grad(lambda y: least_squares(x, y, 0.5)[0, 0])(y)
        nudged = to_numpy(y) + np.asarray([[0.0], [1e-3], [0.0]])
        moved = to_numpy(least_squares(x, portanet.asarray(nudged), 0.5))
        assert abs((moved - w)[0, 0] / 1e-3 - to_numpy(slope)[1, 0]) < 1e-9


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`l2` of least_squares must be a non-negative number. Received: l2=-1"):
        least_squares(np.ones((2, 1)), np.ones((2, 1)), -1)
    with pytest.raises(ValueError, match=r"Received: shapes \(2, 1\) and \(3, 1\)"):
        least_squares(np.ones((2, 1)), np.ones((3, 1)))
