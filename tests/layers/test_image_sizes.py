"""Layers that give images another size, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close, assert_equal


def test_matrix(backend: Backend) -> None:
    check_layer(lambda: layers.Resizing(3, 5), (2, 4, 4, 2), (2, 3, 5, 2), {})
    check_layer(
        lambda: layers.Resizing(
            2, 3, "bicubic", pad_to_aspect_ratio=True, antialias=True, data_format="channels_first"
        ),
        (2, 2, 5, 4),
        (2, 2, 2, 3),
        {},
    )
    check_layer(lambda: layers.CenterCrop(2, 3), (2, 5, 4, 2), (2, 2, 3, 2), {})
    check_layer(lambda: layers.CenterCrop(6, 3, "channels_first"), (2, 2, 5, 4), (2, 2, 6, 3), {})


def test_bytes_are_rounded_by_resizing_and_become_floats_by_cropping(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([[[[0], [255], [6]]]], dtype="uint8"), dtype="uint8")
    assert_equal(layers.Resizing(1, 2)(x), np.asarray([[[[64], [68]]]], dtype="uint8"))
    assert_close(layers.CenterCrop(1, 1)(x), [[[[255.0]]]])


def test_one_image(backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(5, 4, 3))
    for layer in (layers.Resizing(3, 2), layers.CenterCrop(3, 2), layers.CenterCrop(6, 2)):
        image, batch = portanet.asarray(x), portanet.asarray(x[None])
        assert_close(type(layer).from_config(layer.get_config())(image), portanet.to_host(layer(batch)[0, ...]))
    large = portanet.asarray(np.ones((64, 4, 3)))
    assert layers.Resizing(2, 2)(large).shape == (2, 2, 3)


def test_bad_arguments_and_inputs() -> None:
    with pytest.raises(ValueError, match="takes one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`"):
        layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)
    with pytest.raises(ValueError, match=r"`interpolation` .*must be .*Received: interpolation='area'"):
        layers.Resizing(2, 2, "area")
    for layer in (layers.Resizing(2, 2), layers.CenterCrop(2, 2)):
        with pytest.raises(ValueError, match=r"needs images of shape \(batch, height, width, channels\).*\(4, 4\)"):
            layer(np.ones((4, 4), dtype="float32"))
