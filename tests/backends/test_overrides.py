"""Every override of every backend gives what its definition gives: one test, over shapes, dtypes and layouts."""

from __future__ import annotations

import importlib
import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.activations import gelu
from portanet.autodiff import grad, hvp
from portanet.backends import (
    Backend,
    backend_class,
    elementwise,
    make_backend,
    map_each,
    overridable,
    recording,
    use_backend,
)
from portanet.backends.overrides import OVERRIDABLE, library_of
from portanet.backends.registry import BACKENDS, FORWARD
from portanet.tree import tree_leaves
from tests.backends.override_cases import CASES, Case
from tests.conftest import MATRIX, chosen_backends, reasons
from tests.support import asarray, to_numpy

SOURCE = pathlib.Path(portanet.__file__).parent
for _path in SOURCE.rglob("*.py"):  # whatever is declared, also what nothing imports yet
    if "@overridable" in _path.read_text() or "@special" in _path.read_text():
        importlib.import_module(".".join(("portanet", *_path.relative_to(SOURCE).with_suffix("").parts)))
TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-9}
LAYOUTS = ("contiguous", "transposed")


@pytest.fixture(autouse=True)
def fast_versions_of_mlx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which computes with them on GPUs only."""
    monkeypatch.setattr("portanet.backends.mlx.fast.ON_CPU", True)


@pytest.fixture(autouse=True)
def pieces_of_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which recurrent units on NumPy are run in as one piece, and one block of steps back."""
    monkeypatch.setattr("portanet.backends.numpy.recurrent.ENOUGH", 1)
    monkeypatch.setattr("portanet.backends.numpy.recurrent.BLOCK", 128)


def overridden() -> Iterator[Any]:
    """Backend, name of the override, and case."""
    for chosen in chosen_backends():
        for name in backend_class(MATRIX[chosen][0]).overrides:
            for number, case in enumerate(CASES[name]):
                yield pytest.param(chosen, name, case, id=f"{chosen}-{name}-{number}")


@pytest.mark.parametrize(("dtype", "layout"), list(itertools.product(TOLERANCE, LAYOUTS)))
@pytest.mark.parametrize(("chosen", "name", "case"), list(overridden()))
def test_override_is_the_definition(chosen: str, name: str, case: Case, dtype: str, layout: str) -> None:
    library, device = MATRIX[chosen]
    if reasons()[library] is not None:
        pytest.skip(f"{chosen}: {reasons()[library]}")
    with use_backend(make_backend(library, device)) as backend:
        if not hasattr(backend.xp, dtype):
            pytest.skip(f"{library} has no {dtype}")
        arrays = [placed(backend, host, dtype, layout) for host in case.arrays(np.random.default_rng(7))]
        function = OVERRIDABLE[name]
        result = backend.compile(lambda *arrays: results(case, function, arrays))(*arrays)
        expected = results(case, function.definition, arrays)
    assert len(result) == len(expected) > 0
    for a, b in zip(result, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(
            backend.to_host(a), backend.to_host(b), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * case.size
        )


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name in ("convolve", "convolve_input") for case in CASES[name]]
)
def test_override_of_onnx_is_the_definition(name: str, case: Case, tmp_path: pathlib.Path) -> None:
    """As above, where arrays write a graph, which onnxruntime computes."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="it computes what ndonnx writes")
    onnx, guest = pytest.importorskip("onnx"), backend_class_of_name("ndonnx")
    assert set(guest.overrides) == {"convolve", "convolve_input"}
    hosts = [host.astype("float32") for host in case.arrays(np.random.default_rng(7))]
    if 0 in hosts[0].shape:
        pytest.skip("ONNX has no convolution of nothing")
    inputs = {f"x{i}": guest.argument(host.shape, "float32") for i, host in enumerate(hosts)}
    onnx.save(guest.build(inputs, {"y": case.call(OVERRIDABLE[name], *inputs.values())}), tmp_path / "graph.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "graph.onnx"), providers=["CPUExecutionProvider"])
    (result,) = session.run(["y"], dict(zip(inputs, hosts, strict=True)))
    expected = case.call(OVERRIDABLE[name].definition, *hosts)
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-5 * case.size)


def results(case: Case, function: Callable[..., Any], arrays: Any) -> list[Any]:
    """All arrays that a function returns; for a pullback, those that it returns for cotangents like its results."""
    result = case.call(function, *arrays)
    if isinstance(result, tuple) and len(result) == 2 and callable(result[1]):
        values, further = result
        pulled = further(tuple(value * 0.5 for value in values) if isinstance(values, tuple) else values * 0.5)
        further = [each() if callable(each) else each for each in pulled]
        result = (values, further)
    return [leaf for leaf in tree_leaves(result) if hasattr(leaf, "dtype")]


def placed(backend: Backend, host: Any, dtype: str, layout: str) -> Any:
    """A host array on the device: floats in the dtype, and if it has to be, as a view that is not contiguous."""
    host = np.asarray(host)
    if layout == "transposed" and host.ndim > 1:
        host = np.swapaxes(host, -1, -2)
    x = asarray(host, dtype if host.dtype.kind == "f" else None)
    return backend.xp.matrix_transpose(x) if layout == "transposed" and host.ndim > 1 else x


@pytest.mark.parametrize("chosen", chosen_backends())
def test_every_override_is_taken_for_some_case(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library, device = MATRIX[chosen]
    if reasons()[library] is not None:
        pytest.skip(f"{chosen}: {reasons()[library]}")
    taken = set()

    def watched(name: str, override: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = override(*args, **kwargs)
            if result is not NotImplemented:
                taken.add(name)
            return result

        return call

    cls = backend_class(library)
    overrides = dict(cls.overrides)
    monkeypatch.setattr(cls, "overrides", {name: watched(name, each) for name, each in overrides.items()})
    with use_backend(make_backend(library, device)) as backend:
        for name in overrides:
            for case in CASES[name]:
                arrays = [asarray(host) for host in case.arrays(np.random.default_rng(7))]
                backend.compile(lambda *arrays, case=case, name=name: results(case, OVERRIDABLE[name], arrays))(*arrays)
                with monkeypatch.context() as recorded:
                    recorded.setattr(recording.state, "recording", True, raising=False)
                    recorded.setattr(recording.state, "kept", [], raising=False)
                    results(case, OVERRIDABLE[name], arrays)
    assert taken == overrides.keys()


def test_every_override_has_a_definition_and_cases() -> None:
    for name in (*BACKENDS, *FORWARD):
        overrides = backend_class_of_name(name).overrides
        assert overrides.keys() <= OVERRIDABLE.keys()
        assert overrides.keys() <= CASES.keys()
    assert backend_class("strict").overrides == {}, "what the standard's own library runs are the definitions"


def backend_class_of_name(name: str) -> Any:
    """Also of the libraries that compute forward only."""
    module, cls = {**BACKENDS, **FORWARD}[name]
    return getattr(importlib.import_module(module), cls)


# The seam itself


def test_not_implemented_leads_to_the_definition_and_traces_never_reach_an_override(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    @overridable
    def scaled_for_the_test(x: Any, factor: float = 2.0, *, also: Any = None) -> Any:
        return x * factor

    def override(x: Any, factor: float = 2.0, *, also: Any = None) -> Any:
        seen.append(x)
        return x * factor + 1.0 if factor == 3.0 else NotImplemented

    name = "scaled_for_the_test"
    monkeypatch.setattr(type(backend), "overrides", {**type(backend).overrides, name: override})
    x = asarray([1.0])
    assert float(to_numpy(scaled_for_the_test(x))[0]) == 2.0
    assert float(to_numpy(scaled_for_the_test(x, 3.0))[0]) == 4.0
    assert len(seen) == 2
    slope = grad(lambda x: scaled_for_the_test(x, 3.0)[0])(x)
    assert float(to_numpy(slope)[0]) == 3.0
    grad(lambda t: t[0] * scaled_for_the_test(x, 3.0, also=[t])[0])(x)
    assert len(seen) == 2, "a traced array among the arguments, also in a list or by name"
    monkeypatch.delitem(OVERRIDABLE, name)


def test_library_of(backend: Backend) -> None:
    x = asarray([1.0])
    assert library_of((None, 1.0, "a", x)) is type(backend)
    assert library_of(([1, (x,)], {})) is type(backend)
    assert library_of((1.0, None)) is None
    assert library_of(()) is None


def test_derivatives_of_what_is_overridden_to_second_order(backend: Backend) -> None:
    """The pullback of an override is not called with traced cotangents."""
    with use_backend(backend.name, backend.device, "float64"):
        x, v = asarray([0.3, -0.7], "float64"), asarray([1.0, 2.0], "float64")

        def f(x: Any) -> Any:
            xp = x.__array_namespace__()
            return xp.sum(gelu(x) ** 2)

        result = to_numpy(hvp(f, (x,), (v,)))
        step = 1e-5
        ahead, behind = (to_numpy(grad(f)(x + s * step * v)) for s in (1.0, -1.0))
        np.testing.assert_allclose(result, (ahead - behind) / (2 * step), rtol=1e-6)


# Elementwise functions


@pytest.mark.parametrize("shape", [(3,), (0, 4), (700, 500), (3, 200_000), (1, 300_000), (300_000, 1)])
def test_elementwise_functions_give_what_they_give_at_once(backend: Backend, shape: tuple[int, ...]) -> None:
    sizes: list[int] = []

    @elementwise
    def blend(x: Any, y: Any, factor: float, *, offset: float) -> tuple[Any, Any]:
        if backend.name == "numpy":
            sizes.append(int(np.prod(x.shape)))  # which no program knows
        return x * factor + y, x - offset

    hosts = [np.random.default_rng(i).standard_normal(shape).astype("float32") for i in (0, 1)]
    x, y = map(asarray, hosts)
    total, shifted = blend(x, y, 2.0, offset=1.0)
    np.testing.assert_allclose(to_numpy(total), hosts[0] * 2 + hosts[1], rtol=1e-6)
    np.testing.assert_allclose(to_numpy(shifted), hosts[0] - 1, rtol=1e-6)
    if backend.name == "numpy":
        assert len(sizes) > 1 or np.prod(shape) < 2**18
    row = asarray(hosts[0][:1])
    np.testing.assert_allclose(to_numpy(blend(x, row, 2.0, offset=1.0)[0]), hosts[0] * 2 + hosts[0][:1], rtol=1e-6)


def test_elementwise_functions_may_change_arguments_in_place_and_be_differentiated(backend: Backend) -> None:
    @elementwise
    def decay(p: Any, g: Any) -> Any:
        p -= g * 0.5
        return p

    host = np.ones((600, 700), dtype="float32")
    p = asarray(host.copy())
    moved = decay(p, asarray(host))
    np.testing.assert_array_equal(to_numpy(moved), np.full(host.shape, 0.5))
    if backend.name == "numpy":
        assert moved is p or np.shares_memory(moved, p)
    slope = grad(lambda x: portanet.autodiff.array_namespace(x).sum(decay(x * 1.0, x)))(asarray([1.0, 2.0]))
    np.testing.assert_allclose(to_numpy(slope), [0.5, 0.5])


def test_map_each_takes_arrays_of_all_sizes(backend: Backend) -> None:
    hosts = [np.full(shape, 3.0, dtype="float32") for shape in ((), (0,), (2, 3))]
    results = map_each(lambda x, y: x * y, [(asarray(host), asarray(host)) for host in hosts])
    for result, host in zip(results, hosts, strict=True):
        np.testing.assert_array_equal(to_numpy(result), host * host)
    assert map_each(lambda x, y: x * y, []) == []
