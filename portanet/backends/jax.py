"""JAX, on whichever devices it finds; the training step is compiled to one program."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends.base import Array, Backend, HostArray, Step, host_memory


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    import jax.numpy as jnp

    return jnp.zeros((size, *rows.shape[1:]), dtype=rows.dtype, device=rows.device).at[index].add(rows)


class JaxBackend(Backend):
    """JAX arrays. `dtype="float64"` switches JAX's 64-bit mode on for the whole process, as JAX requires."""

    name = "jax"
    library = "jax"
    install = "pip install 'portanet[jax]'"
    kernels = {"index_add": index_add}

    def __init__(self, device: Any = None, dtype: str = "float32") -> None:
        super().__init__(device, dtype)
        if dtype == "float64":
            import jax

            jax.config.update("jax_enable_x64", True)

    @classmethod
    def load(cls) -> Any:
        import jax.numpy as xp

        return xp

    @classmethod
    def devices(cls) -> dict[str, Any]:
        import jax

        found = [*jax.devices(), *jax.devices("cpu")]  # the first call lists the default platform's only
        return {f"{device.platform}:{device.id}": device for device in found}

    def find_dtype(self, name: str) -> Any:
        # The dtype itself, not the scalar type of the same name: it prints well and is what arrays have.
        return self.xp.dtype(super().find_dtype(name))

    def from_host(self, x: HostArray) -> Array:
        import jax

        # JAX may alias NumPy's memory on the CPU; the caller's array may change later.
        return jax.device_put(np.array(x), self.device)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        return np.array(x.astype("float32") if x.dtype == "bfloat16" else x)

    @classmethod
    def owns(cls, x: Any) -> bool:
        import jax

        return isinstance(x, jax.Array)

    def synchronize(self) -> None:
        import jax

        jax.device_put(0.0, self.device).block_until_ready()

    def memory(self) -> dict[str, int]:
        if self.device.platform == "cpu":
            return host_memory()
        stats = self.device.memory_stats() or {}
        if "bytes_limit" not in stats:
            return {}
        return {"used": int(stats["bytes_in_use"]), "total": int(stats["bytes_limit"])}

    def compile(self, step: Step) -> Step:
        import jax

        compiled: Step = jax.jit(step)
        return compiled
