"""The matrix: every test that takes `xp` or `backend` runs on every available backend.

`PORTANET_TEST_BACKENDS=numpy,torch` selects backends; a selected one that is unavailable is skipped with the reason.
"""

from __future__ import annotations

import functools
import os
import pathlib
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import portanet.backends.numpy.recorded  # noqa: F401 (it takes over NumPy's overrides, which tests replace)
from portanet.backends import BACKENDS, Backend, available_backends, make_backend, use_backend
from tests.known_failures import known_failure

# Read when JAX is first imported. Gradients are checked in float64. JAX compiles every operation for every shape, which
# takes most of the time of its tests: so optimisation is off (`XLA_FLAGS=` in the environment enables it, as for users;
# the sessions `oracles` and `portability` do), and compiled programs are cached for the next run and shared by workers.
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false",
)
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(pathlib.Path(__file__).parent.parent / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the GPU's memory is for all libraries and workers
# SYCL compiles kernels for the CPU, too.
os.environ.setdefault("SYCL_CACHE_PERSISTENT", "1")
os.environ.setdefault("SYCL_CACHE_DIR", str(pathlib.Path(__file__).parent.parent / ".sycl_cache"))

MATRIX = {
    **{name: (name, None) for name in BACKENDS},
    "strict-device1": ("strict", "device1"),
    "torch": ("torch", "cpu"),
    "jax": ("jax", "cpu"),
    "mlx": ("mlx", "cpu"),
    "torch-cuda": ("torch", "cuda"),
    "jax-gpu": ("jax", "gpu"),
}
GPU_ONLY_WHEN_NAMED = ("torch-cuda", "jax-gpu")  # looking for their GPU would import the library

# The fixtures below give the same value to every example, so hypothesis may share them among examples.
settings.register_profile(
    "portanet",
    deadline=None,
    derandomize=True,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("portanet")


def chosen_backends() -> list[str]:
    """Ids from PORTANET_TEST_BACKENDS, or all whose library is installed and works."""
    named = os.environ.get("PORTANET_TEST_BACKENDS")
    if named:
        ids = [name.strip() for name in named.split(",")]
        unknown = [name for name in ids if name not in MATRIX]
        if unknown:
            raise pytest.UsageError(f"PORTANET_TEST_BACKENDS: known are {', '.join(MATRIX)}. Received: {named!r}")
        return ids
    return [name for name in MATRIX if name not in GPU_ONLY_WHEN_NAMED and reasons()[MATRIX[name][0]] is None]


@functools.cache
def reasons() -> dict[str, str | None]:
    """Why backends are unavailable; determined once."""
    return available_backends()


def pytest_report_header() -> str:
    return f"backends: {', '.join(chosen_backends())}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        type=int,
        metavar="K",
        help="of the tests that take a backend, run the first case of each and one in K of the others",
    )
    parser.addoption("--programs", type=int, metavar="N", help="compare N random programs with JAX in place of a few")
    parser.addoption("--matrix", action="store_true", help="run only the tests that take a backend")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark known failures. Leave out what the matrix or a sample does not include; the same tests each time, also in
    parallel workers.
    """
    for item in items:
        cause = known_failure(item)
        if cause is not None:
            item.add_marker(pytest.mark.xfail(reason=cause))
    every = config.getoption("sample")
    if every is None and not config.getoption("matrix"):
        return
    seen: set[str] = set()
    chosen: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        test = item.nodeid.partition("[")[0]
        include = every is None or test not in seen or zlib.crc32(item.nodeid.encode()) % every == 0
        seen.add(test)
        (chosen if include and takes_backend(item) else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = chosen


def takes_backend(item: pytest.Item) -> bool:
    """Whether a test has a backend for its fixture or, if its cases depend on the backend, for a parameter `chosen`."""
    call = getattr(item, "callspec", None)
    chosen = call.params.get("chosen") if call else None
    return "backend" in getattr(item, "fixturenames", ()) or (isinstance(chosen, str) and chosen in MATRIX)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", chosen_backends(), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The current backend of this test (float32 by default), on its device."""
    name, device = MATRIX[request.param]
    reason = reasons()[name]
    if reason is not None:
        pytest.skip(f"{request.param}: {reason}")
    try:
        chosen = make_backend(name, device)
    except ValueError as error:  # no such device
        pytest.skip(f"{request.param}: {error}")
    with use_backend(chosen):
        yield chosen


@pytest.fixture
def xp(backend: Backend) -> Any:
    """The array API namespace of the current backend of this test."""
    return backend.xp
