"""dpnp: the devices that SYCL finds, Intel GPUs first."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np

from portanet.backends.base import Array, Backend, HostArray
from portanet.backends.dpnp import on_host, special
from portanet.backends.dpnp.runtime import announce_cpu_runtime
from portanet.backends.machine import host_memory


def packed_factors(a: Array) -> Any:
    """The LU factors of oneMKL, except for half precision and empty matrices; of singular ones it warns."""
    import dpnp.scipy.linalg

    if a.dtype.itemsize < 4 or 0 in a.shape:
        return NotImplemented
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        factors, pivots = dpnp.scipy.linalg.lu_factor(a, check_finite=False)
    return factors, pivots.astype("int32")


class DpnpBackend(Backend):
    """dpnp arrays on one SYCL device, named by its filter string, such as `"level_zero:gpu:0"` or `"opencl:cpu:0"`."""

    name = "dpnp"
    library = "dpnp"
    half_precision = ("float16",)
    overrides = {"packed_factors": packed_factors, **special.OVERRIDES, **on_host.OVERRIDES}

    @classmethod
    def unavailable(cls) -> str | None:
        reason = super().unavailable()
        if reason is not None:
            return f"{reason}. It needs an Intel GPU with its driver, or an x86-64 CPU"
        if not cls.devices():
            return (
                "dpnp is installed, but SYCL finds no device. `python -m dpctl --full-list` should list one. For a "
                "GPU, install its driver (compute runtime, Level Zero); for the CPU, pip install intel-opencl-rt; and "
                "check ONEAPI_DEVICE_SELECTOR and OCL_ICD_FILENAMES"
            )
        return None

    @classmethod
    def load(cls) -> Any:
        announce_cpu_runtime()
        from portanet.backends.dpnp import namespace

        return namespace

    @classmethod
    def devices(cls) -> dict[str, Any]:
        announce_cpu_runtime()
        import dpctl
        from dpnp.tensor import Device

        # The first is what SYCL would select: GPUs have the higher scores.
        devices = sorted(dpctl.get_devices(), key=lambda device: -device.default_selector_score)
        return {device.filter_string: Device.create_device(device) for device in devices}

    def find_device(self, device: Any) -> Any:
        if isinstance(device, str):  # other filter strings: "gpu", "level_zero:gpu"
            import dpctl

            with contextlib.suppress(ValueError, dpctl.SyclDeviceCreationError):
                device = dpctl.SyclDevice(device).filter_string
        return super().find_device(device)

    def find_dtype(self, name: str) -> Any:
        dtype = np.dtype(super().find_dtype(name))
        sycl = self.device.sycl_device
        lacking = {"float64": not sycl.has_aspect_fp64, "float16": not sycl.has_aspect_fp16}
        if lacking.get("float64" if name == "complex128" else name):
            raise ValueError(
                f"Device {sycl.filter_string!r} of backend 'dpnp' cannot compute in this dtype; use 'float32' or "
                f"'complex64', or a device that can, such as \"cpu\". Received: dtype={name!r}"
            )
        return dtype

    def from_host(self, x: HostArray) -> Array:
        return self.xp.asarray(x, dtype=self.find_dtype(x.dtype.name), device=self.device)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        host: HostArray = cls.load().asnumpy(x)
        return host

    @classmethod
    def owns(cls, x: Any) -> bool:
        import dpnp

        return isinstance(x, dpnp.ndarray)

    @classmethod
    def lifetime(cls, x: Array) -> Any:
        return x.get_array()  # the array itself takes none

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        return "free" if x.sycl_device.is_cpu else "waits"

    def synchronize(self) -> None:
        self.device.wait()

    def memory(self) -> dict[str, int]:
        import dpctl.utils

        sycl = self.device.sycl_device
        if sycl.is_cpu:
            return host_memory()
        free = dpctl.utils.intel_device_info(sycl).get("free_memory")  # of Level Zero with ZES_ENABLE_SYSMAN=1
        total = sycl.global_mem_size
        return {} if free is None else {"used": total - free, "total": total}
