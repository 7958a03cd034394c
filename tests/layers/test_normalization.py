from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy


@pytest.mark.parametrize(
    ("make", "shape", "weights"),
    [
        (lambda: layers.LayerNormalization(), (4, 6), {"gamma": (6,), "beta": (6,)}),
        (lambda: layers.LayerNormalization([2, 1], scale=False), (4, 5, 3), {"beta": (5, 3)}),
        (lambda: layers.LayerNormalization(1, center=False), (4, 5, 3), {"gamma": (5,)}),
        (lambda: layers.GroupNormalization(2), (4, 5, 6), {"gamma": (6,), "beta": (6,)}),
        (lambda: layers.GroupNormalization(3, axis=1, center=False), (4, 6, 5), {"gamma": (6,)}),
        (lambda: layers.GroupNormalization(-1, axis=1, scale=False), (4, 6, 5), {"beta": (6,)}),
        (lambda: layers.InstanceNormalization(), (3, 4, 4, 2), {"gamma": (2,), "beta": (2,)}),
        (lambda: layers.RMSNormalization(), (4, 6), {"scale": (6,)}),
        (lambda: layers.RMSNormalization([1, 2]), (4, 3, 2), {"scale": (3, 2)}),
        (lambda: layers.UnitNormalization(), (4, 6), {}),
        (lambda: layers.UnitNormalization([1, 2]), (4, 3, 2), {}),
    ],
)
def test_layer(backend: Any, make: Any, shape: Any, weights: Any) -> None:
    check_layer(make, shape, shape, weights)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("make", "shape", "size"),
    [
        (lambda: layers.BatchNormalization(), (8, 3), (3,)),
        (lambda: layers.BatchNormalization(axis=1), (4, 3, 5), (3,)),
        (lambda: layers.BatchNormalization(axis=[1, -1]), (5, 3, 2), (3, 2)),
    ],
)
def test_batch_normalization(backend: Any, make: Any, shape: Any, size: Any, training: bool) -> None:
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    check_layer(make, shape, shape, dict.fromkeys(names, size), training=training)


@pytest.mark.parametrize("training", [False, True])
def test_normalized_weights(backend: Any, training: bool) -> None:
    dense = {"dense/kernel": (3, 2), "dense/bias": (2,)}
    # In training, the vectors also change with the kernel; by definition, the derivative ignores this.
    options: Any = {"weights": {"vector_u": (1, 2), **dense}, "training": training, "gradient": not training}
    check_layer(lambda: layers.SpectralNormalization(layers.Dense(2)), (4, 3), (4, 2), **options)
    check_layer(
        lambda: layers.WeightNormalization(layers.Dense(2)), (4, 3), (4, 2), {"g": (2,), **dense}, training=training
    )


def test_batch_normalization_recovers_the_identity(backend: Any) -> None:
    """With gamma the standard deviation and beta the mean, the layer does nothing."""
    host = np.random.default_rng(0).standard_normal((64, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, -7.0]
    layer = layers.BatchNormalization(epsilon=0.0)
    layer.build((64, 3))
    layer.set_weights([host.std(axis=0), host.mean(axis=0), np.zeros(3), np.ones(3)])
    assert_close(layer(asarray(host), training=True), host, rtol=1e-4, atol=1e-5)


def test_running_statistics(backend: Any) -> None:
    """They follow the batches only in training, and inference uses them."""
    batches = np.random.default_rng(1).standard_normal((5, 16, 2)) * 3 + 2
    layer = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    mean, variance = np.zeros(2), np.ones(2)
    for batch in batches:
        layer(asarray(batch), training=True)
        mean, variance = 0.9 * mean + 0.1 * batch.mean(axis=0), 0.9 * variance + 0.1 * batch.var(axis=0)
    x = asarray(batches[0])
    expected = (batches[0] - mean) / np.sqrt(variance + 1e-5)
    for _ in range(2):
        assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(to_numpy(layer.moving_mean.value), mean, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(layer.moving_variance.value), variance, rtol=1e-5)


def test_frozen_batch_normalization_is_in_inference_mode(backend: Any) -> None:
    x = asarray(np.random.default_rng(2).standard_normal((6, 2)) + 4)
    layer = layers.BatchNormalization()
    layer(x, training=True)
    before = layer.get_weights()
    layer.trainable = False
    assert_close(layer(x, training=True), to_numpy(layer(x)))
    for ours, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, old)


def test_masked_places_do_not_count(backend: Any) -> None:
    generator = np.random.default_rng(3)
    host, mask = generator.standard_normal((4, 5, 2)), generator.random((4, 5)) < 0.6
    host[~mask] = 100.0
    layer = layers.BatchNormalization(momentum=0.0, epsilon=0.0)
    out = to_numpy(layer(asarray(host), training=True, mask=asarray(mask)))
    seen = host[mask]
    np.testing.assert_allclose(out[mask], (seen - seen.mean(axis=0)) / seen.std(axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(to_numpy(layer.moving_mean.value), seen.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(to_numpy(layer.moving_variance.value), seen.var(axis=0), rtol=1e-4)


def test_fit_keeps_running_statistics(backend: Any) -> None:
    """In compiled training steps too: after an epoch, they are those of the batches."""
    x = np.random.default_rng(4).standard_normal((8, 2)).astype("float32") + 3
    model = portanet.Sequential([layers.Input((2,)), layers.BatchNormalization(momentum=0.5), layers.Dense(1)])
    model.compile(portanet.optimizers.SGD(0.01), "mse")
    model.fit(x, x[:, :1], batch_size=8, epochs=2, verbose=0)
    moving = model.named_variables()["batch_normalization/moving_mean"].numpy()
    np.testing.assert_allclose(moving, 0.75 * x.mean(axis=0), rtol=1e-4)


def test_nothing_is_left_behind_by_a_gradient(backend: Any) -> None:
    """Running statistics after a gradient are plain arrays, and equal those of a plain call."""
    host = np.random.default_rng(5).standard_normal((6, 3))
    first, second = layers.BatchNormalization(), layers.BatchNormalization()
    for layer in (first, second):
        layer.build((6, 3))

    def total(x: Any) -> Any:
        out = first(x, training=True)
        return array_namespace(out).sum(out * out)

    grad(total)(asarray(host))
    second(asarray(host), training=True)
    for ours, theirs in zip(first.weights, second.weights, strict=True):
        assert backend.owns(ours.value)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_groups_of_one_channel_are_instances_and_one_group_is_the_layer(backend: Any) -> None:
    x = asarray(np.random.default_rng(6).standard_normal((3, 4, 4, 6)))
    instance = to_numpy(layers.InstanceNormalization()(x))
    np.testing.assert_allclose(to_numpy(layers.GroupNormalization(6)(x)), instance, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(instance.mean(axis=(1, 2)), 0, atol=1e-5)
    whole = to_numpy(layers.LayerNormalization(axis=[1, 2, 3])(x))
    np.testing.assert_allclose(to_numpy(layers.GroupNormalization(1)(x)), whole, rtol=1e-5, atol=1e-6)


def test_zeros_stay_zeros(backend: Any) -> None:
    x = asarray(np.zeros((2, 3)))
    for layer in (layers.UnitNormalization(), layers.RMSNormalization(), layers.LayerNormalization()):
        assert_close(layer(x), np.zeros((2, 3)))
    slope = grad(lambda x: array_namespace(x).sum(layers.UnitNormalization()(x)))(x)
    assert np.isfinite(to_numpy(slope)).all()
    wrapped = layers.WeightNormalization(layers.Dense(2, use_bias=False, kernel_initializer="zeros"))
    assert_close(wrapped(x + 1), np.zeros((2, 2)))


def test_half_precision_statistics_are_taken_in_single(backend: Any) -> None:
    """Squares of 300 overflow in half precision."""
    host = np.asarray([[300.0, -300.0]], dtype="float16")
    if not hasattr(backend.xp, "float16"):
        pytest.skip(f"{backend.name} has no float16")
    out = layers.LayerNormalization(dtype="mixed_float16")(
        backend.xp.astype(asarray(host.astype("float32")), backend.xp.float16)
    )
    assert out.dtype == backend.xp.float16
    np.testing.assert_allclose(to_numpy(out), [[1.0, -1.0]], rtol=1e-3)


def test_spectral_norm_is_one(backend: Any) -> None:
    layer = layers.SpectralNormalization(layers.Dense(5, use_bias=False), power_iterations=40)
    x = asarray(np.eye(7))
    out = layer(x, training=True)
    assert np.linalg.norm(to_numpy(out), 2) == pytest.approx(1, rel=1e-3)
    kernel = layer.layer.get_weights()[0]
    np.testing.assert_allclose(to_numpy(layer(x)), kernel / np.linalg.norm(kernel, 2), rtol=1e-2, atol=1e-3)
    layer.layer.set_weights([np.zeros((7, 5))])
    assert_close(layer(x, training=True), np.zeros((7, 5)))


def test_wrapped_layers_keep_their_state_in_training(backend: Any) -> None:
    """A step returns the power iteration's vector, and the random counter of a layer inside the wrapped one."""

    class Noisy(layers.Dense):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.noise = layers.GaussianNoise(0.1)
            self.noise.build(input_shape)

        def call(self, x: Any) -> Any:
            return super().call(self.noise(x))

    wrapped = layers.SpectralNormalization(Noisy(1))
    model = portanet.Sequential([layers.Input((3,)), wrapped])
    model.compile(portanet.optimizers.SGD(0.01), "mse")
    before = wrapped.vector_u.numpy()
    model.fit(np.ones((4, 3), dtype="float32"), np.ones((4, 1), dtype="float32"), epochs=3, verbose=0)
    assert (wrapped.vector_u.numpy() != before).any()
    assert int(wrapped.layer.noise.counter.numpy()) == 3


def test_weight_normalization_learns_lengths(backend: Any) -> None:
    layer = layers.WeightNormalization(layers.Dense(2, use_bias=False))
    x = asarray(np.eye(3))
    kernel = to_numpy(layer(x))
    np.testing.assert_allclose(
        kernel, layer.layer.get_weights()[0], rtol=1e-5, atol=1e-6
    )  # initially, it equals the layer
    layer.g.assign(asarray([3.0, 0.5]))
    np.testing.assert_allclose(np.linalg.norm(to_numpy(layer(x)), axis=0), [3.0, 0.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LayerNormalization(epsilon=-1.0), r"`epsilon` of layer 'layer_normalization' .*: epsilon=-1.0"),
        (lambda: layers.LayerNormalization(axis=1.5), "`axis` .* an integer, or several of them. Received: axis=1.5"),
        (lambda: layers.BatchNormalization(momentum=2), r"`momentum` .* in \[0, 1\]. Received: momentum=2"),
        (lambda: layers.GroupNormalization(0), r"`groups` .* positive integer or -1. Received: groups=0"),
        (lambda: layers.GroupNormalization(4).build((2, 6)), r"4 groups can share. Received: 6 channels"),
        (lambda: layers.GroupNormalization(2, axis=[1, 2]), r"`axis` .* an integer. Received: axis=\[1, 2\]"),
        (lambda: layers.InstanceNormalization().build((2, 6)), r"\(batch, ..., channels\). Received: shape \(2, 6\)"),
        (lambda: layers.SpectralNormalization("dense"), r"`layer` .* must be a layer. Received: layer='dense'"),
        (lambda: layers.SpectralNormalization(layers.Dense(1), 0), r"`power_iterations` .*power_iterations=0"),
        (lambda: layers.WeightNormalization(layers.Flatten()).build((2, 6)), r"`kernel` or `embeddings`. Received: <F"),
    ],
)
def test_bad_input(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("axis", [[0], [-3], [3], [-4], [4], [5], [1, 0], [2, -1], [1, 1], [1, 2, 3]])
def test_axes_that_a_normalization_cannot_have(axis: list[int]) -> None:
    message = rf"name axes of the input, each once and not the batch axis. Received: axis=\{axis} for .* \(2, 3, 4\)"
    with pytest.raises(ValueError, match=message):
        layers.LayerNormalization(axis=axis).build((2, 3, 4))


@pytest.mark.parametrize("axis", [1, -2, 2, -1, [-1, 1], [2, -2]])
def test_each_other_axis_is_one_that_a_normalization_may_have(backend: Any, axis: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    along = (axis,) if isinstance(axis, int) else tuple(axis)
    mean, std = x.mean(along, keepdims=True), x.std(along, keepdims=True)
    layer = layers.LayerNormalization(axis=axis, epsilon=0.0)
    np.testing.assert_allclose(to_numpy(layer(asarray(x))), (x - mean) / std, rtol=1e-4, atol=1e-5)


def test_bad_calls(backend: Any) -> None:
    x = asarray(np.ones((4, 5, 2)))
    for layer in (layers.LayerNormalization(), layers.BatchNormalization(), layers.RMSNormalization()):
        layer.build((None, 5, 3))
        with pytest.raises(ValueError, match=r"3 features on axis .* Received: an input of shape \(4, 5, 2\)"):
            layer(x)
    layer = layers.BatchNormalization()
    with pytest.raises(ValueError, match=r"needs a mask .* Received: a mask of shape \(5,\)"):
        layer(x, training=True, mask=asarray(np.ones(5, dtype=bool)))
    with pytest.raises(ValueError, match=r"statistics of no examples. Received: shape \(0, 5, 2\)"):
        layer(asarray(np.ones((0, 5, 2))), training=True)
