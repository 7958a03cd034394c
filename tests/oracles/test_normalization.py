"""Normalisation against Keras and PyTorch with the same weights: values, gradients, running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad
from portanet.variables import bind

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
K = keras.layers
F = torch.nn.functional
TOLERANCE = {"float64": 1e-6, "float32": 1e-4}


def with_keras(make: Any) -> Any:
    """The layer of Keras as a function of an input and weights."""

    def compute(x: Any, weights: list[Any], training: bool) -> Any:
        layer = make(str(x.dtype).rpartition(".")[2])
        layer.build(x.shape)
        takes = "training" in layer.call.__code__.co_varnames
        trained, kept = layer.trainable_variables, layer.non_trainable_variables
        if kept:  # gamma, beta, moving mean, moving variance
            return layer.stateless_call(weights[: len(trained)], weights[len(trained) :], x, training=training)[0]
        return layer.stateless_call(weights, [], x, **({"training": training} if takes else {}))[0]

    return compute


def first(x: Any) -> Any:
    """Channels first, as in PyTorch."""
    return torch.movedim(x, -1, 1)


def last(x: Any) -> Any:
    return torch.movedim(x, 1, -1)


CASES: dict[str, tuple[Any, Any, tuple[int, ...]]] = {
    "layer": (layers.LayerNormalization, with_keras(lambda d: K.LayerNormalization(dtype=d)), (4, 6)),
    "layer, two axes": (
        lambda: layers.LayerNormalization([1, 2], 1e-2, scale=False),
        with_keras(lambda d: K.LayerNormalization([1, 2], 1e-2, scale=False, dtype=d)),
        (4, 3, 5),
    ),
    "layer, PyTorch": (
        lambda: layers.LayerNormalization(epsilon=1e-5),
        lambda x, w, t: F.layer_norm(x, (6,), w[0], w[1], 1e-5),
        (4, 3, 6),
    ),
    "group": (
        lambda: layers.GroupNormalization(3),
        with_keras(lambda d: K.GroupNormalization(3, dtype=d)),
        (2, 4, 5, 6),
    ),
    "group, channels first": (
        lambda: layers.GroupNormalization(2, axis=1, epsilon=1e-5),
        lambda x, w, t: F.group_norm(x, 2, w[0], w[1], 1e-5),
        (2, 6, 4, 5),
    ),
    "group, -1": (
        lambda: layers.GroupNormalization(-1, center=False),
        with_keras(lambda d: K.GroupNormalization(-1, center=False, dtype=d)),
        (2, 4, 5, 3),
    ),
    "instance": (
        lambda: layers.InstanceNormalization(epsilon=1e-5),
        lambda x, w, t: last(F.instance_norm(first(x), None, None, w[0], w[1], True, 0.1, 1e-5)),
        (2, 4, 5, 3),
    ),
    "rms": (layers.RMSNormalization, with_keras(lambda d: K.RMSNormalization(dtype=d)), (4, 6)),
    "rms, PyTorch": (
        lambda: layers.RMSNormalization([1, 2], 1e-5),
        lambda x, w, t: F.rms_norm(x, (3, 6), w[0], 1e-5),
        (4, 3, 6),
    ),
    "unit": (layers.UnitNormalization, with_keras(lambda d: K.UnitNormalization(dtype=d)), (4, 6)),
    "batch": (layers.BatchNormalization, with_keras(lambda d: K.BatchNormalization(dtype=d)), (5, 4, 3)),
    "batch, axis 1": (
        lambda: layers.BatchNormalization(axis=1, epsilon=1e-5),
        lambda x, w, t: F.batch_norm(x, w[2].detach().clone(), w[3].detach().clone(), w[0], w[1], t, 0.1, 1e-5),
        (5, 3, 4),
    ),
    "batch, plain": (
        lambda: layers.BatchNormalization(center=False, scale=False),
        with_keras(lambda d: K.BatchNormalization(center=False, scale=False, dtype=d)),
        (5, 3),
    ),
    "weight": (
        lambda: layers.WeightNormalization(layers.Dense(2)),
        lambda x, w, t: x @ torch._weight_norm(w[1], w[0][None, :], 1) + w[2],
        (5, 3),
    ),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str, training: bool, dtype: str) -> None:
    make, theirs, shape = CASES[name]
    if training and not name.startswith("batch"):
        pytest.skip("the same in training")
    generator = np.random.default_rng(5)
    host = generator.standard_normal(shape) * 2 + 1
    with portanet.use_backend("numpy", dtype=dtype):
        ours, x = make(), portanet.asarray(host)
        ours.build(shape)
        weights = [generator.uniform(0.5, 2.0, v.shape) for v in ours.weights]
        ours.set_weights(weights)
        trained = ours.trainable_weights
        factors = generator.standard_normal((*shape[:-1], ours.compute_output_shape(shape)[-1])).astype(dtype)

        def total(x: Any, values: list[Any]) -> Any:
            with bind(dict(zip(trained, values, strict=True))):
                out = ours(x, training=training)
            return array_namespace(out).sum(out * factors)

        by_x, by_weights = grad(total, (0, 1))(x, [w.value for w in trained])
        ours.set_weights(weights)
        result = ours(x, training=training)
    tensor = torch.tensor(host, dtype=getattr(torch, dtype), requires_grad=True)
    parameters = [
        torch.tensor(w, dtype=getattr(torch, dtype), requires_grad=v.trainable)
        for w, v in zip(weights, ours.weights, strict=True)
    ]
    expected = theirs(tensor, parameters, training)
    (expected * torch.tensor(factors)).sum().backward()
    near = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(result, expected.detach().numpy(), **near)
    np.testing.assert_allclose(by_x, tensor.grad.numpy(), **near)
    tensors = [t for t in parameters if t.requires_grad]
    assert len(tensors) == len(by_weights)
    for slope, parameter in zip(by_weights, tensors, strict=True):
        np.testing.assert_allclose(slope, parameter.grad.numpy(), **near)


@pytest.mark.parametrize("masked", [False, True])
def test_running_statistics(masked: bool) -> None:
    """After several steps, with and without a mask, as Keras."""
    generator = np.random.default_rng(6)
    ours, theirs = layers.BatchNormalization(momentum=0.8), K.BatchNormalization(momentum=0.8, dtype="float64")
    with portanet.use_backend("numpy", dtype="float64"):
        for _ in range(4):
            x = generator.standard_normal((6, 5, 3)) * 3 + 1
            mask = generator.random((6, 5)) < 0.7 if masked else None
            options = {} if mask is None else {"mask": torch.tensor(mask)}
            expected = theirs(torch.tensor(x), training=True, **options).detach().numpy()
            np.testing.assert_allclose(ours(x, training=True, mask=mask), expected, rtol=1e-6, atol=1e-6)
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    for weight, reference in zip(ours.get_weights(), theirs.weights, strict=True):
        np.testing.assert_allclose(weight, reference.value.detach().numpy(), rtol=1e-6, atol=1e-6)


def test_spectral_normalization() -> None:
    """PyTorch's kernels have the units first; both run power iteration from the same vector."""
    generator = np.random.default_rng(7)
    kernel, x, u = generator.standard_normal((3, 2)), generator.standard_normal((4, 3)), np.asarray([[0.6, 0.8]])
    linear = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2, bias=False, dtype=torch.float64), eps=1e-12)
    with torch.no_grad():
        linear.weight_orig.copy_(torch.tensor(kernel.T))
        linear.weight_u.copy_(torch.tensor(u[0]))
    with portanet.use_backend("numpy", dtype="float64"):
        ours = layers.SpectralNormalization(layers.Dense(2, use_bias=False))
        ours.build((4, 3))
        ours.set_weights([u, kernel])
        inner = ours.layer.kernel
        for _ in range(3):
            linear.zero_grad()
            expected = linear(torch.tensor(x))
            (expected**3).sum().backward()

            def total(value: Any) -> Any:
                with bind({inner: value}):
                    out = ours(x, training=True)
                return array_namespace(out).sum(out**3)

            slope = grad(total)(inner.value)
            np.testing.assert_allclose(slope.T, linear.weight_orig.grad.numpy(), rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(ours.vector_u.numpy()[0], linear.weight_u.numpy(), rtol=1e-8)
