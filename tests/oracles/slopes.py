"""Results and gradients of a layer, and of that of Keras with the same weights, in float64 on the current backend."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, value_and_grad
from portanet.tree import tree_leaves, tree_map
from portanet.variables import bind
from tests.support import asarray, assert_close

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
pytest.importorskip("keras")

Host = np.ndarray[Any, Any]


def slopes(layer: Any, x: Any, factor: Host, **options: Any) -> tuple[Any, Any, Any]:
    """The result, and the gradients of sum(result * factor) by the input (or several) and by the trained weights."""
    trained = layer.trainable_weights

    def total(x: Any, values: Any) -> Any:
        with bind(dict(zip(trained, values, strict=True))):
            out = layer(x, **options)
        return array_namespace(out).sum(out * asarray(factor, "float64")), out

    point = (tree_map(lambda each: asarray(each, "float64"), x), [w.value for w in trained])
    (_, out), (by_x, by_weights) = value_and_grad(total, (0, 1), has_aux=True)(*point)
    return out, by_x, by_weights


def keras_slopes(layer: Any, x: Any, factor: Host, **options: Any) -> Any:
    points = [torch.tensor(each, requires_grad=True) for each in (x if isinstance(x, list) else [x])]
    out = layer(*points, **options)
    (out * torch.tensor(factor)).sum().backward()
    by_weights = [np.zeros(w.shape) if w.value.grad is None else w.value.grad.numpy() for w in layer.trainable_weights]
    return out.detach().numpy(), [point.grad.numpy() for point in points], by_weights


def compare(ours: Any, theirs: Any) -> None:
    """Keras's matmul on PyTorch computes in float32, whatever the dtype of its operands."""
    out, by_x, by_weights = ours
    assert_close(out, theirs[0], rtol=1e-4, atol=1e-5, dtype="float64")
    assert len(by_weights) == len(theirs[2])
    for g, expected in zip([*tree_leaves(by_x), *by_weights], [*theirs[1], *theirs[2]], strict=True):
        assert_close(g, expected, rtol=1e-4, atol=1e-5, dtype="float64")


def random_weights(layer: Any, rng: np.random.Generator) -> list[Host]:
    drawn = [rng.normal(size=w.shape) * 0.6 for w in layer.trainable_weights]
    layer.set_weights(drawn)
    return drawn


def same_as_keras(ours: Any, theirs: Any, x: Any, seed: int = 0, **options: Any) -> None:
    """Compare results and gradients of two layers, not yet built, for an input or several, with random weights.

    Args:
        ours: The layer, of dtype float64; it has trained weights alone.
        theirs: That of Keras.
        x: An array, or a list.
        seed: Seed of the weights.
        **options: Options of both calls; NumPy arrays become arrays of either library.
    """
    rng = np.random.default_rng(seed)
    shapes = [each.shape for each in x] if isinstance(x, list) else x.shape
    ours.build(shapes)
    theirs.build(*shapes) if isinstance(x, list) else theirs.build(shapes)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    theirs.set_weights(random_weights(ours, rng))
    factor = rng.normal(size=ours.compute_output_shape(shapes))
    expected = keras_slopes(theirs, x, factor, **_each(options, torch.tensor))
    compare(slopes(ours, x, factor, **_each(options, asarray)), expected)


def _each(options: dict[str, Any], convert: Any) -> dict[str, Any]:
    return {name: convert(value) if isinstance(value, np.ndarray) else value for name, value in options.items()}
