from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad
from portanet.backends import use_backend
from portanet.backends.numpy import threads
from portanet.fused.normalization import normalize, rms_normalize
from tests.support import asarray, to_numpy

AFFINE = {
    "none": ((), {}),
    "by feature": (((1, 3), (1, 3)), {"scale": True, "offset": True}),
    "by example": (((4, 1), (4, 1)), {"scale": True, "offset": True}),
    "offset": (((1, 3),), {"offset": True}),
    "scale": (((4, 1),), {"scale": True}),
}


def total(terms: Any) -> Any:
    """A sum of cubes, whose second derivatives are not 0, with a different weight for each element."""
    parts = []
    for y in terms:
        xp = array_namespace(y)
        n = int(np.prod(y.shape))
        weights = asarray(np.cos(np.arange(float(n))).reshape(tuple(y.shape)))
        parts.append(xp.sum((y + 0.3) ** 3 * weights))
    return sum(parts[1:], parts[0])


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("affine", AFFINE)
@pytest.mark.parametrize("op", ["normalize", "moments", "rms"])
def test_first_and_second_derivatives(backend: Any, op: str, affine: str, axes: tuple[int, ...]) -> None:
    """Against finite differences of the value and of the gradient; `moments`: of mean and variance too."""
    shapes, options = AFFINE[affine]
    if op == "rms":
        if options.get("offset"):
            pytest.skip("there is no offset")
        options = {}

    def value(*arrays: Any) -> Any:
        result = (rms_normalize if op == "rms" else normalize)(*arrays, axes=axes, epsilon=0.1, **options)
        return total((result,) if op == "rms" else result if op == "moments" else result[:1])

    with use_backend(backend.name, backend.device, "float64"):
        generator = np.random.default_rng(0)
        hosts = [generator.standard_normal(shape) for shape in ((4, 3), *shapes)]
        directions = [asarray(generator.standard_normal(host.shape)) for host in hosts]
        points = [asarray(host) for host in hosts]
        places = tuple(range(len(points)))

        def slope_along(*arrays: Any) -> Any:
            slopes = grad(value, places)(*arrays)
            return sum(array_namespace(s, d).sum(s * d) for s, d in zip(slopes, directions, strict=True))

        def second_along(*arrays: Any) -> Any:
            slopes = grad(slope_along, places)(*arrays)
            return sum(array_namespace(s, d).sum(s * d) for s, d in zip(slopes, directions, strict=True))

        h = 1e-5
        ahead = [p + h * d for p, d in zip(points, directions, strict=True)]
        behind = [p - h * d for p, d in zip(points, directions, strict=True)]
        for function, derivative in ((value, slope_along), (slope_along, second_along)):
            expected = (float(to_numpy(function(*ahead))) - float(to_numpy(function(*behind)))) / (2 * h)
            assert float(to_numpy(derivative(*points))) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_large_offset_does_not_cancel(xp: Any) -> None:
    """The variance is that of differences from the mean, not a difference of squares."""
    host = np.random.default_rng(1).standard_normal((64, 4)) + 4096.0
    host = host.astype("float32").astype("float64")
    _, mean, variance = normalize(asarray(host), axes=(0,), epsilon=0.0)
    np.testing.assert_allclose(to_numpy(variance)[0, :], host.var(axis=0), rtol=1e-3)
    np.testing.assert_allclose(to_numpy(mean)[0, :], host.mean(axis=0), rtol=1e-6)


def test_means_in_half_precision_do_not_overflow() -> None:
    x = np.tile(np.asarray([100.0, 101.0], dtype="float16"), (2, 512))
    assert normalize(x, axes=(1,), epsilon=1e-3)[1].ravel().tolist() == [100.5, 100.5]


@pytest.mark.parametrize("op", [normalize, rms_normalize])
def test_the_scale_alone_twice_differentiated_in_pieces(monkeypatch: pytest.MonkeyPatch, op: Any) -> None:
    monkeypatch.setattr(threads, "ROWS", 64)
    x = np.random.default_rng(2).standard_normal((6, 3))

    def slope(scale: Any) -> Any:
        def value(scale: Any) -> Any:
            out = op(x, scale, axes=(1,), epsilon=0.0, **({"scale": True} if op is normalize else {}))
            return total([out[0] if op is normalize else out])

        return grad(value)(scale)

    scale, h = np.asarray([[0.5, -1.0, 2.0]]), 1e-5
    for i, direction in enumerate(np.eye(3)):
        second = grad(lambda s, i=i: slope(s)[0, i])(scale)
        expected = (slope(scale + h * direction) - slope(scale - h * direction)) / (2 * h)
        np.testing.assert_allclose(second, expected, rtol=1e-6, atol=1e-6)
