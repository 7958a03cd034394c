"""What Keras on PyTorch does not show of the transformations of images: projections, derivatives, random shifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from portanet import ops
from portanet.autodiff import check_grads, vmap
from portanet.random import SeedGenerator, normal
from tests.support import asarray, assert_close, to_numpy

IMAGES = np.random.default_rng(0).uniform(0.0, 1.0, (2, 5, 6, 2))
MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "wrap": "grid-wrap",
    "mirror": "mirror",
    "reflect": "reflect",
}


def projected(transform: Any, rows: Any, columns: Any) -> tuple[Any, Any]:
    a0, a1, a2, b0, b1, b2, c0, c1 = transform
    k = c0 * columns + c1 * rows + 1
    return (b0 * columns + b1 * rows + b2) / k, (a0 * columns + a1 * rows + a2) / k


@pytest.mark.parametrize("mode", MODES)
def test_projections_against_scipy(backend: Any, mode: str) -> None:
    """Far beyond the edges too. (Keras on PyTorch leaves out the last two numbers.)"""
    transforms = np.asarray(
        [[0.9, 0.2, -9.3, -0.1, 1.1, 11.4, 0.02, -0.01], [1.0, -0.3, 1.2, 0.2, 0.8, 0.1, 0.0, 0.05]]
    )
    result = ops.image.affine_transform(asarray(IMAGES), asarray(transforms), fill_mode=mode, fill_value=0.3)
    points = [projected(t, *np.mgrid[0:5, 0:6]) for t in transforms]
    expected = [
        np.stack([ndimage.map_coordinates(x[..., c], p, order=1, mode=MODES[mode], cval=0.3) for c in range(2)], -1)
        for x, p in zip(IMAGES, points, strict=True)
    ]
    np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-4, atol=1e-4)


def test_one_transformation_for_all_images(xp: Any) -> None:
    t = [1.0, 0.25, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0]
    each = ops.image.affine_transform(asarray(IMAGES), asarray([t, t]))
    assert_close(ops.image.affine_transform(asarray(IMAGES), asarray(t)), to_numpy(each))
    corners = np.asarray([[0.0, 0.0], [5.0, 0.0], [0.0, 4.0], [5.0, 4.0]])
    each = ops.image.perspective_transform(asarray(IMAGES), asarray([corners] * 2), asarray([corners * 0.5] * 2))
    assert_close(ops.image.perspective_transform(asarray(IMAGES), corners, corners * 0.5), to_numpy(each))


def test_a_perspective_takes_points_to_points(backend: Any) -> None:
    start = np.asarray([[1.0, 1.0], [4.0, 0.0], [0.0, 3.0], [5.0, 4.0]])
    end = np.asarray([[0.0, 0.0], [5.0, 0.0], [0.0, 4.0], [5.0, 4.0]])
    result = to_numpy(ops.image.perspective_transform(asarray(IMAGES), asarray(start), asarray(end)))
    for (x, y), (u, v) in zip(start.astype(int), end.astype(int), strict=True):
        np.testing.assert_allclose(result[:, v, u], IMAGES[:, y, x], rtol=1e-3, atol=1e-4)


def test_derivatives_by_maps_and_points(backend: Any) -> None:
    x = asarray(IMAGES, "float64")
    t = asarray([0.91, 0.23, 0.31, -0.13, 1.07, 0.43, 0.021, -0.013], "float64")
    check_grads(lambda t: ops.image.affine_transform(x, t, fill_mode="reflect"), (t,))
    start, end = (
        asarray(p, "float64")
        for p in ([[1.13, 0.87], [3.79, 0.31], [0.43, 2.83], [4.57, 3.91]], [[0.1, 0], [5, 0.2], [0, 4], [5, 5]])
    )
    check_grads(lambda s, e: ops.image.perspective_transform(x, s, e), (start, end))


def test_batched_maps(xp: Any) -> None:
    """A map for each example of `vmap`, with the same images; and points."""
    transforms = np.asarray([[0.9, 0.2, 0.3, -0.1, 1.1, 0.4, 0, 0], [1.0, -0.3, 1.2, 0.2, 0.8, 0.1, 0, 0]])
    x, t = asarray(IMAGES), asarray(transforms)
    expected = [to_numpy(ops.image.affine_transform(x, asarray(row))) for row in transforms]
    assert_close(vmap(lambda t: ops.image.affine_transform(x, t))(t), expected)
    corners = np.asarray([[0.0, 0.0], [5.0, 0.0], [0.0, 4.0], [5.0, 4.0]])
    ends = np.stack([corners * 0.5, corners * 0.7 + 1])
    expected = [to_numpy(ops.image.perspective_transform(x, asarray(corners), asarray(e))) for e in ends]
    actual = vmap(lambda e: ops.image.perspective_transform(x, asarray(corners), e))(asarray(ends))
    assert_close(actual, expected, atol=1e-4)


def test_elastic_shifts(backend: Any) -> None:
    """Smooth, of mean 0, the same for all channels and on every backend; whole numbers remain whole."""
    ramp = np.broadcast_to(np.arange(40.0)[None, None, :, None], (3, 40, 40, 2))
    result = to_numpy(ops.image.elastic_transform(asarray(ramp), 3.0, 4.0, fill_mode="nearest", seed=3))
    np.testing.assert_array_equal(result[..., 0], result[..., 1])
    shift = (result - ramp)[:, 8:-8, 8:-8, 0]
    # white noise of deviation 4 blurred by a Gaussian kernel: 4 / (2 sqrt(pi) 4), times 3
    assert np.std(shift) == pytest.approx(3.0 / (2 * np.sqrt(np.pi)), rel=0.35)
    assert np.abs(np.diff(shift, axis=1)).max() < 0.5
    first, last = asarray(np.moveaxis(ramp, -1, 1)), ("bilinear", "nearest", 0.0, 3, "channels_first")
    again = ops.image.elastic_transform(first, 3.0, 4.0, *last)
    np.testing.assert_allclose(np.moveaxis(to_numpy(again), 1, -1), result, atol=1e-4)
    whole = ops.image.elastic_transform(asarray(ramp.astype("uint8")), seed=SeedGenerator(1))
    assert to_numpy(whole).dtype == "uint8"


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("mode", MODES)
def test_elastic_shifts_against_scipy(mode: str, interpolation: str) -> None:
    """The seed's numbers times sigma, blurred by a kernel of 6 sigma, times alpha: columns first, then rows."""
    alpha, sigma, size = 4.0, 0.9, 5
    noise = np.asarray(normal((*IMAGES.shape[:3], 2), seed=7), "float64")
    places = np.arange(size) - size // 2
    kernel = np.exp(-0.5 * (places / sigma) ** 2)
    weights = np.outer(kernel, kernel) / kernel.sum() ** 2
    shifts = ndimage.convolve(noise * sigma, weights[None, :, :, None], mode="constant") * alpha
    expected = [
        ndimage.map_coordinates(
            x[..., c],
            np.mgrid[0:5, 0:6] + shift[::-1],
            order=int(interpolation == "bilinear"),
            mode=MODES[mode],
            cval=0.3,
        )
        for x, shift in zip(IMAGES, np.moveaxis(shifts, -1, 1), strict=True)
        for c in range(2)
    ]
    result = ops.image.elastic_transform(IMAGES, alpha, sigma, interpolation, mode, 0.3, 7)
    np.testing.assert_allclose(np.moveaxis(result, -1, 1).reshape(4, 5, 6), expected, atol=1e-5)


def test_edges_of_whole_numbers(xp: Any) -> None:
    x = asarray(np.asarray([[0, 0, 255]] * 3, dtype="uint8")[None, :, :, None])
    assert_close(ops.image.sobel_edges(x)[0, 1, 1, 0, :], [0.0, 1020.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.image.affine_transform(x, [1.0] * 7), r"`transform` of .* shape \(8,\), or \(images, 8\)"),
        (lambda x: ops.image.affine_transform(x, [[1.0] * 8] * 3), r"Received: shape \(3, 8\)"),
        (lambda x: ops.image.affine_transform(x, [1.0] * 8, "cubic"), "`interpolation`"),
        (lambda x: ops.image.affine_transform(x, [1.0] * 8, fill_mode="edge"), "`fill_mode`"),
        (lambda x: ops.image.perspective_transform(x, [[0.0, 0.0]] * 3, [[0.0, 0.0]] * 4), r"`start_points` .*4, 2"),
        (lambda x: ops.image.elastic_transform(x, sigma=0.0), "`sigma`"),
        (lambda x: ops.image.sobel_edges(x[0]), "a batch of images"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.asarray(IMAGES))
