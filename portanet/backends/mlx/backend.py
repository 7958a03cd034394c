"""MLX: the GPU of Apple silicon, and CPUs."""

from __future__ import annotations

import functools
import platform
import sys
from contextvars import ContextVar
from typing import Any, cast

import numpy as np

from portanet.backends.base import Array, Backend, HostArray, Step
from portanet.backends.machine import host_memory
from portanet.backends.mlx import convolution, fast
from portanet.tree import tree_leaves

COMPILES_ON_CPU = False
"""Whether steps are compiled on the CPU, too: for tests."""

_tracing: ContextVar[bool] = ContextVar("portanet_mlx_tracing", default=False)
"""Whether a step is being compiled: its arrays have no values."""


def index_add(rows: Array, index: Array, size: int) -> Any:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`; MLX divides by the size of a row."""
    from portanet.backends.mlx.indices import add_rows

    return NotImplemented if rows.size == 0 else add_rows(rows, index, size)


class MlxBackend(Backend):
    """MLX arrays, which are computed when they are read, or when a step ends.

    They have no device, as processors share the memory: the device of the backend is the one that computes. There is
    float64 on the CPU only, and no complex128.
    """

    name = "mlx"
    library = "mlx"
    half_precision = ("float16", "bfloat16")
    overrides = {**convolution.OVERRIDES, **fast.OVERRIDES, "index_add": index_add}

    @classmethod
    def unavailable(cls) -> str | None:
        reason = super().unavailable()
        if reason is not None:
            return (
                f"{reason} (on a Mac with Apple silicon it uses the GPU, on Linux the CPU; there is none for Windows)"
            )
        try:
            import mlx.core  # noqa: F401
        except ImportError as error:  # on Linux, the package without an extra has no library
            return f"mlx cannot be imported ({error}). Type: pip install 'mlx[cpu]' (Linux without an NVIDIA GPU)"
        return None

    @classmethod
    def preferred(cls) -> bool:
        return sys.platform == "darwin" and platform.machine() == "arm64" and cls.unavailable() is None

    @classmethod
    def version(cls) -> str:
        import mlx.core as mx

        return str(mx.__version__)

    @classmethod
    def load(cls) -> Any:
        import portanet.backends.mlx.namespace as xp

        return xp

    @classmethod
    def devices(cls) -> dict[str, Any]:
        import mlx.core as mx

        kinds = {"gpu": mx.gpu, "cpu": mx.cpu}
        return {name: mx.Device(kind, 0) for name, kind in kinds.items() if mx.is_available(kind)}

    def find_dtype(self, name: str) -> Any:
        dtype = super().find_dtype(name)
        if name == "float64" and self.device_name == "gpu":
            raise ValueError(
                "Backend 'mlx' has float64 on the CPU only: type portanet.set_backend('mlx', 'cpu', 'float64'). "
                f"Received: dtype={name!r}"
            )
        return dtype

    @classmethod
    def device_of(cls, x: Array) -> Any:
        import mlx.core as mx

        return mx.default_device()

    @classmethod
    def to_device(cls, x: Array, device: Any, *, stream: Any = None) -> Array:
        return x

    def activate(self) -> None:
        import mlx.core as mx

        mx.set_default_device(self.device)

    def from_host(self, x: HostArray) -> Array:
        import mlx.core as mx

        name = "complex64" if x.dtype == "complex128" else x.dtype.name  # MLX has no other complex dtype
        # Without a dtype, MLX makes float32 of float64.
        return mx.array(np.array(x, order="C"), dtype=self.find_dtype(name))

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        import mlx.core as mx

        x = x.astype(mx.float32) if x.dtype == mx.bfloat16 else x
        mx.eval(x)  # NumPy would lose its errors
        return np.array(x)

    @classmethod
    def owns(cls, x: Any) -> bool:
        import mlx.core as mx

        return isinstance(x, mx.array)

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        return "never" if _tracing.get() else "waits"

    def synchronize(self) -> None:
        import mlx.core as mx

        mx.synchronize()

    def memory(self) -> dict[str, int]:
        if self.device_name == "cpu":
            return host_memory()
        import mlx.core as mx

        return {"used": int(mx.get_active_memory()), "total": int(mx.device_info()["memory_size"])}

    def compile(self, step: Step, given: tuple[int, ...] = (), kept: tuple[int, ...] = ()) -> Step:
        """A program of few kernels on the GPU. On the CPU MLX takes seconds of a C++ compiler for each: the step."""
        import mlx.core as mx

        if self.device_name == "cpu" and not COMPILES_ON_CPU:
            return self.uncompiled(step)

        def traced(*args: Any) -> Any:
            token = _tracing.set(True)
            try:
                return step(*args)
            finally:
                _tracing.reset(token)

        return self.uncompiled(cast(Step, mx.compile(traced)))

    def uncompiled(self, step: Step) -> Step:
        """The step, whose results are computed when it ends, all at once."""

        @functools.wraps(step)
        def started(*args: Any) -> Any:
            out = step(*args)
            self.start(out)
            return out

        return cast(Step, started)

    def start(self, tree: Any) -> None:
        import mlx.core as mx

        if not _tracing.get():  # not by `async_eval`, which loses errors, as of singular matrices
            mx.eval([leaf for leaf in tree_leaves(tree) if isinstance(leaf, mx.array)])
