"""Elementwise work on NumPy arrays: small arrays as one, large ones in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl

from portanet.backends import map_each, use_backend
from portanet.backends.numpy import elements
from portanet.backends.numpy.threads import cores


@pytest.fixture(autouse=True)
def on_numpy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with use_backend("numpy"):  # first, since what is imported now reads ELEMENTS
        monkeypatch.setattr(elements, "ELEMENTS", 64)
        monkeypatch.setattr(elements, "SMALL", 16)
        monkeypatch.setattr(elements, "SEVERAL", 2)
        yield


def drawn(*shapes: tuple[int, ...], count: int = 3) -> list[list[Any]]:
    generator = np.random.default_rng(0)
    return [[generator.standard_normal(shape) for _ in range(count)] for shape in shapes]


@pytest.mark.parametrize(("several", "sizes"), [(3, [9]), (4, [3, 3, 3])])
def test_a_few_small_arrays_are_computed_apart(monkeypatch: pytest.MonkeyPatch, several: int, sizes: list[int]) -> None:
    monkeypatch.setattr(elements, "SEVERAL", several)
    seen: list[int] = []

    def double(x: Any) -> Any:
        seen.append(x.size)
        return x + x

    results = map_each(double, [(np.full(3, float(i)),) for i in range(3)])
    assert seen == sizes
    np.testing.assert_array_equal(np.stack(results)[:, 0], [0.0, 2.0, 4.0])


SHAPES = [
    [(3,), (2, 2), (), (0,), (5, 3)],
    [(200, 2), (3,), (130,), (7, 5), (1,)],
    [(1000,)],
    [(64,), (64,), (64,), (65,), (1, 129)],
    [(0, 3), (400,)],
    [],
]


@pytest.mark.parametrize("shapes", SHAPES)
def test_changed_arguments_are_the_results(shapes: list[tuple[int, ...]]) -> None:
    """As those of an optimizer's step: a parameter and a slot changed in place, another slot new."""

    def step(p: Any, g: Any, v: Any) -> Any:
        assert p.shape == g.shape == v.shape
        v *= 0.5
        p -= g * v
        return p, v, np.maximum(g, v)

    calls = drawn(*shapes)
    expected = [step(*(x.copy() for x in args)) for args in calls]
    grads = [args[1].copy() for args in calls]
    results = map_each(step, calls)
    assert len(results) == len(calls)
    for (p, g, v), grad, result, right in zip(calls, grads, results, expected, strict=True):
        for x, y in zip(result, right, strict=True):
            assert x.shape == y.shape
            np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(p, right[0])  # in place
        np.testing.assert_array_equal(v, right[1])
        np.testing.assert_array_equal(g, grad)
        assert result[0] is p  # so that nothing has to be assigned
        assert result[1] is v
        assert not np.shares_memory(result[2], g)


@pytest.mark.parametrize("shapes", SHAPES)
def test_one_result_of_mixed_dtypes_and_layouts(shapes: list[tuple[int, ...]]) -> None:
    calls: list[Any] = [(x, y.astype("float32")) for x, y in drawn(*shapes, count=2)]
    calls += [(x.T, y.T) for x, y in calls if x.ndim == 2] + [(x, x) for x, _ in calls]
    results = map_each(lambda x, y: x * y, calls)
    for (x, y), result in zip(calls, results, strict=True):
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, x * y)


def test_an_array_given_twice_is_changed_once() -> None:
    def step(x: Any, y: Any) -> Any:
        x += 1.0
        return x, y * 1.0

    x, others = np.zeros(3), np.zeros(3)
    (first, second), _ = map_each(step, [(x, x), (others, np.zeros(3))])
    assert first is x
    np.testing.assert_array_equal(second, np.ones(3))


def test_pieces_are_of_about_equal_size_and_independent_of_threads() -> None:
    def sizes() -> list[int]:
        seen: list[int] = []
        map_each(lambda x, y: (seen.append(x.size), x + y)[1], drawn((30, 20), (300,), (7,), (5,), count=2))
        return sorted(seen)

    with threadpoolctl.threadpool_limits(1):
        alone = sizes()
    with threadpoolctl.threadpool_limits(max(2, cores())):
        assert sizes() == alone
    assert sum(alone) == 912
    assert max(alone) <= elements.OF_UPDATES * 128 + 20
