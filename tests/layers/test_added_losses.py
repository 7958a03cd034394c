"""Losses that layers add outside of steps, as `losses` shows them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import portanet
from portanet import layers, ops
from portanet.autodiff import grad
from tests.support import asarray, assert_close


class Adds(layers.Layer):
    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            self.add_loss(ops.sum(x))
            self.add_loss(ops.sum(x) * 2)
        return x


class Outer(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.inner = [Adds(), Adds()]

    def call(self, x: Any) -> Any:
        return self.inner[0](self.inner[1](x)) + self.inner[0](x)


def values(layer: layers.Layer) -> list[float]:
    return [float(loss) for loss in layer.losses]


def test_losses_are_those_of_the_last_call(xp: Any) -> None:
    layer, x = Outer(), asarray([[1.0, 2.0]])
    assert layer.losses == []
    for _ in range(2):
        layer(x)
        assert values(layer) == [3.0, 6.0, 3.0, 6.0, 3.0, 6.0]  # of inner[0] twice
        assert values(layer.inner[1]) == [3.0, 6.0]
    layer.inner[0](x * 2)
    assert values(layer.inner[0]) == [6.0, 12.0]
    layer.inner[0](x, training=True)
    assert values(layer) == [3.0, 6.0]
    assert copy.deepcopy(layer).losses == []


def test_penalties_and_activities(xp: Any) -> None:
    layer = layers.Dense(1, use_bias=False, kernel_regularizer="l2", activity_regularizer="l2")
    layer(asarray([[1.0], [2.0]]))
    layer.set_weights([[[3.0]]])
    layer(asarray([[1.0], [2.0]]))
    assert_close(ops.stack(layer.losses), [(9 + 36) * 0.01 / 2, 9 * 0.01])


def test_they_are_differentiable(xp: Any) -> None:
    layer = Adds()

    def f(x: Any) -> Any:
        layer(x * x)
        return layer.losses[0] + layer.losses[1]

    assert_close(grad(f)(asarray([[1.0, 2.0]])), [[6.0, 12.0]])


def test_building_a_graph_and_predicting_add_none(backend: Any) -> None:
    layer = Outer()
    model = portanet.Model(inputs := layers.Input((2,)), layer(inputs))
    assert model.losses == []
    model.predict(asarray([[1.0, 2.0]]), verbose=0)
    assert model.losses == []
    model.compile("sgd", "mse")
    model.evaluate(asarray([[1.0, 2.0]]), asarray([[2.0, 4.0]]), verbose=0)
    assert model.losses == []


def test_a_loss_is_a_number(xp: Any) -> None:
    with pytest.raises(ValueError, match=r"Layer 'adds' must add a loss of shape \(\).* Received: \(2,\)"):
        Adds().add_loss(asarray([1.0, 2.0]))
