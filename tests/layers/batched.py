"""The part of the test of every layer that calls it under `vmap`: per example, and with weights per example."""

from __future__ import annotations

from typing import Any

import numpy as np

import portanet
from portanet.autodiff import array_namespace, grad, lift, vmap
from portanet.backends import Array
from portanet.tree import tree_leaves, tree_map
from portanet.variables import bind


def check_batched(case: Any) -> None:
    """Results for each example, and for each of several sets of weights, and their gradients, are those of a loop."""
    layer = case.built()
    trainable = [v for v in layer.trainable_weights if _is_float(v.value)]
    state = [v for v in layer.variables if v not in set(trainable)]
    kept = [v.value for v in state]
    training = case.training and not any(map(_is_float, kept))  # moving statistics cannot differ between examples

    def result(weights: list[Array], x: Any) -> Any:
        with bind(dict(zip((*trainable, *state), (*weights, *map(lift, kept)), strict=True))):
            return layer(x, training=training)

    def total(weights: list[Array], x: Any) -> Any:
        parts = [y for y in tree_leaves(result(weights, x)) if _is_float(y)]
        return sum(array_namespace(y).sum(array_namespace(y).sin(y)) for y in parts)

    x = tree_map(lambda a: portanet.asarray(a), case.host)
    xs = tree_map(lambda a: np.stack([a, a if a.dtype.kind in "iub" else 0.5 * a]), x)
    weights = [v.value for v in trainable]
    many = [np.stack([w, 0.9 * w]) for w in weights]
    functions = [result, grad(total)] if weights and case.gradient else [result]
    for function in functions:
        _compare(vmap(function, (None, 0))(weights, xs), [function(weights, _row(xs, i)) for i in range(2)])
        if weights:
            _compare(vmap(function, (0, None))(many, x), [function(_row(many, i), x) for i in range(2)])


def _row(tree: Any, i: int) -> Any:
    return tree_map(lambda a: a[i], tree)


def _is_float(x: Any) -> bool:
    return bool(array_namespace(x).isdtype(x.dtype, "real floating"))


def _compare(results: Any, expected: list[Any]) -> None:
    for value, *references in zip(tree_leaves(results), *map(tree_leaves, expected), strict=True):
        parts = np.stack(references)
        assert value.dtype == parts.dtype
        scale = 1e-5 * (1 + float(np.max(np.abs(np.where(np.isfinite(parts), parts, 0)), initial=0.0)))
        np.testing.assert_allclose(value, parts, rtol=1e-4, atol=scale, err_msg="under vmap")
