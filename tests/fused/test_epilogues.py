"""An activation that is a part of an op: the same values and derivatives as after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.activations import relu
from portanet.autodiff import array_namespace, grad, hvp
from portanet.backends import Backend
from portanet.fused.convolution import conv_nd
from portanet.fused.products import dense
from tests.support import asarray, assert_close

SHAPES = {"dense": ((6, 4), (4, 3), (3,)), "convolution": ((2, 6, 5, 2), (3, 2, 2, 3), (3,))}


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("name", list(SHAPES))
def test_values_and_derivatives_are_those_of_the_activation_after_it(backend: Backend, name: str, biased: bool) -> None:
    op: Any = dense if name == "dense" else conv_nd
    generator = np.random.default_rng(5)
    x, k, *b = (asarray(generator.standard_normal(shape)) for shape in SHAPES[name][: 3 if biased else 2])

    def loss(together: bool) -> Any:
        def function(x: Any, k: Any, *b: Any) -> Any:
            bias = b[0] if b else None
            y = op(x, k, bias, activation="relu") if together else relu(op(x, k, bias))
            return array_namespace(y).sum(y * y * y)

        return function

    numbers = tuple(range(2 + biased))
    gradients = [grad(loss(together), argnums=numbers)(x, k, *b) for together in (True, False)]
    for one, other in zip(*gradients, strict=True):
        assert_close(one, other)
    curvatures = [hvp(loss(together), (x, k, *b), (x, k, *b)) for together in (True, False)]
    for one, other in zip(*curvatures, strict=True):
        assert_close(one, other)
