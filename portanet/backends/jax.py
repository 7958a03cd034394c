"""JAX, on whichever devices it finds; the training step is compiled to one program."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from portanet.backends.base import Array, Backend, HostArray, Step


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    import jax.numpy as jnp

    return jnp.zeros((size, *rows.shape[1:]), dtype=rows.dtype).at[index].add(rows)


class JaxBackend(Backend):
    """JAX arrays. `dtype="float64"` switches JAX's 64-bit mode on for the whole process, as JAX requires."""

    name = "jax"
    library = "jax"
    distribution = "jax"
    kernels = {"index_add": index_add}

    def __init__(self, device: Any = None, dtype: str = "float32") -> None:
        super().__init__(device, dtype)
        if dtype == "float64":
            import jax

            jax.config.update("jax_enable_x64", True)

    @classmethod
    def load(cls) -> ModuleType:
        import jax.numpy as xp

        return xp

    @classmethod
    def devices(cls) -> list[Any]:
        import jax

        return list(jax.devices())

    def find_device(self, device: Any) -> Any:
        for candidate in self.devices():
            if str(device) in (candidate.platform, f"{candidate.platform}:{candidate.id}"):
                return candidate
        return super().find_device(device)

    def from_host(self, x: HostArray) -> Array:
        import jax

        # JAX may alias NumPy's memory on the CPU; the caller's array may change later.
        return jax.device_put(np.array(x), self.device)

    def to_host(self, x: Array) -> HostArray:
        return np.array(x)

    def owns(self, x: Array) -> bool:
        import jax

        return isinstance(x, jax.Array)

    def synchronize(self) -> None:
        import jax

        jax.device_put(0.0, self.device).block_until_ready()

    def memory(self) -> dict[str, int]:
        stats = self.device.memory_stats() or {}
        if "bytes_limit" not in stats:
            return {}
        return {"used": int(stats["bytes_in_use"]), "total": int(stats["bytes_limit"])}

    def compile(self, step: Step) -> Step:
        import jax

        return jax.jit(step)  # type: ignore[return-value]
