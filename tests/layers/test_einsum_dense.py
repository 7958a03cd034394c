"""Dense layers over any axes, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from portanet import initializers, layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer


def test_matrix(backend: Backend) -> None:
    heads = lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3), "tanh", "de")
    check_layer(heads, (2, 3, 4), (2, 3, 2, 3), {"kernel": (4, 2, 3), "bias": (2, 3)})
    check_layer(lambda: layers.EinsumDense("...ab,bc->...ac", (3, 5)), (2, 2, 3, 4), (2, 2, 3, 5), {"kernel": (4, 5)})


def test_sizes_that_are_not_known_yet() -> None:
    layer = layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")
    assert layer(layers.Input((None, 4))).shape == (None, None, 5)
    assert layer(np.ones((2, 7, 4), dtype="float32")).shape == (2, 7, 5)
    assert layers.EinsumDense("...a,ab->...b", 5).compute_output_shape((None, 6, None, 4)) == (None, 6, None, 5)


def test_axes_of_the_initializer_stay() -> None:
    own = initializers.VarianceScaling(input_axes=[0, 1], output_axes=[2])
    layer = layers.EinsumDense("abc,cde->abde", (None, 50, 40), kernel_initializer=own)
    layer.build((None, None, 60))
    assert float(np.std(layer.get_weights()[0])) == pytest.approx((60 * 50) ** -0.5, rel=0.02)
    assert initializers.VarianceScaling.from_config(own.get_config()).input_axes == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ab->ac", 3), "`equation` .*must be like 'ab,bc->ac'"),
        (("...ab,bc->ac...", 3), "`equation` .*must be like 'ab,bc->ac'"),
        (("ab,bc->ca", 3), "`equation` .*first axis, that of the examples, stays"),
        (("ab,abc->ac", 3), "`equation` .*first axis, that of the examples, stays"),
        (("ab,bcd->ac", 3), "`equation` .*every letter of the kernel"),
        (("ab,bc->ac", (3, 4)), "`output_shape` .*a size for each of the axes 'c'"),
        (("ab,bc->ac", 3, None, "b"), "`bias_axes` .*some of the letters 'ac'"),
    ],
)
def test_bad_arguments(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.EinsumDense(*arguments)  # type: ignore[arg-type]


def test_bad_inputs() -> None:
    layer = layers.EinsumDense("abc,cd->abd", (3, 5))
    with pytest.raises(ValueError, match=r"needs inputs with the axes of 'abc,cd->abd'. Received: shape \(2, 4\)"):
        layer(np.ones((2, 4), dtype="float32"))
    with pytest.raises(ValueError, match=r"Axis 'b' of .* has size 3. Received: .*\(2, 2, 4\)"):
        layer(np.ones((2, 2, 4), dtype="float32"))
    layer(np.ones((2, 3, 4), dtype="float32"))
    with pytest.raises(ValueError, match=r"built for inputs with 4 features on axis 2. Received: .*\(2, 3, 1\)"):
        layer(np.ones((2, 3, 1), dtype="float32"))
    free = layers.EinsumDense("...a,ab->...b", 5)
    free(np.ones((2, 4), dtype="float32"))
    with pytest.raises(ValueError, match="needs inputs with 2 axes, like the first"):
        free(np.ones((2, 3, 4), dtype="float32"))
