"""Random programs over the whole standard, and ones that write through views: `vmap` against a loop and `jax.vmap`."""

from __future__ import annotations

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hvp, jvp, vmap
from tests.autodiff import programs
from tests.autodiff.batching.test_every_function import is_refused
from tests.autodiff.cases import CASES
from tests.autodiff.test_random_programs import NOT_COMPARED, program
from tests.support import to_numpy

POSSIBLE = [case for case in CASES if not is_refused(case)]
POINTS = np.random.default_rng(9).normal(size=(3, 2, 3))
DIRECTIONS = np.random.default_rng(10).normal(size=(3, 2, 3))


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_random_programs(first: int) -> None:
    for seed in range(first, first + 20):
        f = program(seed, POSSIBLE)
        near = {"rtol": 1e-8, "atol": 1e-8, "err_msg": str(seed)}
        np.testing.assert_allclose(vmap(f)(POINTS), [f(x) for x in POINTS], **near)
        gradients = np.stack([grad(f)(x) for x in POINTS])
        np.testing.assert_allclose(vmap(grad(f))(POINTS), gradients, **near)
        total = grad(lambda x, f=f: array_namespace(x).sum(vmap(f)(x)))
        np.testing.assert_allclose(total(POINTS), gradients, **near)
        slopes = [jvp(f, (x,), (t,))[1] for x, t in zip(POINTS, DIRECTIONS, strict=True)]
        np.testing.assert_allclose(jvp(vmap(f), (POINTS,), (DIRECTIONS,))[1], slopes, **near)
        if seed % 4 == 0:
            products = [hvp(f, (x,), (t,)) for x, t in zip(POINTS, DIRECTIONS, strict=True)]
            scale = 1e-7 * (1 + np.max(np.abs(products)))
            inside = vmap(lambda x, t, f=f: hvp(f, (x,), (t,)))(POINTS, DIRECTIONS)
            np.testing.assert_allclose(inside, products, rtol=1e-7, atol=scale, err_msg=str(seed))
            outside = jvp(vmap(grad(f)), (POINTS,), (DIRECTIONS,))[1]
            np.testing.assert_allclose(outside, products, rtol=1e-7, atol=scale, err_msg=str(seed))
            around = jvp(total, (POINTS,), (DIRECTIONS,))[1]
            np.testing.assert_allclose(around, products, rtol=1e-7, atol=scale, err_msg=str(seed))


def test_random_programs_compared_with_jax() -> None:
    jax = pytest.importorskip("jax")
    cases = [c for c in POSSIBLE if "jax" not in c.lacking and c.function not in NOT_COMPARED]
    with jax.enable_x64(True):
        points = jax.numpy.asarray(POINTS)
        for seed in range(3):
            f = program(seed, cases)
            np.testing.assert_allclose(vmap(f)(POINTS), to_numpy(jax.vmap(f)(points)), 1e-9, err_msg=str(seed))
            # JAX rounds some derivatives to float32.
            theirs = to_numpy(jax.vmap(jax.grad(f))(points))
            np.testing.assert_allclose(vmap(grad(f))(POINTS), theirs, 1e-5, 1e-6, err_msg=str(seed))


def test_programs_that_write_through_views() -> None:
    """Against NumPy itself, and the derivative of each example alone."""
    points = np.random.default_rng(11).normal(size=(3, 3, 4))
    for seed in range(25):
        f = programs.program(seed)
        expected = [f(x.copy()) for x in points]
        np.testing.assert_allclose(vmap(f)(points), expected, 1e-9, err_msg=str(seed))
        gradients = np.stack([grad(f)(x) for x in points])
        np.testing.assert_allclose(vmap(grad(f))(points), gradients, 1e-8, 1e-9, err_msg=str(seed))
        total = grad(lambda x, f=f: array_namespace(x).sum(vmap(f)(x)))(points)
        np.testing.assert_allclose(total, gradients, 1e-8, 1e-9, err_msg=str(seed))
