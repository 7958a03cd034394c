"""Every rule, in forward and reverse mode, to first and second order, against central differences in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, jvp, lift, unwrap, vjp
from portanet.autodiff.rules import COMPOSITES, PRIMITIVES, RULES
from portanet.backends import Backend, get_backend, raw_namespace
from tests.autodiff.cases import CASES, Case
from tests.autodiff.more_cases import MORE
from tests.support import asarray, to_numpy

STEP = 1e-5
BEYOND_THE_STANDARD = {"arange", "full", "full_like", "linspace", "to_device"}


def test_every_rule_has_a_case() -> None:
    named = {name for name in (*RULES, *COMPOSITES) if not name.startswith("special.")}  # see test_special.py
    assert named - (set(PRIMITIVES) - {"getitem", "linalg.slogdet", "to_device"}) == {case.function for case in CASES}


def double(x: np.ndarray) -> Any:
    """On the current backend, in a precision that it supports."""
    return asarray(x, x.dtype.name)


def outputs(case: Case, *arrays: Any) -> list[Any]:
    """The results of the call, as a list."""
    out = case.call(array_namespace(*arrays), *arrays)
    return list(out) if isinstance(out, (tuple, list)) else [out]


def host(arrays: Any) -> list[np.ndarray]:
    return [to_numpy(unwrap(x)) for x in arrays]


def directions(seed: int, likes: list[np.ndarray]) -> list[np.ndarray]:
    """A random array like each of `likes`, complex where they are."""
    rng = np.random.default_rng(seed)
    drawn = []
    for x in likes:
        t = np.asarray(rng.normal(size=x.shape))
        drawn.append((t + 1j * rng.normal(size=x.shape) if np.iscomplexobj(x) else t).astype(x.dtype))
    return drawn


def pair(xs: list[np.ndarray], ts: list[np.ndarray]) -> float:
    """The pairing of cotangents and tangents: the real part of the sum of products, without a conjugate."""
    return float(sum(np.sum(x * t).real for x, t in zip(xs, ts, strict=True)))


def moved(primals: list[np.ndarray], direction: list[np.ndarray], step: float) -> list[Any]:
    return [double(x + step * t) for x, t in zip(primals, direction, strict=True)]


@pytest.fixture
def case(request: pytest.FixtureRequest, backend: Backend) -> Case:
    chosen: Case = request.param
    if reason := chosen.unsupported(backend, "single_precision" in request.function.__name__):
        pytest.skip(reason)
    every_case = "first_order" in request.function.__name__ and chosen in CASES
    if backend.name == "jax" and not every_case and chosen is not FIRST[chosen.function]:
        pytest.skip("JAX compiles every operation for every shape, which takes minutes: one case of each function")
    return chosen


FIRST = {case.function: case for case in reversed(CASES)}


@pytest.mark.parametrize("case", CASES + MORE, ids=str, indirect=True)
def test_values_are_the_librarys(case: Case, xp: Any) -> None:
    """In every mode: values, dtypes, and the container of several results with the names of its fields."""
    if case.function in BEYOND_THE_STANDARD and get_backend().name != "numpy":
        pytest.skip("the standard's own creation functions take Python scalars, and to_device is a method")
    arrays = [double(x) for x in case.arguments()]
    expected = case.call(xp, *arrays)
    seen: list[Any] = [case.call(array_namespace(lift(arrays[0])), *map(lift, arrays))]

    def note(*xs: Any) -> Any:
        seen.append(case.call(array_namespace(*xs), *xs))
        return xs[0]

    vjp(note, *arrays)
    jvp(note, arrays, arrays)
    vjp(lambda *xs: jvp(note, xs, xs)[0], *arrays)
    several = isinstance(expected, (tuple, list))
    for result in seen:
        assert not several or type(result) is type(expected)
        for value, reference in zip(*((x if several else [x]) for x in (result, expected)), strict=True):
            assert value.dtype == reference.dtype
            assert tuple(value.shape) == tuple(reference.shape)
            np.testing.assert_allclose(*host([value, reference]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CASES + MORE, ids=str, indirect=True)
def test_first_order(case: Case, xp: Any) -> None:
    primals = case.arguments()
    tangents = directions(1, primals)

    def value_at(step: float) -> list[np.ndarray]:
        return host(outputs(case, *map(lift, moved(primals, tangents, step))))

    ahead, behind = value_at(STEP), value_at(-STEP)
    slopes = [(a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]
    scale = 1 + max(float(np.max(np.abs(s), initial=0.0)) for s in slopes)

    arrays = [double(x) for x in primals]
    out, pushed = jvp(lambda *xs: outputs(case, *xs), arrays, [double(t) for t in tangents])
    for slope, result, value in zip(slopes, pushed, out, strict=True):
        assert result.dtype == value.dtype
        assert tuple(result.shape) == tuple(value.shape)
        np.testing.assert_allclose(to_numpy(result), slope, rtol=1e-6, atol=1e-7 * scale)

    weights = directions(2, [to_numpy(x) for x in out])
    out, pullback = vjp(lambda *xs: outputs(case, *xs), *arrays)
    pulled = pullback([double(w) for w in weights])
    for primal, result in zip(arrays, pulled, strict=True):
        assert result.dtype == primal.dtype
        assert tuple(result.shape) == tuple(primal.shape)
        assert raw_namespace(result) is raw_namespace(primal)
    expected = pair(weights, slopes)
    assert pair([to_numpy(g) for g in pulled], tangents) == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)


@pytest.mark.parametrize("case", CASES, ids=str, indirect=True)
def test_second_order(case: Case, xp: Any) -> None:
    primals = case.arguments()
    u, v = directions(3, primals), directions(4, primals)
    arrays, us, vs = ([double(x) for x in xs] for xs in (primals, u, v))
    weights = [double(w) for w in directions(5, [to_numpy(x) for x in _values(case, arrays)])]

    def gradient(*xs: Any) -> Any:
        return vjp(lambda *ys: outputs(case, *ys), *xs)[1](weights)

    def slope_along_v(step: float) -> float:
        return pair([to_numpy(g) for g in gradient(*moved(primals, u, step))], v)

    expected = (slope_along_v(STEP) - slope_along_v(-STEP)) / (2 * STEP)
    near = pytest.approx(expected, rel=2e-5, abs=2e-5)
    forward_reverse = jvp(gradient, arrays, us)[1]
    assert pair([to_numpy(g) for g in forward_reverse], v) == near
    reverse_reverse = vjp(gradient, *arrays)[1](tuple(vs))
    assert pair([to_numpy(g) for g in reverse_reverse], u) == near
    forward_forward = jvp(lambda *xs: jvp(lambda *ys: outputs(case, *ys), xs, vs)[1], arrays, us)[1]
    assert pair([to_numpy(t) for t in forward_forward], [to_numpy(w) for w in weights]) == near


def _values(case: Case, arrays: list[Any]) -> list[Any]:
    return jvp(lambda *xs: outputs(case, *xs), arrays, [x * 0 for x in arrays])[0]


SINGLE = {"float64": "float32", "complex128": "complex64"}


@pytest.mark.parametrize("case", [c for c in CASES if c.function != "astype"], ids=str, indirect=True)
def test_single_precision_stays_single(case: Case, xp: Any) -> None:
    arrays = [asarray(x, SINGLE[x.dtype.name]) for x in case.arguments()]
    out, pullback = vjp(lambda *xs: outputs(case, *xs), *arrays)
    assert all(_bits(xp, x) == 32 for x in out)
    for primal, result in zip(arrays, pullback([x * 0 + 1 for x in out]), strict=True):
        assert result.dtype == primal.dtype
    for tangent in jvp(lambda *xs: outputs(case, *xs), arrays, arrays)[1]:
        assert _bits(xp, tangent) == 32


def _bits(xp: Any, x: Any) -> int:
    return int(xp.finfo(x.dtype).bits)
