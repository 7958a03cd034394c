"""Pooling against PyTorch and Keras: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portanet import layers
from tests.oracles.compare import TOLERANCE, compare, drawn

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
F = torch.nn.functional
K = keras.layers
SPACE = (6, 5, 7)


WINDOWS = [
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D"
]  # fmt: skip
WHOLE = [
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
]  # fmt: skip


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("options", [{}, {"pool_size": 3, "strides": 2}, {"pool_size": 2, "padding": "same"}])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_those_of_keras(name: str, options: dict[str, Any], dtype: str) -> None:
    theirs = getattr(K, name)(**{"pool_size": 2, **options}, dtype=dtype)
    hosts = drawn((2, *SPACE[: int(name[-2])], 3))
    compare(getattr(layers, name)(**options), lambda x, _: theirs(x[0]), hosts, [], dtype)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_space_is_that_of_keras(name: str, keepdims: bool) -> None:
    theirs = getattr(K, name)("channels_first", keepdims, dtype="float64")
    hosts = drawn((2, 3, *SPACE[: int(name[-2])]))
    compare(getattr(layers, name)("channels_first", keepdims), lambda x, _: theirs(x[0]), hosts, [], "float64")


@settings(max_examples=20)
@given(
    rank=st.integers(1, 3),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    strides=st.tuples(*[st.integers(1, 3)] * 3),
    extra=st.tuples(*[st.integers(0, 5)] * 3),
    padded=st.booleans(),
    kind=st.sampled_from(["max", "l2"]),
)
def test_windows_are_those_of_torch(rank: int, sizes: Any, strides: Any, extra: Any, padded: bool, kind: str) -> None:
    size, steps = sizes[:rank], strides[:rank]
    padding = tuple(k // 2 if padded and kind == "max" else 0 for k in size)
    shape = (2, *(k + e for k, e in zip(size, extra, strict=False)), 2)
    ours = {
        "max": (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
        "l2": (layers.L2Pooling1D, layers.L2Pooling2D, layers.L2Pooling3D),
    }[kind][rank - 1](size, steps, tuple((p, p) for p in padding))

    def theirs(x: Any, _: Any) -> Any:
        first = x[0].movedim(-1, 1)
        if kind == "max":
            return getattr(F, f"max_pool{rank}d")(first, size, steps, padding).movedim(1, -1)
        return getattr(F, f"lp_pool{rank}d")(
            first, 2.0, size if rank > 1 else size[0], steps if rank > 1 else steps[0]
        ).movedim(1, -1)

    compare(ours, theirs, drawn(shape), [], "float64")


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("counts", [(1, 1, 1), (2, 3, 4), (6, 5, 7), (7, 2, 9)])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_pooling_is_that_of_torch(rank: int, counts: Any, kind: str) -> None:
    names = {
        "avg": (layers.AdaptiveAveragePooling1D, layers.AdaptiveAveragePooling2D, layers.AdaptiveAveragePooling3D),
        "max": (layers.AdaptiveMaxPooling1D, layers.AdaptiveMaxPooling2D, layers.AdaptiveMaxPooling3D),
    }
    theirs = getattr(F, f"adaptive_{kind}_pool{rank}d")
    compare(
        names[kind][rank - 1](counts[:rank], "channels_first"),
        lambda x, _: theirs(x[0], counts[:rank]),
        drawn((2, 3, *SPACE[:rank])),
        [],
        "float64",
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_unpooling_is_that_of_torch(rank: int) -> None:
    pooling = (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)[rank - 1]
    unpooling = (layers.MaxUnpooling1D, layers.MaxUnpooling2D, layers.MaxUnpooling3D)[rank - 1]
    (x,) = drawn((2, 3, 6, 4, 8)[: rank + 2])
    back = unpooling(data_format="channels_first")(pooling(data_format="channels_first", return_argmax=True)(x))
    values, places = getattr(F, f"max_pool{rank}d")(torch.tensor(x), 2, return_indices=True)
    np.testing.assert_array_equal(back, getattr(F, f"max_unpool{rank}d")(values, places, 2).numpy())


def test_ties_are_resolved_as_in_torch() -> None:
    x = np.random.default_rng(0).integers(0, 3, (2, 6, 6, 2)).astype("float64")
    theirs = lambda x, _: F.max_pool2d(x[0].movedim(-1, 1), 3, 2).movedim(1, -1)
    compare(layers.MaxPooling2D(3, 2), theirs, [x], [], "float64")


@settings(max_examples=40)
@given(
    rank=st.integers(1, 3),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    strides=st.tuples(*[st.integers(1, 4)] * 3),
    margins=st.tuples(*[st.integers(0, 2)] * 3),
    space=st.tuples(*[st.integers(4, 8)] * 3),
    ceil_mode=st.booleans(),
    kind=st.sampled_from(["max", "average", "average of padding"]),
)
def test_last_windows_and_counted_padding_are_those_of_torch(
    rank: int, sizes: Any, strides: Any, margins: Any, space: Any, ceil_mode: bool, kind: str
) -> None:
    size, steps = sizes[:rank], strides[:rank]
    padding = tuple(min(p, k // 2) for p, k in zip(margins, size, strict=False))
    options: dict[str, Any] = {"ceil_mode": ceil_mode}
    if kind == "max":
        name, function = "MaxPooling", f"max_pool{rank}d"
        pool = lambda x: getattr(F, function)(x, size, steps, padding, ceil_mode=ceil_mode)
    else:
        included = options["count_include_pad"] = kind != "average"
        name, function = "AveragePooling", f"avg_pool{rank}d"
        pool = lambda x: getattr(F, function)(x, size, steps, padding, ceil_mode, included)
    ours = getattr(layers, f"{name}{rank}D")(size, steps, tuple((p, p) for p in padding), **options)
    hosts = drawn((2, *space[:rank], 2))
    assert ours.compute_output_shape(hosts[0].shape) == tuple(ours(hosts[0]).shape)
    compare(ours, lambda x, _: pool(x[0].movedim(-1, 1)).movedim(1, -1), hosts, [], "float64")
