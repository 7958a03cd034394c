"""A layer compared with that of another library: results, and gradients by inputs and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.autodiff import array_namespace, grad
from portanet.tree import tree_leaves
from portanet.variables import bind

torch = pytest.importorskip("torch")

TOLERANCE = {"float64": 1e-6, "float32": 1e-4}


def drawn(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    return [generator.standard_normal(shape) for shape in shapes]


def compare(ours: Any, theirs: Callable[..., Any], hosts: list[np.ndarray], weights: list[Any], dtype: str) -> None:
    """Results, and gradients of a weighted sum of them by inputs and weights.

    `theirs(inputs, weights)` computes with tensors; `weights` are the values of the weights of `ours`, in its order.
    """
    with portanet.use_backend("numpy", dtype=dtype):
        x = [portanet.asarray(host) for host in hosts]
        ours.build([h.shape for h in hosts] if len(x) > 1 else hosts[0].shape)
        ours.set_weights(weights)
        floats = [i for i, each in enumerate(x) if each.dtype.kind == "f"]
        result = ours(x if len(x) > 1 else x[0])
        factors = np.random.default_rng(6).standard_normal(result.shape).astype(dtype)

        def total(inputs: list[Any], values: list[Any]) -> Any:
            given = [inputs[floats.index(i)] if i in floats else each for i, each in enumerate(x)]
            with bind(dict(zip(ours.weights, values, strict=True))):
                out = ours(given if len(given) > 1 else given[0])
            return array_namespace(out).sum(out * factors)

        arguments = [x[i] for i in floats], [w.value for w in ours.weights]
        slopes = tree_leaves(grad(total, (0, 1))(*arguments))
    tensors = [
        torch.tensor(host, dtype=getattr(torch, dtype), requires_grad=True) if i in floats else torch.tensor(host)
        for i, host in enumerate(hosts)
    ]
    parameters = [torch.tensor(np.asarray(w), dtype=getattr(torch, dtype), requires_grad=True) for w in weights]
    expected = theirs(tensors, parameters)
    (expected * torch.tensor(factors)).sum().backward()
    near = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(result, expected.detach().numpy(), **near)
    for slope, tensor in zip(slopes, [tensors[i] for i in floats] + parameters, strict=True):
        np.testing.assert_allclose(slope, tensor.grad.numpy(), **near)
