"""EinsumDense against Keras's with the same weights: values, gradients, initial values and configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.oracles.slopes import same_as_keras

keras = pytest.importorskip("keras")

CASES: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "as Dense": (("ab,bc->ac", 5, "tanh", "c"), (3, 4)),
    "an axis that stays": (("abc,cd->abd", (None, 5), None, "d"), (2, 3, 4)),
    "heads": (("abc,cde->abde", (None, 2, 3), "gelu", "de"), (2, 3, 4)),
    "no bias": (("abcd,cde->abe", (3, 5)), (2, 3, 4, 2)),
    "bias of two axes, apart": (("abc,bde->acde", (4, 2, 3), None, "ce"), (2, 3, 4)),
    "a kernel for each position": (("abc,bcd->abd", (3, 5), None, "bd"), (2, 3, 4)),
    "ellipsis first": (("...bc,bd->...dc", (5, 4), None, "d"), (2, 2, 3, 4)),
    "ellipsis last": (("ab...,bc->ac...", 5, None, "c"), (3, 4, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str, backend: Backend) -> None:
    arguments, shape = CASES[name]
    x = np.random.default_rng(1).normal(size=shape)
    ours = layers.EinsumDense(*arguments, dtype="float64")
    same_as_keras(ours, keras.layers.EinsumDense(*arguments, dtype="float64"), x)


def test_the_spread_of_initial_values() -> None:
    ours, theirs = (
        library.EinsumDense("abc,cde->abde", (None, 40, 30), kernel_initializer="he_normal")
        for library in (layers, keras.layers)
    )
    for layer in (ours, theirs):
        layer.build((2, 5, 100))
    assert float(np.std(ours.get_weights()[0])) == pytest.approx((2 / 100) ** 0.5, rel=0.02)
    assert float(np.std(theirs.kernel.value.detach().numpy())) == pytest.approx((2 / 100) ** 0.5, rel=0.02)
