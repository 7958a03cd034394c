"""CuPy: NVIDIA GPUs."""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

from portanet.backends.base import Array, Backend, HostArray


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    import cupy
    import cupyx

    out = cupy.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
    cupyx.scatter_add(out, index, rows)
    return out


class CupyBackend(Backend):
    """CuPy arrays on one CUDA device, which becomes CuPy's current device in this thread."""

    name = "cupy"
    library = "cupy"
    distribution = "'portanet[cupy13]' (CUDA 13) or 'portanet[cupy12]' (CUDA 12)"
    kernels = {"index_add": index_add}

    @classmethod
    def unavailable(cls) -> str | None:
        if importlib.util.find_spec("cupy") is None:
            return f"cupy is not installed. Type: pip install {cls.distribution}"
        import cupy

        if not cupy.is_available():
            return (
                "cupy is installed, but no NVIDIA GPU answers. `nvidia-smi` should list one: check the driver, "
                "CUDA_VISIBLE_DEVICES and that the container sees the GPU; or type: portanet.set_backend('numpy')"
            )
        return None

    @classmethod
    def load(cls) -> ModuleType:
        import array_api_compat.cupy as xp

        return xp

    @classmethod
    def devices(cls) -> list[str]:
        import cupy

        return [f"cuda:{i}" for i in range(cupy.cuda.runtime.getDeviceCount())]

    def find_device(self, device: Any) -> Any:
        import cupy

        name = "cuda:0" if str(device) == "cuda" else device
        chosen = cupy.cuda.Device(int(super().find_device(name).removeprefix("cuda:")))
        # compat's creation functions ignore `device=` and allocate on the current device.
        chosen.use()
        return chosen

    def from_host(self, x: HostArray) -> Array:
        import cupy

        with self.device:
            return cupy.asarray(x)

    def to_host(self, x: Array) -> HostArray:
        host: HostArray = x.get()
        return host

    def owns(self, x: Array) -> bool:
        import cupy

        return isinstance(x, cupy.ndarray)

    def synchronize(self) -> None:
        self.device.synchronize()

    def memory(self) -> dict[str, int]:
        free, total = self.device.mem_info
        return {"used": total - free, "total": total}
