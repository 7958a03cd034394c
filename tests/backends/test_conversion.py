"""Conversion of any data to the current backend, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import portanet
from portanet.autodiff import TraceError, grad
from portanet.backends import Backend, available_backends, make_backend, to_host
from tests.conftest import GPU_ONLY_WHEN_NAMED, MATRIX
from tests.support import asarray, assert_close, assert_equal, to_numpy


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        (3, "int64"),
        (True, "bool"),
        ([1.0, 2.0], "float32"),
        ([[1, 2], [3, 4]], "int64"),
        ([True, False], "bool"),
        ((1, 2.5), "float32"),
        ([], "float32"),
        ([np.float64(1.5), np.float64(2.5)], "float32"),
        ([np.arange(3), [3, 4, 5]], "int64"),
        (np.arange(6, dtype="int8").reshape(2, 3), "int8"),
        (np.arange(3, dtype=">i4"), "int32"),
        (np.arange(3, dtype=">f8"), "float32"),
        (np.arange(6.0)[::-2], "float32"),
        (np.asfortranarray(np.arange(6.0).reshape(2, 3)), "float32"),
        (np.float64(2.5), "float32"),
        (np.zeros((2, 0)), "float32"),
        (np.longdouble(0.5), "float32"),
        (np.asarray([1 + 2j]), "complex128"),
        (range(3), "int64"),
    ],
)
def test_floats_take_the_default_dtype_and_others_keep_theirs(backend: Backend, data: Any, dtype: str) -> None:
    x = portanet.asarray(data)
    assert backend.dtype_name(x.dtype) == dtype
    assert_equal(x, np.asarray(data), dtype=dtype)


def test_a_named_dtype_is_used(backend: Backend) -> None:
    assert_equal(portanet.asarray([1.0, 2.0], dtype="int32"), np.asarray([1, 2], dtype="int32"))
    assert_equal(portanet.asarray([1, 2], dtype=backend.xp.float64), [1.0, 2.0], dtype="float64")
    assert_equal(portanet.asarray(portanet.asarray([1.5]), dtype="float64"), [1.5], dtype="float64")
    with pytest.raises(ValueError, match=r"no such dtype. Known: 'float32'.* Received: dtype='float33'"):
        portanet.asarray([1.0], dtype="float33")


@pytest.mark.parametrize(
    ("data", "dtype", "received"),
    [
        ([300], "uint8", "integers from 300 to 300"),
        ([-1], "uint8", "integers from -1 to -1"),
        ([2**40], "int32", f"integers from {2**40} to {2**40}"),
        ([1.5], "int32", "fractions, NaN or infinity"),
        ([float("nan")], "int32", "fractions, NaN or infinity"),
        ([float("inf")], "int64", "fractions, NaN or infinity"),
        ([3e10], "int32", "integers from 30000000000 to 30000000000"),
    ],
)
def test_a_cast_changes_no_value(backend: Backend, data, dtype, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        portanet.asarray(data, dtype)
    if backend.name != "jax":  # whose integers are of 32 bits
        native = backend.from_host(np.asarray(data))
        with pytest.raises(ValueError, match=f"Received: {received}"):
            portanet.asarray(native, dtype)


def test_floats_out_of_range_and_complex_numbers_are_refused(backend: Backend):
    with pytest.raises(ValueError, match=r"up to 3.40282e\+38; choose a wider dtype.* Received: numbers from 1e\+300"):
        portanet.asarray([1e300])
    with pytest.raises(TypeError, match="real numbers; pass the real and imaginary parts"):
        portanet.asarray([1 + 2j], "float32")
    assert_equal(portanet.asarray([float("inf")]), [float("inf")], dtype="float32")


def test_the_default_dtype_may_be_double(backend: Backend) -> None:
    with portanet.use_backend(backend.name, backend.device, dtype="float64"):
        assert_equal(portanet.asarray(np.asarray([0.1], dtype="float32")), [float(np.float32(0.1))], dtype="float64")
        assert_equal(portanet.asarray([0.1]), [0.1])


def test_an_array_of_this_backend_is_not_copied(backend: Backend) -> None:
    x = portanet.asarray([1.0, 2.0])
    assert portanet.asarray(x) is x


@given(
    x=hnp.arrays(
        st.sampled_from(["bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64", "complex64"]),
        hnp.array_shapes(min_dims=0, min_side=0),
    )
)
def test_host_to_device_to_host_is_exact(backend: Backend, x: np.ndarray[Any, Any]) -> None:
    there = backend.from_host(x)
    back = backend.to_host(there)
    assert back.dtype == x.dtype
    assert backend.dtype_name(there.dtype) == x.dtype.name
    assert backend.owns(there)
    np.testing.assert_array_equal(back, x)
    np.testing.assert_array_equal(to_host(there), x)


def test_device_and_host_never_share_memory(backend: Backend) -> None:
    source = np.arange(64.0).reshape(8, 8)
    there = backend.from_host(source)
    back = backend.to_host(there)
    source[...] = -1.0
    np.testing.assert_array_equal(to_numpy(there), np.arange(64.0).reshape(8, 8))
    back[...] = -2.0
    np.testing.assert_array_equal(to_numpy(there), np.arange(64.0).reshape(8, 8))


def test_what_is_lent_to_the_host_and_adopted_is_exact(backend: Backend) -> None:
    source = np.arange(24.0, dtype="float32").reshape(4, 6)
    there = backend.from_host(source)
    seen = backend.view_on_host(there.T)
    np.testing.assert_array_equal(seen, source.T)
    back = backend.adopt(np.array(seen))
    assert backend.owns(back)
    np.testing.assert_array_equal(to_numpy(back), source.T)
    if backend.name in ("numpy", "torch") and backend.device_name == "cpu":  # without copies
        assert np.shares_memory(seen, backend.view_on_host(there))
        held = np.ones(3, "float32")
        assert np.shares_memory(backend.view_on_host(backend.adopt(held)), held)


@pytest.mark.parametrize("other", [name for name in MATRIX if name not in GPU_ONLY_WHEN_NAMED])
def test_arrays_of_other_libraries_and_devices(backend: Backend, other: str) -> None:
    name, device = MATRIX[other]
    reason = available_backends()[name]
    if reason is not None:
        pytest.skip(f"{other}: {reason}")
    source = make_backend(name, device)
    foreign = source.from_host(np.asarray([[1.5, 2.5]]))
    assert_equal(portanet.asarray(foreign), [[1.5, 2.5]])
    assert_equal(portanet.asarray([foreign, foreign]), [[[1.5, 2.5]]] * 2)
    assert_equal(portanet.asarray(source.from_host(np.asarray([1, 2], dtype="int32"))), np.asarray([1, 2], "int32"))
    np.testing.assert_array_equal(to_host([foreign, foreign]), [[[1.5, 2.5]]] * 2)


def test_bfloat16_reaches_the_host_as_float32(backend: Backend) -> None:
    if not hasattr(backend.xp, "bfloat16"):
        with pytest.raises(ValueError, match="'bfloat16'"):
            portanet.asarray([1.5], dtype="bfloat16")
        return
    x = portanet.asarray([1.5, -2.0], dtype="bfloat16")
    assert backend.dtype_name(x.dtype) == "bfloat16"
    host = to_numpy(x)
    assert host.dtype == np.float32
    np.testing.assert_array_equal(host, [1.5, -2.0])
    assert_equal(portanet.asarray(x), [1.5, -2.0])  # floats take the default dtype


def test_torch_tensors_that_require_grad() -> None:
    torch = pytest.importorskip("torch")
    with portanet.use_backend("numpy"):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        assert_equal(portanet.asarray(x), [1.0, 2.0])
        assert_equal(portanet.asarray(torch.nn.Parameter(x)), [1.0, 2.0])


class OnlyDLPack:
    """The interface of an unknown library."""

    def __init__(self, x: np.ndarray[Any, Any]) -> None:
        self.x = x

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.x.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.x.__dlpack_device__()


def test_any_dlpack_exporter(backend: Backend) -> None:
    assert_equal(portanet.asarray(OnlyDLPack(np.asarray([1.0, 2.0]))), [1.0, 2.0])


def test_pandas(backend: Backend) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2], "c": [True, False]})
    assert_equal(portanet.asarray(frame), [[1.5, 1.0, 1.0], [2.5, 2.0, 0.0]])
    assert_equal(portanet.asarray(frame["b"]), [1, 2])
    assert_equal(portanet.asarray(frame[["a", "b"]]), [[1.5, 1.0], [2.5, 2.0]])
    assert_equal(portanet.asarray(frame.convert_dtypes()), [[1.5, 1.0, 1.0], [2.5, 2.0, 0.0]])
    with pytest.raises(TypeError, match=r"must be numeric.*Received: .*'Series'|of type Series"):
        portanet.asarray(pd.Series(["yes", "no"]))


@pytest.mark.parametrize(
    "data", ["text", ["a", "b"], [None, 1.0], object(), {"a": 1}, np.asarray(["2020-01-01"], dtype="datetime64[D]")]
)
def test_data_that_is_not_numeric(backend: Backend, data: Any) -> None:
    with pytest.raises(TypeError, match=r"must be numeric.* Received: "):
        portanet.asarray(data)


def test_a_traced_array_does_not_lose_its_derivative_without_a_word(backend: Backend) -> None:
    with pytest.raises(TraceError, match="would cut the derivative"):
        grad(lambda x: portanet.asarray(x))(portanet.asarray(1.0))


def test_ragged_lists(backend: Backend) -> None:
    with pytest.raises(ValueError, match=r"same number of elements in every row.* Received: \[\[1, 2\], \[3\]\]"):
        portanet.asarray([[1, 2], [3]])


def test_comparisons_of_the_test_support(backend: Backend) -> None:
    x = asarray([1.0, 2.0])
    assert_equal(x + x, [2.0, 4.0])
    assert_close(x, [1.000001, 2.0])
    for wrong in ([2.0, 2.0], [1.001, 2.0]):
        with pytest.raises(AssertionError):
            assert_close(x, wrong)
    with pytest.raises(AssertionError, match="expected shape"):
        assert_equal(x, [[1.0, 2.0]])
    with pytest.raises(AssertionError, match="expected dtype"):
        assert_equal(x, [1.0, 2.0], dtype="float64")
    with pytest.raises(AssertionError, match="expected an array of"):
        assert_equal([1.0, 2.0], [1.0, 2.0])
    if backend.device_name == "device1":
        with pytest.raises(AssertionError, match="expected device"):
            assert_equal(backend.xp.asarray([1.0, 2.0], dtype=backend.dtype), [1.0, 2.0])


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"])
@pytest.mark.parametrize("given", ["int64", "float64"])
def test_the_least_and_largest_integers(backend: Backend, name: str, given: str) -> None:
    """Both ends of a dtype are held exactly, the next ones are refused."""
    limits = np.iinfo(name)
    if not hasattr(backend.xp, name):
        pytest.skip("not in this library")
    ends = [limits.min, limits.max] if name != "int64" else [-(2**53), 2**53]
    held = asarray(np.asarray(ends, given), name)
    assert backend.dtype_name(held.dtype) == name
    assert to_numpy(held).tolist() == ends
    if name != "int64":
        for value in (limits.min - 1, limits.max + 1):
            with pytest.raises(ValueError, match=rf"integers from {limits.min} to {limits.max}; choose a wider dtype"):
                asarray(np.asarray([0, value], given), name)
    elif given == "float64":
        assert to_numpy(asarray(np.asarray([-(2.0**63)]), name)).tolist() == [-(2**63)]
        with pytest.raises(ValueError, match="choose a wider dtype"):
            asarray(np.asarray([2.0**63]), name)
