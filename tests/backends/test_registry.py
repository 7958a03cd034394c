"""The current backend, here and in other threads, tasks and processes."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import (
    BACKENDS,
    Backend,
    BackendUnavailableError,
    backend_class,
    backend_class_of,
    device_of,
    lifetime,
    make_backend,
    to_device,
)
from portanet.backends.base import FLOATS
from portanet.extras import install_command
from tests.support import PATIENCE


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "PORTANET_BACKEND"} | environment
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_use_backend_holds_within_its_block(backend: Backend) -> None:
    assert portanet.get_backend() is backend
    with portanet.use_backend("numpy", dtype="float64") as inner:
        assert portanet.get_backend() is inner
        assert inner.dtype == np.float64
        with portanet.use_backend(backend):
            assert portanet.get_backend() is backend
        assert portanet.get_backend() is inner
    assert portanet.get_backend() is backend


@pytest.mark.parametrize(
    ("ask", "options"), [(device_of, {}), (to_device, {"device": "there", "stream": 3}), (lifetime, {})]
)
def test_a_library_is_asked_through_its_backend(
    ask: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = pytest.importorskip("array_api_strict")
    answer = lambda cls, *arguments, **named: (arguments, named)
    monkeypatch.setattr(backend_class("strict"), ask.__name__, classmethod(answer))
    x = strict.asarray([1.0])
    (asked, *rest), named = ask(x, **options)
    assert asked is x
    assert dict(zip(options, rest, strict=False)) | named == options


def test_use_backend_leaves_on_an_error(backend: Backend) -> None:
    with pytest.raises(ZeroDivisionError), portanet.use_backend("numpy", dtype="float64"):
        raise ZeroDivisionError
    assert portanet.get_backend() is backend


def test_a_choice_in_a_block_ends_with_it() -> None:
    code = (
        "import threading, portanet as p\n"
        "with p.use_backend('numpy'):\n"
        "    p.set_backend('numpy', dtype='float64')\n"
        "    print(p.asarray([1.0]).dtype)\n"
        "print(p.asarray([1.0]).dtype)\n"
        "threading.Thread(target=lambda: print(p.asarray([1.0]).dtype)).start()"
    )
    done = python(code)
    assert done.stdout.split() == ["float64", "float32", "float32"], done.stderr


def test_set_backend_accepts_a_backend(backend: Backend) -> None:
    code = "import portanet as p; b = p.set_backend('numpy', dtype='float64'); p.set_backend('numpy'); "
    done = python(code + "print(p.set_backend(b) is b is p.get_backend())")
    assert done.stdout == "True\n", done.stderr
    with pytest.raises(ValueError, match=r"brings its own device and dtype.* Received: .*dtype='float64'"):
        portanet.set_backend(backend, dtype="float64")


@pytest.mark.parametrize(
    ("name", "near"), [("nunpy", "'numpy'"), ("Torch", "'torch'"), ("cuppy", "'cupy'"), ("pytorch", "'torch'")]
)
def test_unknown_backend_suggests_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"Did you mean {near}.*one of 'auto', 'numpy', .*Received: name={name!r}"):
        portanet.set_backend(name)


@pytest.mark.parametrize("name", ["", "tensorflow", None, 3])
def test_unknown_backend(name: Any) -> None:
    with pytest.raises(ValueError, match=r"Unknown backend.*must be one of 'auto', 'numpy', .*Received: "):
        portanet.set_backend(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "gpu", "cpu", "mps"])
def test_a_device_is_no_backend(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name!r} is a device, which comes after the name: 'torch', {name!r}"):
        portanet.set_backend(name)


def test_unknown_device(backend: Backend) -> None:
    known = "|".join(backend.devices())
    with pytest.raises(ValueError, match=rf"no such device here. Known: '({known})'.*Received: device='tpu:9'"):
        portanet.use_backend(backend.name, "tpu:9").__enter__()


@pytest.mark.parametrize("dtype", ["int32", "float31", "complex64", None, 3])
def test_unknown_default_dtype(backend: Backend, dtype: Any) -> None:
    with pytest.raises(ValueError, match=r"Argument `dtype` must be .*'float32'.*Received: dtype="):
        make_backend(backend.name, dtype=dtype)


def test_devices_have_names_that_choose_them(backend: Backend) -> None:
    for name, device in backend.devices().items():
        chosen = make_backend(backend.name, name)
        assert chosen.device == device
        assert chosen.device_name == name
        assert make_backend(backend.name, device).device == device
    first = next(iter(backend.devices()))
    assert make_backend(backend.name).device_name == first
    assert make_backend(backend.name, first.partition(":")[0]).device_name == first


@pytest.mark.parametrize("dtype", FLOATS)
def test_default_dtypes(backend: Backend, dtype: str) -> None:
    if not hasattr(backend.xp, dtype):
        with pytest.raises(ValueError, match="no such dtype"):
            make_backend(backend.name, backend.device, dtype)
        return
    chosen = make_backend(backend.name, backend.device, dtype)
    assert chosen.dtype_name(chosen.dtype) == dtype
    assert backend.xp.zeros(1, dtype=chosen.dtype).dtype == chosen.dtype
    assert repr(chosen) == f"<portanet backend {chosen.name} on {chosen.device_name}, {dtype}>"


def test_auto_is_the_first_that_reaches_a_gpu_or_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_backend("auto").name == ("numpy" if backend_class("cupy").unavailable() else "cupy")
    monkeypatch.setattr(backend_class("strict"), "preferred", lambda: True)
    monkeypatch.setattr(backend_class("cupy"), "preferred", lambda: False)
    assert make_backend("auto").name == "strict"


def test_a_missing_library_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    expected = {name: install_command(name) for name in BACKENDS if name != "numpy"}
    expected["cupy"] = f"{install_command('cupy13')} (CUDA 13) or {install_command('cupy12')} (CUDA 12)"
    for name, command in expected.items():
        with pytest.raises(BackendUnavailableError) as caught:
            portanet.set_backend(name)
        assert f"Backend '{name}' cannot be used: " in str(caught.value)
        assert f"is not installed. Type: {command}" in str(caught.value)
        reason = portanet.available_backends()[name]
        assert reason is not None
        assert command in reason


def test_cupy_without_a_gpu_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        @staticmethod
        def is_available() -> bool:
            return False

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "cupy", Library)  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailableError, match=r"no NVIDIA GPU answers.*nvidia-smi.*set_backend\('numpy'\)"):
        portanet.set_backend("cupy")
    assert make_backend("auto").name == "numpy"


def test_two_threads_with_different_backends() -> None:
    seen: dict[str, list[Any]] = {"first": [], "second": []}
    barrier = threading.Barrier(2, timeout=PATIENCE)

    def work(who: str, dtype: str) -> None:
        portanet.set_backend("numpy", dtype=dtype)
        for _ in range(50):
            barrier.wait()
            seen[who].append(portanet.asarray([1.0]).dtype)

    threads = [threading.Thread(target=work, args=pair) for pair in (("first", "float32"), ("second", "float64"))]
    before = portanet.get_backend()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen["first"]) == {np.dtype("float32")}
    assert set(seen["second"]) == {np.dtype("float64")}
    assert len(seen["first"]) == len(seen["second"]) == 50
    assert portanet.get_backend() is before


def test_two_tasks_with_different_backends() -> None:
    code = """
import asyncio, portanet
async def work(dtype):
    with portanet.use_backend("numpy", dtype=dtype):
        for _ in range(5):
            await asyncio.sleep(0)
            assert str(portanet.asarray([1.0]).dtype) == dtype
async def main():
    await asyncio.gather(work("float32"), work("float64"))
asyncio.run(main())
print(portanet.get_backend())
"""
    done = python(code)
    assert done.stdout == "<portanet backend numpy on cpu, float32>\n", done.stderr


def test_a_thread_follows_the_main_thread_until_it_chooses() -> None:
    code = """
import threading, portanet
portanet.set_backend("numpy", dtype="float64")
def work():
    print(portanet.get_backend())
    portanet.set_backend("numpy", dtype="float16")
    print(portanet.get_backend())
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(portanet.get_backend())
"""
    done = python(code)
    assert [line.split(", ")[1] for line in done.stdout.splitlines()] == ["float64>", "float16>", "float64>"]


def test_environment_variable(backend: Backend) -> None:
    variable = f"{backend.name}:{backend.device_name}"
    done = python("import portanet; print(portanet.get_backend())", PORTANET_BACKEND=variable)
    assert done.stdout == f"<portanet backend {backend.name} on {backend.device_name}, float32>\n", done.stderr
    done = python("import portanet; print(portanet.set_backend('numpy'))", PORTANET_BACKEND=variable)
    assert done.stdout == "<portanet backend numpy on cpu, float32>\n", done.stderr


def test_environment_variable_with_a_mistake() -> None:
    done = python("import portanet; portanet.get_backend()", PORTANET_BACKEND="nunpy")
    assert "Unknown backend. Did you mean 'numpy'?" in done.stderr
    assert "PORTANET_BACKEND='nunpy'" in done.stderr
    assert python("import portanet; print(portanet.get_backend().name)", PORTANET_BACKEND="").stdout == "numpy\n"


def test_import_loads_no_array_library_but_numpy() -> None:
    heavy = ("scipy", "sklearn", "pandas", "matplotlib", "tqdm", "jaxlib", "dpctl")
    heavy += tuple(backend_class(name).library for name in BACKENDS if name != "numpy")
    done = python(f"import sys, portanet; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_the_owner_of_an_array(backend: Backend) -> None:
    x = portanet.asarray([1.0, 2.0])
    assert backend_class_of(x) is type(backend)
    assert backend_class_of(x[0]) is type(backend)
    assert backend.owns(x)
    for other in ([1.0], 1.0, None, object(), backend.dtype):
        assert not backend.owns(other)
        assert backend_class_of(other) is None
    for name in BACKENDS:
        if name != backend.name and backend_class(name).library in sys.modules:
            assert not backend_class(name).owns(x)


def test_the_machine(backend: Backend) -> None:
    backend.synchronize()
    memory = backend.memory()
    if memory:
        assert 0 < memory["used"] < memory["total"]
    assert sys.platform != "linux" or memory
    assert backend.version()[0].isdigit()
    x = portanet.asarray([1.0, 2.0])
    np.testing.assert_array_equal(backend.to_host(backend.compile(lambda a: a + a)(x)), [2.0, 4.0])


def test_a_backend_can_be_pickled_and_copied(backend: Backend) -> None:
    chosen = make_backend(backend.name, backend.device, "float64")
    for other in (pickle.loads(pickle.dumps(chosen)), copy.deepcopy(chosen)):
        assert type(other) is type(chosen)
        assert (other.device, other.dtype) == (chosen.device, chosen.dtype)


def test_asyncio_run_inside_a_block_keeps_the_choice(backend: Backend) -> None:
    async def current() -> Backend:
        return portanet.get_backend()

    assert asyncio.run(current()) is backend
