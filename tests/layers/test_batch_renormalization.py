"""Batch renormalization, on every backend, and against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad
from portanet.backends import Array, Backend
from tests.layers.matrix import check_layer

LIMITS = {"rmin": 0.5, "rmax": 1.2, "dmax": 0.3}


def test_matrix(backend: Backend) -> None:
    make = lambda: layers.BatchNormalization(renorm=True, renorm_clipping=LIMITS)
    check_layer(make, (4, 3), (4, 3))


def total(x: Array) -> Any:
    return array_namespace(x).sum(x)


@pytest.mark.parametrize("options", [{}, {"renorm_clipping": LIMITS, "renorm_momentum": 0.5, "scale": False}])
def test_against_keras(options: dict[str, Any]) -> None:
    keras, torch = pytest.importorskip("keras"), pytest.importorskip("torch")
    ours, theirs = (L.BatchNormalization(momentum=0.8, renorm=True, **options) for L in (layers, keras.layers))
    generator = np.random.default_rng(0)
    for _ in range(4):
        x = (generator.normal(size=(5, 2, 3)) * 3 + 1).astype("float32")
        factor = generator.normal(size=x.shape).astype("float32")
        slope = grad(lambda x, factor=factor: total(ours(x, training=True) * factor))(x)
        point = torch.tensor(x, requires_grad=True)
        (theirs(point, training=True) * torch.tensor(factor)).sum().backward()
        np.testing.assert_allclose(slope, point.grad.numpy(), rtol=1e-3, atol=1e-4)
    for own, other in zip(ours.get_weights(), theirs.weights, strict=True):
        np.testing.assert_allclose(own, other.value.detach().numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours(x), theirs(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_training(backend: Backend) -> None:
    model = portanet.Sequential([layers.Input((2,)), layers.BatchNormalization(renorm=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0)
    assert float(model.layers[0].renorm_mean.numpy()[0]) == pytest.approx(1 - 0.99**2, rel=1e-4)


def test_bad_limits() -> None:
    for limits, message in (({"r": 1.0}, "with the keys"), ({"rmin": 2.0, "rmax": 1.0}, "rmin of at most rmax")):
        with pytest.raises(ValueError, match=message):
            layers.BatchNormalization(renorm=True, renorm_clipping=limits)
