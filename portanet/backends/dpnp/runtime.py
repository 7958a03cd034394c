"""The OpenCL runtime that lets dpnp compute on a CPU."""

from __future__ import annotations

import functools
import importlib.metadata
import os

_RUNTIME = ("libintelocl.so", "intelocl64.dll")


@functools.cache
def announce_cpu_runtime() -> bool:
    """Name the CPU runtime in the wheel `intel-opencl-rt` to OpenCL, which does not look there; whether it does.

    OpenCL reads the variable once, when devices are first listed, and adds these runtimes to those of the system.
    """
    if "OCL_ICD_FILENAMES" in os.environ:
        return False
    try:
        files = importlib.metadata.files("intel-opencl-rt") or []
    except importlib.metadata.PackageNotFoundError:
        return False
    for file in files:
        if file.name in _RUNTIME:
            os.environ["OCL_ICD_FILENAMES"] = str(file.locate())
            return True
    return False
