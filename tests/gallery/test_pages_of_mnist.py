"""Ketkar, listing 7-7, and features in pixels (NumpyDL documentation, 2.6.3), on made-up images in MNIST's files."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import vjp
from tests.gallery.pages import load

cnn, features = load("images/cnn_mnist"), load("images/features_mnist")


@pytest.fixture(autouse=True)
def numpy_backend() -> Iterator[None]:
    with portanet.use_backend("numpy"):
        yield


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> str:
    """MNIST's four files, with 100 images whose digit is the row of a bar."""
    labels = np.arange(100) % 10
    images = np.zeros((100, 28, 28), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        image[2 + 2 * label : 5 + 2 * label] = 255
    for part in ("train", "t10k"):
        for name, array in (("images-idx3", images), ("labels-idx1", labels.astype("uint8"))):
            header = bytes([0, 0, 8, array.ndim]) + np.asarray(array.shape, ">i4").tobytes()
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(header + array.tobytes())
    return str(tmp_path)


def test_the_network_of_the_listing(folder: str) -> None:
    model, history, loss, accuracy = cnn.train(60, 20, folder)
    assert model.count_params() == 600_810
    assert np.isfinite([loss, *history.history["loss"]]).all()
    images, digits, guesses = cnn.answers(model, 20, folder)
    assert images.shape == (20, 28, 28)
    assert np.mean(digits == guesses) == pytest.approx(accuracy)


def test_the_way_back_is_the_pullback_of_the_convolution(folder: str) -> None:
    model, images, _ = features.train(50, 1, folder)
    first = next(layer for layer in model.layers if layer.name == "first")
    plain = layers.Conv2D(16, 5, padding="same")
    plain.build((None, 28, 28, 1))
    plain.set_weights(first.get_weights())
    seen, _, _ = features.activations(model, images[:2])
    for index in (0, 7):
        _, pull_back = vjp(plain, portanet.asarray(images[:2]))
        (expected,) = pull_back(features.only(seen, index))
        pixels = features.to_pixels(model, images[:2], "first", index)
        np.testing.assert_allclose(pixels, portanet.to_host(expected)[..., 0], atol=1e-5)


def test_maxima_return_to_their_places(folder: str) -> None:
    """The document fills squares in place of this; both ways give images."""
    model, images, _ = features.train(50, 1, folder)
    named = {layer.name: layer for layer in model.layers}
    first, second, positions = features.activations(model, images[:1])
    slope = features.back(named["second"], features.only(second, 3), 16)
    unpooled = portanet.to_host(layers.MaxUnpooling2D(2)([slope, positions]))
    kept = np.zeros_like(unpooled)
    values = portanet.to_host(first)
    for i, j, channel in np.ndindex(14, 14, 16):
        window = values[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, channel]
        a, b = np.unravel_index(window.argmax(), (2, 2))
        kept[0, 2 * i + a, 2 * j + b, channel] = portanet.to_host(slope)[0, i, j, channel]
    np.testing.assert_array_equal(unpooled, kept)
    exact, coarse = (features.to_pixels(model, images[:1], "second", 3, exactly) for exactly in (True, False))
    assert exact.shape == coarse.shape == (1, 28, 28)
    assert np.abs(exact).sum() < np.abs(coarse).sum()
    assert features.winners(model, images, "second").shape == (32,)
