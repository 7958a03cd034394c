"""Steps on PyTorch as CUDA graphs, with what captures and replays on the processor in place of CUDA."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, mixed_precision, optimizers
from portanet.backends.recording import recording
from tests.recorded.runs import LOSS, Changes
from tests.training.test_recorded_models import LABELS, MODELS, VECTORS, mlp, trained


@pytest.fixture(autouse=True)
def graphs(backend: Any) -> Iterator[Any]:
    if type(backend).name != "torch":
        pytest.skip("PyTorch's graphs")
    from tests.recorded.torch_graphs import CUDAGraph, recorded_torch

    with recorded_torch():
        CUDAGraph.replays = 0
        yield CUDAGraph


def both(run: Callable[[Any], Any], graphs: Any, least: int) -> None:
    """A run whose steps are replayed gives what the run gives whose steps are not."""
    expected = run(False)
    assert graphs.replays == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = run("auto")
    assert graphs.replays >= least
    np.testing.assert_equal(result, expected)


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str, graphs: Any) -> None:
    both(functools.partial(trained, name), graphs, 8)


def change(net: Any, epoch: int) -> None:
    net.optimizer.learning_rate = 0.1 / (epoch + 1)
    net.layers[0].trainable = epoch != 2
    net.set_weights([0.9 * w for w in net.get_weights()])


def test_what_callbacks_change(graphs: Any) -> None:
    def run(jit_compile: Any) -> Any:
        net = mlp(jit_compile, optimizers.AdamW(0.01, use_ema=True, gradient_accumulation_steps=2, clipnorm=1.0))
        history = net.fit(VECTORS, LABELS, 4, 4, 0, Changes(change)).history
        return history, net.evaluate(VECTORS, LABELS, 4, 0, return_dict=True), [v.numpy() for v in net.variables]

    both(run, graphs, 4)


def test_half_precision_with_a_loss_scale(graphs: Any) -> None:
    def run(jit_compile: Any) -> Any:
        mixed_precision.set_global_policy("mixed_float16")
        try:
            return mlp(jit_compile).fit(VECTORS, LABELS, 4, 3, 0).history
        finally:
            mixed_precision.set_global_policy(None)

    both(run, graphs, 6)


TWO = (
    *("atan2", "copysign", "equal", "greater", "greater_equal", "hypot", "less", "less_equal", "logaddexp"),
    *("logical_and", "logical_or", "logical_xor", "maximum", "minimum", "nextafter", "not_equal", "where", "clip"),
)


@pytest.mark.parametrize("name", TWO)
def test_a_number_beside_an_array_is_not_sent_from_the_host(name: str) -> None:
    import torch
    from array_api_compat import torch as compat

    from portanet.backends.torch import namespace
    from tests.recorded.torch_graphs import Capture

    boolean = name.startswith("logical")
    x = torch.tensor([True, False]) if boolean else torch.tensor([-0.0, 0.5, float("nan"), 2.0], dtype=torch.float64)
    number = True if boolean else 0.0
    calls: list[Any] = [(x, number), (number, x)]
    if name == "where":
        calls = [(x > 0.0, x, number), (x > 0.0, number, x)]
    elif name == "clip":
        calls = [(x, number, x + 1.0), (x, x - 1.0, number), (x, number, 1.0), (x, None, number)]
    with Capture():
        results = [getattr(namespace, name)(*args) for args in calls]
    for result, args in zip(results, calls, strict=True):
        expected = getattr(compat, name)(*args)
        assert result.dtype == expected.dtype
        ours, theirs = result.numpy().astype(float), expected.numpy().astype(float)
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("dtype", ["float32", "int32", "complex64"])
def test_signs_are_found_without_looking(dtype: str) -> None:
    import torch
    from array_api_compat import torch as compat

    from portanet.backends.torch import namespace
    from tests.recorded.torch_graphs import Capture

    values = [3, -2, 0] if dtype == "int32" else [3.0, -0.5, 0.0, -0.0, float("nan")]
    x = torch.tensor(values, dtype=getattr(torch, dtype))
    with Capture():
        result = namespace.sign(x)
    np.testing.assert_array_equal(result.numpy(), compat.sign(x).numpy())


class Looks(layers.Layer):
    def call(self, x: Any) -> Any:
        return x if bool(portanet.ops.sum(x) > 1e6) else 2 * x


def test_what_cannot_be_captured_runs_and_warns_once(graphs: Any) -> None:
    def fit(jit_compile: Any) -> Any:
        portanet.random.set_seed(3)
        net = portanet.Sequential([layers.Input((4,)), Looks(name="looks"), layers.Dense(3)])
        net.compile("adam", LOSS, jit_compile=jit_compile)
        return net.fit(VECTORS, LABELS, 4, 3, 0).history

    expected = fit(False)
    with pytest.warns(UserWarning, match="cannot be recorded") as caught:
        assert fit("auto") == expected
    assert len(caught) == 1
    assert "(Looks)" in str(caught[0].message)
    assert "not permitted when stream is capturing" in str(caught[0].message)
    assert graphs.replays == 0
    assert mlp("auto").fit(VECTORS, LABELS, 4, 3, 0).history == mlp(False).fit(VECTORS, LABELS, 4, 3, 0).history
    assert graphs.replays > 3, "a capture that failed has left nothing behind"


def test_ctrl_c_while_capturing_leaves_everything_as_it_was(graphs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = [False]
    net = mlp("auto")
    before = [v.numpy() for v in net.variables]
    dense = type(net.layers[1]).call

    def call(self: Any, *args: Any, **options: Any) -> Any:
        if recording() and not pressed[0]:
            pressed[0] = True
            raise KeyboardInterrupt
        return dense(self, *args, **options)

    monkeypatch.setattr(type(net.layers[1]), "call", call)
    with pytest.raises(KeyboardInterrupt):
        net.fit(VECTORS, LABELS, 5, 2, 0)
    assert pressed[0]
    assert not recording()
    assert graphs.replays == 0
    net.set_weights(before)
    net.compile("adam", LOSS)
    assert net.fit(VECTORS, LABELS, 4, 3, 0).history == mlp(False).fit(VECTORS, LABELS, 4, 3, 0).history
    assert graphs.replays > 3
