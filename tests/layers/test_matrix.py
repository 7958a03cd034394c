"""The layer test itself: it accepts correct layers and rejects wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from portanet import layers
from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, Backend
from tests.layers.matrix import check_layer


def test_right_layers_pass(backend: Backend) -> None:
    check_layer(lambda: layers.Dense(4), (2, 3), (2, 4), {"kernel": (3, 4), "bias": (4,)})
    check_layer(lambda: layers.Dense(4, activation="tanh", use_bias=False), (2, 5, 3), (2, 5, 4), {"kernel": (3, 4)})
    check_layer(layers.Flatten, (2, 3, 4), (2, 12), {})
    check_layer(lambda: layers.Dropout(0.4), (3, 4), (3, 4), {}, training=True)
    check_layer(lambda: layers.Activation("softmax"), (3, 4), (3, 4), {})


class WrongShape(layers.Dense):
    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@custom_vjp
def wrong_square(x: Array) -> Any:
    return x * x, lambda g: (g * x,)


class WrongGradient(layers.Layer):
    def call(self, x: Array) -> Array:
        return wrong_square(x)


class Forgetful(layers.Dense):
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": None}


class Frozen(layers.Dense):
    def call(self, x: Array) -> Array:
        return array_namespace(x).sum(x, axis=1, keepdims=True)


class Promoting(layers.Layer):
    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.astype(x, xp.float64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WrongShape(4), "compute_output_shape says"),
        (WrongGradient, "by finite differences"),
        (lambda: Forgetful(4, activation="tanh"), "lost in get_config"),
        (lambda: Frozen(1), "training does not change weight 'kernel'"),
        (Promoting, "float32 in, float64 out"),
        (lambda: layers.Dense(5), "expected weights"),
    ],
)
def test_wrong_layers_are_caught(make: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_layer(make, (2, 3), None, {} if message == "expected weights" else None)
