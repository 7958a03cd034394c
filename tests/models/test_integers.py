"""Integers reach layers that take them as they are, however deep these are in a model; others get the compute dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import Model, Sequential, layers
from portanet.backends import get_backend
from portanet.layers import Input, Layer


class Look(Layer):
    """Notes the dtypes of its inputs."""

    seen: str

    def call(self, x: Any) -> Any:
        self.seen = get_backend().dtype_name(x.dtype)
        return x


class Numbers(Look):
    """A layer for class numbers."""

    takes_integers = True
    autocast = False


def graph(*chain: Layer) -> Model:
    x = out = Input((3,))
    for layer in chain:
        out = layer(out)
    return Model(x, out)


NESTINGS: list[Callable[[Layer], Layer]] = [
    lambda layer: layer,
    lambda layer: Sequential([layer, layers.Dense(2)]),
    lambda layer: Sequential([Sequential([layer]), layers.Dense(2)]),
    lambda layer: graph(layer, layers.Dense(2)),
    lambda layer: Sequential([layers.Flatten(), layer, layers.Dense(2)]),
]


@pytest.mark.parametrize(
    "outer", [graph, lambda *chain: Sequential([Input((3,)), *chain]), lambda *chain: Sequential([*chain])]
)
@pytest.mark.parametrize("nested", NESTINGS)
@pytest.mark.parametrize(("kind", "expected"), [(Numbers, "int32"), (Look, "float32")])
def test_integers_reach_what_takes_them(backend: Any, outer: Any, nested: Any, kind: Any, expected: str) -> None:
    layer = kind()
    model = outer(layers.Flatten(), nested(layer), layers.Dense(1))
    model.predict(np.ones((2, 3), dtype="int32"))
    assert layer.seen == expected
