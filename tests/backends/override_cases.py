"""For each function that a backend overrides, calls to compare with the definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet.fused.windows import window
from tests.autodiff.special_cases import ARGUMENTS, arguments


@dataclass(frozen=True)
class Case:
    """`call(function, *arrays)` calls the function; `arrays(generator)` gives host arrays, floats as float64.

    `size` is about how many numbers are added up for one of the results: rounding grows with it.
    """

    arrays: Callable[[np.random.Generator], list[Any]]
    call: Callable[..., Any]
    size: float = 1.0


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[Any]]:
    return lambda generator: [generator.standard_normal(shape) for shape in shapes]


def plainly(function: Callable[..., Any], *arrays: Any) -> Any:
    return function(*arrays)


SHAPES = [(), (5,), (0,), (3, 0, 2), (4, 7), (600, 500)]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 5.0, -5.0, 9.0, -9.0, 30.0, -40.0, 1e30, -1e30, math.inf, -math.inf, math.nan]

ELEMENTS = [
    *(Case(normal(shape), plainly) for shape in SHAPES),
    Case(lambda generator: [np.clip(np.asarray(SPECIAL), -6e4, 6e4)], plainly),
]


def index_add_cases() -> list[Case]:
    def case(rows: int, columns: int, size: int, dtype: str) -> Case:
        def arrays(generator: np.random.Generator) -> list[Any]:
            return [generator.standard_normal((rows, columns)), generator.integers(0, size, rows).astype(dtype)]

        return Case(arrays, lambda f, rows, index: f(rows, index, size), max(1.0, rows / size))

    shapes = [(0, 3, 4), (1, 1, 1), (40, 3, 7), (40, 0, 7), (5, 3, 100)]
    return [case(*shape, dtype) for shape, dtype in itertools.product(shapes, ("int64", "int32"))]


# Shapes of input and kernel, then: strides, padding, dilation, groups
CONVOLUTIONS: list[tuple[Any, ...]] = [
    ((2, 9, 3), (3, 3, 4), 1, "valid", 1, 1),
    ((2, 9, 3), (4, 3, 4), 2, "same", 1, 1),
    ((1, 12, 2), (3, 2, 2), 1, "causal", 2, 1),
    ((2, 8, 9, 3), (3, 3, 3, 5), 1, "same", 1, 1),
    ((2, 9, 9, 3), (3, 2, 3, 5), 2, "full", 1, 1),
    ((3, 8, 8, 4), (3, 3, 2, 6), 1, ((1, 2), (0, 1)), 1, 2),
    ((2, 7, 7, 4), (2, 2, 1, 8), 1, "valid", 1, 4),
    ((2, 9, 9, 2), (2, 2, 2, 3), 1, "same", 2, 1),
    ((2, 6, 6, 3), (1, 1, 3, 4), 1, "valid", 1, 1),
    ((40, 12, 30, 8), (3, 3, 8, 8), 1, "valid", 1, 1),
    ((1, 5, 5, 5, 2), (2, 3, 2, 2, 3), (1, 2, 1), "same", 1, 1),
    ((0, 6, 6, 2), (3, 3, 2, 3), 1, "valid", 1, 1),
]


def convolution_cases(which: str) -> list[Case]:
    def case(shape: Any, size: Any, strides: Any, padding: Any, dilation: Any, groups: int) -> Case:
        space = shape[1:-1]
        slid = window(space, size[:-2], strides, padding, dilation)
        result = (shape[0], *slid.positions(space), size[-1])
        terms = math.prod(size[:-1])
        if which == "convolve":
            return Case(
                normal(shape, size, (size[-1],)), lambda f, *arrays: f(*arrays, window=slid, groups=groups), terms
            )
        if which == "convolve_input":
            return Case(normal(result, size), lambda f, g, k: f(g, k, window=slid, groups=groups, space=space), terms)
        return Case(
            normal(shape, result),
            lambda f, x, g: f(x, g, window=slid, groups=groups),
            max(1.0, math.prod(result[:-1]) ** 0.5 * 4),
        )

    actual = [case(*each) for each in CONVOLUTIONS]
    if which == "convolve":  # without bias
        slid = window((8, 8), (3, 3))
        actual.append(
            Case(normal((2, 8, 8, 3), (3, 3, 3, 4)), lambda f, x, k: f(x, k, None, window=slid, groups=1), 27)
        )
    return actual


def lstm_cases() -> list[Case]:
    def case(time: int, batch: int, bias: bool, mask: bool, keep: bool) -> Case:
        features, units = 3, 4
        shapes = [(time, batch, features), (features, 4 * units), (units, 4 * units)]
        shapes += [(4 * units,)] * bias + [(batch, units)] * 2

        def arrays(generator: np.random.Generator) -> list[Any]:
            result = [generator.standard_normal(shape) for shape in shapes]
            result += [generator.random((time, batch, 1)) < 0.7] * mask
            return result + [generator.integers(0, 2, (batch, units)) * 2.0] * keep

        def call(f: Callable[..., Any], x: Any, kernel: Any, recurrent: Any, *rest: Any) -> Any:
            given = iter(rest)
            b = next(given) if bias else None
            h, c = next(given), next(given)
            options = {"mask": next(given) if mask else None, "recurrent_keep": next(given) if keep else None}
            return f(x, kernel, recurrent, b, h, c, **options)

        return Case(arrays, call, 40.0)

    return [
        case(5, 3, True, False, False),
        case(20, 40, True, True, True),
        case(9, 70, False, True, False),
        case(1, 1, False, False, True),
        case(4, 0, True, False, False),
    ]


def scan_cases() -> list[Case]:
    def case(time: int, batch: int, reverse: bool) -> Case:
        def step(carry: Any, x: Any, y: Any) -> Any:
            total = carry[0] * 0.5 + x
            return (total,), (total * y, x)

        def call(f: Callable[..., Any], start: Any, x: Any, y: Any) -> Any:
            (last,), collected = f(step, (start,), [x, y], reverse=reverse)
            steps = [[each[t, ...] for t in range(time)] if hasattr(each, "shape") else each for each in collected]
            return last, steps

        return Case(normal((batch, 3), (time, batch, 3), (time, batch, 1)), call, 4.0)

    return [case(6, 5, False), case(6, 70, True), case(1, 1, False), case(3, 0, True)]


def cond_cases() -> list[Case]:
    def case(truth: bool) -> Case:
        def call(f: Callable[..., Any], condition: Any, x: Any) -> Any:
            return f(condition, lambda a: {"x": a["x"] * 2.0}, lambda a: {"x": a["x"] - 1.0}, {"x": x})

        return Case(lambda generator: [np.asarray(truth), generator.standard_normal((3, 2))], call)

    return [case(True), case(False)]


def random_words_cases() -> list[Case]:
    def case(size: int, threshold: int | None, before: int = 0) -> Case:
        return Case(
            lambda generator: [generator.integers(-(2**31), 2**31, (2, 1)).astype("int32")],
            lambda f, start: f(start, size, threshold, before),
            0.0,
        )

    return [case(5, None), case(0, None), case(70_000, 5), case(7, -(2**31), 9), case(300_000, None)]


def special_cases(name: str) -> list[Case]:
    def drawn(shape: tuple[int, ...]) -> Callable[[np.random.Generator], list[Any]]:
        return lambda generator: arguments(name, generator, shape)

    return [Case(drawn(shape), plainly, 3.0) for shape in ((), (0, 2), (60, 50))]


def matrix_cases(*options: dict[str, Any], definite: bool = False) -> list[Case]:
    """Functions of square matrices, or with options of matrices and right sides."""

    def case(lead: tuple[int, ...], n: int, further: dict[str, Any]) -> Case:
        def arrays(generator: np.random.Generator) -> list[Any]:
            x = generator.standard_normal((*lead, n, n)) / max(n, 1)
            x = x @ np.swapaxes(x, -1, -2) + np.eye(n) if definite else x + 3 * np.eye(n)
            return [x, generator.standard_normal((*lead, n, 2))] if options else [x]

        return Case(arrays, lambda f, *arrays: f(*arrays, **further), 10.0)

    return [
        case(lead, n, further)
        for (lead, n), further in itertools.product([((), 5), ((2, 3), 4), ((), 0), ((), 1)], options or ({},))
    ]


def banded_cases() -> list[Case]:
    def case(lead: tuple[int, ...], below: int, above: int, n: int) -> Case:
        def arrays(generator: np.random.Generator) -> list[Any]:
            ab = generator.standard_normal((*lead, below + above + 1, n))
            ab[..., above, :] += 5
            return [ab, generator.standard_normal((*lead, n, 2))]

        return Case(arrays, lambda f, *arrays: f(*arrays, below=below, above=above), 10.0)

    return [case((), 1, 1, 6), case((2,), 2, 1, 7), case((), 0, 0, 3), case((), 2, 2, 2)]


TRIANGLES = [{"lower": lower, "unit_diagonal": unit} for lower in (False, True) for unit in (False, True)]
CASES: dict[str, list[Case]] = {
    **{name: special_cases(name) for name in ARGUMENTS},
    "erf": ELEMENTS,
    "erfc": ELEMENTS,
    "gelu_and_slope": ELEMENTS,
    "gelu_value": ELEMENTS,
    "index_add": index_add_cases(),
    "convolve": convolution_cases("convolve"),
    "convolve_input": convolution_cases("convolve_input"),
    "convolve_kernel": convolution_cases("convolve_kernel"),
    "lstm": lstm_cases(),
    "random_words": random_words_cases(),
    "scan": scan_cases(),
    "cond": cond_cases(),
    "banded_solution": banded_cases(),
    "matrix_exponential": matrix_cases(),
    "matrix_square_root": matrix_cases(definite=True),
    "triangular_solution": matrix_cases(*TRIANGLES),
}
