"""Convolutions by cuDNN on CuPy, with a stand-in for cuDNN that reads its arrays as the graph describes them."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends.overrides import OVERRIDABLE
from portanet.fused import convolution_plain
from portanet.fused.windows import Window
from tests.backends.cudnn_standin import Graph, UnsupportedError, make
from tests.backends.cupy_standin import in_place_of_cupy
from tests.backends.override_cases import CONVOLUTIONS, convolution_cases


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    cudnn = make()
    monkeypatch.setitem(sys.modules, "cudnn", cudnn)
    with in_place_of_cupy() as stand_in:
        stand_in.cudnn = cudnn
        yield stand_in


@pytest.mark.parametrize("name", ["convolve", "convolve_input", "convolve_kernel"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_convolutions(cupy: Any, name: str, dtype: str) -> None:
    from portanet.backends.cupy import convolution

    taken = []
    cases = convolution_cases(name)
    for case, (shape, *_, groups) in zip(cases, [*CONVOLUTIONS, *[((1,), 1)] * 8][: len(cases)], strict=True):
        hosts = [host.astype(dtype) for host in case.arrays(np.random.default_rng(7))]
        result = case.call(convolution.OVERRIDES[name], *map(cupy.asarray, hosts))
        taken.append(result is not NotImplemented)
        assert taken[-1] == (groups == 1 and 0 not in shape)
        if taken[-1]:
            expected = case.call(OVERRIDABLE[name].definition, *(host.astype("float64") for host in hosts))
            assert result.dtype == dtype
            tolerance = 2e-5 if dtype == "float32" else 4e-3
            np.testing.assert_allclose(result.get(), expected, rtol=tolerance, atol=tolerance * case.size)
    assert sum(taken) >= 8


@pytest.mark.parametrize("activation", ["relu", None])
def test_what_follows_a_convolution_is_a_part_of_it_if_cudnn_can(
    cupy: Any, activation: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portanet.backends.cupy import convolution

    def refuse(graph: Graph) -> None:
        if graph.epilogue:
            raise UnsupportedError

    generator, window = np.random.default_rng(3), Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    hosts = [generator.standard_normal(s).astype("float32") for s in ((2, 5, 4, 2), (3, 3, 2, 3), (3,))]
    options: dict[str, Any] = {"window": window, "groups": 1, "activation": activation}
    expected = convolution_plain.convolve.definition(*(host.astype("float64") for host in hosts), **options)
    for able in (True, False):
        if not able:
            monkeypatch.setattr(cupy.cudnn.pygraph, "check_support", refuse)
            convolution._own.__dict__.clear()
        result = convolution.convolve(*map(cupy.asarray, hosts), **options)
        np.testing.assert_allclose(result.get(), expected, rtol=1e-5, atol=1e-5)
    made = [[], []] if activation else [["bias"], ["bias"], []]
    assert [graph.epilogue for graph in cupy.cudnn.pygraph.made] == made


def test_relu_after_a_convolution_keeps_what_is_no_number(cupy: Any) -> None:
    """The relu of cuDNN, as that of cuBLASLt, makes 0 of it."""
    from portanet.backends.cupy import convolution

    window = Window((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1))
    x, weights = cupy.asarray(np.full((1, 2, 2, 1), np.nan, "float32")), cupy.ones((1, 1, 1, 3), dtype="float32")
    for bias in (None, cupy.ones(3, dtype="float32")):
        result = convolution.convolve(x, weights, bias, window=window, groups=1, activation="relu")
        assert np.isnan(result.get()).all()


def call(cupy: Any, dtype: str = "float32", size: int = 4) -> Any:
    from portanet.backends.cupy import convolution

    x, weights = cupy.ones((1, size, 4, 2), dtype=dtype), cupy.ones((3, 3, 2, 3), dtype=dtype)
    window = Window((3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1))
    return convolution.convolve(x, weights, None, window=window, groups=1)


def test_plans_are_made_once_and_keep_all_bits(cupy: Any) -> None:
    from portanet.backends.cupy import products

    made = cupy.cudnn.pygraph.made
    for _ in range(2):
        assert call(cupy)[0, 0, 0, 0] == 18
    assert [graph.notes for graph in made] == [["tensor"]]
    products.set_precision("high")
    call(cupy)
    call(cupy, "float16")
    assert [graph.notes for graph in made] == [["tensor"], None, None]


def test_the_least_recently_used_plans_are_dropped(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.cupy import convolution

    monkeypatch.setattr(convolution, "MOST", 2)
    made = cupy.cudnn.pygraph.made
    for size in (3, 4, 3, 5, 3):
        assert call(cupy, size=size)[0, 0, 0, 0] == 18
    assert len(made) == 3
    assert len(convolution._own.plans) == 2
    dropped = weakref.ref(made.pop(1))  # which nothing else holds
    gc.collect()
    assert dropped() is None
    call(cupy, size=4)
    assert len(made) == 3, "what was dropped is made anew"


def test_what_cudnn_does_not_take_is_left_to_the_definition(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.cupy import convolution

    def fail(*args: Any) -> None:
        raise UnsupportedError

    assert call(cupy, "float64") is NotImplemented
    monkeypatch.setattr(cupy.cudnn.pygraph, "check_support", fail)
    assert call(cupy) is NotImplemented
    monkeypatch.setattr(convolution, "_installed", lambda: False)
    assert call(cupy) is NotImplemented
