"""Dask: arrays larger than memory, in blocks that are computed when the result is requested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array, HostArray
from portanet.backends.forward import ForwardBackend
from portanet.backends.registry import raw_namespace


class DaskBackend(ForwardBackend):
    """Dask arrays with blocks of any library."""

    name = "dask"
    library = "dask.array"

    @classmethod
    def load(cls) -> Any:
        import array_api_compat.dask.array as xp

        return xp

    @classmethod
    def owns(cls, x: Any) -> bool:
        import dask.array

        return isinstance(x, dask.array.Array)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        from portanet.backends.conversion import to_host  # which asks for the class of the blocks in turn

        return to_host(x.compute())

    @classmethod
    def takes(cls, x: Array, weights: Any) -> bool:
        return raw_namespace(x._meta) is weights

    @classmethod
    def constant(cls, value: Array) -> Array:
        import dask.array

        return dask.array.from_array(value, chunks=-1, asarray=False)

    @classmethod
    def map_batches(cls, function: Callable[..., Any], arrays: list[Array], like: list[HostArray]) -> list[Array]:
        """`function(*arrays)` block by block along the first axis, when the results are requested.

        Args:
            function: What gives, for NumPy arrays with the same first axis, a list of such arrays. It is pickled where
                blocks are computed by other processes.
            arrays: Dask arrays with the same first axis, which is divided as in the first of them; the other axes are
                joined.
            like: Results of the function for one example, which tell shapes and dtypes.
        """
        import dask
        import dask.array

        rows = arrays[0].chunks[0]
        joined = [x.rechunk({0: rows} | dict.fromkeys(range(1, x.ndim), -1)) for x in arrays]
        blocks = zip(*(x.to_delayed().ravel() for x in joined), strict=True)
        shared = dask.delayed(function, pure=False, traverse=False)
        results = [shared(*block) for block in blocks]
        return [
            dask.array.concatenate(
                [
                    dask.array.from_delayed(block[place], (count, *result.shape[1:]), result.dtype)
                    for block, count in zip(results, rows, strict=True)
                ]
            )
            for place, result in enumerate(like)
        ]
