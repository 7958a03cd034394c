"""The job that this process is one of: how it joins the others, and how an error in one ends all."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

from portanet import checks
from portanet.backends import Backend, get_backend, make_backend, set_backend
from portanet.distribution.processes import Processes
from portanet.extras import install_command

LAUNCHERS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE")
"""Variables by which programs that start the processes of a job, such as mpiexec and srun, tell them so."""

_joined: list[Processes] = []


def joined() -> Processes | None:
    """The processes of this job, if `initialize` was called."""
    return _joined[0] if _joined else None


def launched() -> bool:
    """Whether this process was started as one of several, by mpiexec, srun or the like."""
    return any(name in os.environ for name in LAUNCHERS)


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    timeout: float = 600.0,
) -> None:
    """Join the other processes of the job, which mpiexec, srun or the like has started; as in Keras.

    Processes of one machine then each compute on their own GPU, those that the backend lists in turn, unless it was
    chosen by name, as in `set_backend("cupy", "cuda:1")`. An error that nothing catches in one process ends all of
    them, with its message. `DataParallel()` calls this, where a job was started. Called again, it sets `timeout`.

    Args:
        job_addresses: Must be None: MPI knows where the processes are.
        num_processes: How many processes the job must have; None for as many as there are.
        process_id: Which of them this one must be, from 0; None for whichever it is.
        timeout: Seconds to wait for another process before all are ended.

    Raises:
        ImportError: mpi4py is not installed, or finds no MPI.
        ValueError: The job is another.

    Example:
        >>> from portanet import distribution
        >>> distribution.initialize(timeout=60.0)  # doctest: +SKIP
    """
    timeout = checks.positive("timeout", timeout, "initialize")
    if job_addresses is not None:
        raise checks.invalid("job_addresses", job_addresses, "None: MPI knows where the processes are", "initialize")
    if not _joined:
        _joined.append(Processes(_world(), timeout))
        if _joined[0].size > 1:
            sys.excepthook = _end_all
            atexit.register(_joined[0].leave)
            take_own_device(_joined[0].place)
    processes = _joined[0]
    processes.timeout = timeout
    for name, value, is_it in (
        ("num_processes", num_processes, processes.size),
        ("process_id", process_id, processes.rank),
    ):
        if value is not None and checks.integer(name, value, "initialize", least=0) != is_it:
            raise ValueError(
                f"Argument `{name}` of initialize does not fit the job, where it is {is_it}. Received: {value}"
            )


def take_own_device(number: int) -> None:
    """Let this process compute on its own device of a machine, if the backend's was not chosen by name.

    Args:
        number: Which of the job's processes on this machine it is.
    """
    backend = get_backend()
    Backend.local_number = number
    named = backend.asked is not None and (not isinstance(backend.asked, str) or backend.asked in backend.devices())
    if not named and backend.find_device(backend.asked) != backend.device:
        set_backend(make_backend(backend.name, backend.asked, backend.dtype_name(backend.dtype)))


def _world() -> Any:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            f"Many processes need mpi4py and an MPI, which it found no way to load. Type: {install_command('mpi')}, "
            f"which brings mpich and mpiexec; on a cluster, pip install mpi4py for its own MPI. ({error})"
        ) from error
    return MPI.COMM_WORLD


_before = sys.excepthook


def _end_all(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Show an error that nothing has caught, and end all processes, which would wait for this one."""
    _before(kind, error, trace)
    processes = _joined[0]
    processes.abort(f"Process {processes.rank} of {processes.size} ended with {kind.__name__}, and so do all.")
