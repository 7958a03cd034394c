"""Programs of elementwise functions on NumPy: what they compute, and what has none."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.backends import elementwise, map_each, raw_namespace, use_backend
from portanet.backends.numpy import elements
from portanet.backends.numpy.elements import map_elements
from portanet.backends.numpy.programs import Program, UntraceableError
from portanet.optimizers.rules import quotient

X, Y = (np.random.default_rng(i).uniform(0.5, 2.0, (3, 7)).astype("float32") for i in (0, 1))
SCALE = np.asarray(0.5, dtype="float32")


def chain(x: Any, y: Any) -> Any:
    total = x * SCALE + y / 3
    total -= 1 / (x + y)
    total *= np.float32(2)
    return total, x - total**2, (y**0.5) ** 2.0


def in_place(x: Any, y: Any) -> Any:
    square = y * y
    square *= 0.25
    x += square
    y -= square
    return y, x, x + y


def through_the_namespace(x: Any, y: Any) -> Any:
    xp = raw_namespace(x)
    return xp.maximum(xp.tanh(x), 1 - xp.sqrt(y)) * xp.sign(x - y)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "a chain": chain,
    "in place": in_place,
    "namespace": through_the_namespace,
    "comparisons": lambda x, y: ((x < y) | ~(x > 1.0), abs(-x)),
    "floor": lambda x, y: x // y + x % 2,
    "an argument as it is": lambda x, y: (y, x),
    "unused results": lambda x, y: (x + y, y * 2)[0],
    "quotient": lambda x, y: quotient(x, y + 1.0),
    "other dtypes": lambda x, y: x * np.float64(2) + (x < y),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_programs_compute_what_the_function_does(name: str) -> None:
    function = FUNCTIONS[name]
    x, y = X.copy(), Y.copy()
    expected = function(x, y)
    expected = expected if isinstance(expected, tuple) else (expected,)
    arrays = [X.copy(), Y.copy()]
    program = Program(function, arrays)
    new = [np.full(X.shape, 7, dtype) for dtype in program.dtypes]
    for row in range(len(X)):
        program.run([a[row] for a in arrays], [a[row] for a in new])
    fresh = iter(new)
    results = [next(fresh) if place is None else arrays[place] for place in program.places]
    for result, right in zip(results, expected, strict=True):
        assert result.dtype == right.dtype
        np.testing.assert_array_equal(result, right)
    np.testing.assert_array_equal(arrays, [x, y])  # changed alike


def test_memory_between_calls_is_used_again() -> None:
    def steps(x: Any) -> Any:
        for _ in range(10):
            x = x * 0.5 + 1.0
        return x

    assert len(Program(steps, [X])._between) == 1


def test_signs_are_not_written_over_what_they_are_of() -> None:
    program = Program(lambda x: np.sign(x * 2.0) * 3.0, [X])
    assert [read != out for ufunc, read, _, out in program._calls if ufunc is np.sign] == [True]
    assert len(program._between) == 2


UNTRACEABLE: dict[str, Callable[..., Any]] = {
    "values": lambda x, y: x if x else y,
    "a shape": lambda x, y: x + np.ones(x.shape),
    "another array": lambda x, y: x + np.ones(7),
    "an element": lambda x, y: x + y[0],
    "a function of arrays": lambda x, y: np.where(x > y, x, y),
    "a sum": lambda x, y: np.add.reduce(x) + y,
    "options": lambda x, y: np.add(x, y, where=True),
    "two results": lambda x, y: np.modf(x)[0],
    "a product of matrices": lambda x, y: np.matmul(x, y),
    "the other way round": lambda x, y: np.asarray(x) + y,
    "a power": lambda x, y: x**3,
    "a power in place": lambda x, y: operator.ipow(x, 2),
    "a fraction as power of integers": lambda x, y: np.floor(x).__lt__(y) ** 2.0,
    "a number": lambda x, y: 1.0,
    "a text": lambda x, y: x + "1",
    "twice": lambda x, y: (x + y,) * 2,
}


@pytest.mark.parametrize("name", UNTRACEABLE)
def test_functions_that_need_more_than_symbols_have_no_program(name: str) -> None:
    with pytest.raises((TypeError, AttributeError)):
        Program(UNTRACEABLE[name], [X, Y])


def test_symbols_of_another_program_are_refused() -> None:
    kept: list[Any] = []
    Program(lambda x: (kept.append(x), x + 1.0)[1], [X])
    with pytest.raises(UntraceableError, match="another"):
        Program(lambda x: x + kept[0], [X])
    with pytest.raises(UntraceableError, match="not computed"):
        Program(lambda x: kept[0], [X])


def test_a_result_that_cannot_be_written_in_place_is_an_error() -> None:
    def widened(x: Any) -> Any:
        x += 0.5
        return x

    with pytest.raises(TypeError, match="casting"):
        Program(widened, [np.ones(3, dtype="int32")])


@pytest.mark.parametrize("several", [False, True])
def test_settings_and_numbers_are_those_of_each_call(monkeypatch: pytest.MonkeyPatch, several: bool) -> None:
    with use_backend("numpy"):
        monkeypatch.setattr(elements, "ELEMENTS", 64)
        settings = {"factor": 1.0, "doubled": False}

        @elementwise
        def scaled(x: Any) -> Any:
            out = x * settings["factor"]
            return out * 2.0 if settings["doubled"] else out

        x = np.random.default_rng(0).standard_normal(300_000)
        for settings["factor"], settings["doubled"] in ((1.0, False), (3.0, False), (3.0, True)):
            (result,) = map_each(scaled, [(x,)]) if several else (scaled(x),)
            np.testing.assert_array_equal(result, x * settings["factor"] * (1 + settings["doubled"]))


@pytest.mark.parametrize("number", [None, 0.5])
def test_arguments_between_arrays_may_be_no_arrays(monkeypatch: pytest.MonkeyPatch, number: float | None) -> None:
    monkeypatch.setattr(elements, "ELEMENTS", 64)

    def moved(x: Any, factor: float | None, y: Any) -> Any:
        y += x if factor is None else x * factor
        return y, x * 2

    x, y = np.ones(1000), np.arange(1000.0)
    result, twice = map_elements(moved, [x, number, y])
    assert result is y
    np.testing.assert_array_equal(y, np.arange(1000.0) + (number or 1.0))
    np.testing.assert_array_equal(twice, 2 * x)
