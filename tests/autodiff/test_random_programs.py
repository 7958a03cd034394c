"""Random programs over the whole standard: first and second derivatives against differences and against JAX."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, jvp, value_and_grad
from portanet.autodiff.rules import COMPOSITES, PRIMITIVES, RULES
from tests.autodiff.cases import CASES, Case
from tests.support import to_numpy

PROGRAMS = 300
LENGTH = 6
STEP = 1e-5
POINT = np.random.default_rng(7).normal(size=(2, 3))
DIRECTION = np.random.default_rng(8).normal(size=(2, 3))
NOT_COMPARED = {
    "linalg.eig", "linalg.eigh", "linalg.svd", "linalg.qr",  # unique up to signs
    "arange", "from_dlpack", "to_device", "nextafter",  # JAX cannot trace or differentiate them
    "unique_all", "unique_counts", "unique_inverse", "unique_values",  # JAX returns no derivative
    "acosh-complex", "sign-complex",  # JAX's derivatives differ from finite differences
    "linalg.eigvals",  # JAX has no second derivative
}  # fmt: skip


def compared(cases: list[Case]) -> list[Case]:
    """The cases whose derivatives must be those of JAX."""
    return [c for c in cases if "jax" not in c.lacking and not {c.function, str(c)} & NOT_COMPARED]


def steps(seed: int, cases: list[Case]) -> list[tuple[Case, list[int], list[float]]]:
    """Functions, which earlier results go into each of their operands, and the weights of their own results.

    The programs of successive seeds go through all cases, each time in another order.
    """
    draw = random.Random(seed)
    chosen = []
    for number in range(seed * LENGTH, (seed + 1) * LENGTH):
        times, place = divmod(number, len(cases))
        chosen.append(random.Random(times).sample(cases, len(cases))[place])
    return [
        (case, [draw.randrange(i + 1) for _ in case.draws], [draw.uniform(0.2, 1.0) for _ in range(3)])
        for i, case in enumerate(chosen)
    ]


def program(seed: int, cases: list[Case] = CASES) -> Callable[[Any], Any]:
    """A function of an array of shape (2, 3) that applies functions of the standard to results of each other.

    Operands stay close to the arguments of the cases, in the domain of the function and away from kinks.
    """
    plan = steps(seed, cases)

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        results = [x]
        total = xp.sum(x * x)
        for case, sources, weights in plan:
            operands = [
                near(xp, reference, results[source], x)
                for reference, source in zip(case.arguments(), sources, strict=True)
            ]
            out = case.call(xp, *operands)
            for part, weight in zip(out if isinstance(out, tuple | list) else [out], weights, strict=False):
                part = xp.astype(xp.real(part) + 0.5 * xp.imag(part), x.dtype) if is_complex(xp, part) else part
                if xp.isdtype(part.dtype, "real floating") and part.size:
                    total = total + weight * xp.sum(xp.sin(part))
                    results.append(part)
        return total

    return f


def is_complex(xp: Any, x: Any) -> bool:
    return bool(xp.isdtype(x.dtype, "complex floating"))


def near(xp: Any, reference: np.ndarray, source: Any, x: Any) -> Any:
    """`reference`, moved a little by each element of `source` in turn."""
    size = int(np.prod(reference.shape))
    flat = xp.reshape(source, (-1,))
    device = getattr(x, "device", None)  # JAX's tracers have none
    index = xp.asarray(np.arange(size) % flat.shape[0], device=device)
    moves = xp.reshape(xp.tanh(xp.take(flat, index)), reference.shape)
    return xp.asarray(reference, device=device) + 0.01 * moves


def test_the_programs_contain_every_function() -> None:
    names = {case.function for seed in range(PROGRAMS) for case, _, _ in steps(seed, CASES)}
    of_the_standard = {name for name in (*RULES, *COMPOSITES) if not name.startswith("special.")}
    assert names == of_the_standard - (set(PRIMITIVES) - {"getitem", "linalg.slogdet", "to_device"})


@pytest.mark.parametrize("first", range(0, PROGRAMS, 50))
def test_random_programs(first: int) -> None:
    for seed in range(first, first + 50):
        f = program(seed)
        value, gradient = value_and_grad(f)(POINT)
        assert value == pytest.approx(f(POINT), rel=1e-12), seed
        slope = (f(POINT + STEP * DIRECTION) - f(POINT - STEP * DIRECTION)) / (2 * STEP)
        assert np.sum(gradient * DIRECTION) == pytest.approx(slope, rel=1e-6, abs=1e-6), seed
        assert jvp(f, (POINT,), (DIRECTION,))[1] == pytest.approx(slope, rel=1e-6, abs=1e-6), seed
        second(f, seed)


def second(f: Callable[[Any], Any], seed: int) -> None:
    """Forward over reverse, and reverse over forward, against differences of the gradient."""
    ahead, behind = (grad(f)(POINT + sign * STEP * DIRECTION) for sign in (1, -1))
    expected = (ahead - behind) / (2 * STEP)
    scale = 1e-5 * (1 + np.max(np.abs(expected)))
    np.testing.assert_allclose(jvp(grad(f), (POINT,), (DIRECTION,))[1], expected, 1e-5, scale, err_msg=str(seed))
    reverse = grad(lambda x: jvp(f, (x,), (DIRECTION,))[1])(POINT)
    np.testing.assert_allclose(reverse, expected, 1e-5, scale, err_msg=str(seed))


def test_random_programs_compared_with_jax(pytestconfig: pytest.Config) -> None:
    """First and second derivatives; `--programs 1000` runs more of them."""
    jax = pytest.importorskip("jax")
    cases = compared(CASES)
    with jax.enable_x64(True):
        point, direction = jax.numpy.asarray(POINT), jax.numpy.asarray(DIRECTION)
        for seed in range(pytestconfig.getoption("programs") or 8):
            f = program(seed, cases)
            value, gradient = value_and_grad(f)(POINT)
            theirs, slope = jax.value_and_grad(f)(point)
            assert value == pytest.approx(float(theirs), rel=1e-9), seed
            # JAX rounds some derivatives to float32.
            np.testing.assert_allclose(gradient, to_numpy(slope), 1e-5, 1e-6, err_msg=str(seed))
            ours = jvp(grad(f), (POINT,), (DIRECTION,))[1]
            expected = jax.jvp(jax.grad(f), (point,), (direction,))[1]
            np.testing.assert_allclose(ours, to_numpy(expected), 1e-5, 1e-6, err_msg=f"second derivative of {seed}")
            ours = jvp(f, (POINT,), (DIRECTION,))[1]
            assert ours == pytest.approx(float(np.sum(to_numpy(slope) * DIRECTION)), 1e-5, 1e-6), seed
