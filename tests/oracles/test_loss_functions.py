"""Losses and metrics as functions, along other axes, and of lists and numbers, next to Keras's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
import portanet.backends
from portanet import losses, metrics
from tests.support import asarray, assert_close

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here"),
    pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning"),
]

RNG = np.random.default_rng(4)
SCORES, TRUTH = (RNG.normal(size=(2, 3, 4)).astype("float32") for _ in range(2))
P = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
HOT = np.eye(3, dtype="float32")[RNG.integers(0, 3, (2, 4))].transpose(0, 2, 1)
LABELS = HOT.argmax(1).astype("int32")
BITS = (TRUTH > 0).astype("float32")

FUNCTIONS: list[tuple[str, Any, Any, dict[str, Any]]] = [
    *((name, TRUTH, SCORES, {}) for name in ("mean_squared_error", "mean_absolute_error", "log_cosh", "huber")),
    ("mean_absolute_percentage_error", TRUTH, SCORES, {}),
    ("mean_squared_logarithmic_error", BITS, P, {}),
    ("huber", TRUTH, SCORES, {"delta": 0.4}),
    ("cosine_similarity", TRUTH, SCORES, {"axis": 1}),
    ("kl_divergence", P, P[::-1].copy(), {}),
    ("poisson", BITS, P, {}),
    ("hinge", BITS, SCORES, {}),
    ("squared_hinge", BITS, SCORES, {}),
    ("categorical_hinge", HOT, SCORES, {}),
    ("dice", BITS, P, {}),
    ("dice", BITS, P, {"axis": (1, 2)}),
    ("tversky", BITS, P, {"alpha": 0.3, "beta": 0.9, "axis": (1, 2)}),
    ("binary_crossentropy", BITS, P, {"axis": 1}),
    ("binary_crossentropy", BITS, SCORES, {"from_logits": True, "label_smoothing": 0.2}),
    ("binary_focal_crossentropy", BITS, P, {"apply_class_balancing": True, "axis": 1}),
    ("categorical_crossentropy", HOT, P, {"axis": 1}),
    ("categorical_crossentropy", HOT, SCORES, {"from_logits": True, "axis": 1}),
    ("categorical_focal_crossentropy", HOT, P, {"axis": 1}),
    ("categorical_focal_crossentropy", HOT.swapaxes(1, 2), P.swapaxes(1, 2), {"alpha": [0.1, 0.2, 0.7]}),
    ("sparse_categorical_crossentropy", LABELS, P, {"axis": 1}),
    ("sparse_categorical_crossentropy", LABELS, SCORES, {"from_logits": True, "axis": 1, "ignore_class": 1}),
    ("binary_accuracy", BITS, SCORES, {"threshold": 0.4}),
    ("categorical_accuracy", HOT, P, {}),
    ("sparse_categorical_accuracy", LABELS, P.swapaxes(1, 2), {}),
    ("pearson_correlation", HOT, P, {"axis": 1}),
    ("concordance_correlation", HOT, P, {}),
    ("top_k_categorical_accuracy", HOT, P, {"k": 2}),
    ("sparse_top_k_categorical_accuracy", LABELS, P.swapaxes(1, 2), {"k": 2}),
]


def expected(function: Any, *args: Any, **options: Any) -> Any:
    return keras.ops.convert_to_numpy(function(*args, **options))


@pytest.mark.parametrize(("name", "y", "p", "options"), FUNCTIONS)
def test_functions(name: str, y: Any, p: Any, options: dict[str, Any], backend: portanet.backends.Backend) -> None:
    rooms = [room for room in ("losses", "metrics") if hasattr(getattr(keras, room), name)]
    assert rooms
    for room in rooms:
        result = getattr(getattr(portanet, room), name)(asarray(y), asarray(p), **options)
        truth = expected(getattr(getattr(keras, room), name), y, p, **options)
        assert_close(result, truth, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "y", "p"),
    [
        ("mean_squared_error", [1.0, 2.0], [1.5, 0.0]),
        ("binary_crossentropy", [[0, 1], [1, 1]], [[0.3, 0.6], [0.5, 0.1]]),
        ("sparse_categorical_crossentropy", [1, 0], [[0.3, 0.7], [0.6, 0.4]]),
        ("binary_accuracy", [1, 1, 0], [0.7, 0.2, 0.1]),
    ],
)
def test_lists(name: str, y: Any, p: Any, backend: portanet.backends.Backend) -> None:
    room = "metrics" if "accuracy" in name else "losses"
    result = getattr(getattr(portanet, room), name)(y, p)
    assert_close(
        result, expected(getattr(getattr(keras, room), name), np.asarray(y), np.asarray(p, "float32")), rtol=1e-5
    )


CLASSES: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("CategoricalCrossentropy", HOT, P, {"axis": 1}),
    ("CategoricalCrossentropy", HOT, P, {"axis": -2, "reduction": "sum"}),
    ("SparseCategoricalCrossentropy", LABELS, P, {"axis": 1}),
    ("SparseCategoricalCrossentropy", LABELS[:, None], P, {"axis": 1, "reduction": None}),
    ("BinaryCrossentropy", BITS, P, {"axis": 1, "reduction": None}),
    ("BinaryFocalCrossentropy", BITS, P, {"axis": 1, "reduction": None}),
    ("CategoricalFocalCrossentropy", HOT, P, {"axis": 1}),
    ("CosineSimilarity", TRUTH, SCORES, {"axis": 1, "reduction": None}),
]


@pytest.mark.parametrize(("name", "y", "p", "options"), CLASSES)
def test_losses_along_an_axis(
    name: str, y: Any, p: Any, options: dict[str, Any], backend: portanet.backends.Backend
) -> None:
    truth = expected(getattr(keras.losses, name)(**options), y, p)
    assert_close(getattr(losses, name)(**options)(asarray(y), asarray(p)), truth, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "y", "p", "options"),
    [
        ("CategoricalCrossentropy", HOT, P, {"axis": 1}),
        ("SparseCategoricalCrossentropy", LABELS, P, {"axis": 1}),
        ("CosineSimilarity", TRUTH, SCORES, {"axis": 1}),
        (
            "SparseTopKCategoricalAccuracy",
            [2, 1, 0],
            [[1, 2, 0], [0, 2, 1], [1, 2, 0]],
            {"k": 2, "from_sorted_ids": True},
        ),
        ("MeanSquaredError", [[0, 1], [0, 0]], [[1, 1], [0, 0]], {}),
        ("BinaryAccuracy", [[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]], {}),
        ("Precision", [0, 1, 1, 1], [1, 0, 1, 1], {}),
    ],
)
def test_metrics_along_an_axis_and_of_lists(
    name: str, y: Any, p: Any, options: dict[str, Any], backend: portanet.backends.Backend
) -> None:
    theirs, ours = getattr(keras.metrics, name)(**options), getattr(metrics, name)(**options)
    arrays = [asarray(each) if isinstance(each, np.ndarray) else each for each in (y, p)]
    np.testing.assert_allclose(ours(*arrays), expected(theirs, y, p), rtol=1e-5)
    weight = [1.0, 0.5, 0.0, 1.0][: len(y)]
    if name != "SparseCategoricalCrossentropy" and isinstance(y, list):
        ours.reset_state()
        theirs.reset_state()
        np.testing.assert_allclose(ours(y, p, weight), expected(theirs, y, p, sample_weight=weight), rtol=1e-5)


def test_means_of_numbers_and_lists(backend: portanet.backends.Backend) -> None:
    ours, theirs = metrics.Mean(), keras.metrics.Mean()
    for values, weight in ((3.0, None), ([1.0, 5.0], None), ([1, 2], [1.0, 0.5]), (7, 2.0)):
        np.testing.assert_allclose(ours(values, weight), expected(theirs, values, sample_weight=weight), rtol=1e-6)


def test_a_function_as_the_loss_of_a_model_checks_and_counts_as_its_class() -> None:
    loss = losses.get(losses.sparse_categorical_crossentropy, "loss", "compile")
    assert type(loss) is losses.SparseCategoricalCrossentropy
    assert type(metrics.get("accuracy", loss)) is metrics.SparseCategoricalAccuracy
    assert type(metrics.get(metrics.binary_accuracy)) is metrics.BinaryAccuracy
