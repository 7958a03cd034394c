"""What every function of portanet.ops does with its arguments."""

import numpy as np
import pytest

import portanet
from portanet import ops
from portanet.autodiff import grad, vmap
from portanet.ops.conversion import promoted
from portanet.ops.operation import OPERATIONS, find_operation
from portanet.variables import Variable, bind
from tests.support import asarray, assert_close


class Recorder:
    def __init__(self):
        self.calls = []

    def _record_operation_(self, function, args, kwargs):
        self.calls.append((function, args, kwargs))
        return "recorded"


def test_numbers_lists_and_numpy_arrays_become_arrays_of_the_backend(backend):
    assert_close(ops.add([1.0, 2.0], 1), [2.0, 3.0])
    assert_close(ops.add(1, 2), 3, dtype="int32")
    assert_close(ops.sin(0.0), 0.0)
    assert_close(ops.sin(np.asarray([0.0], "float32")), [0.0])
    assert_close(ops.multiply(x1=[True, False], x2=2), [2, 0], dtype="int32")


def test_the_library_is_that_of_the_arrays(xp):
    x = asarray([1.0, 2.0])
    with portanet.use_backend("numpy"):
        result = ops.add(np.asarray([1.0, 1.0], "float32"), x)
    assert_close(result, [2.0, 3.0])


@pytest.mark.parametrize(
    ("dtypes", "number", "expected"),
    [
        (("float32",), 2, "float32"),
        (("float64",), 0.5, "float64"),
        (("int32",), 2, "int32"),
        (("int32",), 0.5, "float32"),
        (("uint8",), 2, "uint8"),
        (("bool",), 1, "int32"),
        (("bool",), 0.5, "float32"),
        (("bool",), True, "bool"),
        (("float32", "int64"), None, "float32"),
        (("float32", "float64"), None, "float64"),
        (("int8", "int32"), None, "int32"),
        (("bool", "int8"), 1, "int8"),
        (("float64",), 1j, "complex128"),
        (("complex64", "float64"), None, "complex128"),
    ],
)
def test_dtypes_of_operands(xp, dtypes, number, expected):
    operands = [asarray([1], dtype) for dtype in dtypes] + ([] if number is None else [number])
    assert all(x.dtype == getattr(xp, expected) for x in promoted(*operands))


def test_variables_are_their_values(backend):
    weight = Variable([1.0, 2.0], name="w")
    assert_close(ops.add(weight, 1.0), [2.0, 3.0])
    assert_close(ops.multiply(weight, weight), [1.0, 4.0])

    def total(value):
        with bind({weight: value}):
            y = ops.multiply(weight, weight)
            return y.__array_namespace__().sum(y)

    assert_close(grad(total)(asarray([1.0, 3.0])), [2.0, 6.0])


def test_traced_arrays_and_batches(xp):
    slope = grad(lambda x: ops.sin(ops.multiply(x, 2)))
    assert_close(slope(asarray(0.0)), 2.0)
    assert_close(vmap(slope)(asarray([0.0, 0.0])), [2.0, 2.0])
    assert_close(grad(lambda x: ops.add([x, 1.0], 1)[0])(asarray(1.0)), 1.0)


@pytest.mark.parametrize("inside", [lambda r: r, lambda r: [1.0, r], lambda r: {"a": (r,)}])
def test_calls_are_passed_to_arguments_that_record(inside):
    recorder = Recorder()
    argument = inside(recorder)
    assert ops.add(1.0, x2=argument) == "recorded"
    assert recorder.calls == [(ops.add, (1.0,), {"x2": argument})]


def test_operations_are_found_by_name_and_nothing_else_is():
    assert find_operation("add") is ops.add
    assert find_operation("true_divide") is ops.true_divide
    assert find_operation("os.system") is None
    assert all(
        function in (getattr(ops, name, None), getattr(ops.image, name, None)) for name, function in OPERATIONS.items()
    )


def test_errors_name_the_argument():
    with pytest.raises(TypeError, match=r"Argument `x2` of ops.add must be numeric.*Received: 'a'"):
        ops.add(1.0, "a")
    with pytest.raises(ValueError, match=r"Argument `x` of ops.sin must have the same number of elements"):
        ops.sin([[1.0], [1.0, 2.0]])


def test_dtypes_of_numpy_are_those_of_their_name(backend):
    for name in ("float64", "float32", "int64", "int32"):  # NumPy's float64 equals Python's float
        dtype = np.dtype(name)
        assert ops.zeros(2, dtype=dtype).dtype == backend.find_dtype(name)
        assert ops.cast(asarray([1.0]), dtype).dtype == backend.find_dtype(name)


def test_python_numbers_are_not_rounded_to_the_default_dtype(xp):
    assert_close(
        ops.convert_to_tensor([0.1, 1 / 3], "float64"), np.asarray([0.1, 1 / 3]), rtol=0, atol=0, dtype="float64"
    )
    assert_close(ops.array(0.1, "float64"), np.asarray(0.1), rtol=0, atol=0, dtype="float64")
    assert_close(ops.array([0.1 + 0.3j], "complex128"), np.asarray([0.1 + 0.3j]), rtol=0, atol=0, dtype="complex128")
