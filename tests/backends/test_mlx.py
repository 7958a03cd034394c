"""What is other in MLX: arrays are computed late, steps may be compiled, devices share the memory."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import grad, unwrap
from portanet.autodiff.rules.indexing import index_add
from portanet.backends import (
    Backend,
    array_like,
    available_backends,
    backend_class,
    device_of,
    make_backend,
    raw_namespace,
    to_device,
)
from portanet.backends.machine import host_memory
from portanet.variables import bind
from tests.support import asarray, assert_equal, to_numpy

pytestmark = pytest.mark.skipif(available_backends()["mlx"] is not None, reason=str(available_backends()["mlx"]))


OF_NOTHING = {"sum": 0.0, "prod": 1.0, "all": True, "any": False, "mean": np.nan, "var": np.nan, "std": np.nan}


@pytest.fixture
def mlx() -> Iterator[Backend]:
    with portanet.use_backend("mlx", "cpu") as backend:
        yield backend


def small_model(**options: Any) -> Any:
    portanet.random.set_seed(1)
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile(portanet.optimizers.SGD(0.01), "mse", **options)
    return model


def data(count: int = 64) -> tuple[Any, Any]:
    generator = np.random.default_rng(3)
    x = generator.standard_normal((count, 3)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


def test_a_compiled_step_trains_as_an_eager_one(mlx: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU each kernel takes a C++ compiler seconds; users get compiled steps on the GPU."""
    losses, counts = [], []
    own = portanet.Sequential.call
    for compiles in (False, True):
        calls: list[int] = []

        def counting(self: Any, *args: Any, calls: list[int] = calls, **options: Any) -> Any:
            calls.append(1)
            return own(self, *args, **options)

        monkeypatch.setattr("portanet.backends.mlx.backend.COMPILES_ON_CPU", compiles)
        monkeypatch.setattr(portanet.Sequential, "call", counting)
        losses.append(small_model().fit(*data(), batch_size=8, epochs=3, verbose=0).history["loss"])
        counts.append(len(calls))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    assert counts[0] == 24
    assert counts[1] < 4


def pending(*arrays: Any) -> int:
    """How many arrays have to be computed before the values of some can be read."""
    import mlx.core as mx

    file = io.StringIO()
    mx.export_to_dot(file, *arrays)
    return file.getvalue().count("label =")


def test_pending(mlx: Backend) -> None:
    x = asarray([1.0])
    y = x + 1.0
    assert pending(x) < pending(y) < pending(y * y)
    mlx.start([y])
    assert pending(y) == pending(x)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_steps_compute_their_results_when_they_end(mlx: Backend, run_eagerly: bool) -> None:
    """Else what later steps need of earlier ones would grow without bound."""
    model = small_model(run_eagerly=run_eagerly)
    run, totals = portanet.training.TrainingRun(model), model.totals()
    x, y = (asarray(each) for each in data(2))
    counts = []
    for _ in range(10):
        totals.add(run(x, y))
        counts.append(pending(*(v.value for v in model.variables)))
    assert counts[0] == counts[-1] == pending(*(asarray([1.0]) for _ in model.variables))


def test_memory_does_not_grow_with_the_steps(mlx: Backend) -> None:
    import mlx.core as mx

    run = portanet.training.TrainingRun(small_model())
    x, y = (asarray(each) for each in data(2))
    used = []
    for _ in range(200):
        run(x, y)
        used.append(mx.get_active_memory())
    assert max(used[100:]) <= max(used[:100])


def test_so_do_updates_in_loops_of_ones_own(mlx: Backend) -> None:
    v, optimizer = portanet.Variable([1.0, 2.0]), portanet.optimizers.Adam(0.1)
    for _ in range(10):
        optimizer.apply([v.value * 2.0], [v])
    assert pending(v.value) == pending(asarray([1.0]))


def test_nothing_is_evaluated_before_the_end_of_a_step(mlx: Backend) -> None:
    """A step does not read: inside `mx.compile`, that is an error."""
    import mlx.core as mx

    model = small_model()
    names = [*model.named_values()]

    def loss(*values: Any) -> Any:
        with bind({model.named_variables()[n]: v for n, v in zip(names, values, strict=True)}):
            return mx.sum(unwrap(model(asarray(data()[0]))))

    values = list(model.named_values().values())
    compiled = mx.compile(loss)(*values)
    np.testing.assert_allclose(to_numpy(compiled), to_numpy(loss(*values)), rtol=1e-6)


def test_a_step_that_is_compiled_says_that_values_cannot_be_read(mlx: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portanet.backends.mlx.backend.COMPILES_ON_CPU", True)
    costs = []
    step = mlx.compile(lambda x: (costs.append(mlx.cost_of_reading(x)), x)[1])
    assert_equal(step(asarray([1.0])), [1.0], dtype="float32")
    assert costs == ["never"]
    assert mlx.cost_of_reading(asarray([1.0])) == "waits"


def test_operators_leave_variables_and_traced_arrays_to_these(mlx: Backend) -> None:
    x, v = asarray([1.0, 2.0]), portanet.Variable([3.0, 4.0])
    assert_equal(x * v, [3.0, 8.0], dtype="float32")
    assert_equal(x < v, [True, True])
    assert_equal(x == v, [False, False])
    assert_equal(grad(lambda t: (x * t)[0])(asarray([5.0, 6.0])), [1.0, 0.0], dtype="float32")
    slope = grad(lambda t: asarray(2.0) * t - asarray(1.0) / t)(asarray(1.0))  # not through `complex(t)`
    assert_equal(slope, 3.0, dtype="float32")
    y = asarray([1.0, 2.0])
    y += v
    assert_equal(y, [4.0, 6.0], dtype="float32")
    with pytest.raises(TypeError, match="unsupported operand"):
        x + "a"
    with pytest.raises(ValueError, match="broadcast"):
        x + asarray([1.0, 2.0, 3.0])


def test_functions_leave_traced_arrays_without_axes_to_these(mlx: Backend) -> None:
    """MLX's take the complex number that Python makes of them: the derivative would be lost."""
    x = asarray([2.0, 3.0])
    for function in (lambda t: mlx.xp.multiply(x, t), lambda t: mlx.xp.exp(t), lambda t: mlx.xp.where(x > 0, x, t)):
        with pytest.raises(TypeError, match="traced"):
            grad(function)(asarray(5.0))
    v = portanet.Variable(5.0)
    assert_equal(mlx.xp.add(x, v), [7.0, 8.0], dtype="float32")


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (2, 0, 0), (0, 3, 3)])
def test_determinants_in_double_precision(mlx: Backend, shape: tuple[int, ...]) -> None:
    host = np.random.default_rng(0).standard_normal(shape)
    x, expected = mlx.from_host(host), np.linalg.slogdet(host)
    np.testing.assert_allclose(mlx.to_host(mlx.xp.linalg.det(x)), np.linalg.det(host), rtol=1e-12)
    for got, want in zip(mlx.xp.linalg.slogdet(x), expected, strict=True):
        np.testing.assert_allclose(mlx.to_host(got), want, rtol=1e-12, atol=1e-12)


def test_complex_equations(mlx: Backend) -> None:
    draw = np.random.default_rng(0).standard_normal
    a, b = (draw(shape) + 1j * draw(shape) for shape in ((2, 3, 3), (3, 2)))
    xs, ys = mlx.from_host(a), mlx.from_host(b)
    np.testing.assert_allclose(mlx.to_host(mlx.xp.linalg.solve(xs, ys)), np.linalg.solve(a, b), rtol=1e-4)
    np.testing.assert_allclose(mlx.to_host(mlx.xp.linalg.inv(xs)), np.linalg.inv(a), rtol=1e-3, atol=1e-4)
    vector = mlx.xp.linalg.solve(xs[0, ...], ys[:, 0])
    np.testing.assert_allclose(mlx.to_host(vector), np.linalg.solve(a[0], b[:, 0]), rtol=1e-4)


def test_arrays_from_others(mlx: Backend) -> None:
    for x in (np.asarray([1.0]), mlx.from_host(np.asarray([1.0]))):
        assert mlx.xp.from_dlpack(x).dtype == mlx.xp.float64
    with pytest.raises(ValueError, match=r"as many elements in both. Received: shapes \(2,\) and \(1,\), axis=-1"):
        mlx.xp.vecdot(asarray([1.0, 2.0]), asarray([1.0]))


def test_indices(mlx: Backend) -> None:
    x = asarray([[1.0, 2.0], [3.0, 4.0]])
    assert_equal(x[x > 1.5], [2.0, 3.0, 4.0], dtype="float32")
    assert_equal(x[asarray([False, True])], [[3.0, 4.0]], dtype="float32")
    assert_equal(asarray(5.0)[asarray(True)], [5.0], dtype="float32")
    assert_equal(x[asarray([False, True]), ...], [[3.0, 4.0]], dtype="float32")
    assert_equal(x[x > 9.0], np.zeros(0), dtype="float32")
    assert x[asarray(False)].shape == (0, 2, 2)
    x[x > 2.5] = 0.0
    assert_equal(x, [[1.0, 2.0], [0.0, 0.0]], dtype="float32")
    x[asarray([False, True]), asarray([0], "int32")] = 5.0
    assert_equal(x, [[1.0, 2.0], [5.0, 0.0]], dtype="float32")
    assert [float(each) for each in asarray([1.0, 2.0])] == [1.0, 2.0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_nothing_beyond_an_array_is_read_or_written(mlx: Backend, dtype: str) -> None:
    """MLX reads and writes whatever lies there: a process ended with "double free or corruption"."""
    xp, x = mlx.xp, asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    large = asarray([100, 1], dtype)
    assert_equal(xp.take(x, large, axis=-1), [[3.0, 2.0], [6.0, 5.0]], dtype="float32")
    assert_equal(xp.take(x[0, ...], large), [3.0, 2.0], dtype="float32")
    assert_equal(xp.take_along_axis(x, large[:, None], axis=1), [[3.0], [5.0]], dtype="float32")
    assert_equal(x[large], [[4.0, 5.0, 6.0], [4.0, 5.0, 6.0]], dtype="float32")
    assert_equal(x[..., None, large], [[[3.0, 2.0]], [[6.0, 5.0]]], dtype="float32")
    assert_equal(index_add(x, large, 3), [[0.0, 0.0, 0.0], [4.0, 5.0, 6.0], [0.0, 0.0, 0.0]], dtype="float32")
    x[large[:1]] = 0.0
    assert_equal(x, [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], dtype="float32")
    if dtype.startswith("int"):
        negative = asarray([-100, -2], dtype)
        assert_equal(xp.take(x, negative, axis=1), [[1.0, 2.0], [0.0, 0.0]], dtype="float32")
        assert_equal(index_add(x, negative, 1), [[0.0, 0.0, 0.0]], dtype="float32")


def test_indices_out_of_range(mlx: Backend) -> None:
    xp, x = mlx.xp, asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for key, size in ((2, 2), (-3, 2), ((0, 3), 3), ((..., -4), 3), ((None, 2, ...), 2)):
        with pytest.raises(IndexError, match=rf"within the {size} elements of the axis\. Received: "):
            x[key]
    with pytest.raises(IndexError, match=r"An axis without elements has no indices\. Received: 1 indices"):
        xp.take(x[:0, :], asarray([0], "int32"), axis=0)
    assert xp.take(x[:0, :], asarray([], "int32"), axis=0).shape == (0, 3)
    with pytest.raises(ValueError, match=r"`axis` of take must be given for arrays of 2 axes\. Received: axis=None"):
        xp.take(x, asarray([0], "int32"))


def test_sums_have_the_dtype_that_is_asked_for(mlx: Backend) -> None:
    x = asarray([3, 4], "uint8")
    assert_equal(mlx.xp.sum(x, dtype=mlx.xp.uint8), 7, dtype="uint8")
    assert_equal(mlx.xp.prod(x, dtype=mlx.xp.uint8), 12, dtype="uint8")


def test_places_in_arrays_without_rows(mlx: Backend) -> None:
    xp, x = mlx.xp, asarray(np.zeros((0, 3)))
    assert_equal(xp.argmax(x, axis=-1), np.zeros(0), dtype="int32")
    assert_equal(xp.argmin(x, axis=1, keepdims=True), np.zeros((0, 1)), dtype="int32")
    for axis in (0, None):
        with pytest.raises(ValueError, match="zero size"):
            xp.argmax(x, axis=axis)


@pytest.mark.parametrize("function", ["sum", "prod", "all", "any", "mean", "var", "std"])
def test_reductions_of_nothing(mlx: Backend, function: str) -> None:
    """MLX's are wrong or do not end for such arrays from NumPy, indices and transpositions, with what is in memory."""
    xp = mlx.xp
    nothing = asarray(np.zeros((2, 0)))
    picked = xp.take(asarray(np.ones((2, 3))), asarray([], "int32"), axis=1)
    for x in (nothing, picked, asarray(np.zeros((0, 2))).T, xp.asarray(np.zeros((2, 0), "float32")), nothing * 2.0):
        for axis, shape in ((None, ()), (1, (2,)), (-1, (2,)), (0, (0,))):
            assert_equal(getattr(xp, function)(x, axis=axis), np.full(shape, OF_NOTHING[function]))


def test_fast_functions_are_for_gpus(mlx: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.mlx import fast

    x = asarray([[1.0, 3.0]])
    assert fast.normalize(x, axes=(1,), epsilon=0.0) is NotImplemented
    monkeypatch.setattr("mlx.core.default_device", lambda: "gpu")
    values, pullback = fast.normalize(x, axes=(1,), epsilon=0.0)
    assert [to_numpy(value).tolist() for value in values] == [[[-1, 1]], [[2]], [[1]]]
    assert to_numpy(pullback((None, asarray([[1.0]]), asarray([[1.0]])))[0]).tolist() == [[-0.5, 1.5]]


def test_dtypes_and_devices_are_values(mlx: Backend) -> None:
    xp = mlx.xp
    assert xp.float32 != None  # noqa: E711 -- which MLX's own comparison refuses
    assert copy.deepcopy(xp.float32) == pickle.loads(pickle.dumps(xp.float32)) == xp.float32
    assert copy.deepcopy(xp.bool) == xp.bool
    assert {device_of(asarray(1.0)), device_of(asarray(2.0)), mlx.device} == {mlx.device}
    x = asarray(1.0)
    assert x.device == mlx.device
    assert to_device(x, mlx.device) is x is x.to_device(mlx.device)
    assert raw_namespace(x) is xp


def test_tensordot_of_axes_that_differ(mlx: Backend) -> None:
    """Also where both sums have as many terms."""
    with pytest.raises(ValueError, match=r"differ in size\. Received: shapes \(2, 3\) and \(3, 2\), axes=2"):
        mlx.xp.tensordot(asarray(np.ones((2, 3))), asarray(np.ones((3, 2))), axes=2)


def test_host_and_back(mlx: Backend) -> None:
    exact = np.asarray([1.0 + 1e-12])
    assert mlx.to_host(mlx.from_host(exact))[0] == exact[0]
    assert mlx.to_host(mlx.xp.asarray(exact))[0] == exact[0]
    assert mlx.dtype_name(mlx.from_host(np.asarray([1j])).dtype) == "complex64"
    half = mlx.to_host(mlx.xp.asarray([1.5], dtype=mlx.xp.bfloat16))
    assert half.dtype == "float32"
    assert half[0] == 1.5
    host = mlx.to_host(x := asarray([1.0]))
    host[0] = 2.0
    assert_equal(x, [1.0], dtype="float32")
    assert_equal(array_like(x, [[1.0], [2.0]]), [[1.0], [2.0]], dtype="float32")


def test_the_gpu_comes_first_and_has_no_float64(mlx: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlx.core as mx

    monkeypatch.setattr(mx, "is_available", lambda kind: True)
    chosen = type(mlx)()
    assert chosen.device_name == "gpu"
    assert list(chosen.devices()) == ["gpu", "cpu"]
    with pytest.raises(ValueError, match=r"float64 on the CPU only: type .*'mlx', 'cpu', 'float64'.*'float64'"):
        type(mlx)("gpu", "float64")
    monkeypatch.setattr(mx, "device_info", lambda: {"memory_size": 2**30})
    assert chosen.memory() == {"used": mx.get_active_memory(), "total": 2**30}
    assert mlx.memory()["total"] == host_memory()["total"]


def test_what_to_type(mlx: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlx.core", None)
    assert "pip install 'mlx[cpu]'" in str(mlx.unavailable())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "[mlx]' (on a Mac with Apple silicon it uses the GPU" in str(mlx.unavailable())


@pytest.mark.parametrize(("system", "machine", "name"), [("darwin", "arm64", "mlx"), ("linux", "x86_64", "numpy")])
def test_auto_on_a_mac(mlx: Backend, system: str, machine: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(backend_class("cupy"), "preferred", lambda: False)
    assert make_backend("auto").name == name


def test_a_model_predicts_in_another_thread(mlx: Backend) -> None:
    """MLX computes what a thread has asked for in this thread alone."""
    model, (x, _) = small_model(), data(4)
    results = []

    def predict() -> None:
        with portanet.use_backend(mlx):
            results.append(model.predict(x, verbose=0))

    thread = threading.Thread(target=predict)
    thread.start()
    thread.join()
    np.testing.assert_array_equal(results, [model.predict(x, verbose=0)])
