"""Losses against Keras and PyTorch: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses
from portanet.autodiff import grad
from tests.support import asarray, assert_close, to_numpy

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
F = torch.nn.functional
pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here")

RNG = np.random.default_rng(3)
TRUTH, NUMBERS = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))
P, Q = RNG.dirichlet(np.ones(4), 5), RNG.dirichlet(np.ones(4), 5)
LABELS = np.asarray([0, 3, 1, 2, 1])
HOT = np.eye(4)[LABELS]
BITS = (RNG.random((5, 4)) < 0.5).astype("float64")
WEIGHT = np.asarray([1.0, 0.0, 0.5, 2.0, 1.5])
TOLERANCE = {"float64": 1e-6, "float32": 1e-4}

# Name of the class: targets, predictions, arguments
KERAS: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("MeanSquaredError", TRUTH, NUMBERS, {}),
    ("MeanAbsoluteError", TRUTH, NUMBERS, {}),
    ("MeanAbsolutePercentageError", TRUTH, NUMBERS, {}),
    ("MeanSquaredLogarithmicError", np.abs(TRUTH), np.abs(NUMBERS), {}),
    ("Huber", TRUTH, NUMBERS, {"delta": 0.7}),
    ("LogCosh", TRUTH, NUMBERS, {}),
    ("CosineSimilarity", TRUTH, NUMBERS, {}),
    ("KLDivergence", Q, P, {}),
    ("Poisson", np.floor(4 * Q), P, {}),
    ("Hinge", 2 * BITS - 1, NUMBERS, {}),
    ("Hinge", BITS, NUMBERS, {}),
    ("SquaredHinge", BITS, NUMBERS, {}),
    ("CategoricalHinge", HOT, NUMBERS, {}),
    ("BinaryCrossentropy", BITS, P, {}),
    ("BinaryCrossentropy", BITS, NUMBERS, {"from_logits": True, "label_smoothing": 0.2}),
    ("BinaryFocalCrossentropy", BITS, P, {"gamma": 1.5, "apply_class_balancing": True, "alpha": 0.3}),
    ("BinaryFocalCrossentropy", BITS, NUMBERS, {"from_logits": True, "label_smoothing": 0.2}),
    ("CategoricalCrossentropy", HOT, P, {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", Q, 3 * P, {}),
    ("CategoricalCrossentropy", Q, NUMBERS, {"from_logits": True}),
    ("CategoricalFocalCrossentropy", HOT, P, {"gamma": 1.5, "alpha": 0.4}),
    ("CategoricalFocalCrossentropy", HOT, NUMBERS, {"from_logits": True, "label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", LABELS, P, {}),
    ("SparseCategoricalCrossentropy", LABELS, NUMBERS, {"from_logits": True}),
    ("SparseCategoricalCrossentropy", LABELS, NUMBERS, {"from_logits": True, "ignore_class": 1}),
    ("CategoricalGeneralizedCrossEntropy", LABELS, P, {"q": 0.7}),
    ("Circle", LABELS, NUMBERS / np.linalg.norm(NUMBERS, axis=1, keepdims=True), {}),
    ("Circle", LABELS, NUMBERS / 2, {"gamma": 3.0, "margin": 0.25, "remove_diagonal": False}),
    ("Dice", BITS, P, {}),
    ("Dice", BITS, P, {"axis": [1]}),
    ("Tversky", BITS, P, {"alpha": 0.3, "beta": 0.8, "axis": [1]}),
]


def targets(y: Any, dtype: str) -> Any:
    return asarray(y, dtype) if y.dtype.kind == "f" else asarray(y)


def ours(loss: Any, y: Any, p: Any, dtype: str, weight: Any = None) -> tuple[Any, Any]:
    y, p = targets(y, dtype), asarray(p, dtype)
    w = None if weight is None else asarray(weight, dtype)
    return to_numpy(loss(y, p, w)), to_numpy(grad(lambda p: loss(y, p, w))(p))


def theirs(loss: Any, p: Any, dtype: str) -> tuple[Any, Any]:
    x = torch.tensor(p, dtype=getattr(torch, dtype), requires_grad=True)
    value = loss(x)
    value.backward()
    return value.detach().numpy(), x.grad.numpy()


def compare(actual: tuple[Any, Any], expected: tuple[Any, Any], dtype: str, tolerance: float = 0.0) -> None:
    tolerance = tolerance or TOLERANCE[dtype]
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance / 10)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("name", "y", "p", "options"), KERAS)
def test_keras(xp: Any, name: str, y: Any, p: Any, options: dict[str, Any], dtype: str) -> None:
    whole_batch = name == "Dice" and not options
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        weight = None if whole_batch or reduction == "sum" else WEIGHT
        loss = getattr(losses, name)(reduction=reduction, **options)
        oracle = getattr(keras.losses, name)(reduction=reduction, dtype=dtype, **options)
        expected = theirs(lambda x, oracle=oracle, w=weight: oracle(torch.tensor(y), x, sample_weight=w), p, dtype)
        computed_in = "float32" if name == "Circle" else dtype  # in Keras
        compare(ours(loss, y, p, dtype, weight), expected, dtype, TOLERANCE[computed_in])


@pytest.mark.parametrize(("name", "y", "p", "options"), [case for case in KERAS if case[1] is not LABELS])
def test_derivatives_by_targets(xp: Any, name: str, y: Any, p: Any, options: dict[str, Any]) -> None:
    loss = getattr(losses, name)(**options)
    oracle = getattr(keras.losses, name)(dtype="float64", **options)
    true, pred = asarray(y, "float64"), asarray(p, "float64")
    actual = to_numpy(loss(true, pred)), to_numpy(grad(lambda true: loss.compute(true, pred))(true))
    compare(actual, theirs(lambda true: oracle(true, torch.tensor(p)), y, "float64"), "float64")


@pytest.mark.parametrize(
    ("name", "y", "p", "options"), [case for case in KERAS if case[0] not in ("Dice", "Tversky", "Circle")]
)
def test_rows_of_several_axes(xp: Any, name: str, y: Any, p: Any, options: dict[str, Any]) -> None:
    rows = [0, 1, 2, 3, 4, 1]
    y, p = y[rows].reshape(2, 3, *y.shape[1:]), p[rows].reshape(2, 3, -1)
    loss, oracle = getattr(losses, name)(**options), getattr(keras.losses, name)(dtype="float64", **options)
    columns = () if "ignore_class" in options else (WEIGHT[:2, None],)  # Keras fails for both
    for weight in (None, WEIGHT[rows].reshape(2, 3), *columns):
        expected = theirs(lambda x, w=weight: oracle(torch.tensor(y), x, sample_weight=w), p, "float64")
        compare(ours(loss, y, p, "float64", weight), expected, "float64")


SIGNS = 2 * BITS - 1
TORCH: dict[str, tuple[Any, Any, Any, Any]] = {
    "quadratic cost": (
        losses.QuadraticCost(), TRUTH, NUMBERS, lambda x: 2 * F.mse_loss(x, torch.tensor(TRUTH).to(x.dtype))),
    "soft margin": (
        losses.SoftMargin(), SIGNS, NUMBERS, lambda x: F.soft_margin_loss(x, torch.tensor(SIGNS).to(x.dtype))),
    "multiclass SVM": (
        losses.MulticlassSVM(0.8), LABELS, NUMBERS,
        lambda x: 4 * F.multi_margin_loss(x, torch.tensor(LABELS), margin=0.8)),
    "Bernoulli": (
        losses.BernoulliNegativeLogLikelihood(True), BITS, NUMBERS,
        lambda x: F.binary_cross_entropy_with_logits(x, torch.tensor(BITS).to(x.dtype), reduction="sum") / 5),
    "Gaussian": (
        losses.GaussianNegativeLogLikelihood(), TRUTH, np.concatenate([NUMBERS, P], axis=1),
        lambda x: F.gaussian_nll_loss(
            x[:, :4], torch.tensor(TRUTH).to(x.dtype), x[:, 4:].exp(), full=True, reduction="sum") / 5),
    "cross-entropy": (
        losses.SparseCategoricalCrossentropy(True), LABELS, NUMBERS,
        lambda x: F.cross_entropy(x, torch.tensor(LABELS))),
    "Huber": (
        losses.Huber(0.6), TRUTH, NUMBERS, lambda x: F.huber_loss(x, torch.tensor(TRUTH).to(x.dtype), delta=0.6)),
    "KL divergence": (
        losses.KLDivergence(), Q, P, lambda x: F.kl_div(x.log(), torch.tensor(Q).to(x.dtype), reduction="batchmean")),
}  # fmt: skip


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", TORCH)
def test_torch(xp: Any, name: str, dtype: str) -> None:
    loss, y, p, oracle = TORCH[name]
    compare(ours(loss, y, p, dtype), theirs(oracle, p, dtype), dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_ctc(xp: Any, dtype: str) -> None:
    logits = RNG.normal(size=(4, 9, 5)) * 2
    labels = np.asarray([[1, 2, 3], [4, 4, 0], [2, 2, 2], [3, 0, 0]])
    lengths, steps = np.asarray([3, 2, 3, 1]), np.asarray([9, 5, 9, 7])

    def oracle(x: Any, steps: Any) -> Any:
        log_p = F.log_softmax(x, -1).transpose(0, 1)
        losses = F.ctc_loss(log_p, torch.tensor(labels), torch.tensor(steps), torch.tensor(lengths), reduction="none")
        return losses.mean()

    all_steps = np.full(4, 9)
    compare(ours(losses.CTC(), labels, logits, dtype), theirs(lambda x: oracle(x, all_steps), logits, dtype), dtype)
    x, y = asarray(logits, dtype), asarray(labels)

    def with_lengths(x: Any) -> Any:
        values = losses.ctc(y, x, asarray(lengths), asarray(steps))
        return values.__array_namespace__().mean(values) if hasattr(values, "_xp") else xp.mean(values)

    actual = to_numpy(with_lengths(x)), to_numpy(grad(with_lengths)(x))
    compare(actual, theirs(lambda x: oracle(x, steps), logits, dtype), dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_triplet(xp: Any, dtype: str) -> None:
    values = to_numpy(losses.triplet(*(asarray(a, dtype) for a in (TRUTH, NUMBERS, Q)), margin=0.5))
    expected = F.triplet_margin_loss(
        *(torch.tensor(a) for a in (TRUTH, NUMBERS, Q)), margin=0.5, eps=0, reduction="none"
    )
    np.testing.assert_allclose(values, expected.numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_masks(xp: Any) -> None:
    mask = np.asarray([True, False, True, True, False])
    loss, oracle = losses.MeanSquaredError(), keras.losses.MeanSquaredError(dtype="float64")
    prediction = torch.tensor(NUMBERS)
    prediction._keras_mask = torch.tensor(mask)
    actual = loss(asarray(TRUTH, "float64"), asarray(NUMBERS, "float64"), asarray(WEIGHT, "float64"), asarray(mask))
    expected = oracle(torch.tensor(TRUTH), prediction, sample_weight=torch.tensor(WEIGHT))
    assert float(actual) == pytest.approx(float(expected), rel=1e-6)


def test_circle_with_references(xp: Any) -> None:
    """Labels and embeddings of another number than those of the batch."""
    options = {"remove_diagonal": False, "gamma": 3.0, "margin": 0.3}
    references = RNG.normal(size=(7, 4)).astype("float32")
    labels = np.asarray([3, 1, 0, 1, 2, 2, 0])
    arrays = [NUMBERS.astype("float32"), labels, references]
    actual = losses.circle(asarray(LABELS), *map(asarray, arrays), **options)
    expected = keras.losses.circle(torch.tensor(LABELS), *map(torch.tensor, arrays), **options)
    assert_close(actual, expected.numpy(), rtol=1e-4)
    alone = losses.circle(asarray(LABELS), asarray(NUMBERS))
    assert_close(alone, keras.losses.circle(torch.tensor(LABELS), torch.tensor(NUMBERS)).numpy(), rtol=1e-4)


def test_generalized_cross_entropy_function(xp: Any) -> None:
    actual = losses.categorical_generalized_cross_entropy(asarray(LABELS), asarray(P), 0.4)
    oracle = keras.losses.categorical_generalized_cross_entropy
    assert_close(actual, oracle(torch.tensor(LABELS), torch.tensor(P), 0.4).numpy().astype("float32"), rtol=1e-5)


def test_every_loss_of_keras_is_here() -> None:
    known = {kind.__name__ for kind in vars(keras.losses).values() if isinstance(kind, type)}
    assert known <= set(vars(losses))
