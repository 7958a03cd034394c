"""Whatever would silently lose a derivative raises one clear error that names the fix; whatever is safe works."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    TraceError,
    TraceWarning,
    allow_conversion,
    grad,
    jvp,
    lift,
    stop_gradient,
    value_and_grad,
    vjp,
)
from portanet.backends import Backend, available_backends
from tests.support import asarray, assert_close


def during(function: Any, x: Any, forward: bool = False) -> Any:
    """The result of `function(traced x)` inside a trace, or its error."""
    seen: list[Any] = []

    def run(a: Any) -> Any:
        seen.append(function(a))
        return a

    if forward:
        jvp(run, (x,), (x,))
    else:
        vjp(run, x)
    return seen[0]


@pytest.fixture
def x(xp: Any) -> Any:
    return asarray([1.0, 2.0, 3.0])


def refused(function: Any, x: Any, message: str, error: type[Exception] = TraceError) -> None:
    for forward in (False, True):
        with pytest.raises(error, match=message):
            during(function, x, forward)


# Leaving the trace

CUT = "would cut the derivative of this traced array .*stop_gradient"


@pytest.mark.parametrize(
    "function",
    [np.asarray, np.array, lambda x: np.array([x, x]), np.sum, np.concatenate, lambda x: np.dot(np.ones(3), x),
     lambda x: np.ones(3).dot(x), lambda x: np.full(3, x), lambda x: np.linalg.norm(x), np.from_dlpack],
)  # fmt: skip
def test_conversion_to_numpy(x: Any, function: Any) -> None:
    refused(function, x, CUT)


def test_numpy_functions(x: Any) -> None:
    refused(np.sin, x, CUT)
    refused(lambda a: np.add(np.ones(3), a), x, CUT)


def test_conversion_of_the_value_alone(backend: Backend, x: Any) -> None:
    if backend.name == "strict" and "CPU" not in str(backend.device):
        pytest.skip("arrays of this device are not converted")
    np.testing.assert_allclose(during(lambda a: np.asarray(stop_gradient(a)), x), [1, 2, 3])
    if backend.name == "numpy":
        assert during(lambda a: float(np.sum(stop_gradient(a))), x) == 6


def write(target: Any, key: Any, value: Any) -> Any:
    target[key] = value
    return target


def test_writing_into_a_numpy_array(x: Any) -> None:
    total = lambda a: a.__array_namespace__().sum(a)
    refused(lambda a: write(np.zeros(3), slice(None), a), x, CUT)
    for target in (np.zeros(3), np.zeros(3, dtype=int)):
        for value in (total, lambda a: a[1]):
            with pytest.raises((TraceError, ValueError)) as caught:
                during(lambda a, target=target, value=value: write(target, 0, value(a)), x)
            reason = caught.value if isinstance(caught.value, TraceError) else caught.value.__cause__
            assert "Writing into a plain array would cut" in str(reason)
            assert not target.any()


def test_writing_into_an_array_of_the_library(xp: Any, x: Any) -> None:
    for key in (0, slice(None)):
        refused(lambda a, key=key: write(xp.zeros(3), key, a[key]), x, ".", (TypeError, AttributeError, ValueError))


def test_reading_is_ordinary(x: Any) -> None:
    with pytest.warns(TraceWarning):
        numbers = during(lambda a: (float(a[0]), int(a[1]), bool(a[2] > 2), complex(a[0]), math.sqrt(a[0])), x)
    assert numbers == (1.0, 2, True, 1 + 0j, 1.0)
    with allow_conversion():
        assert during(lambda a: {"value": float(a[0])}, x) == {"value": 1.0}
        assert during(lambda a: write([0.0], 0, float(a[0])), x) == [1.0]


@pytest.mark.parametrize("function", [pickle.dumps, copy.copy])
def test_pickling(x: Any, function: Any) -> None:
    refused(function, x, "cannot be pickled.*Return the value")


def test_deep_copies(x: Any) -> None:
    refused(copy.deepcopy, x, r"deep-copied.*asarray\(x, copy=True\)")
    refused(lambda a: copy.deepcopy({"state": [a]}), x, "deep-copied")


@pytest.mark.parametrize("function", [hash, lambda a: {a}, lambda a: {a: 1}])
def test_hashing(x: Any, function: Any) -> None:
    refused(function, x, r"cannot be hashed.*Use id\(x\)")


# Writing into traced arrays


def test_writing_into_what_came_from_outside(x: Any) -> None:
    refused(lambda a: write(a, 0, 1.0), x, r"cannot be written to.*copy=True")
    constant = lift(x)
    refused(lambda a: write(constant, 0, a[0]), x, "cannot be written to")
    refused(lambda a: write(a.__array_namespace__().asarray(a), 0, 1.0), x, "cannot be written to")


def test_writing_into_what_was_made_inside(xp: Any, x: Any) -> None:
    def fill(a: Any) -> Any:
        xp = a.__array_namespace__()
        out = xp.zeros(3, dtype=a.dtype, device=a.device)
        out[0] = a[1] * a[1]
        squares = out * out  # recorded before the next write
        out[0] = 5.0 * a[0]
        out[1:] = a[:2]
        return xp.sum(out) + xp.sum(squares)

    assert_close(grad(fill)(x), [6.0, 1 + 4 * 8.0, 0.0])


def test_writing_does_not_change_what_was_recorded(xp: Any, x: Any) -> None:
    def f(a: Any) -> Any:
        xp = a.__array_namespace__()
        weights = xp.ones(3, dtype=a.dtype, device=a.device)
        out = xp.sum(a * weights)
        weights[0] = 100.0
        return out

    assert_close(grad(f)(x), [1.0, 1.0, 1.0])


def test_writing_into_a_copy(x: Any) -> None:
    def f(a: Any) -> Any:
        xp = a.__array_namespace__()
        out = xp.asarray(a, copy=True)
        out[0] = 0.0
        return xp.sum(out * out)

    assert_close(grad(f)(x), [0.0, 4.0, 6.0])
    assert_close(x, [1.0, 2.0, 3.0])


def test_in_place_operators(backend: Backend, x: Any) -> None:
    def f(a: Any) -> Any:
        xp = a.__array_namespace__()
        out = a
        out += 1.0  # as in the library itself, but only the function sees it
        out *= a
        return xp.sum(out)

    assert_close(grad(f)(x), [3.0, 5.0, 7.0] if backend.name == "jax" else [4.0, 6.0, 8.0])
    assert_close(x, [1.0, 2.0, 3.0])


def test_in_place_operators_update_what_others_hold(backend: Backend, x: Any) -> None:
    def f(a: Any) -> Any:
        out = a * a
        held = out
        out -= a
        return a.__array_namespace__().sum(held)

    # As the library itself does: JAX's arrays are not updated.
    assert_close(grad(f)(x), [2.0, 4.0, 6.0] if backend.name == "jax" else [1.0, 3.0, 5.0])


def test_plain_array_with_in_place_operator(backend: Backend, xp: Any, x: Any) -> None:
    """The name gets a new traced array, and the derivative is correct."""

    def f(a: Any) -> Any:
        out = xp.ones(3, dtype=x.dtype, device=backend.device)
        out += a
        return a.__array_namespace__().sum(out * a)

    assert_close(grad(f)(x), [3.0, 5.0, 7.0])


def test_both_orders_of_operands(backend: Backend, x: Any) -> None:
    def f(a: Any, y: Any) -> Any:
        xp = a.__array_namespace__()
        return xp.sum((y - a) * (2.0 * y / a) + (y @ a) * xp.astype(y < a + 1.0, a.dtype))

    assert_close(grad(lambda a: f(a, x))(x), [1.0, 4.0, 7.0])


# Other traces


def test_use_after_the_trace_ended(x: Any) -> None:
    for forward in (False, True):
        kept = during(lambda a: a, x, forward)
        for use in (lambda a: a + 1.0, lambda a: -a, lambda a: a * a, lambda a: 2.0 * a, lambda a: a[0]):
            with pytest.raises(TraceError, match=r"after its trace ended.*has_aux=True"):
                use(kept)
        with pytest.raises(TraceError, match="after its trace ended"):
            grad(lambda b, kept=kept: b.__array_namespace__().sum(b * kept))(x)
    assert "reverse" in repr(during(lambda a: a, x))  # looking at it is allowed


def test_use_of_an_inner_array_at_an_outer_level(x: Any) -> None:
    def outer(a: Any) -> Any:
        kept: list[Any] = []
        total = lambda b: b.__array_namespace__().sum(b)
        grad(lambda b: kept.append(b * a) or total(b))(x)
        return total(a * kept[0])

    with pytest.raises(TraceError, match="after its trace ended"):
        grad(outer)(x)


def test_use_of_an_outer_array_at_an_inner_level(x: Any) -> None:
    total = lambda b: b.__array_namespace__().sum(b)
    # d/da sum(d/db sum(a a b b)) at b = a: 2 a^2 b -> 4 a b
    slope = grad(lambda a: total(grad(lambda b: total(a * a * b * b))(stop_gradient(a))))(x)
    assert_close(slope, [4.0, 16.0, 36.0])


def test_threads_inside_a_trace(x: Any) -> None:
    """A trace may be used from threads of the traced function."""

    def f(a: Any) -> Any:
        parts: list[Any] = [None] * 4

        def work(i: int) -> None:
            parts[i] = a * float(i) * a

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return a.__array_namespace__().sum(parts[0] + parts[1] + parts[2] + parts[3])

    assert_close(grad(f)(x), [12.0, 24.0, 36.0])


def test_threads_that_differentiate_at_once(x: Any) -> None:
    result: list[Any] = [None] * 4

    def work(i: int) -> None:
        for _ in range(20):
            result[i] = grad(lambda a: a.__array_namespace__().sum(a * a * float(i)))(x)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(4):
        assert_close(result[i], [2.0 * i, 4.0 * i, 6.0 * i])


def test_a_thread_that_outlives_the_trace(x: Any) -> None:
    """It raises the error for this."""
    go, errors = threading.Event(), []

    def late(a: Any) -> None:
        go.wait()
        try:
            a * a
        except TraceError as error:
            errors.append(str(error))

    thread = during(lambda a: threading.Thread(target=late, args=(a,)), x)
    thread.start()
    go.set()
    thread.join()
    assert len(errors) == 1
    assert "after its trace ended" in errors[0]


# Other libraries and devices

LIBRARIES = [name for name, reason in available_backends().items() if reason is None and name != "cupy"]


@pytest.mark.parametrize("other", LIBRARIES)
def test_mixing_libraries(backend: Backend, x: Any, other: str) -> None:
    if other == backend.name:
        pytest.skip("the same library")
    from portanet.backends.registry import make_backend

    foreign = make_backend(other).from_host(np.ones(3, dtype="float32"))
    message = r"arrays of two libraries.*portanet.asarray\(x\)"
    for use in (lambda a: a * foreign, lambda a: a @ foreign, lambda a: a < foreign, lambda a: a.__pow__(foreign)):
        refused(use, x, message)
    refused(lambda a: a * lift(foreign), x, message)
    refused(lambda a: a.__array_namespace__().concat([a, foreign]), x, message)
    refused(lambda a: a.__array_namespace__().where(a > 0, foreign, a), x, message)
    refused(lambda a: foreign * a, x, message)
    refused(lambda a: foreign - a, x, message)
    inner = grad(lambda b: b.__array_namespace__().sum(b * during(lambda a: a, x)))
    with pytest.raises(TraceError, match=r"two libraries|after its trace ended"):
        inner(foreign)


def test_mixing_devices() -> None:
    strict = pytest.importorskip("array_api_strict")
    here, there = strict.ones(3), strict.ones(3, device=strict.Device("device1"))
    for use in (
        lambda a: a * there,
        lambda a: a * lift(there),
        lambda a: lift(there) + a,
        lambda a: a.__array_namespace__().where(a > 0, a, lift(there)),
        lambda a: a.__array_namespace__().concat([a, there]),
    ):
        refused(use, here, r"two devices.*to_device.*CPU_DEVICE.*device1")


# Arguments


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_integers_have_no_gradient(xp: Any, dtype: str) -> None:
    x = xp.asarray([1, 0], dtype=getattr(xp, dtype))
    for transform in (grad, value_and_grad):
        with pytest.raises(TypeError, match=f"Only floating-point.*astype.*argument 0 with dtype .*{dtype}"):
            transform(lambda a: a)(x)


# The functions of the libraries


def test_torch_functions() -> None:
    torch = pytest.importorskip("torch")
    x = torch.ones(3)
    for function in (torch.sin, torch.sum, lambda a: torch.stack([x, a]), lambda a: x.add(a), lambda a: write(x, 0, a)):
        refused(function, x, CUT)
    for function in (torch.tensor, torch.asarray, lambda a: torch.tensor([a[0], a[1]])):
        refused(function, x, ".", (TypeError, ValueError))
    index = during(lambda a: x[a.__array_namespace__().argmax(a)], x)
    assert float(index) == 1.0


def test_jax_functions() -> None:
    jnp = pytest.importorskip("jax.numpy")
    x = jnp.ones(3)
    for function in (jnp.sin, jnp.sum, jnp.asarray, lambda a: jnp.add(x, a), lambda a: x.at[0].set(a[0])):
        refused(function, x, ".", TypeError)


def test_numpy_scalars_are_numbers(backend: Backend) -> None:
    if backend.name == "strict":
        pytest.skip("it takes Python's own numbers only")
    total = lambda a: a.__array_namespace__().sum(a)
    slope = grad(lambda a: total(a * np.float64(2.0) + np.float64(1.0) / a))(asarray([1.0, 2.0], "float64"))
    assert_close(slope, [1.0, 1.75], dtype="float64")
