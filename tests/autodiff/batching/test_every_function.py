"""`vmap` of every function of the standard against a loop over the examples: values, and derivatives on both sides."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, jvp, lift, unwrap, vjp, vmap
from portanet.autodiff.batching.declare import RULES as BATCHING
from portanet.autodiff.boundary import plain
from portanet.autodiff.rules import COMPOSITES, CREATION, PASSTHROUGH, PRIMITIVES, RULES
from portanet.backends import Backend
from tests.autodiff.batching.more_cases import WITHOUT_DERIVATIVE
from tests.autodiff.cases import CASES, Case
from tests.autodiff.more_cases import MORE
from tests.autodiff.test_rules import directions, double, host, outputs
from tests.support import to_numpy

COUNT = 3
SIZES_DIFFER = {"arange", "unique_all", "unique_counts", "unique_inverse", "unique_values"}


def test_every_function_has_a_rule() -> None:
    named = set(RULES) | set(COMPOSITES) | CREATION | set(PASSTHROUGH) | set(PRIMITIVES)
    special = {name for name in (*named, *BATCHING) if name.startswith("special.")}  # see test_special.py
    assert named - special == set(BATCHING) - special - {"asarray"}


def test_every_function_without_derivative_has_a_case() -> None:
    functions = {case.function for case in WITHOUT_DERIVATIVE}
    assert functions == (set(PASSTHROUGH) | CREATION) - {"from_dlpack"} - SIZES_DIFFER


def examples(case: Case) -> list[list[np.ndarray]]:
    """Different arguments for each example."""
    rng = np.random.default_rng(zlib.crc32(str(case).encode()))
    return [[draw(rng) for draw in case.draws] for _ in range(COUNT)]


def selections(count: int) -> list[tuple[bool, ...]]:
    """Which operands are batched: all, and for several operands each alone."""
    alone = [tuple(i == j for j in range(count)) for i in range(count)] if count > 1 else []
    return [(True,) * count, *alone]


def is_refused(case: Case) -> bool:
    return case.function in SIZES_DIFFER or (case.function, case.label) == ("getitem", "mask")


@pytest.fixture
def case(request: pytest.FixtureRequest, backend: Backend) -> Case:
    chosen: Case = request.param
    if reason := chosen.unsupported(backend):
        pytest.skip(reason)
    if backend.name == "jax" and zlib.crc32(str(chosen).encode()) % 4:
        pytest.skip("JAX compiles every operation for every shape: a sample")
    return chosen


def stacked(columns: list[list[np.ndarray]], chosen: tuple[bool, ...]) -> list[Any]:
    """The arguments of the batch: batched along axis 0 where chosen, else those of the first example."""
    return [
        double(np.stack(parts)) if batched else double(parts[0])
        for parts, batched in zip(zip(*columns, strict=True), chosen, strict=True)
    ]


def row(columns: list[list[np.ndarray]], chosen: tuple[bool, ...], i: int) -> list[Any]:
    return [lift(double(columns[i if batched else 0][n])) for n, batched in enumerate(chosen)]


@pytest.mark.parametrize("case", CASES + WITHOUT_DERIVATIVE, ids=str, indirect=True)
def test_values(case: Case) -> None:
    columns = examples(case)
    for chosen in selections(len(case.draws)):
        axes = tuple(0 if batched else None for batched in chosen)
        batch = stacked(columns, chosen)
        if is_refused(case):
            with pytest.raises((ValueError, TypeError), match=r"vmap|one per example"):
                vmap(lambda *xs: outputs(case, *xs), axes)(*batch)
            continue
        result = vmap(lambda *xs: outputs(case, *xs), axes)(*batch)
        expected = [outputs(case, *row(columns, chosen, i)) for i in range(COUNT)]
        for value, *references in zip(result, *expected, strict=True):
            assert value.dtype == references[0].dtype
            np.testing.assert_allclose(host([value])[0], np.stack(host(map(unwrap, references))), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", [*CASES, *MORE, *WITHOUT_DERIVATIVE], ids=str, indirect=True)
def test_values_of_the_namespace_of_batched_arrays(case: Case, backend: Backend) -> None:
    """Without the differentiable namespace, which composes some functions of others."""
    if is_refused(case) or case.function == "to_device" or backend.name == "jax":  # to which each shape is new
        pytest.skip("refused, a method, or slow")
    columns = examples(case)
    chosen = (True,) * len(case.draws)
    result = vmap(lambda *xs: [lift(out) for out in outputs(case, *map(plain, xs))])(*stacked(columns, chosen))
    expected = [outputs(case, *row(columns, chosen, i)) for i in range(COUNT)]
    for value, *references in zip(result, *expected, strict=True):
        assert value.dtype == references[0].dtype
        np.testing.assert_allclose(host([value])[0], np.stack(host(references)), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", [c for c in CASES if not is_refused(c)], ids=str, indirect=True)
def test_derivatives(case: Case) -> None:
    """Both modes inside and outside."""
    columns = examples(case)
    tangents = [directions(i, columns[0]) for i in range(COUNT)]
    likes = host(outputs(case, *map(lift, map(double, columns[0]))))
    weights = [directions(i, likes) for i in range(5, 5 + COUNT)]
    ws = stacked(weights, (True,) * len(weights[0]))
    for chosen in selections(len(case.draws)):
        axes = tuple(0 if batched else None for batched in chosen)
        batch, ts = stacked(columns, chosen), stacked(tangents, chosen)
        rows = [row(columns, chosen, i) for i in range(COUNT)]

        def forward(*args: Any) -> Any:
            half = len(args) // 2
            return jvp(lambda *ys: outputs(case, *ys), args[:half], args[half:])[1]

        def reverse(w: Any, *xs: Any) -> Any:
            return vjp(lambda *ys: outputs(case, *ys), *xs)[1](w)

        pushed = [forward(*xs, *row(tangents, chosen, i)) for i, xs in enumerate(rows)]
        pulled = [reverse(list(map(double, weights[i])), *xs) for i, xs in enumerate(rows)]
        compare(vmap(forward, (*axes, *axes))(*batch, *ts), pushed)
        compare(vmap(reverse, (0, *axes))(ws, *batch), pulled)
        mapped = vmap(lambda *xs: outputs(case, *xs), axes)
        compare(jvp(mapped, batch, ts)[1], pushed)
        for total, parts, batched in zip(vjp(mapped, *batch)[1](ws), zip(*pulled, strict=True), chosen, strict=True):
            parts = np.stack(host(parts))
            scale = 1e-9 * (1 + np.max(np.abs(parts), initial=0.0))
            expected = parts if batched else parts.sum(0)
            np.testing.assert_allclose(to_numpy(unwrap(total)), expected, rtol=1e-7, atol=scale)


@pytest.mark.parametrize("case", [c for c in CASES if not is_refused(c)], ids=str, indirect=True)
def test_batched_cotangents_and_tangents(case: Case) -> None:
    """Of arguments that all examples share: the recording is not batched."""
    arrays = [double(x) for x in examples(case)[0]]
    likes = host(outputs(case, *map(lift, arrays)))
    weights, tangents = (
        [directions(i, x) for i in range(COUNT)] for x in (likes, [to_numpy(unwrap(a)) for a in arrays])
    )
    _, pullback = vjp(lambda *xs: outputs(case, *xs), *arrays)
    pulled = [pullback(list(map(double, w)), retain=True) for w in weights]
    compare(vmap(lambda w: pullback(w, retain=True))(stacked(weights, (True,) * len(likes))), pulled)

    def forward(*ts: Any) -> Any:
        return jvp(lambda *xs: outputs(case, *xs), arrays, ts)[1]

    pushed = [forward(*map(double, t)) for t in tangents]
    compare(vmap(forward)(*stacked(tangents, (True,) * len(arrays))), pushed)


def compare(results: Any, expected: list[Any]) -> None:
    for value, *references in zip(results, *expected, strict=True):
        parts = np.stack(host(references))
        scale = 1e-9 * (1 + np.max(np.abs(parts), initial=0.0))
        np.testing.assert_allclose(to_numpy(unwrap(value)), parts, rtol=1e-7, atol=scale)


@pytest.mark.parametrize("case", CASES[::3], ids=str, indirect=True)
def test_second_derivatives(case: Case) -> None:
    """Forward over reverse inside, outside, and on both sides of the batch."""
    if is_refused(case):
        pytest.skip("refused")
    columns = examples(case)
    chosen = (True,) * len(case.draws)
    weights = [double(w) for w in directions(5, host(outputs(case, *map(lift, map(double, columns[0])))))]
    batch = stacked(columns, chosen)
    ts = [directions(i, columns[0]) for i in range(COUNT)]
    tangents = stacked(ts, chosen)

    def gradient(*xs: Any) -> Any:
        return vjp(lambda *ys: outputs(case, *ys), *xs)[1](weights)

    def second(*args: Any) -> Any:
        half = len(args) // 2
        return jvp(gradient, args[:half], args[half:])[1]

    expected = [second(*row(columns, chosen, i), *row(ts, chosen, i)) for i in range(COUNT)]
    compare(vmap(second)(*batch, *tangents), expected)
    compare(jvp(vmap(gradient), batch, tangents)[1], expected)

    def whole(*xs: Any) -> Any:
        def total(*ys: Any) -> Any:
            return vmap(lambda *zs: outputs(case, *zs))(*ys)

        every = [array_namespace(w).stack([w] * COUNT) for w in weights]
        return vjp(total, *xs)[1](every)

    compare(jvp(whole, batch, tangents)[1], expected)
