"""Layers of augmentation layers: RandAugment, AugMix, Pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend, get_backend
from portanet.variables import bind
from tests.support import asarray, assert_close, to_numpy

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (2, 6, 5, 3))


def test_rand_augment_applies_its_layers(backend: Backend) -> None:
    """All are drawn; results are those of the layers in the order that was drawn, masks included."""
    layer = layers.RandAugment(num_ops=2, factor=(0.2, 0.3), seed=1)
    x = asarray(IMAGES)
    masks = asarray(np.arange(60, dtype="int32").reshape(2, 6, 5, 1))
    seen = set()
    for _ in range(20):
        drawn = layer.get_random_transformation(x)
        order = to_numpy(drawn["layer_idxes"]).tolist()
        seen.update(order)
        expected, moved = x, masks
        for i in order:
            expected = layer.choices[i].transform_images(expected, drawn["transforms"][i])
            moved = layer.choices[i].transform_segmentation_masks(moved, drawn["transforms"][i])
        assert_close(layer.transform_images(x, drawn), to_numpy(expected))
        np.testing.assert_array_equal(to_numpy(layer.transform_segmentation_masks(masks, drawn)), to_numpy(moved))
    assert len(seen) > 8


def test_aug_mix_is_a_mean_of_chains(backend: Backend) -> None:
    layer = layers.AugMix(num_chains=2, chain_depth=2, all_ops=False, seed=1)
    x = asarray(IMAGES)
    seen = set()
    for _ in range(8):
        drawn = layer.get_random_transformation(x)
        weights, own = to_numpy(drawn["chain_mixing_weights"]), to_numpy(drawn["weight_sample"])
        assert weights.sum() == pytest.approx(1.0)
        expected = own * to_numpy(x)
        for weight, links, indices in zip(weights, drawn["chains"], to_numpy(drawn["layer_idxes"]), strict=True):
            y = x
            for parts, i in zip(links, indices.tolist(), strict=True):
                seen.add(i)
                y = y if i == 7 else layer.choices[i].transform_images(y, parts[i])
            expected = expected + (1 - own) * weight * to_numpy(y)
        assert_close(layer.transform_images(x, drawn), np.clip(expected, 0, 255), rtol=1e-4, atol=1e-2)
    assert len(seen) > 5


def test_weights_of_aug_mix() -> None:
    """Of a Dirichlet and a beta distribution."""
    layer = layers.AugMix(num_chains=3, chain_depth=0, alpha=2.0, seed=1)
    drawn = [layer.get_random_transformation(IMAGES.astype("float32")) for _ in range(300)]
    weights = np.stack([each["chain_mixing_weights"] for each in drawn])
    own = np.asarray([each["weight_sample"] for each in drawn])
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 3, atol=0.03)
    np.testing.assert_allclose(weights.var(axis=0), 2 / 9 / 7, rtol=0.3)
    assert own.mean() == pytest.approx(0.5, abs=0.04)
    assert own.var() == pytest.approx(0.05, rel=0.25)


@pytest.mark.parametrize("make", [lambda: layers.RandAugment(seed=1), lambda: layers.AugMix(chain_depth=1, seed=1)])
def test_compiled(backend: Backend, make: Any) -> None:
    """Steps that cannot read which layers were drawn compute all, and choose."""
    if backend.name == "jax":
        pytest.skip("compiles for half a minute; the test of fixed layers covers JAX")
    x = asarray(IMAGES)
    layer = make()
    layer(x, training=False)
    state = {v: v.value for v in layer.variables}

    def step(x: Any) -> Any:
        with bind(dict(state)):
            return layer(x, training=True)

    np.testing.assert_allclose(to_numpy(get_backend().compile(step)(x)), to_numpy(step(x)), rtol=1e-4, atol=1e-2)


def test_pipeline(backend: Backend) -> None:
    make = lambda: [layers.AutoContrast(), layers.RandomFlip(seed=1), layers.Rescaling(1 / 255)]
    pipeline, parts = layers.Pipeline(make(), name="augmentation"), make()
    x = asarray(IMAGES)
    expected = x
    for layer in parts:
        expected = layer(expected, training=True)
    assert to_numpy(pipeline(x)).shape == IMAGES.shape
    assert_close(pipeline(x, training=False), to_numpy(parts[0](x)) / 255, rtol=1e-5)
    again = portanet.saving.deserialize_keras_object(portanet.saving.serialize_keras_object(pipeline))
    assert again.name == "augmentation"
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in parts]
    images = layers.Pipeline(make()[:2])({"images": x, "labels": asarray([1, 0], "int32")}, training=True)
    assert_close(images["labels"], [1, 0], dtype="int32")
    model = portanet.Sequential([layers.Input((6, 5, 3)), pipeline, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(IMAGES, np.ones((2, 1)), verbose=0).history["loss"]).all()
