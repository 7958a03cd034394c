"""Losses, weights and metrics of nested outputs, with their names in logs, against Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore:Gradients do not exist")
X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
A, B, C = X[:, :1], X[:, 1:2], (X[:, :1] > 0).astype("int32")
SPARSE = "sparse_categorical_crossentropy"


def in_dicts(a: Any, b: Any, c: Any) -> Any:
    return {"x": {"a": a, "b": b}, "c": c}


def in_lists(a: Any, b: Any, c: Any) -> Any:
    return [a, {"b": b, "c": c}]


def flat(a: Any, b: Any, c: Any) -> Any:
    return {"a": a, "b": b, "c": c}


MSE, MAE, ACCURACY = ["mse"], ["mse", "mae"], ["accuracy"]
CASES = [
    (in_dicts, {"loss": in_dicts("mse", "mae", SPARSE), "metrics": in_dicts(MSE, MAE, ACCURACY)}),
    (in_dicts, {"loss": in_dicts("mse", None, SPARSE), "metrics": in_dicts("mae", None, "acc")}),
    (
        in_dicts,
        {
            "loss": in_dicts("mse", "mae", SPARSE),
            "loss_weights": in_dicts(0.5, 2.0, 1.0),
            "weighted_metrics": in_dicts(MSE, MAE, ACCURACY),
        },
    ),
    (in_lists, {"loss": in_lists("mse", "mae", SPARSE), "metrics": in_lists(MSE, MAE, ACCURACY)}),
    (in_lists, {"loss": ["mse", "mae", SPARSE]}),
    (flat, {"loss": {"a": "mse", "c": SPARSE}, "metrics": {"a": "mae", "b": MAE}}),
]


@pytest.mark.parametrize(("nested", "settings"), CASES)
def test_as_keras(backend: Any, nested: Any, settings: dict[str, Any]) -> None:
    keras = pytest.importorskip("keras")
    results, weights = [], None
    for library, module in ((portanet, layers), (keras, keras.layers)):
        x = module.Input((3,))
        heads = (module.Dense(1, name="a"), module.Dense(1, name="b"), module.Dense(2, "softmax", name="c"))
        model = library.Model(x, nested(*(head(x) for head in heads)))
        if weights is None:
            weights = [head.get_weights() for head in heads]
        for head, values in zip(heads, weights, strict=True):
            head.set_weights(values)
        model.compile(library.optimizers.SGD(0.1), **settings)
        options = {"batch_size": 4, "shuffle": False, "verbose": 0, "sample_weight": np.linspace(0.1, 2, 8)}
        results.append(model.fit(X, nested(A, B, C), **options).history)
    ours, theirs = results
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    "metrics", [{"x": {"q": "mae"}, "c": None}, {"x": ["mae"]}, [["mae"], ["mae"], ["mae"], ["mae"]]]
)
def test_metrics_that_are_not_nested_as_the_outputs(metrics: Any) -> None:
    x = layers.Input((3,))
    model = portanet.Model(x, in_dicts(*(layers.Dense(1)(x) for _ in range(3))))
    model.compile("sgd", "mse", metrics=metrics)
    with pytest.raises(ValueError, match=r"`metrics` must be .*'c', 'x/a', 'x/b'\. Received: metrics="):
        model.fit(X, in_dicts(A, B, A), verbose=0)
