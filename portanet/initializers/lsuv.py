"""Initial values that depend on the data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import Array, asarray, get_backend, to_host, use_backend
from portanet.initializers.structured import Orthogonal


def lsuv(model: Any, x: Any, tolerance: float = 0.1, max_iterations: int = 10) -> dict[str, float]:
    """Layer-sequential unit-variance initialisation (D. Mishkin and J. Matas, All You Need Is a Good Init, 2016).

    Each layer with a kernel, in the order of computation, gets an orthonormal kernel, which is then divided by the
    standard deviation of the layer's results (before its activation) on a batch, until their variance is 1.

    Args:
        model: A layer or model, built if necessary. Its kernels are replaced; biases and recurrent layers are not.
        x: A batch of inputs, some hundred examples.
        tolerance: Allowed distance of the variance from 1.
        max_iterations: Maximum number of times a kernel is scaled.

    Returns:
        The variance reached in each layer, by the path of its kernel.

    Raises:
        ValueError: The results of a layer do not vary over the batch.

    Example:
        >>> import numpy as np, portanet
        >>> model = portanet.Sequential([portanet.layers.Dense(50, "relu"), portanet.layers.Dense(20)])
        >>> x = np.random.default_rng(0).normal(size=(200, 30))
        >>> [round(v) for v in portanet.initializers.lsuv(model, x).values()]
        [1, 1]
    """
    tolerance = checks.positive("tolerance", tolerance, "lsuv")
    max_iterations = checks.positive_int("max_iterations", max_iterations, "lsuv")
    if not hasattr(model, "flatten_layers"):
        raise checks.invalid("model", model, "a layer or model", "lsuv")
    first = next(iter(model.variables), None)
    with use_backend(get_backend() if first is None else first.backend):
        inputs = asarray(x)
        model(inputs)
        paths = {variable: path for path, variable in model.named_variables().items()}
        reached = {}
        for layer in _in_order(model, inputs):
            path = paths[layer.kernel]
            _assign(layer.kernel, Orthogonal()(layer.kernel.shape, random.host_generator(path, "lsuv")))
            for _ in range(max_iterations):
                variance = float(to_host(_results(model, layer, inputs)).astype("float64").var())
                reached[path] = variance
                if abs(variance - 1) < tolerance:
                    break
                if not variance > 0:
                    raise ValueError(
                        f"lsuv cannot scale layer '{layer.name}': its results do not vary over the batch. "
                        f"Received: x of shape {tuple(inputs.shape)}, results of variance {variance}"
                    )
                _assign(layer.kernel, layer.kernel.numpy().astype("float64") / np.sqrt(variance))
    return reached


def _assign(kernel: Any, host: Any) -> None:
    value = kernel.backend.from_host(np.asarray(host, dtype="float32" if host.dtype != "float64" else "float64"))
    kernel.assign(kernel.backend.xp.astype(value, kernel.dtype))


class _StopForward(Exception):  # noqa: N818 -- a signal, not an error
    """The layer has been called; the rest of the model is skipped."""


def _in_order(model: Any, x: Array) -> list[Any]:
    """The non-recurrent layers with a kernel, in the order of their first call."""
    called: list[Any] = []
    candidates = [
        layer
        for layer in model.flatten_layers()
        if hasattr(layer, "kernel") and hasattr(layer.kernel, "assign") and not hasattr(layer, "recurrent_kernel")
    ]
    with contextlib.ExitStack() as hooks:
        for layer in candidates:
            call = layer.call

            def recording_call(*args: Any, layer: Any = layer, call: Callable[..., Any] = call, **kwargs: Any) -> Any:
                if layer not in called:
                    called.append(layer)
                return call(*args, **kwargs)

            hooks.enter_context(_replaced(layer, "call", recording_call))
        model(x)
    return called


def _results(model: Any, layer: Any, x: Array) -> Array:
    """The layer's results before its activation."""
    results: list[Array] = []
    call = layer.call

    def before_activation(z: Array) -> Array:
        results.append(z)
        raise _StopForward

    def after_call(*args: Any, **kwargs: Any) -> Any:
        results.append(call(*args, **kwargs))
        raise _StopForward

    with contextlib.ExitStack() as hooks:
        hooks.enter_context(_replaced(layer, "call", after_call))
        if callable(getattr(layer, "activation", None)):
            hooks.enter_context(_replaced(layer, "activation", before_activation))
        with contextlib.suppress(_StopForward):
            model(x)
    return results[0]


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute of one object, replaced for the duration."""
    own = name in vars(owner)
    old = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, old)
        else:
            delattr(owner, name)
