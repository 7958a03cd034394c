"""Fits by gradient descent: the numbers of Shanahan, and the minima that other libraries find."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

page = load("foundations/fits_and_costs")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy"):
        yield


def test_the_line_of_the_document():
    path = page.descent(page.squares, (0.0, 0.0), rate=0.07, steps=500)
    np.testing.assert_allclose(path[-1], [1.9, 0.1], atol=1e-3)
    costs = [page.squares(*point) for point in path]
    assert costs == sorted(costs, reverse=True)
    assert page.brute_force()[1] == pytest.approx((1.9, 0.1), abs=0.11)


def test_updates_by_hand():
    np.testing.assert_allclose(page.update([5, 4, 8], [34, 1, 4], 2), [4.32, 3.98, 7.92])
    np.testing.assert_allclose(page.update([2, -1, 4, 8], [1, 5, 1, 2], 7), [1.93, -1.35, 3.93, 7.86])


def test_logistic_regression_is_scikit_learn_s():
    linear_model = pytest.importorskip("sklearn.linear_model")
    data = page.classes()
    model = linear_model.LogisticRegression(C=1e8, tol=1e-10, max_iter=1000).fit(data[:, :1], data[:, 1])
    low = page.lowest(page.logistic)
    np.testing.assert_allclose(low.x, [model.coef_[0, 0], model.intercept_[0]], rtol=1e-3, atol=1e-4)
    assert page.logistic(*page.descent(page.logistic, (-1.0, 1.5), 2.0, 100)[-1]) == pytest.approx(low.value, rel=1e-3)


def test_the_support_vector_machine_is_scikit_learn_s():
    svm = pytest.importorskip("sklearn.svm")
    data = page.classes()
    model = svm.SVC(kernel="linear", C=10.0 / len(data), tol=1e-8).fit(data[:, :1], data[:, 1])
    lowest = page.soft_margin(model.coef_[0, 0], model.intercept_[0])
    reached = page.soft_margin(*page.descent(page.soft_margin, (-1.0, 1.5), 0.01, 600)[-1])
    assert lowest <= reached < 1.01 * lowest
