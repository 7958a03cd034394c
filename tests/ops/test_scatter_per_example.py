"""Indices per example in `vmap`: derivatives in every order of nesting, against one example after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import ops
from portanet.autodiff import grad, jvp, vmap
from portanet.backends import Backend
from tests.support import asarray, to_numpy

RNG = np.random.default_rng(0)
COUNT = 3
PLACES = np.stack([RNG.permutation(4)[[0, 1, 2, 2]] for _ in range(COUNT)])
ROWS, BASE = RNG.uniform(0.5, 2, (COUNT, 4, 2)), RNG.uniform(0.5, 2, (COUNT, 5, 2))
FUNCTIONS = {
    "scatter": lambda base, i, rows: ops.scatter(i[:, None], rows, (5, 2)),
    "index_add": lambda base, i, rows: ops.scatter_update(base, i[:, None], rows, "add"),
    "last": lambda base, i, rows: ops.scatter_update(base, i[:, None], rows),
    "largest": lambda base, i, rows: ops.scatter_update(base, i[:, None], rows, "max"),
    "segment_sum": lambda base, i, rows: ops.segment_sum(rows, i - 1, 3),
    "segment_prod": lambda base, i, rows: ops.segment_prod(rows, i, 5),
    "slice_update": lambda base, i, rows: ops.slice_update(base, ops.stack([i[0], 0 * i[0]]), rows[:2, :]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_with_indices_per_example(backend: Backend, name: str) -> None:
    if backend.name in ("jax", "dpnp") and name != "scatter":
        pytest.skip("every operation would be compiled")
    function = FUNCTIONS[name]
    dtype = "float32" if backend.name == "mlx" else "float64"
    places, rows, base = asarray(PLACES, "int64"), asarray(ROWS, dtype), asarray(BASE, dtype)
    every = range(COUNT)

    def loss(rows: Any, base: Any, i: Any) -> Any:
        return ops.sum(function(base, i, rows) ** 3)

    def of_all(rows: Any, base: Any) -> Any:
        return ops.sum(vmap(loss)(rows, base, places))

    def pushed(rows: Any, base: Any, i: Any) -> Any:
        return jvp(lambda rows, base: loss(rows, base, i), (rows, base), (rows, base))[1]

    def close(actual: Any, expected: Any) -> None:
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-5)

    both = grad(loss, (0, 1))
    each = [both(rows[i, ...], base[i, ...], places[i, ...]) for i in every]
    expected = [ops.stack([one[k] for one in each]) for k in (0, 1)]
    close(vmap(both)(rows, base, places), expected)
    close(grad(of_all, (0, 1))(rows, base), expected)
    tangents = [pushed(rows[i, ...], base[i, ...], places[i, ...]) for i in every]
    close([vmap(pushed)(rows, base, places)], [ops.stack(tangents)])
    close([jvp(of_all, (rows, base), (rows, base))[1]], [ops.sum(ops.stack(tangents))])
    shared = [both(rows[0, ...], base[0, ...], places[i, ...]) for i in every]
    inside = vmap(lambda i: both(rows[0, ...], base[0, ...], i))
    close(inside(places), [ops.stack([one[k] for one in shared]) for k in (0, 1)])
    nested = vmap(vmap(loss, (None, None, 0)), (0, 0, None))(rows, base, places)
    close(
        [nested],
        [ops.stack([ops.stack([loss(rows[k, ...], base[k, ...], places[i, ...]) for i in every]) for k in every])],
    )
    second = grad(lambda rows, base, i: ops.sum(grad(loss)(rows, base, i) ** 2))
    close(
        [vmap(second)(rows, base, places)],
        [ops.stack([second(rows[i, ...], base[i, ...], places[i, ...]) for i in every])],
    )
