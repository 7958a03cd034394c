"""Every layer under `vmap`, over its inputs, its weights and both, against a loop: values and gradients."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import value_and_grad, vmap
from portanet.backends import Backend, use_backend
from portanet.tree import tree_items
from tests.layers import matrix
from tests.portability import blocks

COUNT = 3
LEAST_LAYERS = 100
OPTIONS = {
    "BatchNormalization, renorm": lambda: layers.BatchNormalization(renorm=True),
    "BatchNormalization, renorm within limits": lambda: layers.BatchNormalization(
        renorm=True, renorm_clipping={"rmin": 0.5, "rmax": 1.2, "dmax": 0.3}
    ),
}
"""Options that let a layer compute with other variables."""


@functools.cache
def cases() -> dict[str, matrix.Case]:
    """The first case that a test passes to `check_layer`, for each kind of layer."""
    actual: dict[str, matrix.Case] = {}
    with use_backend("numpy"):
        for case in blocks.gather():
            actual.setdefault(type(case.make()).__name__, case)
    for name, make in OPTIONS.items():
        actual[name] = matrix.Case(make, (4, 3), None, training=True, gradient=True)
    return actual


def variants(x: Any) -> list[np.ndarray]:
    """Different values for each example, in the domain of the layer."""
    x = portanet.to_host(x)
    rolled = [np.roll(x, i, axis=0) if x.ndim else x for i in range(COUNT)]
    return [v * (1 + 0.1 * i) if v.dtype.kind == "f" else v for i, v in enumerate(rolled)]


def test_every_layer(backend: Backend) -> None:
    """Random masks and other states are the same for all examples."""
    if backend.name in ("jax", "dpnp"):
        pytest.skip("the library would compile every operation of every layer")
    assert len(cases()) >= LEAST_LAYERS
    with use_backend(backend.name, backend.device, "float64"):
        for name, case in cases().items():
            check(name, case)


def check(name: str, case: matrix.Case) -> None:
    probe = matrix.Probe(case, case.training, lambda xp, y, c: xp.sum(y * c))
    *points, state = probe.points

    def values(weights: Any, inputs: Any, others: Any) -> Any:
        return probe.value(weights, inputs, others, state)

    function = value_and_grad(values, (0, 1)) if case.gradient else values
    parts = [{path: variants(x) for path, x in point.items()} for point in points]
    stacked = [{path: portanet.asarray(np.stack(v)) for path, v in part.items()} for part in parts]
    rows = [[{path: portanet.asarray(v[i]) for path, v in part.items()} for part in parts] for i in range(COUNT)]
    for chosen in ((True, False, False), (False, True, True), (True, True, True)):
        batched = [use and bool(point) for use, point in zip(chosen, points, strict=True)]
        if any(batched):
            axes = tuple(0 if b else None for b in batched)
            batch = [s if b else p for s, p, b in zip(stacked, points, batched, strict=True)]
            result = vmap(function, axes)(*batch)
            expected = [
                function(*(r if b else p for r, p, b in zip(row, points, batched, strict=True))) for row in rows
            ]
            compare(f"{name}, {batched}", result, expected)


def test_each_array_alone(backend: Backend) -> None:
    """One weight or input has values per example, all others are shared."""
    if backend.name != "numpy":
        pytest.skip("what is tried are our namespaces")
    with use_backend(backend.name, None, "float64"):
        for name, case in cases().items():
            probe = matrix.Probe(case, case.training, lambda xp, y, c: xp.sum(y * c))
            *points, state = probe.points
            for i, point in enumerate(points):
                for path, x in point.items():
                    check_alone(f"{name} {path}", probe, points, (i, path), x, state)


def check_alone(name: str, probe: matrix.Probe, points: list[Any], place: tuple[int, str], x: Any, state: Any) -> None:
    def value(x: Any) -> Any:
        given = [dict(point) for point in points]
        given[place[0]][place[1]] = x
        return probe.value(*given, state)

    rows = variants(x)
    result = vmap(value)(portanet.asarray(np.stack(rows)))
    compare(name, result, [value(portanet.asarray(row)) for row in rows])


def compare(name: str, result: Any, expected: list[Any]) -> None:
    for (path, value), *references in zip(tree_items(result), *map(tree_items, expected), strict=True):
        wanted = np.stack([portanet.to_host(x) for _, x in references])
        scale = 1e-9 * (1 + np.max(np.abs(wanted), initial=0.0))
        np.testing.assert_allclose(portanet.to_host(value), wanted, 1e-7, scale, err_msg=f"{name} {path}")
