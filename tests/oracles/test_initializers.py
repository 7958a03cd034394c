"""Initialisers against Keras: the same fans, and values of the same distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import initializers, layers

keras = pytest.importorskip("keras")
stats = pytest.importorskip("scipy.stats")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend than PyTorch here", allow_module_level=True)

CASES: dict[str, dict[str, Any]] = {
    "RandomNormal": {"mean": 0.1, "stddev": 0.3},
    "RandomUniform": {"minval": -0.2, "maxval": 0.3},
    "TruncatedNormal": {"mean": 0.1, "stddev": 0.3},
    "GlorotNormal": {},
    "GlorotUniform": {},
    "HeNormal": {},
    "HeUniform": {},
    "LecunNormal": {},
    "LecunUniform": {},
    "Orthogonal": {"gain": 1.5},
    "VarianceScaling": {"scale": 0.7, "mode": "fan_out", "distribution": "untruncated_normal"},
}


@pytest.mark.parametrize("shape", [(60, 80), (3, 3, 10, 12), (40, 160), (5, 8, 30)])
@pytest.mark.parametrize("name", CASES)
def test_distribution(name: str, shape: tuple[int, ...]) -> None:
    ours = getattr(initializers, name)(**CASES[name], seed=1)(shape)
    theirs = getattr(keras.initializers, name)(**CASES[name], seed=2)(shape).numpy()
    assert ours.shape == theirs.shape
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-3
    assert ours.std() == pytest.approx(theirs.std(), rel=0.05)


@pytest.mark.parametrize("name", ["Zeros", "Ones", "Constant", "Identity"])
def test_constants(name: str) -> None:
    options = {"value": 0.3} if name == "Constant" else {}
    ours = getattr(initializers, name)(**options)((4, 4))
    theirs = getattr(keras.initializers, name)(**options)((4, 4)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (5,), (5, 7), (3, 5, 7), (3, 3, 5, 7), (2, 3, 3, 5, 7)])
def test_fans(shape: tuple[int, ...]) -> None:
    from keras.src.initializers.random_initializers import compute_fans

    assert initializers.fans(shape) == compute_fans(shape)


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "bartlett", None, [0.5, 1.0, 2.0, 1.0, 0.5]])
def test_fourier_kernels(window: Any, side: str) -> None:
    for scaling, periodic in (("density", False), ("spectrum", True), (None, False)):
        ours, theirs = (
            module.STFT(side, window, scaling, periodic)((5, 1, 9)) for module in (initializers, keras.initializers)
        )
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-6)


def test_every_initializer_of_keras_is_here() -> None:
    known = {kind.__name__ for kind in vars(keras.initializers).values() if isinstance(kind, type)}
    assert known - set(vars(initializers)) == set()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (layers.MultiHeadAttention(8, 16, value_dim=24), lambda: keras.layers.MultiHeadAttention(8, 16, value_dim=24)),
        (layers.GroupQueryAttention(16, 8, 4), lambda: keras.layers.GroupQueryAttention(16, 8, 4)),
    ],
)
def test_the_spread_of_projections(ours: Any, theirs: Any) -> None:
    """Uniform between bounds that some of a thousand values come near to."""
    layer = theirs()
    for each in (ours, layer):
        each.build((2, 5, 64), (2, 5, 64))
    kernels = [w.numpy() for w in ours.weights if w.path.endswith("kernel")]
    others = [w.value.detach().numpy() for w in layer.weights if w.path.endswith("kernel")]
    assert [kernel.shape for kernel in kernels] == [kernel.shape for kernel in others]
    for mine, other in zip(kernels, others, strict=True):
        np.testing.assert_allclose(np.abs(mine).max(), np.abs(other).max(), rtol=0.01)
