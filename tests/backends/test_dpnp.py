"""dpnp: devices, dtypes that a device lacks, products of all operands, copies."""

from __future__ import annotations

import copy
import gc
import importlib.util
import itertools
import os
import pickle
import subprocess
import sys
import types
import weakref
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.autodiff import grad
from portanet.backends import Backend, available_backends, backend_class, lifetime, make_backend, to_host, use_backend
from portanet.backends.dpnp import on_host
from portanet.training import TrainingRun
from portanet.variables import Variable

pytestmark = pytest.mark.skipif(available_backends()["dpnp"] is not None, reason="dpnp cannot be used here")


@pytest.fixture(scope="module")
def dpnp() -> Backend:
    return make_backend("dpnp")


def test_devices_by_filter_strings(dpnp: Backend) -> None:
    name = dpnp.device_name
    platform, kind, number = name.split(":")
    for other in (name, f"{platform}:{kind}", f"{kind}:{number}", platform, kind):
        assert make_backend("dpnp", other).device_name == name
    with pytest.raises(ValueError, match=rf"no such device here. Known: '.*{name}'.*Received: device='gpu:7'"):
        make_backend("dpnp", "gpu:7")


@pytest.mark.skipif(importlib.util.find_spec("dpctl") is None, reason="needs dpctl")
def test_the_runtime_for_the_cpu_is_found() -> None:
    code = "import portanet; print(portanet.available_backends()['dpnp'], len(portanet.set_backend('dpnp').devices()))"
    environment = {k: v for k, v in os.environ.items() if k != "OCL_ICD_FILENAMES"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("None "), done.stderr
    # Without a device, the message says what to install.
    environment |= {"OCL_ICD_FILENAMES": "", "ONEAPI_DEVICE_SELECTOR": "cuda:7"}
    code = "import portanet; print(portanet.available_backends()['dpnp'])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "SYCL finds no device" in done.stdout, done.stderr
    assert "pip install intel-opencl-rt" in done.stdout


def on_a_small_gpu(backend: Backend, **info: Any) -> Backend:
    """The backend, as on a GPU without double precision."""
    device = types.SimpleNamespace(
        has_aspect_fp64=False, has_aspect_fp16=True, filter_string="level_zero:gpu:0", is_cpu=False, **info
    )
    other = copy.copy(backend)
    other.device = types.SimpleNamespace(sycl_device=device)
    return other


def test_a_device_without_float64_says_so(dpnp: Backend) -> None:
    other = on_a_small_gpu(dpnp)
    for dtype in ("float64", "complex128"):
        with pytest.raises(ValueError, match=rf"Device 'level_zero:gpu:0'.*use 'float32'.*Received: dtype='{dtype}'"):
            other.find_dtype(dtype)
        with pytest.raises(ValueError, match=r"Device 'level_zero:gpu:0' .* cannot compute in this dtype"):
            other.from_host(np.ones(2, dtype))
    assert other.find_dtype("float32") == np.float32
    assert other.find_dtype("float16") == np.float16
    assert dpnp.find_dtype("float64") == np.float64


def test_memory_of_a_gpu(dpnp: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    import dpctl.utils

    other = on_a_small_gpu(dpnp, global_mem_size=1000)
    monkeypatch.setattr(dpctl.utils, "intel_device_info", lambda device: {"free_memory": 400})
    assert other.memory() == {"used": 600, "total": 1000}
    monkeypatch.setattr(dpctl.utils, "intel_device_info", lambda device: {})
    assert other.memory() == {}


def test_a_gpu_computes_quantiles_and_random_bits_itself(dpnp: Backend) -> None:
    x = types.SimpleNamespace(sycl_device=on_a_small_gpu(dpnp).device.sycl_device)
    assert {override(x) for override in on_host.OVERRIDES.values()} == {NotImplemented}


def test_without_a_gpu_auto_is_not_dpnp() -> None:
    assert not backend_class("dpnp").preferred()


SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((1, 3), (3, 2)),
    ((2, 3), (3, 2)),
    ((4, 2, 3), (3, 1)),
    ((5, 1, 2, 3), (4, 3, 2)),
]


def operands(backend: Backend, shape: tuple[int, ...], dtype: str) -> list[Any]:
    """An array of a shape and views of the same shape."""
    xp = backend.xp
    draw = lambda *sizes: backend.from_host(np.random.default_rng(0).integers(-3, 4, sizes).astype(dtype))
    return [
        draw(*shape),
        xp.broadcast_to(draw(*(1,) * len(shape)), shape),
        xp.broadcast_to(draw(1, *shape[1:]), shape),
        xp.broadcast_to(draw(*shape[:-1], 1), shape),
        xp.permute_dims(draw(*shape[::-1]), tuple(range(len(shape)))[::-1]),
        draw(*shape[:-1], 2 * shape[-1])[..., ::2],
    ]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_products_of_views(dpnp: Backend, shapes: Any, dtype: str) -> None:
    xp = dpnp.xp
    for a, b in itertools.product(*(operands(dpnp, shape, dtype) for shape in shapes)):
        axes = [[a.ndim - 1], [max(b.ndim - 2, 0)]]
        want = np.matmul(to_host(a), to_host(b))
        for got in (xp.matmul(a, b), a @ b, xp.linalg.matmul(a, b)):
            assert got.dtype == dtype
            np.testing.assert_array_equal(to_host(got), want)
        np.testing.assert_array_equal(
            to_host(xp.tensordot(a, b, axes=axes)), np.tensordot(to_host(a), to_host(b), axes=axes)
        )
    x = operands(dpnp, (3,), dtype)
    for a, b in itertools.product(x, x):
        np.testing.assert_array_equal(to_host(xp.vecdot(a, b)), np.vecdot(to_host(a), to_host(b)))


def test_operators_leave_variables_and_traced_arrays_to_these(dpnp: Backend) -> None:
    with use_backend(dpnp):
        x, v = dpnp.from_host(np.asarray([1.0, 2.0], "float32")), Variable([3.0, 4.0])
        for result, expected in (
            (x + v, [4, 6]), (x - v, [-2, -2]), (x * v, [3, 8]), (x / v, [1 / 3, 0.5]), (x @ v, 11.0), (x**v, [1, 16]),
            (x < v, [True, True]), (x == v, [False, False]), (x % v, [1, 2]), (x // v, [0, 0]),
        ):  # fmt: skip
            np.testing.assert_allclose(to_host(result), expected, rtol=1e-6)
        np.testing.assert_array_equal(to_host(grad(lambda y: x @ y)(x)), [1.0, 2.0])
        with pytest.raises(TypeError):
            x + object()


def test_arrays_can_be_copied_and_pickled(dpnp: Backend) -> None:
    x = dpnp.from_host(np.asarray([1.0, 2.0]))
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other is not x
        assert other.device == x.device
        x[0], other[0] = 5.0, 1.0
        np.testing.assert_array_equal(to_host(other), [1.0, 2.0])


def test_what_lives_as_long_as_an_array(dpnp: Backend) -> None:
    x = dpnp.from_host(np.ones(3))
    alive, view = weakref.ref(lifetime(x)), x[1:]
    x += 1.0
    assert alive() is lifetime(x) is not lifetime(view)
    del x, view
    gc.collect()
    assert alive() is None


def test_results_are_those_of_the_standard(dpnp: Backend) -> None:
    """dpnp's own are lists, and real where all eigenvalues are."""
    xp = dpnp.xp
    x, y = xp.ones((2, 1)), xp.ones(3)
    assert [part.shape for part in xp.broadcast_arrays(x, y)] == [(2, 3), (2, 3)]
    assert isinstance(xp.broadcast_arrays(x, y), tuple)
    grids = xp.meshgrid(xp.asarray([1, 2]), y, indexing="ij")
    assert isinstance(grids, tuple)
    np.testing.assert_array_equal(to_host(grids[0]), [[1, 1, 1], [2, 2, 2]])
    info = xp.__array_namespace_info__()
    assert isinstance(info.devices(), tuple)
    assert info.default_device() in info.devices()
    for dtype, wider in (("float32", "complex64"), ("float64", "complex128")):
        matrix = dpnp.from_host(np.asarray([[2.0, 0.0], [0.0, 3.0]], dtype))
        values, vectors = found = xp.linalg.eig(matrix)
        assert found.eigenvalues is values
        for result in (values, vectors, xp.linalg.eigvals(matrix)):
            assert result.dtype == wider
        np.testing.assert_allclose(np.sort(to_host(values).real), [2.0, 3.0])


def test_memory_does_not_grow_with_the_steps(dpnp: Backend) -> None:
    def allocations() -> int:
        gc.collect()
        return sum(type(x).__name__.startswith("MemoryUSM") for x in gc.get_objects())

    with use_backend(dpnp):
        model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(1)])
        model.compile("adam", "mse")
        run = TrainingRun(model)
        x, y = portanet.asarray(np.ones((2, 3))), portanet.asarray(np.ones((2, 1)))
        counts = []
        for _ in range(3):
            for _ in range(15):
                run(x, y)
            counts.append(allocations())
    assert counts[0] == counts[1] == counts[2] > 0


def test_sums_are_the_same_bit_for_bit(dpnp: Backend) -> None:
    x = dpnp.from_host(np.random.default_rng(0).standard_normal((300, 1000), dtype="float32"))
    for function in (dpnp.xp.sum, dpnp.xp.mean, lambda x: dpnp.xp.sum(x, axis=0), lambda x: x @ x.T):
        first, *others = (to_host(function(x)) for _ in range(5))
        for other in others:
            np.testing.assert_array_equal(first, other)
