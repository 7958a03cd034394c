"""scikit-learn's own checks of estimators: parameters, cloning, pickling, bad input, weights, dtypes and the rest."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from portanet.backends import use_backend
from portanet.estimators import PortanetClassifier, PortanetRegressor


@parametrize_with_checks([PortanetClassifier(), PortanetRegressor()])
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    with use_backend("numpy"):
        check(estimator)
