"""For each function that a backend overrides, calls to compare with the definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet.fused.pooling_plain import max_pool
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
    if which == "convolve":  # without bias, and with an activation
        slid = window((8, 8), (3, 3))
        for channels, batch, activation in ((3, 2, None), (3, 2, "relu"), (1, 200, "relu"), (9, 40, "relu")):
            options = {"window": slid, "groups": 1, "activation": activation}
            arrays = normal((batch, 8, 8, channels), (3, 3, channels, 4), (4,))
            actual.append(Case(arrays, lambda f, x, k, b, options=options: f(x, k, b, **options), 9 * channels))
            actual.append(Case(arrays, lambda f, x, k, b, options=options: f(x, k, None, **options), 9 * channels))
    return actual


def convolution_weights_cases() -> list[Case]:
    def case(batch: int, size: int, channels: int, activation: str | None, biased: bool) -> Case:
        slid = window((12, 10), (size, size), 1, "same")
        options = {"window": slid, "groups": 1, "activation": activation, "biased": biased}
        shapes = (batch, 12, 10, channels), (batch, 12, 10, 4), (batch, 12, 10, 4)
        return Case(normal(*shapes), lambda f, *arrays: f(*arrays, **options), (120 * batch) ** 0.5 * 4)

    cases = [(2, 3, 2, "relu", True), (200, 3, 1, "relu", True), (60, 3, 9, "relu", True)]
    return [case(*each) for each in (*cases, (60, 5, 9, None, True), (60, 3, 9, "relu", False))]


# Shapes of input and window, then: strides, padding, dilation; side by side, which leave something of the space or not,
# and others
POOLINGS: list[tuple[Any, ...]] = [
    ((2, 8, 6, 3), (2, 2), 2),
    ((2, 7, 9, 3), (2, 3), (2, 3)),
    ((2, 9, 2), (3,), 3),
    ((1, 4, 4, 4, 2), (2, 1, 2), (2, 1, 2)),
    ((1, 6, 6, 2), (1, 1), 1),
    ((2, 7, 7, 3), (3, 3), 2, "same"),
    ((2, 5, 5, 3), (2, 2), 2, "same"),
    ((2, 7, 4), (3,), 1, ((2, 1),), 2),
    ((1, 5, 6, 3, 2), (3, 2, 2), (1, 3, 2), "same"),
    ((2, 90, 3), (70,), 1),
    ((0, 4, 4, 3), (2, 2), 2),
]


def pooling_cases(which: str) -> list[Case]:
    """With ties, infinities and numbers that are none."""

    def case(shape: tuple[int, ...], size: tuple[int, ...], *slides: Any) -> Case:
        space = shape[1:-1]
        slid = window(space, size, *slides)
        result = (shape[0], *slid.positions(space), shape[-1])

        def arrays(generator: np.random.Generator) -> list[Any]:
            x = generator.integers(-2, 3, shape).astype(float)
            x.reshape(-1)[:: 7 * math.prod(size)] = math.nan
            x[:1] = np.where(x[:1] > 0, -math.inf, x[:1])
            return [generator.standard_normal(result), x]

        if which == "to_maxima":
            return Case(arrays, lambda f, g, x: f(g, x, max_pool(x, window=slid), window=slid), math.prod(size))
        if which == "max_pool":
            return Case(lambda generator: arrays(generator)[1:], lambda f, x: f(x, window=slid), 0.0)
        if which == "window_sum":
            return Case(normal(shape), lambda f, x: f(x, window=slid), math.prod(size))
        return Case(normal(result), lambda f, g: f(g, window=slid, space=space), math.prod(size))

    large = [((40, 32, 32, 32), (2, 2), 2)] * (which == "to_maxima")
    return [case(*each) for each in (*POOLINGS, *large)]


def recurrent_cases(gates: int, states: int = 1, biases: int = 1) -> list[Case]:
    """For a number of gates, of states and of biases, which are all given or none."""

    def case(time: int, batch: int, bias: bool, mask: bool, keep: bool) -> Case:
        features, units = 3, 4
        shapes: list[Any] = [(time, batch, features), (features, gates * units), (units, gates * units)]
        shapes += [(gates * units,)] * (bias * biases) + [(batch, units)] * states

        def arrays(generator: np.random.Generator) -> list[Any]:
            result = [generator.standard_normal(shape) for shape in shapes]
            result += [generator.random((time, batch, 1)) < 0.7] * mask
            return result + [generator.integers(0, 2, (batch, units)) * 2.0] * keep

        def call(f: Callable[..., Any], x: Any, kernel: Any, recurrent: Any, *rest: Any) -> Any:
            given = iter(rest)
            added = [next(given) if bias else None for _ in range(biases)]
            first = [next(given) for _ in range(states)]
            options = {"mask": next(given) if mask else None, "recurrent_keep": next(given) if keep else None}
            return f(x, kernel, recurrent, *added, *first, **options)

        return Case(arrays, call, 40.0)

    return [
        case(5, 3, True, False, False),
        case(20, 40, True, True, True),
        case(9, 70, False, True, False),
        case(17, 33, True, True, False),
        case(1, 1, False, False, True),
        case(4, 0, True, False, False),
    ]


def normalization_cases(*offsets: bool) -> list[Case]:
    """With a scale or without, and for each of `offsets`."""

    def case(shape: tuple[int, ...], axes: tuple[int, ...], scale: bool, offset: bool, last: int = 0) -> Case:
        affine = tuple(n if (a >= len(shape) - last if last else a in axes) else 1 for a, n in enumerate(shape))
        options = {"scale": scale, "offset": offset} if offsets != (False,) else {}
        call = lambda f, *arrays: f(*arrays, axes=axes, epsilon=1e-3, **options)
        return Case(normal(shape, *[affine] * (scale + offset)), call, math.prod(shape) ** 0.5)

    shapes: list[tuple[Any, Any]] = [
        ((4, 7), (1,)),
        ((6, 5, 8), (2,)),
        ((6, 3, 4), (1, 2)),
        ((0, 3), (1,)),
        ((5,), (0,)),
    ]
    channels = [case((70, 5, 8), (0, 1), True, offsets[-1], 1), case((30, 5, 2, 9), (1, 3), True, offsets[-1], 2)]
    return channels + [case(*shape, scale, offset) for shape in shapes for scale in (False, True) for offset in offsets]


def crossentropy_cases(positive: bool) -> list[Case]:
    def case(*shape: int) -> Case:
        def arrays(generator: np.random.Generator) -> list[Any]:
            x = generator.standard_normal(shape)
            targets = generator.random(shape)
            return [targets / targets.sum(axis=-1, keepdims=True), abs(x) if positive else x]

        return Case(arrays, plainly, 8.0)

    return [case(4, 7), case(5), case(2, 3, 300), case(0, 3)]


def attention_cases(**options: Any) -> list[Case]:
    """With options that the function takes; `"mask"` and `"keep"` are shapes."""

    def case(lead: tuple[int, ...], lengths: tuple[int, int], sizes: tuple[int, int], further: dict[str, Any]) -> Case:
        names = [name for name in ("mask", "keep") if name in further]
        plain = {name: value for name, value in further.items() if name not in names}

        def arrays(generator: np.random.Generator) -> list[Any]:
            shapes = [(*lead, n, m) for n, m in zip((*lengths, lengths[1]), (*sizes[:1] * 2, sizes[1]), strict=True)]
            drawn = [generator.standard_normal(shape) for shape in shapes]
            return drawn + [generator.random(further[name]) < 0.6 for name in names]

        def call(f: Callable[..., Any], query: Any, key: Any, value: Any, *rest: Any) -> Any:
            return f(query, key, value, scale=0.6, **dict(zip(names, rest, strict=True)), **plain)

        return Case(arrays, call, 8.0)

    return [
        case((2, 3), (5, 7), (4, 6), {}),
        case((2, 3), (5, 7), (4, 4), {"mask": (2, 1, 1, 7)}),
        case((2, 3), (5, 7), (4, 4), {"mask": (2, 3, 5, 7)}),
        case((2,), (1, 4), (3, 3), {}),
        case((0, 2), (3, 3), (4, 4), {}),
        case((2, 3), (5, 7), (4, 6), options),
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


def all_finite_cases() -> list[Case]:
    """Numbers that are none stand last, where no other thread looks."""

    def case(value: float, *shapes: tuple[int, ...]) -> Case:
        def arrays(generator: np.random.Generator) -> list[Any]:
            *first, last = (generator.standard_normal(shape) for shape in shapes)
            last.reshape(-1)[-1:] = value
            return [*first, last]

        return Case(arrays, plainly)

    return [
        *(case(value, (3, 2), (), (70, 60)) for value in (1.0, np.nan, np.inf, -np.inf)),
        case(np.nan, ()), case(1.0, (2,)), case(np.inf, (4,), (0, 2)),
    ]  # fmt: skip


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
        for (lead, n), further in itertools.product(
            [((), 5), ((2, 3), 4), ((), 0), ((), 1), ((3,), 2)], options or ({},)
        )
    ]


def elimination_cases() -> list[Case]:
    shapes = [(5, 5), (2, 3, 3), (6, 4), (2, 4, 6), (1, 1), (0, 0), (3, 0), (2, 0, 3)]
    singular = Case(lambda generator: [np.asarray([[1.0, 2.0], [2.0, 4.0]])], plainly)
    return [*(Case(normal(shape), plainly, 10.0) for shape in shapes), singular]


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
    "convolve_weights": convolution_weights_cases(),
    "affine": [
        Case(normal((*lead, 7), (7, 3), (3,)), lambda f, *arrays, a=activation: f(*arrays, activation=a), 7)
        for lead in ((5,), (2, 4), (0,))
        for activation in (None, "relu")
    ],
    "dense_weights": [
        Case(normal((n, 8), (n, 4)), lambda f, *arrays, b=biased: f(*arrays, biased=b), n)
        for n, biased in itertools.product((5, 1, 0, 300), (True, False))
    ],
    "max_pool": pooling_cases("max_pool"),
    "to_maxima": pooling_cases("to_maxima"),
    "quotient": [Case(normal(s, (2, 7)), lambda f, x, y: f(x, y * y + 1), 0.0) for s in ((2, 7), (7,), (2, 1), ())],
    "window_spread": pooling_cases("window_spread"),
    "window_sum": pooling_cases("window_sum"),
    "sum_rows": [Case(normal(s), plainly, s[0]) for s in ((3, 7), (2, 3, 40), (1, 5), (1500, 33), (0, 3))],
    "softmax": [Case(normal(shape), plainly) for shape in ((4, 7), (5,), (2, 3, 300), (0, 3))],
    "softmax_crossentropy": crossentropy_cases(positive=False),
    "crossentropy": crossentropy_cases(positive=True),
    "attention": attention_cases(keep=(2, 3, 5, 7)),
    "attention_in_blocks": attention_cases(causal=True, block=3) + attention_cases(keep=(2, 3, 5, 7))[-1:],
    "normalize": normalization_cases(False, True),
    "rms_normalize": normalization_cases(False),
    "lstm": recurrent_cases(4, states=2),
    "gru": recurrent_cases(3, biases=2),
    "gru_reset_before": recurrent_cases(3),
    "simple_rnn": recurrent_cases(1),
    "random_words": random_words_cases(),
    "scan": scan_cases(),
    "all_finite": all_finite_cases(),
    "cond": cond_cases(),
    "banded_solution": banded_cases(),
    "matrix_exponential": matrix_cases(),
    "matrix_square_root": matrix_cases(definite=True),
    "packed_factors": elimination_cases(),
    "row_order": [
        Case(lambda generator: [np.asarray([1, 1, 4, 3, 4])], lambda f, piv: f(piv, rows=7)),
        Case(lambda generator: [np.asarray([[2, 1], [0, 2]])], lambda f, piv: f(piv, rows=3)),
        Case(lambda generator: [np.zeros(0, dtype=np.int64)], lambda f, piv: f(piv, rows=0)),
    ],
    "sign_and_logarithm": matrix_cases(),
    "triangular_solution": matrix_cases(*TRIANGLES),
}
