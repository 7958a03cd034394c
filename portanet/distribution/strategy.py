"""How training is distributed: the setting, and parallel computation of a batch's parts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import numpy as np

from portanet import checks, random
from portanet.backends import Backend, HostArray, get_backend, make_backend, set_backend
from portanet.distribution.devices import DeviceMesh, list_devices
from portanet.distribution.engines import engine_of
from portanet.distribution.job import initialize, joined, launched
from portanet.distribution.processes import Processes
from portanet.distribution.rows import part_of
from portanet.distribution.share import Share
from portanet.distribution.slices import Slices


class DataParallel:
    """Compute each batch in parts, one in each process or on each device; as `keras.distribution.DataParallel`.

    The run is that of one process: `batch_size` is that of the whole batch, weights, order of the examples and masks
    are those that one process would draw, and so are losses, gradients and metrics up to rounding. Every process runs
    the whole script with the same seed; the first shows progress and writes files.

    Args:
        device_mesh: On JAX, in one process: the devices.
        devices: Likewise, their names; by default all that `list_devices` names. In jobs of several processes, and on
            other backends, these are None: each process uses the device of its backend.
        auto_shard_dataset: Whether what gives batches gives the same whole batches in every process, which takes its
            part. False: it gives each process another part of the batch, such as from files of its own.
        shard_optimizer: Whether each process keeps the optimizer's moments of its slice of each weight alone, and
            updates that, in place of all (ZeRO's first stage, Rajbhandari et al. 2020). The run is the same. For
            optimizers that treat each element by itself.
        custom_steps: What a `train_step` of the user's gets: `"whole"` batches, which every process computes, or
            `"parts"`, for steps whose losses are means over the examples and whose gradients come from
            `value_and_gradients`; see docs/distribution.md.

    Raises:
        ValueError: `device_mesh` or `devices` where there is one device, or `shard_optimizer` where there are several.

    Example:
        >>> from portanet import distribution
        >>> distribution.set_distribution(distribution.DataParallel())
        >>> distribution.distribution()
        <DataParallel, process 0 of 1>
        >>> distribution.set_distribution(None)
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Sequence[str] | None = None,
        auto_shard_dataset: bool = True,
        shard_optimizer: bool = False,
        custom_steps: str = "whole",
    ) -> None:
        self.auto_shard_dataset = checks.boolean("auto_shard_dataset", auto_shard_dataset, type(self))
        self.shard_optimizer = checks.boolean("shard_optimizer", shard_optimizer, type(self))
        self.custom_steps = checks.choice("custom_steps", custom_steps, ("whole", "parts"), type(self))
        if joined() is None and launched():
            initialize()
        self.processes: Processes | None = joined()
        self.slices = Slices(self.processes) if self.shard_optimizer and self.processes and self.size > 1 else None
        """How the weights are cut where each process updates a part of them; None where it updates them all."""
        self.devices = self._devices(device_mesh, devices)
        """The devices that share batches; none for one alone."""
        self._number = get_backend().process_number if self.devices else 0
        if self.devices and self.shard_optimizer:
            expected = "False with several devices of one process: slices are those of processes"
            raise checks.invalid("shard_optimizer", shard_optimizer, expected, type(self))

    def _devices(self, mesh: DeviceMesh | None, devices: Sequence[str] | None) -> list[str]:
        spans = get_backend().spans_devices and self.size == 1
        for name, value in (("device_mesh", mesh), ("devices", devices)):
            if value is not None and not spans:
                raise checks.invalid(name, value, "None: each process uses the device of its backend", type(self))
        if mesh is not None and not isinstance(mesh, DeviceMesh):
            raise checks.invalid("device_mesh", mesh, "a portanet.distribution.DeviceMesh", type(self))
        if not spans:
            return []
        chosen = list(
            mesh.devices if mesh is not None else checks.texts("devices", devices or list_devices(), type(self))
        )
        return chosen if len(chosen) > 1 else []

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return self._number if self.processes is None else self.processes.rank

    @property
    def size(self) -> int:
        """How many processes there are."""
        return 1 if self.processes is None else self.processes.size

    def __repr__(self) -> str:
        where = f"{len(self.devices)} devices" if self.devices else f"process {self.rank} of {self.size}"
        return f"<{type(self).__name__}, {where}>"

    def for_training(self, share: Share) -> Share:
        """The share of a batch as training computes it.

        Args:
            share: As evaluation does.
        """
        return share

    def share(self, whole: int) -> Share | None:
        """What this process computes of a batch; None, if every one computes all of it since it is too small.

        Args:
            whole: Examples in the batch.
        """
        if self.processes is None or self.size == 1 or whole < 2 * self.size:  # a draw of one row is for all rows
            return None
        part = part_of(whole, self.rank, self.size)
        return Share(self.processes, part.start, part.stop, whole)

    def share_of(self, count: int) -> Share | None:
        """The share where each process was given another part of a batch.

        Args:
            count: Examples that this one was given; 0 where there are no more batches.

        Raises:
            ValueError: Some processes have more batches than others.
        """
        if self.processes is None or self.size == 1:
            return None
        counts = self.processes.each(count)
        if counts.min() == 0 < counts.max():
            raise ValueError(
                "Argument `x` must give as many batches in each process; pass steps_per_epoch to end where the first "
                f"one does. Received: none more in process {int(counts.argmin())}, others in {int(counts.argmax())}"
            )
        start = int(counts[: self.rank].sum())
        return Share(self.processes, start, start + count, int(counts.sum()))

    def require_alike(self, what: str, told: str) -> None:
        """Refuse what must be the same in all processes, and is not.

        Args:
            what: What it is, for the message.
            told: What it is in this process.
        """
        if self.processes is None or self.size == 1:
            return
        texts = self.processes.texts(told)
        other = next((rank for rank, text in enumerate(texts) if text != texts[0]), None)
        if other is not None:
            pairs = enumerate(zip(texts[0], texts[other], strict=False))
            begin = max(0, next((i for i, (a, b) in pairs if a != b), 0) - 40)  # what is alike may be long
            first, second = (text[begin : begin + 120] for text in (texts[0], texts[other]))
            raise ValueError(
                f"All processes must have the same {what}, since each runs the whole script. "
                f"Received: {first!r} in process 0, {second!r} in process {other}"
            )

    def require_same_data(self, arrays: Sequence[HostArray]) -> None:
        """Refuse data that are other examples than those of the first process, up to rounding.

        Args:
            arrays: A few examples, as many and of the same shapes in all processes.
        """
        if self.processes is None or self.size == 1:
            return
        own = [np.asarray(each, "float64") for each in arrays if each.dtype.kind in "fiub"]
        alike = all(map(_near, own, self.processes.broadcast(own)))
        bad = self.processes.each(not alike)
        if bad.any():
            raise ValueError(
                "All processes must have the same examples in the same order, of which each takes its part: seed what "
                "draws, splits or shuffles them, or pass DataParallel(auto_shard_dataset=False) for batches of each "
                f"process's own. Received: other examples in process {int(bad.argmax())} than in process 0"
            )

    def agreed(self, number: int) -> int:
        """The number that the first process has, in all."""
        if self.processes is None or self.size == 1:
            return number
        (first,) = self.processes.broadcast([np.asarray([number], "int64")])
        return int(first[0])


def _near(a: HostArray, b: HostArray) -> bool:
    scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    return bool(np.allclose(a, b, rtol=1e-3, atol=1e-3 * scale, equal_nan=True))


_current: list[DataParallel] = []
_apart: ContextVar[bool] = ContextVar("portanet_apart", default=False)


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """In a `with` block of this context, this process computes by itself, and waits for no other."""
    token = _apart.set(True)
    try:
        yield
    finally:
        _apart.reset(token)


def set_distribution(value: DataParallel | None) -> None:
    """Distribute all training from here on, in all threads; as in Keras.

    All processes take over the seed of the first one. Build models after this, so that they start alike, and lie on all
    devices.

    Args:
        value: How; None for one process.

    Example:
        >>> set_distribution(None)
    """
    if value is not None and not isinstance(value, DataParallel):
        raise checks.invalid("value", value, "a portanet.distribution.DataParallel or None", "set_distribution")
    before = distribution()
    _current[:] = [] if value is None else [value]
    if value is not None and value.devices:
        _use_devices(",".join(value.devices))
    elif before is not None and before.devices and get_backend().device_name == ",".join(before.devices):
        _use_devices(before.devices[0])
    if value is not None and value.processes is not None and value.size > 1:
        random.set_seed(value.agreed(random.get_seed()))


def _use_devices(names: str) -> None:
    backend = get_backend()
    set_backend(make_backend(backend.name, names, backend.dtype_name(backend.dtype)))


def distribution() -> DataParallel | None:
    """How training is distributed; None for one process.

    Example:
        >>> distribution() is None
        True
    """
    return _current[0] if _current and not _apart.get() else None


def cuts_custom_steps() -> bool:
    """Whether a `train_step` of the user's gets this process's part of a batch."""
    strategy = distribution()
    return strategy is not None and strategy.custom_steps == "parts"


def _together() -> Processes | None:
    """The processes that train together; None for one alone."""
    return _current[0].processes if _current and _current[0].size > 1 else None


_NOTHING = contextlib.nullcontext()


def in_call(name: str) -> contextlib.AbstractContextManager[None]:
    """In a `with` block, a call of a model, by its name: other processes are told of an error that leaves it."""
    processes = _together()
    if processes is None:
        return _NOTHING
    engine_of(processes)  # before a call in which processes might ask for it at different places
    return processes.call(name)


def recordable(backend: Backend) -> bool:
    """Whether a step may be recorded with what the processes exchange in it, where a backend records steps."""
    processes = _together()
    return processes is None or engine_of(processes, backend).recordable


def writes_files() -> bool:
    """Whether this process is the one that writes files and shows progress."""
    return not _current or _current[0].rank == 0


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """In a `with` block, the first process writes a file that the others can read afterwards: they wait for it."""
    processes = _together()
    try:
        yield
    finally:
        if processes is not None and processes.rank == 0:
            processes.files.wrote()
    if processes is not None and processes.rank != 0:
        processes.files.wait()


if os.environ.get("PORTANET_DISTRIBUTION"):
    checks.choice("PORTANET_DISTRIBUTION", os.environ["PORTANET_DISTRIBUTION"], ("mpi",), "the environment")
    set_distribution(DataParallel())
