"""Training by chance, and gradients by perturbation."""

from __future__ import annotations

import numpy as np

import portanet
from tests.gallery.pages import load

page = load("optimization/random_training")


def test_far_jumps_leave_the_hollow_where_gradient_descent_stays() -> None:
    with portanet.use_backend("numpy"):
        path = portanet.optimizers.descend(page.surface, page.START, portanet.optimizers.SGD(0.05), 60)
        assert page.on_surface(path[-1]) > 1
        assert page.successes("cauchy", seeds=6) >= 0.5
        assert page.successes("boltzmann", seeds=6) >= 1 / 6


def test_without_chance_it_is_gradient_descent() -> None:
    start = np.asarray([4.3, 4.1])
    path, costs = page.anneal(lambda v: float(v @ v), start, "cauchy", 3, push=lambda v: -0.1 * v, eta=1.0)
    np.testing.assert_allclose(path, [start * 0.9**t for t in range(4)])
    np.testing.assert_allclose(costs, (path**2).sum(axis=1))


def test_a_perturbation_measures_the_gradient() -> None:
    measured, exact = page.perturbed_gradient()
    np.testing.assert_allclose(measured, exact, atol=1e-5)
    assert np.abs(exact).max() > 1e-3
