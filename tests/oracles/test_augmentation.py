"""Augmentation against Keras: with the transformations that Keras draws, results are those of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from portanet.tree import tree_map

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (3, 8, 9, 3)).astype("float32")
LABELS = np.eye(3, 4, dtype="float32")
MASKS = np.random.default_rng(1).integers(0, 3, (3, 8, 9, 1)).astype("int32")

DRAWN: dict[str, Any] = {
    "blur": lambda module, **o: module.RandomGaussianBlur(0.8, 3, (0.3, 0.9), **o),
    "brightness": lambda module, **o: module.RandomBrightness(0.4, **o),
    "colors": lambda module, **o: module.RandomColorDegeneration((0.0, 1.0), **o),
    "contrast": lambda module, **o: module.RandomContrast(0.4, **o),
    "cut": lambda module, **o: module.CutMix(**o),
    "erasing": lambda module, **o: module.RandomErasing(0.9, (0.2, 0.6), **o),
    "erasing, constant": lambda module, **o: module.RandomErasing(0.9, 0.7, fill_value=20.0, **o),
    "hue": lambda module, **o: module.RandomHue(0.9, **o),
    "hue, other range": lambda module, **o: module.RandomHue((0.2, 0.9), (-20, 300), **o),
    "mix": lambda module, **o: module.MixUp(0.5, **o),
    "perspective": lambda module, **o: module.RandomPerspective(0.9, 0.5, **o),
    "perspective, nearest": lambda module, **o: module.RandomPerspective((1.0, 1.0), 0.5, "nearest", 7.0, **o),
    "saturation": lambda module, **o: module.RandomSaturation((0.0, 0.5), **o),
    "sharpness": lambda module, **o: module.RandomSharpness((0.0, 1.0), **o),
    "solarization": lambda module, **o: module.Solarization(0.5, 0.5, **o),
}


WITHOUT_MASKS = ("mix", "perspective", "perspective, nearest")


def converted(transformation: Any, backend: Backend) -> Any:
    def convert(x: Any) -> Any:
        return backend.from_host(np.asarray(x.detach())) if isinstance(x, torch.Tensor) else x

    return tree_map(convert, transformation)


def outputs(layer: Any, data: dict[str, Any], transformation: Any) -> list[Any]:
    return [getattr(layer, f"transform_{key}")(part, transformation) for key, part in data.items()]


@pytest.mark.parametrize("form", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", DRAWN)
def test_drawn_by_keras(backend: Backend, name: str, form: str) -> None:
    """Images, labels and segmentation masks.

    Keras on PyTorch mixes up batches of masks in MixUp, and rounds perspectives of integers.
    """
    theirs, ours = (DRAWN[name](module, data_format=form) for module in (keras.layers, layers))
    data = {"images": IMAGES, "labels": LABELS} | ({} if name in WITHOUT_MASKS else {"segmentation_masks": MASKS})
    if form == "channels_first":
        data = {key: x if key == "labels" else np.moveaxis(x, -1, 1).copy() for key, x in data.items()}
    keras.utils.set_random_seed(3)
    drawn = theirs.get_random_transformation(torch.from_numpy(data["images"]), training=True)
    if form == "channels_first" and "batch_masks" in drawn:
        drawn["batch_masks"] = drawn["batch_masks"][:, :1]
    expected = outputs(theirs, {key: torch.from_numpy(x.copy()) for key, x in data.items()}, drawn)
    if form == "channels_first":
        for key in ("batch_masks", "fill_value"):
            if key in drawn:
                drawn[key] = drawn[key].movedim(1, -1)
    actual = outputs(ours, tree_map(backend.from_host, data), converted(drawn, backend))
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(portanet.to_host(a), b.numpy(), rtol=1e-4, atol=2e-2)


FIXED: dict[str, Any] = {
    "auto contrast": lambda module, **o: module.AutoContrast(**o),
    "equalization": lambda module, **o: module.Equalization(**o),
    "equalization, few bins": lambda module, **o: module.Equalization((-10, 300), 16, **o),
    "rotation": lambda module, **o: module.RandomRotation((0.1, 0.1), **o),
    "rotation, constant": lambda module, **o: module.RandomRotation(
        (0.3, 0.3), "constant", "nearest", fill_value=5.0, **o
    ),
    "translation": lambda module, **o: module.RandomTranslation((0.2, 0.2), (-0.3, -0.3), "wrap", **o),
    "zoom": lambda module, **o: module.RandomZoom((0.2, 0.2), (-0.3, -0.3), **o),
    "zoom, nearest": lambda module, **o: module.RandomZoom(
        (-0.5, -0.5), fill_mode="nearest", interpolation="nearest", **o
    ),
    "saturation": lambda module, **o: module.RandomSaturation((0.9, 0.9), (0, 1), **o),
    "jitter": lambda module, **o: module.RandomColorJitter((0, 255), (0.1, 0.1), None, (0.4, 0.4), (0.0, 0.0), **o),
}


WITHOUT_LABELS = ("rotation", "rotation, constant")
"""Keras on PyTorch rotates masks after it has changed the rotation."""


@pytest.mark.filterwarnings("ignore:.*T is deprecated")
@pytest.mark.parametrize("name", FIXED)
def test_nothing_is_random(backend: Backend, name: str) -> None:
    """Whole layers whose factors are fixed: batches, single images, channels first, and masks with images."""
    if backend.name == "jax" and name.startswith("equalization"):
        pytest.skip("JAX rounds some halves in the table the other way")
    x = IMAGES / 255.0 if name == "saturation" else IMAGES
    first = np.moveaxis(x, -1, 1)
    for data, options in ((x, {}), (x[0], {}), (first, {"data_format": "channels_first"})):
        if name in ("auto contrast", "jitter") and options:
            continue  # Keras computes with other axes
        theirs, ours = (FIXED[name](module, **options) for module in (keras.layers, layers))
        expected = theirs(torch.from_numpy(data.copy()), training=True).numpy()
        actual = portanet.to_host(ours(backend.from_host(data), training=True))
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=2e-2)
    if name in WITHOUT_LABELS:
        return
    both = {"images": x, "labels": np.arange(3), "segmentation_masks": MASKS}
    theirs, ours = (FIXED[name](module) for module in (keras.layers, layers))
    expected = theirs({key: torch.from_numpy(part.copy()) for key, part in both.items()}, training=True)
    actual = ours(tree_map(backend.from_host, both), training=True)
    for key, part in expected.items():
        np.testing.assert_allclose(portanet.to_host(actual[key]), part.numpy(), rtol=1e-4, atol=2e-2)


@pytest.mark.parametrize("limit", [0.0, 4.0, 12.0])
def test_equalization_by_tiles(backend: Backend, limit: float) -> None:
    """With tiles of 64 pixels and a margin of 1: Keras on PyTorch rounds limits down, and repeats the last pixel."""
    for shape in ((2, 16, 24, 3), (2, 15, 23, 1)):
        x = np.random.default_rng(0).uniform(0.0, 200.0, shape).astype("float32") ** 1.04
        theirs, ours = (
            module.ContrastLimitedAdaptiveHistogramEqualization((0, 255), limit, (2, 3))
            for module in (keras.layers, layers)
        )
        expected = theirs(torch.from_numpy(x.copy())).numpy()
        np.testing.assert_allclose(portanet.to_host(ours(backend.from_host(x))), expected, rtol=1e-4, atol=2e-2)


def test_a_shear_by_drawn_factors(backend: Backend) -> None:
    theirs, ours = (module.RandomShear(0.4, (0.1, 0.6)) for module in (keras.layers, layers))
    drawn = theirs.get_random_transformation(torch.from_numpy(IMAGES.copy()))
    expected = theirs.transform_images(torch.from_numpy(IMAGES.copy()), drawn).numpy()
    transform = theirs._get_shear_matrix(drawn["shear_factor"])
    actual = ours.transform_images(backend.from_host(IMAGES), {"transform": backend.from_host(transform.numpy())})
    np.testing.assert_allclose(portanet.to_host(actual), expected, rtol=1e-4, atol=2e-2)
