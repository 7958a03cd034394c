"""Shapes and dtypes of functions of `ops` on symbolic arrays, against Keras's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend, to_host
from portanet.tree import tree_leaves

keras = pytest.importorskip("keras")


def _spec(leaf: Any) -> Any:
    return (tuple(leaf.shape), str(leaf.dtype)) if hasattr(leaf, "shape") else leaf


def _specs(library: Any, function: Callable[[Any, Callable[..., Any]], Any]) -> Any:
    return [_spec(leaf) for leaf in tree_leaves(function(library.ops, library.KerasTensor))]


CASES: dict[str, Callable[[Any, Any], Any]] = {
    "while_loop": lambda ops, T: ops.while_loop(lambda i, x: True, lambda i, x: (i + 1, x * 2), [T(()), T((None, 3))]),
    "fori_loop": lambda ops, T: ops.fori_loop(0, 10**15, lambda i, x: x + 1, T((None, 3), "int32")),
    "cond": lambda ops, T: ops.cond(T((), "bool"), lambda: ops.ones((3,)), lambda: ops.zeros((3,))),
    "segment_sum": lambda ops, T: ops.segment_sum(T((10, 4)), T((10,), "int32")),
    "segment_max": lambda ops, T: ops.segment_max(T((10,), "int32"), T((10,), "int32")),
    "segment_sum of 5": lambda ops, T: ops.segment_sum(T((None, 4)), T((10,), "int32"), num_segments=5),
    "unstack": lambda ops, T: ops.unstack(T((2, None, None)), num=3, axis=1),
    "slice": lambda ops, T: ops.slice(T((3, None)), (1, 0), (-1, 2)),
    "slice from somewhere": lambda ops, T: ops.slice(T((3, 3)), T((2,), "int32"), (-1, -1)),
    "rfft": lambda ops, T: ops.rfft(T((None, None))),
    "max_pool": lambda ops, T: ops.max_pool(T((None, None, None, 3)), 2),
    "average_pool": lambda ops, T: ops.average_pool(T((None, None, 3)), 3, strides=5, padding="SAME"),
    "conv": lambda ops, T: ops.conv(T((None, None, 3)), T((3, 3, 4)), strides=4, padding="VALID"),
    "depthwise_conv": lambda ops, T: ops.depthwise_conv(T((None, None, 3)), T((2, 3, 1)), padding="SAME"),
    "perspective_transform": lambda ops, T: ops.image.perspective_transform(
        T((None, 20, 30, 3)), T((None, 4, 2)), T((None, 4, 2))
    ),
    "add": lambda ops, T: ops.add(T((None, 3)), T((2, None))),
    "where": lambda ops, T: ops.where(T((2, None, 1), "bool"), T((None, 1)), T((None, 3))),
    "tensordot": lambda ops, T: ops.tensordot(T((None, 3, 4)), T((3, 4)), axes=[[0, 1], [1, 0]]),
    "inner": lambda ops, T: ops.inner(T((None,)), T((3,))),
    "linspace": lambda ops, T: ops.linspace(T((None, 3, 4)), T((2, 3, 4)), num=5),
    "array_split": lambda ops, T: ops.array_split(T((None, 4)), 2),
    "vsplit": lambda ops, T: ops.vsplit(T((None, 3, 3)), [1, 3]),
    "hsplit": lambda ops, T: ops.hsplit(T((None,)), [2, 5]),
    "get_item": lambda ops, T: T((None, 3))[5:, 1:],
    "get_item of the first": lambda ops, T: T((None, 3))[:5, :],
    "get_item of the last": lambda ops, T: T((None, 3))[-5:, 0],
    "unique": lambda ops, T: ops.unique(T((None, 3), "int32")),
    "unique of a size": lambda ops, T: ops.unique(T((None, 3), "int32"), size=4),
    "nonzero": lambda ops, T: ops.nonzero(T((None, 3))),
    "bincount": lambda ops, T: ops.bincount(T((7,), "int32")),
    "softmax": lambda ops, T: ops.softmax(T((None, 3)), axis=None),
    "layer_normalization": lambda ops, T: ops.layer_normalization(T((None, 3), "float16"), T((3,)), T((3,))),
    "rms_normalization": lambda ops, T: ops.rms_normalization(T((None, 3), "float16"), T((3,))),
    "ctc_loss": lambda ops, T: ops.ctc_loss(
        T((2, 3), "int32"), T((2, 5, 4), "float16"), T((2,), "int32"), T((2,), "int32")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_specs(name: str) -> None:
    assert _specs(portanet, CASES[name]) == _specs(keras, CASES[name])


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "cond": (
        lambda ops, T: ops.cond(T((), "bool"), lambda: ops.ones((3,)), lambda: ops.zeros((4,))),
        "`true_fn` and `false_fn` of cond must return arrays of the same shapes",
    ),
    "unstack": (lambda ops, T: ops.unstack(T((2, None)), axis=1), "`num` of unstack must be the size of axis 1"),
    "unstack of no axis": (lambda ops, T: ops.unstack(T((2, 3)), axis=2), "axis"),
    "associative_scan": (
        lambda ops, T: ops.associative_scan(lambda a, b: (a[0] + b[0], a[1] + b[1]), (T((5, 2)), T((4, 2)))),
        "one size on axis 0",
    ),
    "convert_to_numpy": (lambda ops, T: ops.convert_to_numpy(T((2, 3))), "no values for convert_to_numpy"),
    "crop_images": (
        lambda ops, T: ops.image.crop_images(T((None, 16, 16, 3)), 0, 0, 0, target_height=9, target_width=9),
        "takes two of top, bottom and target_height",
    ),
    "pad_images": (
        lambda ops, T: ops.image.pad_images(T((None, 16, 16, 3)), 0, 0, target_height=-1, target_width=20),
        "target_height",
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_both(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call(portanet.ops, portanet.KerasTensor)
    with pytest.raises(ValueError, match=r".+"):
        call(keras.ops, keras.KerasTensor)


def test_narrow_floats(backend: Backend) -> None:
    """Statistics, normalization and alignments of float16 are computed in float32, in the dtypes that Keras returns."""
    if not hasattr(backend.xp, "float16"):
        pytest.skip("float16 is not in the standard")
    x = np.asarray([[-741.0, 353.2, 1099.0, -1807.0, 502.8, -83.4]], "float16")
    own = backend.from_host(x)
    mean, variance = map(to_host, portanet.ops.moments(own, axes=[1]))
    assert (mean.dtype, variance.dtype) == ("float16", "float16")
    np.testing.assert_allclose(mean, x.astype("float32").mean(axis=1), rtol=1e-3)
    np.testing.assert_array_equal(variance, [np.finfo("float16").max])
    gamma = backend.from_host(np.linspace(0.5, 1.5, 6).astype("float32"))
    wide = x.astype("float64")
    normal = (wide - wide.mean()) / wide.std() * np.linspace(0.5, 1.5, 6)
    for function, expected in (
        (portanet.ops.layer_normalization, normal),
        (portanet.ops.rms_normalization, wide / np.sqrt((wide**2).mean()) * np.linspace(0.5, 1.5, 6)),
    ):
        y = to_host(function(own, gamma))
        assert y.dtype == "float16"
        np.testing.assert_allclose(y, expected, rtol=2e-3, atol=2e-3)


def test_sizes_in_an_array() -> None:
    x = np.random.default_rng(0).uniform(size=(1, 8, 8, 3)).astype("float32")
    given = np.asarray([3, 5]), np.asarray([0.8, 1.2], "float32")
    expected = portanet.ops.image.gaussian_blur(x, (3, 5), (0.8, 1.2))
    np.testing.assert_allclose(portanet.ops.image.gaussian_blur(x, *given), expected, rtol=1e-5)
