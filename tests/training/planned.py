"""Models with plans, for the tests of planned calls."""

from __future__ import annotations

import numpy as np

import portanet
from portanet import layers
from portanet.layers import Layer
from portanet.training import planned_calls
from portanet.tree import tree_leaves


def draw(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def mlp(*more):
    return portanet.Sequential([layers.Input((6,)), layers.Dense(5, "relu"), *more, layers.Dense(3, "softmax")])


def ordinary(model, x):
    """The results of ordinary Python."""
    return Layer.__call__(model, x)


def plans(model):
    known = [] if model._calls is None else model._calls.known.values()
    return [each for each in known if isinstance(each, planned_calls._Planned) and each.checked]


def assert_same(actual, expected):
    pairs = list(zip(tree_leaves(actual), tree_leaves(expected), strict=True))
    assert pairs
    for x, y in pairs:
        assert (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())


def warmed(model, *shape):
    """The model, with a plan for inputs of a shape."""
    for seed in range(3):
        model(draw(*shape, seed=seed))
    assert plans(model)
    return model


def never_planned(model, x, count=5):
    results = [model(x) for _ in range(count)]
    assert not plans(model)
    return results
