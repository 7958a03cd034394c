"""Jobs of several processes, as mpiexec starts them."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.support import PATIENCE

ROOT = pathlib.Path(__file__).parent.parent.parent


def launcher() -> str:
    """The path of mpiexec, that of this environment if it has one; skips the test where there is none."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install 'portanet[mpi]'")
    found = shutil.which("mpiexec", path=os.path.dirname(sys.executable)) or shutil.which("mpiexec")
    if found is None:
        pytest.skip("mpiexec is not installed: pip install 'portanet[mpi]'")
    return found


def start(count: int, program: str, folder: pathlib.Path, *args: str, **env: str) -> subprocess.Popen[str]:
    """A job that runs a program of `tests.distribution.programs` in several processes."""
    command = [launcher(), "-n", str(count), sys.executable, "-m", "tests.distribution.programs", program, str(folder)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **env}
    return subprocess.Popen(
        [*command, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables, cwd=ROOT
    )


def run(count: int, program: str, folder: pathlib.Path, *args: str, **env: str) -> list[Any]:
    """What each process of a job has written."""
    folder.mkdir(parents=True, exist_ok=True)
    job = start(count, program, folder, *args, **env)
    output = _output(job)
    assert job.returncode == 0, output
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]


def ends(count: int, program: str, folder: pathlib.Path, *args: str, **env: str) -> str:
    """What a job says that must end by itself, with an error."""
    folder.mkdir(parents=True, exist_ok=True)
    job = start(count, program, folder, *args, **env)
    output = _output(job)
    assert job.returncode != 0, output
    return output


def _output(job: subprocess.Popen[str]) -> str:
    """What a job says; its processes end by themselves, showing where they were, before it is waited for too long."""
    try:
        output, _ = job.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        job.terminate()
        raise
    return output
