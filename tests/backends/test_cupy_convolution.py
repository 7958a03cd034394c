"""Convolutions by cuDNN on CuPy, with a stand-in for cuDNN that reads its arrays as the graph describes them."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends.overrides import OVERRIDABLE
from portanet.fused import convolution_plain
from portanet.fused.windows import Window
from tests.backends.cublas_standin import at_address
from tests.backends.cupy_standin import in_place_of_cupy
from tests.backends.override_cases import CONVOLUTIONS, convolution_cases


class Tensor:
    def __init__(self, **description: Any) -> None:
        self.description = description

    def set_output(self, value: bool) -> Tensor:
        return self

    def set_dim(self, dim: list[int]) -> Tensor:
        self.description["dim"] = dim
        return self

    def set_stride(self, stride: list[int]) -> Tensor:
        self.description["stride"] = stride
        return self

    def read(self, array: Any, dtype: Any) -> np.ndarray:
        """The array as cuDNN sees it, channels second."""
        assert array.flags.c_contiguous
        assert array.dtype == dtype
        assert array.size == np.prod(self.description["dim"])
        flat = at_address(array.data.ptr, array.dtype, array.size)
        strides = [s * array.itemsize for s in self.description["stride"]]
        return np.lib.stride_tricks.as_strided(flat, self.description["dim"], strides)


class Graph:
    made: list[Any]

    def __init__(self, io_data_type: Any, intermediate_data_type: Any, compute_data_type: Any, handle: Any) -> None:
        assert intermediate_data_type == compute_data_type == "float32"
        self.dtype, self.notes = io_data_type, None
        self.made.append(self)

    def tensor(self, name: str, dim: list[int], stride: list[int], data_type: Any) -> Tensor:
        assert data_type == self.dtype
        return Tensor(dim=dim, stride=stride)

    def _operation(self, kind: str, **options: Any) -> Tensor:
        self.kind, self.options, self.epilogue = kind, options, []
        return Tensor()

    def bias(self, name: str, input: Tensor, bias: Tensor) -> Tensor:  # noqa: A002
        self.epilogue.append("bias")
        return Tensor()

    def relu(self, name: str, input: Tensor) -> Tensor:  # noqa: A002
        self.epilogue.append("relu")
        return Tensor()

    def conv_fprop(self, image: Any, weight: Any, padding: Any, stride: Any, dilation: Any) -> Tensor:
        return self._operation("fprop", first=image, second=weight, padding=padding, stride=stride, dilation=dilation)

    def conv_dgrad(self, loss: Any, filter: Any, padding: Any, stride: Any, dilation: Any) -> Tensor:  # noqa: A002
        return self._operation("dgrad", first=loss, second=filter, padding=padding, stride=stride, dilation=dilation)

    def conv_wgrad(self, image: Any, loss: Any, padding: Any, stride: Any, dilation: Any) -> Tensor:
        return self._operation("wgrad", first=image, second=loss, padding=padding, stride=stride, dilation=dilation)

    def deselect_numeric_notes(self, notes: list[Any]) -> None:
        self.notes = notes

    def validate(self, *args: Any) -> None:
        """Nothing to do, nor in the other steps."""

    build_operation_graph = create_execution_plans = check_support = build_plans = validate

    def get_workspace_size(self) -> int:
        return 0

    def execute(self, arrays: dict[Tensor, Any], workspace: Any, handle: Any) -> None:
        *given, out = arrays
        first, second, *rest = (np.moveaxis(t.read(arrays[t], self.dtype), 1, -1).astype("float64") for t in given)
        result = np.moveaxis(out.read(arrays[out], self.dtype), 1, -1)
        padding = tuple((p, p) for p in self.options["padding"])
        slides = (tuple(self.options["stride"]), padding, tuple(self.options["dilation"]))
        if self.kind == "wgrad":
            window = Window(result.shape[1:-1], *slides)
            got = convolution_plain.convolve_kernel.definition(first, second, window=window, groups=1)
            result[...] = np.moveaxis(got, -1, 0)
            return
        weights, window = np.moveaxis(second, 0, -1), Window(second.shape[1:-1], *slides)
        if self.kind == "fprop":
            got = convolution_plain.convolve.definition(first, weights, None, window=window, groups=1)
            got = got + rest[0] if "bias" in self.epilogue else got
            result[...] = np.maximum(got, 0.0) if "relu" in self.epilogue else got
        else:
            space = result.shape[1:-1]
            adjoint = convolution_plain.convolve_input.definition
            result[...] = adjoint(first, weights, window=window, groups=1, space=space)


class UnsupportedError(Exception):
    pass


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    cudnn = types.ModuleType("cudnn")
    cudnn.__spec__ = importlib.machinery.ModuleSpec("cudnn", None)
    cudnn.__dict__.update(
        pygraph=type("pygraph", (Graph,), {"made": []}), cudnnGraphNotSupportedError=UnsupportedError,
        data_type=types.SimpleNamespace(FLOAT="float32", HALF="float16"), backend_version=lambda: 91000,
        heur_mode=types.SimpleNamespace(A=0, FALLBACK=1), numerical_note=types.SimpleNamespace(TENSOR_CORE="tensor"),
        create_handle=lambda: 5, set_stream=lambda handle, stream: None,
    )  # fmt: skip
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
    epilogue = ["bias", "relu"] if activation else ["bias"]
    assert [graph.epilogue for graph in cupy.cudnn.pygraph.made] == [epilogue, epilogue, []]


def call(cupy: Any, dtype: str = "float32") -> Any:
    from portanet.backends.cupy import convolution

    x, weights = cupy.ones((1, 4, 4, 2), dtype=dtype), cupy.ones((3, 3, 2, 3), dtype=dtype)
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


def test_what_cudnn_does_not_take_is_left_to_the_definition(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.cupy import convolution

    def fail(*args: Any) -> None:
        raise UnsupportedError

    assert call(cupy, "float64") is NotImplemented
    monkeypatch.setattr(cupy.cudnn.pygraph, "check_support", fail)
    assert call(cupy) is NotImplemented
    monkeypatch.setattr(convolution, "_installed", lambda: False)
    assert call(cupy) is NotImplemented
