"""Freed memory stays with the process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

# Page faults of a second allocation of the same size, for arrays large enough to be returned to the system by default.
SCRIPT = """
import resource
import numpy as np
import portanet
portanet.set_backend("numpy")

def allocate():
    arrays = [np.ones(500_000) for _ in range(40)]  # 160 MB

allocate()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
allocate()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**environment: str) -> int:
    result = subprocess.check_output([sys.executable, "-c", SCRIPT], text=True, env={**os.environ, **environment})
    return int(result)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can be told")
def test_freed_memory_comes_again_without_page_faults_unless_the_user_says_otherwise() -> None:
    assert faults() < 100
    assert faults(MALLOC_TRIM_THRESHOLD_="1000000") > 1000
