"""Convolution on NumPy by each plan, whatever the rule would choose, compared with the definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from portanet.backends.numpy import convolution, patches, planes
from portanet.backends.numpy.patches import Patches, patches_of
from portanet.fused import convolution_plain as plain
from portanet.fused.windows import Window, window
from tests.backends.override_cases import CONVOLUTIONS
from tests.fused.test_convolution import cases

# Shapes of input and kernel, then: strides, padding, dilation, groups
LONG: list[tuple[Any, ...]] = [
    ((1, 640, 1), (256, 1, 6), 128, "valid", 1, 1),
    ((2, 70, 4), (32, 2, 6), 5, ((3, 11),), 1, 2),
    ((2, 70, 3), (9, 1, 6), 4, "same", 3, 3),
    ((1, 40, 2), (20, 2, 3), 1, "causal", 2, 1),
    ((2, 30, 2), (8, 2, 3), 8, ((5, 20),), 1, 1),
    ((1, 20, 30, 2), (11, 5, 2, 3), (4, 3), "same", 1, 1),
    ((2, 20, 21, 4), (7, 3, 1, 4), (2, 1), "full", (1, 2), 4),
    ((1, 9, 8, 10, 2), (5, 3, 4, 1, 4), (2, 1, 3), "same", (1, 2, 1), 2),
    ((300, 40, 3), (12, 3, 5), 2, "valid", 1, 1),
    ((1, 5, 4, 64), (3, 3, 64, 192), 1, "same", 1, 1),  # large matrices, which meet few rows
    ((1, 5, 4, 16), (3, 3, 16, 240), 2, "same", 1, 1),
]


def functions(case: tuple[Any, ...], dtype: str) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """Calls of the three functions: name, arrays, options."""
    shape, size, strides, padding, dilation, groups = case
    slid = window(shape[1:-1], size[:-2], strides, padding, dilation)
    generator = np.random.default_rng(7)
    result = (shape[0], *slid.positions(shape[1:-1]), size[-1])
    x, k, g, bias = (generator.standard_normal(s).astype(dtype) for s in (shape, size, result, size[-1:]))
    options = {"window": slid, "groups": groups}
    return [
        ("convolve", (x, k, bias), options),
        ("convolve_input", (g, k), {**options, "space": shape[1:-1]}),
        ("convolve_kernel", (x, g), options),
    ]


def require_definition(name: str, result: Any, arrays: Any, options: Any, tolerance: float) -> None:
    expected = getattr(plain, name).definition(*arrays, **options)
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(result / scale, expected / scale, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5), ("float16", 4e-3)])
@pytest.mark.parametrize("case", [*CONVOLUTIONS, *LONG], ids=str)
@pytest.mark.parametrize("in_patches", [True, False])
def test_each_plan_is_the_definition(
    case: tuple[Any, ...], in_patches: bool, dtype: str, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if 0 in case[0]:
        in_patches = False  # which hold nothing
    for rule in ("suit", "suit_input"):
        monkeypatch.setattr(Patches, rule, lambda *_: in_patches)
    for name, arrays, options in functions(case, dtype):
        result = getattr(convolution, name)(*arrays, **options)
        if result is NotImplemented:
            assert not in_patches
        else:
            require_definition(name, result, arrays, options, tolerance)


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_patches_are_the_definition(case: tuple[Any, ...]) -> None:
    x, k, *options = case
    for name, arrays, named in functions((x.shape, k.shape, *options), "float64"):
        seen = patches_of(x.shape[1:], named["window"], named["groups"])
        space = (x.shape[1:-1],) if name == "convolve_input" else ()
        result = getattr(patches, name)(*arrays, seen, *space)
        require_definition(name, result, arrays, named, 1e-12)


@pytest.mark.parametrize("directly", [True, False])
@pytest.mark.parametrize("padding", ["valid", "same", "full"])
def test_large_matrices_meet_columns_or_a_copy_of_them(
    padding: str, directly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planes, "multiplies_directly", lambda: directly)
    case = ((3, 17, 12, 128), (3, 3, 128, 96), 1, padding, 1, 1)
    for name, arrays, options in functions(case, "float32"):
        if name != "convolve_input":  # which is the convolution of another array
            require_definition(name, getattr(convolution, name)(*arrays, **options), arrays, options, 1e-5)


def test_of_inputs_that_are_no_blocks_of_memory() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 9)).transpose(0, 2, 1)[:, ::-1]
    k = np.random.default_rng(1).standard_normal((3, 3, 2))
    for padding in ("valid", "same"):
        options: Any = {"window": window((9,), (3,), 2, padding), "groups": 1}
        require_definition("convolve", convolution.convolve(x, k, None, **options), (x, k, None), options, 1e-12)


def test_crops_are_left_to_the_definition_where_the_input_is_asked_for() -> None:
    cropped = Window((3,), (2,), ((-1, 0),), (1,))
    x, k = np.arange(8.0).reshape(1, 8, 1), np.arange(3.0).reshape(3, 1, 1)
    options: Any = {"window": cropped, "groups": 1}
    require_definition("convolve", convolution.convolve(x, k, None, **options), (x, k, None), options, 1e-12)
    assert not patches_of((8, 1), cropped, 1).suit_input(1, 1)


@pytest.mark.parametrize(
    ("shape", "size", "strides", "groups", "expected", "expected_input"),
    [
        ((1, 640, 1), (256, 1, 258), 128, 1, True, True),  # a spectrum of a moment of sound
        ((32, 16000, 1), (256, 1, 258), 128, 1, True, True),  # and of many examples
        ((1, 4, 128), (3, 128, 64), 2, 1, True, True),
        ((1, 8, 8, 16), (3, 3, 16, 16), 1, 1, True, False),
        ((1, 7, 7, 256), (3, 3, 256, 256), 1, 1, True, True),  # its kernel is not flipped
        ((32, 56, 56, 64), (3, 3, 64, 64), 1, 1, False, False),
        ((16, 128, 256), (3, 256, 256), 1, 1, False, False),
        ((16, 32, 32, 64), (3, 3, 1, 64), 1, 64, False, False),
        ((16, 32, 32, 64), (3, 3, 1, 128), 1, 64, True, False),
        ((1, 8, 8, 32), (3, 3, 1, 32), 1, 32, True, False),
        ((1, 64, 64, 3), (16, 16, 3, 64), 16, 1, True, True),  # the patches of a vision transformer
        ((0, 8, 8, 3), (3, 3, 3, 4), 2, 1, False, False),
    ],
)
def test_the_plan_follows_from_the_shapes(
    shape: Any, size: Any, strides: int, groups: int, expected: bool, expected_input: bool
) -> None:
    seen = patches_of(shape[1:], window(shape[1:-1], size[:-2], strides), groups)
    assert seen.suit(shape[0], size[-1]) is expected
    assert seen.suit_input(shape[0], size[-1]) is expected_input
    assert seen.size == math.prod(seen.positions) * math.prod(size[:-2]) * shape[-1]
