"""CuPy: NVIDIA GPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from portanet.backends import recording
from portanet.backends.base import Array, Backend, HostArray
from portanet.backends.cupy import (
    affine,
    attention,
    convolution,
    fusion,
    gru,
    multi_tensor,
    normalization,
    pooling,
    products,
    recurrent,
    softmax,
    special,
    sums,
)
from portanet.backends.cupy.indexing import index_add
from portanet.backends.cupy.transfers import arrived
from portanet.backends.graphs import Graphs
from portanet.backends.link import Link
from portanet.backends.transfers import Transfers
from portanet.extras import install_command


class CupyBackend(Backend):
    """CuPy arrays on one CUDA device, which is CuPy's current device while the backend is in use."""

    name = "cupy"
    library = "cupy"
    keeps_constants = True
    half_precision = ("float16",)
    least_elements = 0
    overrides = {
        **affine.OVERRIDES,
        **attention.OVERRIDES,
        **convolution.OVERRIDES,
        **gru.OVERRIDES,
        **normalization.OVERRIDES,
        **pooling.OVERRIDES,
        **recurrent.OVERRIDES,
        **softmax.OVERRIDES,
        **special.OVERRIDES,
        "all_finite": multi_tensor.all_finite,
        "cond": recording.cond,
        "index_add": index_add,
        "sum_rows": sums.sum_rows,
    }

    @classmethod
    def install_command(cls) -> str:
        return f"{install_command('cupy13')} (CUDA 13) or {install_command('cupy12')} (CUDA 12)"

    @classmethod
    def unavailable(cls) -> str | None:
        reason = super().unavailable()
        if reason is not None:
            return f"{reason}. It needs an NVIDIA GPU and its driver"
        import cupy

        if not cupy.is_available():
            return (
                "cupy is installed, but no NVIDIA GPU answers. `nvidia-smi` should list one: check the driver, "
                "CUDA_VISIBLE_DEVICES and that the container sees the GPU; or type: portanet.set_backend('numpy')"
            )
        return None

    @classmethod
    def preferred(cls) -> bool:
        return cls.unavailable() is None

    @classmethod
    def load(cls) -> Any:
        from portanet.backends.cupy import namespace

        return namespace

    @classmethod
    def devices(cls) -> dict[str, Any]:
        import cupy

        return {f"cuda:{i}": cupy.cuda.Device(i) for i in range(cupy.cuda.runtime.getDeviceCount())}

    def find_dtype(self, name: str) -> Any:
        import numpy as np

        return np.dtype(super().find_dtype(name))

    def activate(self) -> None:
        # compat's creation functions ignore `device=` and allocate on the current device.
        self.device.use()

    def from_host(self, x: HostArray) -> Array:
        import cupy

        with self.device:
            array = cupy.asarray(x, order="C")  # through a buffer of CuPy's pinned memory, without waiting
            arrived(x)
        return array

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        host: HostArray = x.get()
        return host

    @classmethod
    def owns(cls, x: Any) -> bool:
        import cupy

        return isinstance(x, cupy.ndarray)

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        return "never" if recording.recording() else "waits"

    @property
    def records(self) -> bool:
        return True

    def graphs(self) -> Graphs:
        from portanet.backends.cupy.graphs import CudaGraphs

        return CudaGraphs(self.device)

    def transfers(self) -> Transfers:
        from portanet.backends.cupy.transfers import CupyTransfers

        return CupyTransfers(self.device, self.from_host)

    def link(self) -> Link | None:
        from portanet.backends.cupy.link import CupyLink

        return CupyLink(self.device)

    @classmethod
    def map_elements(cls, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        return fusion.map_elements(function, args)

    @classmethod
    def map_each(cls, function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
        return multi_tensor.map_each(function, calls)

    @classmethod
    def use_float32_matmul_precision(cls, precision: str) -> None:
        products.set_precision(precision)

    def synchronize(self) -> None:
        self.device.synchronize()

    def memory(self) -> dict[str, int]:
        import cupy

        free, total = self.device.mem_info
        with self.device:  # what CuPy's pool keeps for later arrays is free to them
            kept = cupy.get_default_memory_pool().free_bytes()
        return {"used": total - free - kept, "total": total}
