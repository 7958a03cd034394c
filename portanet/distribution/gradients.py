"""The sum of gradients over processes: in buckets, each of which is sent as soon as its gradients are there, where
messages travel while this process computes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from portanet.autodiff import custom_vjp, is_traced, unwrap
from portanet.backends import Array, HostArray, get_backend, raw_namespace
from portanet.distribution.engines import engine_of
from portanet.distribution.rows import part_of
from portanet.distribution.share import Share, with_leaves
from portanet.distribution.slices import Slices

BUCKET = 1 << 20
"""Bytes from which gradients are sent together: below, a message costs more than its bytes."""


class GradientSum:
    """Adds up the gradients of the parts of a batch while the backward pass still computes others.

    Which gradients go together, and in which order, follows from the parameters alone, so that it is the same in all
    processes: from the last parameter to the first, as the backward pass comes by.

    Args:
        share: What this process computes.
        params: The parameters by name.
        names: The order of their names, from the first layer to the last; compiled functions sort dicts.
        slices: How the sums are cut, if this process needs slices of them alone.
    """

    def __init__(
        self, share: Share, params: dict[str, Array], names: Iterable[str], slices: Slices | None = None
    ) -> None:
        self.share = share
        self.start = share.processes.start_sums if slices is None else slices.processes.start_slices
        self.slices = slices
        self.buckets: list[list[str]] = [[]]
        size = 0
        for name in reversed([name for name in names if name in params]):
            if size >= BUCKET and not share.processes.near:
                self.buckets.append([])
                size = 0
            self.buckets[-1].append(name)
            size += 4 * math.prod(params[name].shape)
        self.arrived: dict[str, HostArray] = {}
        self.started: list[Callable[[], list[HostArray]]] = []
        self.engine = engine_of(share.processes)

    def watched(self, params: dict[str, Array]) -> dict[str, Array]:
        """The parameters, whose gradients are noticed when they are complete, if they can be sent meanwhile."""
        if self.share.processes.near or not self.engine.on_host:
            return params
        return {name: self._watched(name, p) for name, p in params.items()}

    def _watched(self, name: str, p: Array) -> Array:
        @functools.partial(custom_vjp, early=True)
        def same(p: Array) -> Any:
            def pullback(g: Array) -> tuple[Array]:
                if not is_traced(g):  # else it is of a derivative of derivatives, or of a step being compiled
                    self._arrive(name, g)
                return (g,)

            return p, pullback

        out: Array = same(p)
        return out

    def _arrive(self, name: str, g: Array) -> None:
        backend = get_backend()
        if backend.cost_of_reading(g) == "never":
            return
        self.arrived[name] = backend.view_on_host(g)
        while len(self.started) < len(self.buckets):
            bucket = self.buckets[len(self.started)]
            if not all(each in self.arrived for each in bucket):
                return
            self.started.append(self.start([self.arrived.pop(each) for each in bucket]))

    def finish(self, grads: dict[str, Array], rest: Any) -> tuple[dict[str, Array], Any]:
        """The sums of all gradients, or their slices, and those of a tree of other arrays, sent in double precision.

        Args:
            grads: The gradients of this process.
            rest: The other arrays.
        """
        if not self.engine.on_host:
            return self._finish_on_devices(grads, rest)
        begun, left = self.started, self.buckets[len(self.started) :]

        def total(arrays: Sequence[HostArray]) -> list[HostArray]:
            finishes, place = list(begun), 0
            for bucket in left:
                finishes.append(self.start(arrays[place : place + len(bucket)]))
                place += len(bucket)
            last = self.share.processes.start_sums([each.astype("float64") for each in arrays[place:]])
            sums = [each for finish in finishes for each in finish()]
            return sums + [s.astype(o.dtype) for s, o in zip(last(), arrays[place:], strict=True)]

        given = [unwrap(grads[name]) for bucket in left for name in bucket]
        summed: dict[str, Array] = {}

        names = [name for bucket in self.buckets for name in bucket]

        def of_all(others: list[Array]) -> list[Array]:
            shapes = [self._shape(grads[name]) for name in names] + [tuple(x.shape) for x in others]
            sums = get_backend().on_host(total, [*given, *others], shapes)
            summed.update(zip(names, sums, strict=False))
            return sums[len(names) :]

        rest = with_leaves(rest, of_all)
        return {name: summed[name] for name in grads}, rest

    def _finish_on_devices(self, grads: dict[str, Array], rest: Any) -> tuple[dict[str, Array], Any]:
        """The same, on the stream that the library computes on."""
        names = [name for bucket in self.buckets for name in bucket]
        sums = (self.engine.sum if self.slices is None else self.engine.slices)([unwrap(grads[name]) for name in names])

        def of_all(others: list[Array]) -> list[Array]:
            wide = [raw_namespace(x).astype(x, raw_namespace(x).float64) for x in others]
            pairs = zip(self.engine.sum(wide), others, strict=True)
            return [raw_namespace(x).astype(total, x.dtype) for total, x in pairs]

        return dict(zip(names, sums, strict=True)), with_leaves(rest, of_all)

    def _shape(self, g: Array) -> tuple[int, ...]:
        """The shape of the sum, or of its slice."""
        if self.slices is None:
            return tuple(g.shape)
        part = part_of(math.prod(g.shape), self.share.processes.rank, self.share.processes.size)
        return (part.stop - part.start,)
