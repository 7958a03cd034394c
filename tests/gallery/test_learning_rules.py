"""Learning rules of one neuron, beside formulas by hand."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

page = load("foundations/learning_rules")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy"):
        yield


def test_each_rule_separates_two_clouds():
    x, y = page.clouds()
    first, mistakes = page.perceptron(x, y)
    assert mistakes[-1] == 0
    assert page.wrong(first, x, y, 0.5) == 0
    assert page.wrong(page.trained(x, 2 * y - 1, None, 0.02, epochs=5)[0], x, y, 0.0) == 0
    assert page.wrong(page.trained(x, y, "sigmoid", 0.5, epochs=5)[0], x, y, 0.5) == 0


def test_the_perceptron_adds_examples_that_are_wrong():
    """By hand: class 1 where w x > 0; an example of class 1 is added, one of class 0 subtracted."""
    x, y = ((1.0, 2.0), (-1.0, 2.0), (0.0, -1.0)), (1, 0, 0)
    w, expected = np.zeros(2), [np.zeros(2)]
    for i in (1, 2, 0, 2):
        w = w + (y[i] - float(w @ np.asarray(x[i]) > 0)) * np.asarray(x[i])
        expected.append(w)
    np.testing.assert_array_equal(page.steps(x, y), expected)


def test_a_perceptron_never_stops_on_clouds_that_overlap():
    x, y = page.clouds(examples=60, gap=1.0, seed=1)
    assert min(page.perceptron(x, y, epochs=15)[1]) > 0


def test_adaline_finds_the_line_of_the_document():
    assert page.adaline() == pytest.approx((1.9, 0.1), abs=1e-3)
