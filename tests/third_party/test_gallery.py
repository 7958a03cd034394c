"""The page of the gallery that differentiates SciPy."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

pytest.importorskip("scipy")


def test_slopes_statistics_and_a_filter() -> None:
    page = load("beyond/differentiating_scipy")
    x = np.linspace(0.5, 6, 7)
    with portanet.use_backend("numpy"):
        for function in page.FUNCTIONS.values():
            np.testing.assert_allclose(page.slope(function, x), page.differences(function, x), atol=1e-6)
        noise, values, losses = page.shape_noise(60, 40)
        assert losses[-1] < losses[0] / 10
        assert not np.array_equal(noise, values)
        truth, found = page.fit_filter(5, 100)
    np.testing.assert_allclose(found, truth, atol=1e-3)
