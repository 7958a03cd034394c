"""`vmap` of random programs, of first and second order and nested, against a loop and against `jax.vmap`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_extra
import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, jacobian, jvp, linearize, value_and_jacobian, vmap
from tests.autodiff import programs, test_random_programs
from tests.autodiff.batching.test_every_function import is_refused
from tests.autodiff.cases import CASES
from tests.support import to_numpy

PROGRAMS = 100
COUNT = 3
VMAPPED = [case for case in CASES if not is_refused(case)]
Function = Callable[..., Any]


def along(f: Function) -> Function:
    return lambda x, t: jvp(f, (x,), (t,))[1]


def total(f: Function) -> Function:
    return lambda x: array_namespace(x).sum(f(x))


def check(f: Function, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, t = (rng.normal(size=(COUNT, *shape)) for _ in range(2))

    def by_loop(g: Function, *columns: Any) -> np.ndarray:
        return np.stack([g(*(part.copy() for part in row)) for row in zip(*columns, strict=True)])

    def same(name: str, result: Any, expected: np.ndarray) -> None:
        scale = 1e-8 * (1 + np.max(np.abs(expected)))
        np.testing.assert_allclose(result, expected, 1e-7, scale, err_msg=f"{name} of program {seed}")

    gradient, slope = by_loop(grad(f), x), by_loop(along(f), x, t)
    same("value", vmap(f)(x.copy()), by_loop(f, x))
    same("gradient inside", vmap(grad(f))(x), gradient)
    same("gradient outside", grad(total(vmap(f)))(x), gradient)
    same("tangent inside", vmap(along(f))(x, t), slope)
    same("tangent outside", along(vmap(f))(x, t), slope)
    same("linear map", vmap(lambda x, t: linearize(f, x)[1](t))(x, t), slope)
    if seed % 4 == 0:
        second = by_loop(along(grad(f)), x, t)
        same("hvp inside", vmap(along(grad(f)))(x, t), second)
        same("hvp outside", along(vmap(grad(f)))(x, t), second)
        same("hvp of the batch", along(grad(total(vmap(f))))(x, t), second)
        same("reverse over forward", grad(total(lambda x: along(vmap(f))(x, t)))(x), second)
        same("two batches", vmap(vmap(grad(f)))(np.stack([x, t])), np.stack([gradient, by_loop(grad(f), t)]))
        outer = vmap(grad(total(vmap(f))))(np.stack([x, t]))
        same("between two batches", outer, np.stack([gradient, by_loop(grad(f), t)]))


@pytest.mark.parametrize("first", range(0, PROGRAMS, 50))
def test_programs_over_the_standard(first: int) -> None:
    for seed in range(first, first + 50):
        check(test_random_programs.program(seed, VMAPPED), (2, 3), seed)


def is_traceable(f: Function) -> bool:
    """Whether a program writes to no array from outside."""
    try:
        grad(f)(np.ones((3, 4)))
    except TypeError as error:
        if "cannot be written to" not in str(error):
            raise
        return False
    return True


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("first", range(0, PROGRAMS, 50))
def test_programs_with_writes_and_views(first: int) -> None:
    for seed in range(first, first + 50):
        f = programs.program(seed, several=seed % 2 == 0)
        if is_traceable(f):
            check(f, (3, 4), seed)


def test_elements_are_scalars_on_numpy() -> None:
    """They are copies, which in-place operators do not change."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = xp.asarray(x, copy=True)
        element, total, row = z[0, 1], xp.sum(z), z[1, :]
        same, whole = total, row[2, ...]
        element += 5.0
        same *= 2.0
        whole -= 1.0
        return xp.sum(z * z) + element + total * same

    x = np.random.default_rng(2).normal(size=(COUNT, 3, 4))
    np.testing.assert_allclose(vmap(f)(x), [f(row) for row in x])
    np.testing.assert_allclose(vmap(grad(f))(x), [grad(f)(row) for row in x])


def test_asarray_of_a_scalar_is_a_new_array() -> None:
    """On NumPy, it may be written to and has views; the scalar stays."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        total = xp.sum(x * x)
        copy, array, single = xp.asarray(total, copy=True), xp.asarray(total), xp.asarray(total, dtype=xp.float32)
        view, same, other = copy[...], array, single
        copy[()] = copy * 2
        view += x[0]
        array *= 3.0
        single += 1.0
        written = array_api_extra.at(total, total > 0).set(total * total)
        return xp.stack([copy, view, array, same, xp.astype(single, x.dtype), total * other, written, total])

    x = np.random.default_rng(2).normal(size=(COUNT, 3))
    values, slopes = value_and_jacobian(f)(x[0])
    np.testing.assert_allclose(values, f(x[0]))
    total = np.sum(x[0] ** 2)
    expected = np.outer([2, 2, 3, 3, 1, 2 * total + 1, 2 * total, 1], 2 * x[0])
    expected[:2, 0] += 1
    np.testing.assert_allclose(slopes, expected, rtol=1e-6)
    for g in (f, jacobian(f)):
        np.testing.assert_allclose(vmap(g)(x), [g(row) for row in x], rtol=1e-6)


def test_programs_compared_with_jax(pytestconfig: pytest.Config) -> None:
    """`--programs 1000` runs more of them."""
    jax = pytest.importorskip("jax")
    cases = test_random_programs.compared(VMAPPED)
    x = np.random.default_rng(5).normal(size=(COUNT, 2, 3))
    with jax.enable_x64(True):
        for seed in range(pytestconfig.getoption("programs") or 4):
            f = test_random_programs.program(seed, cases)
            theirs = jax.vmap(jax.value_and_grad(f))(jax.numpy.asarray(x))
            # JAX rounds some derivatives to float32.
            for ours, expected in zip((vmap(f)(x), vmap(grad(f))(x)), theirs, strict=True):
                np.testing.assert_allclose(ours, to_numpy(expected), 1e-5, 1e-6, err_msg=str(seed))
