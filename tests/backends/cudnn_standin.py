"""A module in place of cuDNN's front end that reads its arrays as the graph describes them."""

from __future__ import annotations

import importlib.machinery
import types
from typing import Any

import numpy as np

from portanet.fused import convolution_plain
from portanet.fused.windows import Window
from tests.backends.cublas_standin import at_address


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

    def read(self, address: Any, dtype: Any) -> np.ndarray:
        """The array as cuDNN sees it, channels second."""
        assert type(address) is int, "for an array, CuPy lets the default stream wait, which ends a recording"
        flat = at_address(address, np.dtype(dtype), int(np.prod(self.description["dim"])))
        strides = [s * flat.itemsize for s in self.description["stride"]]
        return np.lib.stride_tricks.as_strided(flat, self.description["dim"], strides)


class Graph:
    made: list[Any]
    executed: int

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
        type(self).executed += 1
        assert type(workspace) is int
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
            result[...] = got
        else:
            space = result.shape[1:-1]
            adjoint = convolution_plain.convolve_input.definition
            result[...] = adjoint(first, weights, window=window, groups=1, space=space)


class UnsupportedError(Exception):
    pass


def make() -> Any:
    """The module; its `pygraph.made` are the graphs."""
    cudnn = types.ModuleType("cudnn")
    cudnn.__spec__ = importlib.machinery.ModuleSpec("cudnn", None)
    cudnn.__dict__.update(
        pygraph=type("pygraph", (Graph,), {"made": [], "executed": 0}), cudnnGraphNotSupportedError=UnsupportedError,
        data_type=types.SimpleNamespace(FLOAT="float32", HALF="float16"), backend_version=lambda: 91000,
        heur_mode=types.SimpleNamespace(A=0, FALLBACK=1), numerical_note=types.SimpleNamespace(TENSOR_CORE="tensor"),
        create_handle=lambda: 5, set_stream=lambda handle, stream: None,
    )  # fmt: skip
    return cudnn
