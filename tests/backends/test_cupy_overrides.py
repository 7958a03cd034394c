"""CuPy's overrides that are kernels of our own give what the definitions give on NumPy, in few launches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends.overrides import OVERRIDABLE
from tests.backends.cupy_standin import in_place_of_cupy, needs_compiler
from tests.backends.override_cases import CASES, Case, plainly
from tests.backends.test_overrides import results

pytestmark = needs_compiler
NAMES = (
    "softmax", "softmax_crossentropy", "crossentropy", "normalize", "rms_normalize", "lstm", "gru", "simple_rnn",
    "gru_reset_before", "attention", "sum_rows", "max_pool", "to_maxima", "window_spread", "window_sum",
    "all_finite",
)  # fmt: skip
TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-9}


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in:
        yield stand_in


def drawn(case: Case, dtype: str) -> list[Any]:
    hosts = map(np.asarray, case.arrays(np.random.default_rng(7)))
    return [host.astype(dtype) if host.dtype.kind == "f" else host for host in hosts]


@pytest.mark.parametrize("name", NAMES)
def test_override_is_the_definition(cupy: Any, name: str) -> None:
    """All cases in single precision, the first in the others."""
    compare(cupy, name, "float32", *TOLERANCE)


def compare(cupy: Any, name: str, *dtypes: str) -> None:
    """All cases in the first dtype, the first case in the others."""
    for number, case in enumerate(CASES[name]):
        for dtype in dict.fromkeys(dtypes) if number == 0 else dtypes[:1]:
            hosts = drawn(case, dtype)
            if number % 2:  # the same values in views
                arrays = [cupy.array(np.stack([host, host], axis=-1))[..., 0] for host in hosts]
            else:
                arrays = list(map(cupy.array, hosts))
            result = results(case, OVERRIDABLE[name], arrays)
            expected = results(case, OVERRIDABLE[name].definition, hosts)
            assert len(result) == len(expected) > 0
            for ours, theirs in zip(result, expected, strict=True):
                assert type(ours) is cupy.ndarray
                assert ours.dtype == theirs.dtype
                tolerance = TOLERANCE[dtype]
                np.testing.assert_allclose(ours.get(), theirs, rtol=tolerance, atol=tolerance * case.size)


@pytest.mark.parametrize(("name", "number", "launches"), [
    ("softmax", 0, (1, 1)), ("softmax_crossentropy", 0, (1, 1)), ("crossentropy", 0, (1, 1)),
    ("normalize", 0, (3, 3)), ("normalize", 1, (1, 3)), ("normalize", 2, (1, 1)), ("rms_normalize", 2, (1, 1)),
    ("lstm", 0, (5, 5)), ("gru", 0, (5, 5)), ("simple_rnn", 0, (5, 5)),
    ("attention", 0, (1, 1)), ("attention", 1, (1, 1)), ("attention", 2, (3, 4)), ("attention", 5, (1, 1)),
    ("gru_reset_before", 0, (10, 12)), ("sum_rows", 0, (1, 0)),
    ("max_pool", 5, (1, 0)), ("to_maxima", 5, (2, 0)), ("window_sum", 5, (1, 0)), ("window_spread", 5, (1, 0)),
])  # fmt: skip
def test_launches_of_value_and_derivative(cupy: Any, name: str, number: int, launches: tuple[int, int]) -> None:
    """`normalize` begins with batch and group normalisation; recurrent layers have 5 time steps."""
    arrays = list(map(cupy.array, drawn(CASES[name][number], "float32")))
    cupy.ElementwiseKernel.launches, forward = 0, []

    def counted(*args: Any, **options: Any) -> Any:
        result = OVERRIDABLE[name](*args, **options)
        forward.append(cupy.ElementwiseKernel.launches)
        return result

    results(CASES[name][number], counted, arrays)
    assert (forward[0], cupy.ElementwiseKernel.launches - forward[0]) == launches


def test_rows_of_all_lengths_have_one_order_of_addition(cupy: Any) -> None:
    from portanet.backends.cupy import rows

    assert [rows.threads(n) for n in (1, 256, 257, 1000, 10**6)] == [32, 32, 64, 128, 512]
    x = np.random.default_rng(0).standard_normal((3, 1500)).astype("float32")
    first, second = (OVERRIDABLE["softmax"](cupy.array(x))[0].get() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, OVERRIDABLE["softmax"].definition(x)[0], rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES[:3])
def test_values_that_are_no_numbers(cupy: Any, name: str, value: float) -> None:
    x = np.asarray([[value, 1.0, 2.0], [0.0, 1.0, value], [value] * 3], dtype="float32")
    given = [x] if name == "softmax" else [np.full((3, 3), 0.5, dtype="float32"), x]
    case = Case(lambda generator: given, plainly)
    with np.errstate(all="ignore"):
        expected = results(case, OVERRIDABLE[name].definition, given)
        result = results(case, OVERRIDABLE[name], list(map(cupy.array, given)))
    for ours, theirs in zip(result, expected, strict=True):
        np.testing.assert_allclose(ours.get(), theirs, rtol=1e-5, atol=1e-6)


def test_attention_does_not_see_what_is_hidden(cupy: Any) -> None:
    generator = np.random.default_rng(0)
    query, key, value = generator.standard_normal((3, 2, 3, 4, 5)).astype("float32")
    key[0, 1, 3], value[1, 2, 2, 0], value[0, 0, 3, 1] = np.nan, np.inf, np.nan
    mask = np.tril(np.ones((4, 4), dtype=bool))
    mask[0] = False  # a query that sees nothing
    case = Case(lambda generator: [], lambda f, *arrays: f(*arrays[:3], scale=0.5, mask=arrays[3]))
    given = [query, key, value, mask]
    with np.errstate(all="ignore"):
        expected = results(case, OVERRIDABLE["attention"].definition, given)
        result = results(case, OVERRIDABLE["attention"], list(map(cupy.array, given)))
    assert np.isfinite(expected[0][:, :, 1]).all()
    assert np.isnan(expected[0][1, 2, 2:]).all()
    for ours, theirs in zip(result, expected, strict=True):
        np.testing.assert_allclose(ours.get(), theirs, rtol=1e-4, atol=1e-5)
