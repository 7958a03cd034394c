"""JAX, on whichever devices it finds; the training step is compiled to one program."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from portanet.backends.base import Array, Backend, HostArray, Step
from portanet.backends.error_place import warn_of
from portanet.backends.jax import convolution, linalg, special
from portanet.backends.machine import host_memory
from portanet.tree import tree_map


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`."""
    import jax.numpy as jnp

    return jnp.zeros((size, *rows.shape[1:]), dtype=rows.dtype).at[index].add(rows)


def scan(step: Callable[..., Any], carry: tuple[Array, ...], inputs: Sequence[Any], reverse: bool = False) -> Any:
    """The loop of `portanet.fused.recurrent_scan.scan` as one instruction of a program under compilation.

    Outside a compilation the plain loop is faster: JAX would compile the step anew in every call.
    """
    import jax

    sequences = tuple(jax.numpy.stack(each) if isinstance(each, list) else each for each in inputs)
    if not any(isinstance(x, jax.core.Tracer) for x in (*carry, *sequences)):
        return NotImplemented
    return jax.lax.scan(lambda carry, xs: step(carry, *xs), tuple(carry), sequences, reverse=reverse)


def cond(condition: Array, yes: Callable[..., Any], no: Callable[..., Any], *operands: Any) -> Any:
    """`yes(*operands)` if the condition holds, else `no(*operands)`; in a compiled step, which cannot read it, too."""
    import jax

    if isinstance(condition, jax.core.Tracer):
        return jax.lax.cond(condition, yes, no, *operands)
    return yes(*operands) if condition else no(*operands)


class JaxBackend(Backend):
    """JAX arrays. `dtype="float64"` switches JAX's 64-bit mode on for the whole process, as JAX requires.

    In its 32-bit mode JAX holds 64-bit integers as 32-bit ones; values that do not fit are refused here, as are
    64-bit floats.
    """

    name = "jax"
    library = "jax"
    half_precision = ("float16", "bfloat16")
    spans_devices = True
    overrides = {
        **convolution.OVERRIDES,
        "cond": cond,
        **linalg.OVERRIDES,
        **special.OVERRIDES,
        "index_add": index_add,
        "scan": scan,
    }

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

        devices = [*jax.devices(), *jax.devices("cpu")]  # the first call lists the default platform's only
        return {f"{device.platform}:{device.id}": device for device in devices}

    def find_device(self, device: Any) -> Any:
        """Names of several devices, in a list or joined by commas, are these together: arrays lie on each of them."""
        import jax

        if isinstance(device, jax.sharding.Sharding):
            return device
        names = device.split(",") if isinstance(device, str) else device
        if not isinstance(names, (list, tuple)) or len(names) == 1:
            return super().find_device(names[0] if isinstance(names, (list, tuple)) else device)
        return _together(tuple(super(JaxBackend, self).find_device(name) for name in names))

    @property
    def device_name(self) -> str:
        import jax

        if not isinstance(self.device, jax.sharding.NamedSharding):
            return super().device_name
        return ",".join(f"{device.platform}:{device.id}" for device in self.device.mesh.devices.flat)

    def find_dtype(self, name: str) -> Any:
        # The dtype itself, not the scalar type of the same name: it prints well and is what arrays have.
        return self.xp.dtype(super().find_dtype(name))

    @property
    def has_float64(self) -> bool:  # type: ignore[override]
        import jax

        return bool(jax.config.jax_enable_x64)

    def from_host(self, x: HostArray) -> Array:
        import jax

        if not self.has_float64:
            _require_32_bits(x)
        # JAX may alias NumPy's memory on the CPU; the caller's array may change later.
        return jax.device_put(np.array(x), self.device)

    @property
    def process_number(self) -> int:  # type: ignore[override]
        import jax

        return int(jax.process_index())

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        if not getattr(x, "is_fully_addressable", True) and not x.is_fully_replicated:
            from jax.experimental import multihost_utils

            x = multihost_utils.process_allgather(x, tiled=True)  # parts of it are with other processes
        return np.array(x.astype("float32") if x.dtype == "bfloat16" else x)

    @classmethod
    def owns(cls, x: Any) -> bool:
        import jax

        return isinstance(x, jax.Array)

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        import jax

        return "never" if isinstance(x, jax.core.Tracer) else "waits"

    def on_host(
        self,
        function: Callable[[list[HostArray]], Sequence[HostArray]],
        arrays: Sequence[Array],
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> list[Array]:
        import jax
        from jax.experimental import io_callback

        if not any(isinstance(x, jax.core.Tracer) for x in arrays):
            return super().on_host(function, arrays, shapes)
        returned = shapes or [x.shape for x in arrays]
        results = [jax.ShapeDtypeStruct(shape, x.dtype) for shape, x in zip(returned, arrays, strict=True)]

        def call(*values: Any) -> list[HostArray]:
            given = function([np.asarray(x) for x in values])
            return [np.asarray(y, result.dtype) for y, result in zip(given, results, strict=True)]

        # In order: all processes exchange the same messages one after the other.
        return list(io_callback(call, results, *arrays, ordered=True))

    @classmethod
    def use_float32_matmul_precision(cls, precision: str) -> None:
        import jax

        jax.config.update("jax_default_matmul_precision", precision)

    def divided(self, batch: Any) -> Any:
        import jax

        if not isinstance(self.device, jax.sharding.NamedSharding):
            return batch
        count, parts = self.device.mesh.size, jax.sharding.PartitionSpec("batch")
        divided = jax.sharding.NamedSharding(self.device.mesh, parts)

        def part(x: Array) -> Array:
            whole = not isinstance(x, jax.core.Tracer) or x.ndim == 0 or x.shape[0] % count
            return x if whole else jax.lax.with_sharding_constraint(x, divided)

        return tree_map(part, batch)

    def synchronize(self) -> None:
        import jax

        jax.block_until_ready([x for x in jax.live_arrays() if not x.is_deleted()])  # nothing else waits for all

    def memory(self) -> dict[str, int]:
        import jax

        several = isinstance(self.device, jax.sharding.NamedSharding)
        first = self.device.mesh.devices.flat[0] if several else self.device
        if first.platform == "cpu":
            return host_memory()
        stats = first.memory_stats() or {}
        if "bytes_limit" not in stats:
            return {}
        return {"used": int(stats["bytes_in_use"]), "total": int(stats["bytes_limit"])}

    def compile(self, step: Step, given: tuple[int, ...] = (), kept: tuple[int, ...] = ()) -> Step:
        import jax

        compiled, looks = jax.jit(step, donate_argnums=given), False

        @functools.wraps(step)
        def call(*args: Any) -> Any:
            nonlocal looks
            if looks:
                return step(*args)
            try:
                return compiled(*args)
            except (TypeError, ValueError, IndexError) as error:  # also one that says in which function it was raised
                if not _reads(error):  # which is raised before anything is computed
                    raise
                results = step(*args)
                looks = True
                warn_of(error, self.warned, "compiled")
                return results

        return cast(Step, call)


def _reads(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, is that a step under compilation reads a value."""
    import jax

    kinds = (
        jax.errors.ConcretizationTypeError,
        jax.errors.NonConcreteBooleanIndexError,
        jax.errors.TracerArrayConversionError,
        jax.errors.TracerIntegerConversionError,
    )
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__
    return error is not None


@functools.cache
def _together(devices: tuple[Any, ...]) -> Any:
    """Devices as one, on each of which arrays are whole."""
    import jax

    mesh = jax.sharding.Mesh(np.asarray(devices), ("batch",))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())


def _require_32_bits(x: HostArray) -> None:
    """Refuse what JAX's 32-bit mode would change without a word."""
    if x.dtype in ("int64", "uint64") and x.size:
        narrow = np.iinfo("int32" if x.dtype == "int64" else "uint32")
        if x.min() < narrow.min or x.max() > narrow.max:
            raise OverflowError(
                "Backend 'jax' holds 64-bit integers in 32 bits unless JAX's 64-bit mode is on: type "
                "portanet.set_backend('jax', dtype='float64'), or jax.config.update('jax_enable_x64', True). "
                f"Received: {x.dtype} values from {x.min()} to {x.max()}"
            )
    if x.dtype == "float64":
        raise ValueError(
            "Backend 'jax' has 64-bit floats only when JAX's 64-bit mode is on: type portanet.set_backend('jax', "
            f"dtype='float64'), or jax.config.update('jax_enable_x64', True). Received: dtype={x.dtype.name!r}"
        )
