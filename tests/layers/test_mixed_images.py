"""Layers that mix images: labels follow, parts have the right distributions; and what comes with images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from portanet import layers
from portanet.backends import Backend
from tests.support import asarray, assert_close, to_numpy

BATCH = 400
IMAGES = np.random.default_rng(0).uniform(0.0, 1.0, (BATCH, 20, 15, 1)) + np.arange(BATCH).reshape(-1, 1, 1, 1)


def parts(layer: Any) -> tuple[Any, Any, Any]:
    """The images of 400 examples, the part of each that is its own, and the example with which it was mixed."""
    data = {"images": asarray(IMAGES), "labels": asarray(np.eye(BATCH))}
    out = layer(data, training=True)
    images, labels = to_numpy(out["images"]), to_numpy(out["labels"])
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-5)
    own = np.diagonal(labels)
    others = labels - np.diag(own)
    other = np.where(others.sum(axis=1) > 0, others.argmax(axis=1), np.arange(BATCH))
    return images, own, other


def test_mix_up(backend: Backend) -> None:
    images, own, other = parts(layers.MixUp(0.5, seed=1))
    weight = own.reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(images, weight * IMAGES + (1 - weight) * IMAGES[other], rtol=1e-4, atol=1e-2)
    assert stats.kstest(own[other != np.arange(BATCH)], stats.beta(0.5, 0.5).cdf).pvalue > 0.001
    assert np.unique(other).size > BATCH / 2


def test_cut_mix(backend: Backend) -> None:
    images, own, other = parts(layers.CutMix((1.0, 1.0), seed=2))
    kept = np.isclose(images, IMAGES, rtol=1e-5)
    assert (kept | np.isclose(images, IMAGES[other], rtol=1e-5)).all()
    np.testing.assert_allclose(np.mean(kept, axis=(1, 2, 3)), own, atol=0.13)  # rectangles of whole pixels
    assert abs(np.mean(kept) - np.mean(own)) < 0.02
    assert stats.kstest(own[other != np.arange(BATCH)], "uniform").pvalue > 0.001
    for rows in (kept[:, :, :, 0], kept[:, :, :, 0].swapaxes(1, 2)):  # what is replaced is a rectangle
        replaced = ~rows
        lines = replaced.any(axis=2, keepdims=True) & replaced.any(axis=1, keepdims=True)
        assert (lines == replaced).all()


def test_labels_and_masks_of_other_forms(backend: Backend) -> None:
    """Whole numbers become floating-point where they are mixed; masks are those of the same examples."""
    x = asarray(IMAGES[:4])
    for layer in (layers.MixUp(seed=3), layers.CutMix(seed=3)):
        data = {"images": x, "labels": asarray(np.arange(4, dtype="int32")), "segmentation_masks": x}
        out = layer(data, training=True)
        assert_close(out["segmentation_masks"], to_numpy(out["images"]))
        labels = to_numpy(out["labels"])
        assert labels.dtype == "float32"
        assert labels.shape == (4,)
        assert ((labels >= 0) & (labels <= 3.00001)).all()  # sums of float32
        same = layer(data, training=False)
        assert_close(same["labels"], [0, 1, 2, 3], dtype="int32")


def test_an_image_alone_remains(backend: Backend) -> None:
    x = asarray(IMAGES[0])
    for layer in (layers.MixUp(), layers.CutMix()):
        assert_close(layer(x, training=True), IMAGES[0])


def test_erased_rectangles(backend: Backend) -> None:
    x = np.full((BATCH, 20, 30, 2), 50.0)
    out = to_numpy(layers.RandomErasing((0.5, 0.5), (0.1, 0.4), fill_value=300.0, seed=1)(asarray(x), training=True))
    erased = (out == 255.0).all(axis=-1)
    assert ((out == 50.0).all(axis=-1) | erased).all()
    changed = erased.any(axis=(1, 2))
    assert np.mean(changed) == pytest.approx(0.5, abs=0.1)
    for axis, size in ((1, 20), (2, 30)):
        lengths = erased.any(axis=3 - axis).sum(axis=1)[changed] / size
        assert lengths.min() > np.sqrt(0.1) - 1 / size
        assert lengths.max() < np.sqrt(0.4) + 1 / size
        assert np.mean(lengths**2) == pytest.approx(0.25, abs=0.03)
    noise = to_numpy(
        layers.RandomErasing((1.0, 1.0), (1.0, 1.0), value_range=(-1, 1), seed=1)(asarray(x), training=True)
    )
    assert np.mean(np.abs(noise) == 1.0) == pytest.approx(2 * stats.norm.sf(1.0), abs=0.01)
    assert np.std(noise[np.abs(noise) < 1]) == pytest.approx(stats.truncnorm(-1, 1).std(), abs=0.01)
    colors = to_numpy(
        layers.RandomErasing((1.0, 1.0), (1.0, 1.0), (1.0, 2.0, 3.0))(asarray(np.zeros((1, 2, 2, 3))), training=True)
    )
    np.testing.assert_array_equal(colors, np.broadcast_to([1.0, 2.0, 3.0], (1, 2, 2, 3)))


def test_masks_move_with_images(backend: Backend) -> None:
    """With the same draws, and without values between those of the masks."""
    host = np.random.default_rng(0).integers(0, 4, (3, 8, 6, 1))
    for make in (
        lambda **o: layers.RandomShear(0.4, interpolation="nearest", seed=1, **o),
        lambda **o: layers.RandomRotation(0.3, interpolation="nearest", seed=1, **o),
        lambda **o: layers.RandomPerspective((1.0, 1.0), 0.5, "nearest", seed=1, **o),
        lambda **o: layers.RandomElasticTransform((1.0, 1.0), interpolation="nearest", seed=1, **o),
        lambda **o: layers.RandomFlip(seed=1, **o),
        lambda **o: layers.RandomCrop(3, 4, seed=1, **o),
        lambda **o: layers.RandomCrop(9, 9, seed=1, **o),
    ):
        masks = asarray(host.astype("int32"))
        out = make()({"images": asarray(host), "segmentation_masks": masks}, training=True)
        assert "int32" in str(out["segmentation_masks"].dtype)
        if out["images"].shape[1] != 9:  # which is resized
            np.testing.assert_allclose(to_numpy(out["images"]), to_numpy(out["segmentation_masks"]), atol=1e-4)
        assert set(np.unique(to_numpy(out["segmentation_masks"]))) <= {0, 1, 2, 3}


def test_small_images_are_resized(backend: Backend) -> None:
    x = asarray(np.arange(12.0).reshape(1, 3, 4, 1))
    for training in (True, False):
        assert_close(layers.RandomCrop(6, 6)(x, training=training), to_numpy(layers.CenterCrop(6, 6)(x)))


def test_augmentation_alone_augments(backend: Backend) -> None:
    """As in Keras: called without `training`, alone or in a model; `predict` and `training=False` do not."""
    import portanet

    x = asarray(IMAGES[:8])
    model = portanet.Sequential([layers.Input((20, 15, 1)), layers.RandomFlip(seed=1)])
    for layer in (layers.RandomFlip(seed=1), model, portanet.Sequential([layers.RandomFlip(seed=1)])):
        assert (to_numpy(layer(x)) != IMAGES[:8].astype("float32")).any()
        assert_close(layer(x, training=False), IMAGES[:8])
    np.testing.assert_allclose(model.predict(IMAGES[:8].astype("float32"), verbose=0), IMAGES[:8], rtol=1e-6)


@pytest.mark.parametrize("key", ["bounding_boxes", "weights"])
def test_nothing_else_may_come_with_images(key: str) -> None:
    with pytest.raises(ValueError, match=rf"'segmentation_masks'. Received: keys \['images', '{key}'\]"):
        layers.RandomFlip()({"images": np.ones((1, 2, 2, 1)), key: np.ones((1, 4))}, training=True)
