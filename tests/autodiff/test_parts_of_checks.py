"""What `check_grads` is made of: tolerances on both sides, directions, sides of a kink, and the numbers it names."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import GradientError, array_namespace, check_grads, custom_jvp, custom_vjp, stop_gradient
from portanet.autodiff.debugging import checks


@pytest.mark.parametrize(
    ("a", "b", "close"),
    [
        (0.0, 0.5, True),
        (0.5, 0.0, True),
        (0.0, 0.501, False),
        (-0.501, 0.0, False),
        (2.0, 1.0, True),
        (-1.0, -2.0, True),
        (1.0, 2.1, False),
        (1.1, -1.1, False),
    ],
)
def test_a_tolerance_is_relative_from_1_on(a: float, b: float, close: bool) -> None:
    assert checks._close(a, b, 0.5) == close


def test_elements_are_named_and_counted() -> None:
    x, t = np.zeros((2, 3)), {"w": [np.zeros(2), np.zeros(())], "long": np.zeros(600)}
    names, directions = zip(*checks._elements((x, t)), strict=True)
    assert len(names) == 6 + 3 + checks.EXAMINED
    assert (names[0], names[5]) == ("argument 0, element (0, 0)", "argument 0, element (1, 2)")
    assert "argument 1['w'][1], element ()" in names
    assert "argument 1['long'], element (511,)" in names
    assert "argument 1['long'], element (512,)" not in names
    for name, (first, second) in zip(names, directions, strict=True):
        leaves = [first, second["long"], *second["w"]]
        assert sum(float(np.sum(leaf)) for leaf in leaves) == 1.0
        if name == "argument 0, element (1, 2)":
            assert first[1, 2] == 1.0


def test_pairs_are_real_sums() -> None:
    assert checks._pair([np.asarray([1.0, 2.0]), np.asarray(3.0)], [np.asarray([4.0, 5.0]), np.asarray(-6.0)]) == -4.0
    assert checks._pair([np.asarray([1.0 + 2.0j])], [np.asarray([3.0 - 1.0j])]) == 5.0


def test_draws() -> None:
    draw, again = random.Random(3), random.Random(3)
    real = checks._normal(np.zeros((2, 2), "float64"), draw)
    np.testing.assert_array_equal(real, np.reshape([again.gauss(0, 1) for _ in range(4)], (2, 2)))
    number = checks._normal(np.zeros((), "complex128"), draw)
    assert number == complex(again.gauss(0, 1), again.gauss(0, 1))


def test_arguments_become_double() -> None:
    for given, dtype in (("float32", "float64"), ("float64", "float64"), ("complex64", "complex128")):
        assert checks._to_double(np.ones(2, given)).dtype == dtype
    x = np.ones(2)
    assert checks._to_double(x) is x


@pytest.mark.parametrize(("f", "left", "right"), [(np.abs, -1.0, 1.0), (lambda x: np.maximum(3 * x, -x), -1.0, 3.0)])
def test_the_sides_of_a_kink(f: Any, left: float, right: float) -> None:
    """The gap is that of the worst element, and the sides are those of it."""
    scaled = lambda x: [f(x) * np.asarray([1.0, 1.0, 2.0])]
    gap, low, high = checks._gap(scaled, (np.asarray([0.0, 5.0, 0.0]),), (np.ones(3),))
    np.testing.assert_allclose([gap, low, high], [2 * (right - left), 2 * left, 2 * right], rtol=1e-6)
    assert checks._gap(scaled, (np.asarray([1.0, 5.0, -1.0]),), (np.ones(3),)) == (0.0, 0.0, 0.0)
    assert checks._gap(lambda x: [x], (np.zeros((0,)),), (np.zeros((0,)),))[0] == 0.0
    turned = lambda x: [1j * np.abs(x)]
    np.testing.assert_allclose(checks._gap(turned, (np.zeros(1),), (np.ones(1),)), [2.0, 1.0, 1.0], rtol=1e-6)


@pytest.mark.parametrize(("difference", "found"), [(0.5e-5, False), (4e-5, True)])
def test_the_smallest_kink(difference: float, found: bool) -> None:
    f = lambda x: [x + difference * np.maximum(x, 0.0)]
    assert (checks._gap(f, (np.zeros(1),), (np.ones(1),))[0] > 0) == found


@pytest.mark.parametrize(("difference", "found"), [(0.008, False), (0.015, True)])
def test_the_smallest_kink_of_large_values(difference: float, found: bool) -> None:
    """Values of 1e6 are rounded by so much that a kink of a hundred-millionth of them cannot be seen."""
    f = lambda x: [2.0**20 + difference * np.maximum(x, 0.0)]
    assert (checks._gap(f, (np.zeros(1),), (np.ones(1),))[0] > 0) == found


def test_strong_curvature_is_no_kink() -> None:
    assert checks._gap(lambda x: [1e3 * x * x], (np.zeros(1),), (np.ones(1),))[0] == 0.0


def wrong_twice(factor: float) -> Any:
    return custom_jvp(lambda x: (2.0 * x, lambda t: factor * t))


def test_the_numbers_of_a_message() -> None:
    x = np.asarray([1.0, 2.0, 3.0])
    scale = np.asarray([1.0, 0.0, 1.0])
    with pytest.raises(GradientError) as failure:
        check_grads(lambda x: wrong_twice(2.5)(x) * scale, (x,), modes=("forward",), order=1)
    number = r"(-?[\d.e+-]+)"
    found = re.search(
        rf"forward-mode derivative of the function is wrong, worst for argument 0, element \((0|2),\): {number}, where "
        rf"differences give {number} \(of the results weighted at random; along a random direction they differ by "
        rf"{number}\). The rule of ",
        str(failure.value),
    )
    assert found is not None
    index, actual, expected, along = int(found[1]), *(float(n) for n in found.groups()[1:])
    assert actual == pytest.approx(1.25 * expected, rel=1e-6)
    draw = random.Random(0)
    v, w = [draw.gauss(0, 1) for _ in range(3)], [draw.gauss(0, 1) for _ in range(3)]
    assert expected == pytest.approx(2 * w[index], rel=1e-6)
    assert abs(w[index]) == max(abs(w[0]), abs(w[2]))
    assert along == pytest.approx(0.5 * abs(v[0] * w[0] + v[2] * w[2]), rel=1e-2)


@pytest.mark.parametrize(("tol", "passes"), [(0.3, True), (0.05, False)])
def test_the_tolerance_given(tol: float, passes: bool) -> None:
    """The slope is 10 % wrong; the derivative of every direction is beyond 1, so that the error is relative."""
    f = lambda x: wrong_twice(2.2)(x) * 1e3
    if passes:
        check_grads(f, (np.asarray([1.0]),), order=1, tol=tol)
    else:
        with pytest.raises(GradientError, match="is wrong"):
            check_grads(f, (np.asarray([1.0]),), order=1, tol=tol)


def test_directions_and_seeds() -> None:
    """One direction cannot see an error across it; every other one can. The seed decides which ones are drawn."""
    directions: list[Any] = []

    @custom_jvp
    def identity(x: Any) -> Any:
        return x + 0.0, lambda t: directions.append(np.asarray(t)) or t

    for count, seed in ((1, 0), (3, 0), (1, 7)):
        directions.clear()
        check_grads(identity, (np.asarray([1.0, 2.0]),), modes=("forward",), order=1, directions=count, seed=seed)
        drawn = {tuple(d) for d in directions}
        draw = random.Random(seed)
        assert len(drawn) == count
        assert (draw.gauss(0, 1), draw.gauss(0, 1)) in drawn


def test_every_sequence_of_modes_to_the_order() -> None:
    names: list[str] = []
    for order in (1, 2, 3):

        def wrong_at(depth: int) -> Any:
            """Its derivative of this order is wrong in reverse mode."""

            @custom_vjp
            def f(x: Any) -> Any:
                inner = stop_gradient(x) if depth == 2 else x
                return x**3, lambda g: (g * (3.1 if depth == 1 else 3) * inner**2,)

            return f

        for depth in (1, 2):
            try:
                check_grads(wrong_at(depth), (np.asarray([1.5]),), order=order, modes=("reverse",))
                names.append(f"{order} {depth} passes")
            except GradientError as error:
                names.append(f"{order} {depth} {str(error)[:45]}")
    assert names[0].startswith("1 1 The reverse-mode derivative of the function")
    assert names[1] == "1 2 passes"
    assert names[3].startswith("2 2 The reverse-mode derivative of the reverse")
    assert names[5].startswith("3 2 The reverse-mode derivative of the reverse")


def test_results_that_are_no_numbers_are_left_out() -> None:
    f = lambda x: {"index": array_namespace(x).argmax(x), "name": "x", "value": x * 2.0}
    check_grads(f, (np.asarray([1.0, 2.0]),))
