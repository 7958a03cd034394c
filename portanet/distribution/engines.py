"""Who adds up arrays of several processes: NCCL or MPI from device to device, or MPI on the host."""

from __future__ import annotations

import ctypes
import json
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from portanet.backends import Array, Backend, device_of, get_backend, raw_namespace
from portanet.backends.link import NUMBERS, SUM, Link
from portanet.backends.recording import recording
from portanet.distribution.processes import Processes
from portanet.distribution.rows import part_of
from portanet.distribution.watch import Watch


class Engine:
    """Adds up arrays of the library in use, through the host: MPI.

    Args:
        processes: The processes of the job.
    """

    on_host = True
    """Whether arrays go through the host, where a step can begin to send before it has all of them."""
    recordable = False
    """Whether a recorded step may contain sums."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def sum(self, arrays: Sequence[Array]) -> list[Array]:
        """The sums of arrays over all processes, the same bits in each of them."""
        return get_backend().on_host(self.processes.sum, arrays)

    def slices(self, arrays: Sequence[Array]) -> list[Array]:
        """The slices of the sums that are this process's: parts of rows of elements, see `part_of`."""
        shapes = [(_length(self._own(math.prod(x.shape))),) for x in arrays]
        return get_backend().on_host(lambda given: self.processes.start_slices(given)(), arrays, shapes)

    def join(self, slices: Sequence[Array], sizes: Sequence[int]) -> list[Array]:
        """Rows of so many elements, from the slices of all processes."""
        return get_backend().on_host(lambda own: self.processes.join(own, sizes), slices, [(n,) for n in sizes])

    def broadcast(self, arrays: Sequence[Array]) -> list[Array]:
        """The arrays of the first process, in all."""
        return get_backend().on_host(self.processes.broadcast, arrays)

    def watch(self) -> None:
        """Note that a step with sums in it has begun, which may wait for other processes."""

    def _own(self, count: int) -> slice:
        return part_of(count, self.processes.rank, self.processes.size)


class OnDevices(Engine):
    """What engines have in common that take arrays where they lie.

    Args:
        processes: The processes of the job.
        link: The library's part.
    """

    on_host = False

    def __init__(self, processes: Processes, link: Link) -> None:
        super().__init__(processes)
        self.link = link
        self._watch = Watch(processes)
        processes.on_devices.append(self)

    def finish(self) -> None:
        """Wait until all that this process has begun is done."""
        self.link.synchronize()
        self._watch.end()

    def abort(self) -> None:
        """End what waits for other processes."""

    def sum(self, arrays: Sequence[Array]) -> list[Array]:
        given = [self._summable(x) for x in arrays]
        totals = [_empty(x, tuple(x.shape)) for x in given]
        self._send([(x, total) for x, total in zip(given, totals, strict=True) if math.prod(x.shape)], self._add_up)
        return [_cast(total, x.dtype) for total, x in zip(totals, arrays, strict=True)]

    def slices(self, arrays: Sequence[Array]) -> list[Array]:
        given = [self._summable(x) for x in arrays]
        owns = [_empty(x, (_length(self._own(math.prod(x.shape))),)) for x in given]
        self._send([(x, own) for x, own in zip(given, owns, strict=True) if math.prod(x.shape)], self._add_up_slices)
        return [_cast(own, x.dtype) for own, x in zip(owns, arrays, strict=True)]

    def join(self, slices: Sequence[Array], sizes: Sequence[int]) -> list[Array]:
        given = [self.link.contiguous(x) for x in slices]
        rows = [_empty(x, (n,)) for x, n in zip(given, sizes, strict=True)]
        self._send([(x, row) for x, row in zip(given, rows, strict=True) if math.prod(row.shape)], self._join)
        return rows

    def broadcast(self, arrays: Sequence[Array]) -> list[Array]:
        copies = [self.link.contiguous(raw_namespace(x).asarray(x, copy=True)) for x in arrays]
        self._send([(x, x) for x in copies if math.prod(x.shape)], self._broadcast)
        return copies

    def _summable(self, x: Array) -> Array:
        """The array with elements in order, of a dtype in which sums lose nothing."""
        name = get_backend().dtype_name(x.dtype)
        wide = {"float16": "float32", "bfloat16": "float32", "int16": "int32", "uint16": "int32"}.get(name, name)
        return self.link.contiguous(_cast(x, getattr(raw_namespace(x), wide)))

    def _parts(self, count: int) -> list[slice]:
        return [part_of(count, rank, self.processes.size) for rank in range(self.processes.size)]

    def _send(self, pairs: Sequence[tuple[Array, Array]], call: Callable[[Array, Array], None]) -> None:
        """Make a call for each pair of what is sent and what is received."""
        raise NotImplementedError

    def _add_up(self, x: Array, total: Array) -> None:
        raise NotImplementedError

    def _add_up_slices(self, x: Array, own: Array) -> None:
        raise NotImplementedError

    def _join(self, x: Array, row: Array) -> None:
        raise NotImplementedError

    def _broadcast(self, copy: Array, same: Array) -> None:
        raise NotImplementedError


class NcclEngine(OnDevices):
    """NCCL's calls on the stream that the library computes on: the host waits for nothing.

    Raises:
        RuntimeError: NCCL connects the devices not.
    """

    recordable = True

    def __init__(self, processes: Processes, link: Link) -> None:
        super().__init__(processes, link)
        made = link.unique_id() if processes.rank == 0 else bytes(128)
        (shared,) = processes.broadcast([np.frombuffer(made, "uint8")])
        try:
            link.open(processes.size, shared.tobytes(), processes.rank)
        except Exception as error:
            raise RuntimeError(
                f"NCCL could not connect the GPU of process {processes.rank} of {processes.size} with the others. Run "
                "again with NCCL_DEBUG=INFO, which shows what it tried; between machines, NCCL_SOCKET_IFNAME names the "
                f"network. ({error})"
            ) from error

    def abort(self) -> None:
        self.link.abort()

    def watch(self) -> None:
        self.processes.begin_step()
        self._watch.follow(self.link.mark())

    def _send(self, pairs: Sequence[tuple[Array, Array]], call: Callable[[Array, Array], None]) -> None:
        if not pairs:
            return
        with self.link.group():
            for x, result in pairs:
                call(x, result)
        if not recording():
            self._watch.follow(self.link.mark())

    def _add_up(self, x: Array, total: Array) -> None:
        number, each = _number(x)
        count = each * math.prod(x.shape)
        self.link.call("allReduce", self.link.pointer(x), self.link.pointer(total), count, number, SUM)

    def _add_up_slices(self, x: Array, own: Array) -> None:
        (number, each), size = _number(x), _bytes(x)
        start, target, parts = self.link.pointer(x), self.link.pointer(own), self._parts(math.prod(x.shape))
        if len({*map(_length, parts)}) == 1:
            self.link.call("reduceScatter", start, target, each * _length(parts[0]), number, SUM)
            return
        for rank, part in enumerate(parts):
            if _length(part):
                self.link.call("reduce", start + size * part.start, target, each * _length(part), number, SUM, rank)

    def _join(self, x: Array, row: Array) -> None:
        size, parts = _bytes(x), self._parts(math.prod(row.shape))
        start, target, number = self.link.pointer(x), self.link.pointer(row), NUMBERS["uint8"]
        if len({*map(_length, parts)}) == 1:
            self.link.call("allGather", start, target, size * _length(parts[0]), number)
            return
        for rank, part in enumerate(parts):
            if _length(part):
                self.link.call("broadcast", start, target + size * part.start, size * _length(part), number, rank)

    def _broadcast(self, copy: Array, _: Array) -> None:
        start, count = self.link.pointer(copy), _bytes(copy) * math.prod(copy.shape)
        self.link.call("broadcast", start, start, count, NUMBERS["uint8"], 0)


class DeviceMpiEngine(OnDevices):
    """An MPI that reads and writes the memory of devices: calls that wait, since MPI knows no streams."""

    def _send(self, pairs: Sequence[tuple[Array, Array]], call: Callable[[Array, Array], None]) -> None:
        if not pairs:
            return
        self.processes.begin_step()
        self.link.synchronize()
        done: list[bool] = []
        self._watch.follow(lambda: bool(done))
        for x, result in pairs:
            call(x, result)
        done.append(True)

    def _add_up(self, x: Array, total: Array) -> None:
        self.processes.comm.Allreduce(self.link.buffer(x), self.link.buffer(total))

    def _add_up_slices(self, x: Array, own: Array) -> None:
        counts = [*map(_length, self._parts(math.prod(x.shape)))]
        self.processes.comm.Reduce_scatter(self.link.buffer(x), self.link.buffer(own), counts)

    def _join(self, x: Array, row: Array) -> None:
        from mpi4py import MPI

        counts = [_bytes(x) * _length(part) for part in self._parts(math.prod(row.shape))]
        own = counts[self.processes.rank]
        self.processes.comm.Allgatherv(
            [self.link.buffer(x), own, MPI.BYTE], [self.link.buffer(row), counts, None, MPI.BYTE]
        )

    def _broadcast(self, copy: Array, _: Array) -> None:
        from mpi4py import MPI

        self.processes.comm.Bcast([self.link.buffer(copy), _bytes(copy) * math.prod(copy.shape), MPI.BYTE], 0)


def engine_of(processes: Processes, backend: Backend | None = None) -> Engine:
    """Who adds up arrays of a backend; all processes choose together when they first ask with one.

    Args:
        processes: The processes of the job.
        backend: The backend; None for that in use.
    """
    backend = get_backend() if backend is None else backend
    known, key = _chosen.setdefault(processes, {}), (backend.name, str(backend.device))
    if key not in known:
        known[key] = _choose(processes, backend)
    return known[key]


_chosen: WeakKeyDictionary[Processes, dict[tuple[str, str], Engine]] = WeakKeyDictionary()


def _choose(processes: Processes, backend: Backend) -> Engine:
    link = backend.link()
    offer: dict[str, Any] = {"backend": backend.name, "device": None if link is None else link.identity()}
    if link is not None:
        offer["lacks"] = link.unavailable()
        offer["version"] = None if offer["lacks"] else link.version()
        offer["mpi"] = reads_devices()
    kind, reason = chosen([json.loads(text) for text in processes.texts(json.dumps(offer))])
    if reason and processes.rank == 0:
        how = "on the host, where each step waits for its gradients" if kind == "host" else "by MPI on the GPUs"
        warnings.warn(f"Arrays of several processes are added up {how}, not by NCCL: {reason}.", stacklevel=2)
    if link is None or kind == "host":
        return Engine(processes)
    return (NcclEngine if kind == "nccl" else DeviceMpiEngine)(processes, link)


def chosen(offers: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """Who adds up, `"nccl"`, `"mpi"` or `"host"`, and why it is not NCCL where arrays lie on GPUs.

    Args:
        offers: What each process has: `backend`; `device`, which is None for arrays of the host; what it `lacks` for
            NCCL, or its `version`; and whether `mpi` reads memory of devices.
    """
    devices = [offer["device"] for offer in offers]
    if all(device is None for device in devices):
        return "host", ""
    if None in devices:
        rank = devices.index(None)
        return "host", f"process {rank} computes on the host, with the backend '{offers[rank]['backend']}'"
    for rank, offer in enumerate(offers):
        first = devices.index(offer["device"])
        if offer["lacks"]:
            reason = f"in process {rank}, {offer['lacks']}"
        elif offer["version"] != offers[0]["version"]:
            reason = f"process 0 has version {offers[0]['version']}, process {rank} version {offer['version']}"
        elif first != rank:
            reason = f"processes {first} and {rank} use the same GPU; start one process for each"
        else:
            continue
        return ("mpi" if all(each["mpi"] for each in offers) else "host"), reason
    return "nccl", ""


def reads_devices() -> bool:
    """Whether MPI reads and writes the memory of CUDA devices, as it says itself."""
    from mpi4py import MPI

    try:
        return bool(ctypes.CDLL(MPI.__file__).MPIX_Query_cuda_support())
    except (OSError, AttributeError):  # it has no such function
        return False


def _length(part: slice) -> int:
    return int(part.stop - part.start)


def _cast(x: Array, dtype: Any) -> Array:
    return x if x.dtype == dtype else raw_namespace(x).astype(x, dtype)


def _empty(like: Array, shape: tuple[int, ...]) -> Array:
    return raw_namespace(like).empty(shape, dtype=like.dtype, device=device_of(like))


def _number(x: Array) -> tuple[int, int]:
    """NCCL's number for a dtype, and how many numbers of it an element is."""
    name = get_backend().dtype_name(x.dtype)
    complexes = {"complex64": "float32", "complex128": "float64"}
    return NUMBERS[complexes.get(name, name)], 1 + (name in complexes)


def _bytes(x: Array) -> int:
    """Bytes of an element."""
    return int(np.dtype(_SIZES.get(name := get_backend().dtype_name(x.dtype), name)).itemsize)


_SIZES = {"bfloat16": "float16"}
