"""The differentiable namespace is a namespace: every name of the standard, with its signature and kind of result."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from portanet.autodiff import TracedArray, array_namespace, grad, jvp, vjp, vmap
from portanet.autodiff.batching.rules import RULES as BATCHING
from portanet.autodiff.namespace import CONSTANTS, SECTIONS, Namespace, differentiable_namespace, lift
from portanet.autodiff.rules import COMPOSITES, CREATION, PASSTHROUGH, PRIMITIVES, RULES
from tests.support import asarray, assert_close, to_numpy

strict = pytest.importorskip("array_api_strict")

LOOK_FIRST = {"asarray", "astype"}  # written out in the class
LATER_DEFAULTS = {("expand_dims", "axis"): 0}  # array-api-strict requires it still
NOT_OF_THE_STANDARD = {"get_array_api_strict_flags", "reset_array_api_strict_flags", "set_array_api_strict_flags"}


def names_of_the_standard() -> set[str]:
    names = {n for n in strict.__all__ if n not in NOT_OF_THE_STANDARD and not n.startswith("__")}
    for section in SECTIONS:
        names |= {f"{section}.{n}" for n in getattr(strict, section).__all__}
    return names - {"linalg", "fft", "ArrayAPIStrictFlags", "Device"}


def test_every_name_of_the_standard_has_a_place() -> None:
    known = set(RULES) | set(COMPOSITES) | CREATION | set(PASSTHROUGH) | CONSTANTS | LOOK_FIRST
    assert names_of_the_standard() - known == set()


def test_nothing_else_has_a_place() -> None:
    known = (set(RULES) | set(COMPOSITES) | CREATION | set(PASSTHROUGH)) - set(PRIMITIVES)
    known = {name for name in known if not name.startswith("special.")}  # a proposed extension, see test_special.py
    assert known - names_of_the_standard() == {"linalg.eig", "linalg.eigvals"}  # the standard's next version has them


def test_every_function_is_in_one_table() -> None:
    assert not set(RULES) & (set(COMPOSITES) | CREATION | set(PASSTHROUGH))
    assert not set(PASSTHROUGH) & (set(COMPOSITES) | CREATION)


def test_arrays_have_every_attribute_of_the_standard() -> None:
    array = type(strict.ones(1))
    names = {n for n in dir(array) if not n.startswith("_") or n in STANDARD_METHODS}
    assert {n for n in names if not hasattr(TracedArray, n)} == set()


ARITHMETIC = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
)  # fmt: skip
OTHERS = (
    "abs", "array_namespace", "bool", "complex", "dlpack", "dlpack_device", "eq", "float", "ge", "getitem", "gt",
    "index", "int", "invert", "le", "lt", "ne", "neg", "pos", "setitem",
)  # fmt: skip
STANDARD_METHODS = [f"__{kind}{name}__" for name in ARITHMETIC for kind in ("", "i", "r")]
STANDARD_METHODS += [f"__{name}__" for name in OTHERS]


@pytest.mark.parametrize("name", sorted(names_of_the_standard() - CONSTANTS - LOOK_FIRST))
def test_signatures_are_the_standards(name: str) -> None:
    ours = differentiable_namespace(strict).find(name)
    theirs = differentiable_namespace(strict).raw
    for part in name.split("."):
        theirs = getattr(theirs, part)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__name__ == name.split(".")[-1]


@pytest.mark.parametrize("name", sorted(LOOK_FIRST))
def test_signatures_of_methods(name: str) -> None:
    ours = list(inspect.signature(getattr(Namespace, name)).parameters.values())[1:]
    theirs = inspect.signature(getattr(strict, name)).parameters.values()
    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]


def test_defaults_of_rules_are_the_standards() -> None:
    """Where a call leaves an option out, its derivative and its batching rule assume the value that the call uses."""
    rules = [(name, f) for name, rule in RULES.items() for f in (*rule.pulls, *rule.pushes)]
    rules += [*COMPOSITES.items(), *((name, rule.function) for name, rule in BATCHING.items())]
    seen = set()
    for name, function in rules:
        if name in names_of_the_standard() - {"from_dlpack"}:  # whose defaults are not None, but ask the array
            theirs = inspect.signature(functools.reduce(getattr, name.split("."), strict)).parameters
            for parameter in inspect.signature(function).parameters.values():
                if parameter.default is not parameter.empty:
                    seen.add((name, parameter.name))
                    expected = LATER_DEFAULTS.get((name, parameter.name), theirs[parameter.name].default)
                    assert parameter.default == expected, f"{name}, {parameter.name}"
    assert len(seen) > 120


def test_names_are_listed_and_others_refused(xp: Any) -> None:
    namespace = differentiable_namespace(xp)
    assert {"sin", "concat", "pi", "float32", "linalg", "asarray"} <= set(dir(namespace))
    assert {"svd", "vector_norm"} <= set(dir(namespace.linalg))
    assert "sin" not in dir(namespace.linalg)
    with pytest.raises(AttributeError, match="functions of the array API standard"):
        namespace.einsum  # noqa: B018
    assert namespace.__array_api_version__ == xp.__array_api_version__
    assert namespace.__array_namespace_info__().default_dtypes().keys() >= {"real floating"}


def test_namespaces_of_one_library_are_equal(xp: Any) -> None:
    """Also inside of `vmap`; array-api-compat compares them."""
    namespace, seen = differentiable_namespace(xp), []
    vmap(lambda x: seen.append(array_namespace(lift(x))) or x)(asarray([1.0, 2.0]))
    others = [
        differentiable_namespace(library) for library in (np, strict) if array_namespace(library.ones(1)) is not xp
    ]
    assert (namespace == seen[0], hash(namespace) == hash(seen[0])) == (True, True)
    assert others
    for other in (*others, xp, None):
        assert namespace != other


# Results


def traced_run(xp: Any, function: Any, *arrays: Any) -> Any:
    """The results of `function(namespace, *arrays)` inside a trace."""
    seen: list[Any] = []
    vjp(lambda *xs: seen.append(function(xs[0].__array_namespace__(), *xs)) or xs[0], *arrays)
    return seen[0]


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: xp.asarray(x),
        lambda xp, x: xp.asarray(x, copy=True),
        lambda xp, x: xp.asarray([x[0, 0], 1.0]),
        lambda xp, x: xp.asarray([[x[0, 0], 1.0], [0.0, x[1, 1]]]),
        lambda xp, x: xp.astype(x, x.dtype, copy=False),
        lambda xp, x: x.to_device(x.device),
        lambda xp, x: xp.broadcast_arrays(x, xp.ones(2))[0],
        lambda xp, x: xp.meshgrid(x[0, :], x[1, :])[1],
        lambda xp, x: xp.unstack(x)[1],
        lambda xp, x: next(iter(x)),
        lambda xp, x: x[x > 0],
        lambda xp, x: xp.from_dlpack(x),
        lambda xp, x: xp.unique_all(x).values if "torch" not in xp.__name__ else x,
        lambda xp, x: xp.linalg.svd(x).U,
        lambda xp, x: x.mT + x.T,
    ],
)
def test_traced_arrays_stay_traced(xp: Any, function: Any) -> None:
    out = traced_run(xp, function, xp.asarray([[1.0, -2.0], [3.0, 4.0]]))
    assert type(out) is TracedArray
    assert out._trace is not None
    assert out.dtype == xp.asarray(1.0).dtype


def test_lists_have_the_dtype_of_the_traced_arrays_in_them(xp: Any) -> None:
    for dtype in ("float32", "float64"):
        x = asarray([1.0, -2.0], dtype)
        out = traced_run(xp, lambda xp, x: xp.asarray([x[1], 3, 0.5]), x)
        assert_close(out._value, [-2.0, 3.0, 0.5], dtype=dtype)
    out = traced_run(xp, lambda xp, x: xp.asarray([x[1], 3], dtype=xp.float64), asarray([1.0, -2.0], "float32"))
    assert_close(out._value, [-2.0, 3.0], dtype="float64")


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: x > 0,
        lambda xp, x: xp.argmax(x),
        lambda xp, x: xp.floor(x),
        lambda xp, x: xp.zeros(3),
        lambda xp, x: xp.zeros_like(x),
        lambda xp, x: xp.linspace(0.0, 1.0, 3),
        lambda xp, x: xp.astype(x, xp.int32),
        lambda xp, x: xp.sum(x, dtype=xp.int32) if "strict" not in xp.__name__ else xp.any(x > 0),
        lambda xp, x: xp.fft.fftfreq(4),
        lambda xp, x: xp.linalg.matrix_rank(x),
        lambda xp, x: xp.stop_gradient(x),
        lambda xp, x: xp.nonzero(x)[0],
    ],
)
def test_the_others_are_constants_of_the_namespace(xp: Any, function: Any) -> None:
    out = traced_run(xp, function, xp.asarray([[1.0, -2.0], [3.0, 4.0]]))
    assert type(out) is TracedArray
    assert out._trace is None
    assert type(out._value) is not TracedArray


@pytest.mark.parametrize("name", ["slogdet", "svd", "eigh", "qr", "eig"])
def test_named_tuples_stay_named_tuples(xp: Any, name: str) -> None:
    x = xp.asarray([[2.0, 1.0], [0.5, 3.0]])
    plain = getattr(xp.linalg, name)(x)
    out = traced_run(xp, lambda ns, a: getattr(ns.linalg, name)(a), x)
    assert type(out) is type(plain)
    for field in ("sign", "logabsdet", "U", "S", "Vh", "eigenvalues", "eigenvectors", "Q", "R"):
        if hasattr(plain, field):
            assert tuple(getattr(out, field).shape) == tuple(getattr(plain, field).shape)


def test_plain_arrays_give_plain_arrays(xp: Any) -> None:
    namespace, x = differentiable_namespace(xp), xp.asarray([1.0, 2.0])
    for out in (namespace.sin(x), namespace.add(x, 1.0), namespace.sum(x), namespace.zeros_like(x), namespace.sort(x)):
        assert type(out) is type(x) or np.isscalar(out)


def test_one_namespace_for_traced_and_plain(xp: Any) -> None:
    x = xp.asarray([1.0])
    assert array_namespace(x) is xp
    assert array_namespace(x, lift(x)) is differentiable_namespace(xp)


# Broadcasting and arrays of size 0

SHAPES = npst.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3)


@given(SHAPES, st.sampled_from(["add", "subtract", "multiply", "divide", "maximum", "atan2", "pow", "hypot"]))
def test_gradients_have_the_shape_of_their_operands(xp: Any, shapes: Any, name: str) -> None:
    """The gradient of a broadcast is the sum over the repeated axes."""
    rng = np.random.default_rng(0)
    x, y = (xp.asarray(rng.uniform(0.5, 2.0, size=shape)) for shape in shapes.input_shapes)
    call = lambda a, b: getattr(a.__array_namespace__(), name)(a, b)
    out, pullback = vjp(call, x, y)
    gx, gy = pullback(xp.ones_like(out))
    assert tuple(out.shape) == shapes.result_shape
    assert tuple(gx.shape) == shapes.input_shapes[0]
    assert tuple(gy.shape) == shapes.input_shapes[1]
    wide = [xp.asarray(xp.broadcast_to(a, out.shape), copy=True) for a in (x, y)]
    for narrow, broad in zip((gx, gy), vjp(call, *wide)[1](xp.ones_like(out)), strict=True):
        lead = broad.ndim - narrow.ndim
        axes = tuple(i for i in range(broad.ndim) if i < lead or narrow.shape[i - lead] != broad.shape[i])
        summed = xp.sum(broad, axis=axes) if axes else broad
        np.testing.assert_allclose(to_numpy(xp.reshape(summed, narrow.shape)), to_numpy(narrow), rtol=1e-10)
    tangent = jvp(call, (x, y), (xp.ones_like(x), xp.ones_like(y)))[1]
    assert tuple(tangent.shape) == shapes.result_shape


@given(npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3), st.booleans(), st.data())
def test_reductions_of_any_shape(xp: Any, shape: Any, keepdims: bool, data: Any) -> None:
    name = data.draw(st.sampled_from(["sum", "mean", "prod", "var", "max"]))
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    if 0 in shape and name != "sum":
        name = "prod"  # the others are undefined or warn
    x = asarray(np.arange(np.prod(shape)).reshape(shape) + 1.0, "float64")
    out, pullback = vjp(lambda a: getattr(a.__array_namespace__(), name)(a, axis=axis, keepdims=keepdims), x)
    (g,) = pullback(xp.ones_like(out))
    assert tuple(g.shape) == shape
    if name == "sum":
        assert_close(g, np.ones(shape), dtype="float64")


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: xp.matmul(x, xp.ones((3, 2), dtype=x.dtype, device=x.device)),
        lambda xp, x: xp.concat([x, x]),
        lambda xp, x: xp.cumulative_sum(x, axis=0),
        lambda xp, x: xp.sort(x, axis=0),
        lambda xp, x: xp.linalg.vector_norm(x, axis=0),
        lambda xp, x: xp.take(x, xp.asarray([], dtype=xp.int64, device=x.device), axis=1),
        lambda xp, x: x[x > 0],
    ],
)
def test_arrays_of_size_zero(xp: Any, function: Any) -> None:
    x = xp.asarray(np.ones((0, 3)))
    gradient = grad(lambda a: a.__array_namespace__().sum(function(a.__array_namespace__(), a)))(x)
    assert tuple(gradient.shape) == (0, 3)
