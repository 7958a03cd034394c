"""CuPy: NVIDIA GPUs."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array, Backend, HostArray
from portanet.backends.cupy import special


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    import cupy
    import cupyx

    with rows.device:
        out = cupy.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
        cupyx.scatter_add(out, index, rows)
    return out


class CupyBackend(Backend):
    """CuPy arrays on one CUDA device, which is CuPy's current device while the backend is in use."""

    name = "cupy"
    library = "cupy"
    install = "pip install 'portanet[cupy13]' (CUDA 13) or pip install 'portanet[cupy12]' (CUDA 12)"
    overrides = {**special.OVERRIDES, "index_add": index_add}

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
    def load(cls) -> Any:
        import array_api_compat.cupy as xp

        return xp

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
            return cupy.asarray(x)  # through a buffer of CuPy's pinned memory, without waiting

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
        return "waits"

    def synchronize(self) -> None:
        self.device.synchronize()

    def memory(self) -> dict[str, int]:
        import cupy

        free, total = self.device.mem_info
        with self.device:  # what CuPy's pool keeps for later arrays is free to them
            kept = cupy.get_default_memory_pool().free_bytes()
        return {"used": total - free - kept, "total": total}
