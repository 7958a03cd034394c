"""JAX's two modes: 32 bits, the default, and 64 bits, in which the other tests run; what is compiled, and when."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from portanet.backends.registry import make_backend

jax = pytest.importorskip("jax")


def in_32_bits(code: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"JAX_ENABLE_X64": "0", "PORTANET_BACKEND": "jax"}
    preamble = "import numpy as np, portanet\n"
    return subprocess.run([sys.executable, "-c", preamble + code], env=env, capture_output=True, text=True, check=False)


def test_integers_that_fit_are_narrowed() -> None:
    done = in_32_bits("x = portanet.asarray(np.asarray([1, -5])); print(x.dtype, portanet.to_host(x).tolist())")
    assert done.stdout == "int32 [1, -5]\n", done.stderr


def test_what_would_change_silently_is_refused() -> None:
    done = in_32_bits("""
for data in (np.asarray([2**40]), np.asarray([-(2**31) - 1]), np.asarray([2**32], dtype="uint64")):
    try:
        portanet.asarray(data)
    except OverflowError as error:
        print(error)
try:
    portanet.asarray([1.0], dtype="float64")
except ValueError as error:
    print(error)
""")
    *integers, floats = done.stdout.splitlines()
    assert len(integers) == 3, done.stderr
    for line in integers:
        assert line.startswith("Backend 'jax' holds 64-bit integers in 32 bits unless")
        assert "Received: " in line
    assert floats.startswith("Backend 'jax' has 64-bit floats only when")
    assert floats.endswith("Received: dtype='float64'")


def test_choosing_float64_switches_to_64_bits() -> None:
    done = in_32_bits("""
portanet.set_backend("jax", dtype="float64")
print(portanet.asarray([1.0]).dtype, portanet.asarray([2**40]))
""")
    assert done.stdout == "float64 [1099511627776]\n", done.stderr


def test_training_in_32_bits() -> None:
    done = in_32_bits("""
from portanet import layers
model = portanet.Sequential([layers.Input((3,)), layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(1)])
model.compile("adam", "mse", metrics=["accuracy"])
x, y = np.random.default_rng(0).normal(size=(10, 3)), np.ones((10, 1), dtype="int64")
history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_split=0.2)
print(sorted(history.history), model.evaluate(x, y, verbose=0)[0] > 0, model.predict(x).dtype)
""")
    assert done.stdout == "['accuracy', 'loss', 'val_accuracy', 'val_loss'] True float32\n", done.stderr


def test_functions_of_ops_take_numpy_arrays_in_32_bits() -> None:
    done = in_32_bits("""
from portanet import ops
x = np.asarray([[1.0, 2.5], [3.0, 4.0]])
print(ops.sum(x).dtype, ops.matmul(x, ops.ones((2, 2))).dtype, ops.convert_to_tensor(x).dtype, ops.cast(x, "int32"))
""")
    assert done.stdout.split("\n")[0] == "float32 float32 float32 [[1 2]", done.stderr


def test_a_step_is_traced_once() -> None:
    """Once per batch shape, not once per step; also in a second call of `fit`."""
    traces = []

    class Counting(layers.Layer):
        def call(self, x: Any) -> Any:
            traces.append(tuple(x.shape))
            return x

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    with use_backend("jax"):
        model = portanet.Sequential([layers.Input((3,)), Counting(), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse")
        x, y = np.ones((10, 3)), np.ones((10, 1))
        traces.clear()
        model.fit(x, y, batch_size=4, epochs=1, verbose=0)
        assert sorted(traces[-2:]) == [(2, 3), (4, 3)]
        once = len(traces)
        model.fit(x, y, batch_size=4, epochs=4, verbose=0)
        model.optimizer.learning_rate = 0.01
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert len(traces) == once


def test_a_program_may_use_the_memory_of_what_it_is_given() -> None:
    backend = make_backend("jax")
    step = backend.compile(lambda x, y: (x + y, y * 2), given=(0,))
    x, y = (backend.from_host(np.ones(1000, dtype="float32")) for _ in range(2))
    result, _ = step(x, y)
    np.testing.assert_array_equal(backend.to_host(result), 2.0)
    assert x.is_deleted()
    assert not y.is_deleted()


class Looks(layers.Layer):
    """A layer that looks at values."""

    def call(self, x: Any) -> Any:
        return x if bool(portanet.ops.sum(x) > 1e6) else 2 * x  # the line


@pytest.mark.parametrize("jit_compile", ["auto", True])
def test_a_layer_that_looks_at_values_is_named_once_and_runs(jit_compile: Any) -> None:
    x, y = np.ones((6, 2), dtype="float32"), np.arange(6) % 2
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)

    def trained(jit_compile: Any) -> Any:
        portanet.random.set_seed(0)
        net = portanet.Sequential([layers.Input((2,)), layers.Dense(2), Looks(name="looks")], name="net")
        net.compile("sgd", loss, jit_compile=jit_compile)
        return net.fit(x, y, 4, 2, 0, validation_data=(x, y)).history

    with use_backend(make_backend("jax")):
        expected = trained(False)
        with pytest.warns(UserWarning, match="cannot be compiled, and runs as ordinary Python") as caught:
            assert trained(jit_compile) == expected
    (message,) = [str(w.message) for w in caught if "compiled" in str(w.message)]
    assert "In layer 'net/looks' (Looks)" in message
    assert "test_jax.py, line" in message
    assert "# the line` raised TracerBoolConversionError: Attempted boolean conversion" in message


def test_a_function_of_ops_that_reads_an_argument_lets_the_step_run() -> None:
    """Its error names the function, and is raised from that of JAX."""
    from portanet import ops

    class Tiles(layers.Layer):
        def call(self, x: Any) -> Any:
            times = ops.concatenate([ops.expand_dims(1, -1), ops.convert_to_tensor([2])], axis=0)
            return ops.tile(x, times)

    x, y = np.ones((4, 2), dtype="float32"), np.ones((4, 4), dtype="float32")
    with use_backend("jax"):
        net = portanet.Sequential([layers.Input((2,)), layers.Dense(2), Tiles()])
        net.compile("sgd", "mse")
        with pytest.warns(UserWarning, match="cannot be compiled, and runs as ordinary Python.*ops.tile"):
            assert len(net.fit(x, y, epochs=2, verbose=0).history["loss"]) == 2


def test_synchronize_waits_for_every_result() -> None:
    with use_backend("jax") as backend:
        x = portanet.asarray(np.ones((600, 600)))
        results = [x @ x for _ in range(20)]
        backend.synchronize()
        assert all(result.is_ready() for result in results)
