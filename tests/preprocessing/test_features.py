from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.preprocessing import PolynomialFeatures
from tests.support import assert_close


@pytest.mark.parametrize(("degree", "include_bias"), [(3, True), (2, False), (1, True), (0, True)])
def test_against_scikit_learn(backend: Backend, degree: int, include_bias: bool) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
    expected = preprocessing.PolynomialFeatures(degree, include_bias=include_bias).fit_transform(x)
    ours = PolynomialFeatures(degree, include_bias)
    result = ours.fit_transform(portanet.asarray(x))
    assert_close(result, expected, rtol=1e-4, atol=1e-5)
    if degree:
        assert_close(ours.inverse_transform(result), x)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`degree`.*Received: degree=-1"):
        PolynomialFeatures(-1)
    with pytest.raises(ValueError, match=r"\(examples, features\). Received: shape \(2, 2, 2\)"):
        PolynomialFeatures().fit(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match=r"examples of shape \(2,\). Received: .*\(3,\)"):
        PolynomialFeatures().fit(np.ones((2, 2))).transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"degree=0"):
        PolynomialFeatures(0).fit(np.ones((2, 2))).inverse_transform(np.ones((2, 1)))
