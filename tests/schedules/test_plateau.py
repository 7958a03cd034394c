from __future__ import annotations

from typing import Any

import pytest

from portanet.schedules import ReduceOnPlateau


def rates(plateau: Any, values: list[float], rate: float = 1.0) -> list[float]:
    result = []
    for value in values:
        rate = plateau(rate, value)
        result.append(rate)
    return result


def test_falls_after_patience() -> None:
    assert rates(ReduceOnPlateau(0.5, patience=2), [3, 2, 2, 2, 1, 1, 1]) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_small_improvements_do_not_count() -> None:
    assert rates(ReduceOnPlateau(0.5, patience=1, min_delta=0.1), [1.0, 0.95, 0.85]) == [1, 0.5, 0.5]


def test_cooldown_and_floor() -> None:
    plateau = ReduceOnPlateau(0.1, patience=1, cooldown=2, min_lr=0.05)
    assert rates(plateau, [1, 1, 1, 1, 1, 1]) == pytest.approx([1, 0.1, 0.1, 0.05, 0.05, 0.05])


def test_rising_values() -> None:
    assert rates(ReduceOnPlateau(0.5, patience=1, mode="max"), [0.1, 0.2, 0.2]) == [1, 1, 0.5]


def test_reset() -> None:
    plateau = ReduceOnPlateau(0.5, patience=1)
    assert rates(plateau, [1, 1]) == [1, 0.5]
    plateau.reset()
    assert rates(plateau, [2, 1]) == [1, 1]


def test_nan_is_never_the_best_value() -> None:
    nan = float("nan")
    for mode, values in (("min", [nan, 3.0, 2.0, nan, 1.0]), ("max", [nan, 1.0, 2.0, nan, 3.0])):
        plateau = ReduceOnPlateau(0.5, patience=2, mode=mode)
        assert rates(plateau, values) == [1, 1, 1, 1, 1]
        assert plateau.best == values[-1]
    assert rates(ReduceOnPlateau(0.5, patience=2), [nan, nan, nan]) == [1, 0.5, 0.5]
