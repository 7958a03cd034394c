from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import constraints
from tests.support import asarray, assert_close, to_numpy

W = np.random.default_rng(0).standard_normal((4, 3)) * np.array([0.1, 1.0, 10.0])


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
def test_norms(xp: Any, axis: Any) -> None:
    norm = np.sqrt((W**2).sum(axis=axis, keepdims=True))
    w = asarray(W)
    assert_close(constraints.MaxNorm(1.5, axis)(w), W * np.minimum(1, 1.5 / norm))
    assert_close(constraints.UnitNorm(axis)(w), W / norm)
    assert_close(constraints.MinMaxNorm(0.5, 1.5, axis=axis)(w), W * np.clip(norm, 0.5, 1.5) / norm)
    assert_close(constraints.MinMaxNorm(0.75, 0.75, axis=axis)(w), W * 0.75 / norm)
    halfway = (np.clip(norm, 0.5, 1.5) + norm) / 2
    assert_close(constraints.MinMaxNorm(0.5, 1.5, rate=0.5, axis=axis)(w), W * halfway / norm)


def test_non_negative(xp: Any) -> None:
    assert_close(constraints.NonNeg()(asarray(W)), np.maximum(W, 0))


def test_zero_weights_stay_finite(xp: Any) -> None:
    for constraint in (constraints.MaxNorm(), constraints.UnitNorm(), constraints.MinMaxNorm(0.5, 1.0)):
        assert (to_numpy(constraint(asarray(np.zeros((2, 2))))) == 0).all()


def test_names() -> None:
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    assert isinstance(constraints.get("non_neg"), constraints.NonNeg)
    assert constraints.get(None) is None
    with pytest.raises(
        ValueError, match=r"Unknown constraint. Did you mean 'maxnorm'\?.*Received: identifier='maxnrm'"
    ):
        constraints.get("maxnrm")


def test_round_trip() -> None:
    made = constraints.MinMaxNorm.from_config(constraints.MinMaxNorm(0.5, 2.0, 0.1, (0, 1)).get_config())
    assert (made.min_value, made.max_value, made.rate, made.axis) == (0.5, 2.0, 0.1, (0, 1))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`max_value` of MaxNorm must be a number in \[0, inf\]. Received:"):
        constraints.MaxNorm(-1)
    with pytest.raises(ValueError, match=r"`min_value` must not be larger than `max_value`. Received: min_value=2"):
        constraints.MinMaxNorm(2.0, 1.0)
    with pytest.raises(ValueError, match=r"`rate` of MinMaxNorm must be a number in \(0, 1\]. Received: rate=0"):
        constraints.MinMaxNorm(rate=0)
    with pytest.raises(ValueError, match=r"`axis` of UnitNorm must be an integer, or several of them. Received: axis="):
        constraints.UnitNorm("0")
