from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses
from portanet.autodiff import check_grads, grad
from portanet.backends import Backend
from portanet.losses import LOSSES
from tests.support import asarray, assert_close, to_numpy

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(4, 3))
TRUTH = NUMBERS + np.sign(RNG.normal(size=(4, 3))) * RNG.uniform(0.2, 2.0, (4, 3))
PROBABILITIES = RNG.dirichlet(np.ones(3), 4) * 0.9 + 0.1 / 3
TARGETS = RNG.dirichlet(np.ones(3), 4)
HOT = np.eye(3)[[0, 2, 1, 2]]
UNIT = NUMBERS / np.linalg.norm(NUMBERS, axis=1, keepdims=True)
LABELS = np.asarray([0, 2, 1, 2], dtype="int32")
BITS = (RNG.random((4, 3)) < 0.5).astype("float64")
SIGNS = 2 * BITS - 1

# Name: (loss, targets, predictions away from kinks)
CASES: dict[str, tuple[Any, Any, Any]] = {
    "mse": (losses.MeanSquaredError(), TRUTH, NUMBERS),
    "mae": (losses.MeanAbsoluteError(), TRUTH, NUMBERS),
    "mape": (losses.MeanAbsolutePercentageError(), TRUTH, NUMBERS),
    "msle": (losses.MeanSquaredLogarithmicError(), np.abs(TRUTH), np.abs(NUMBERS) + 0.1),
    "huber": (losses.Huber(0.5), TRUTH, NUMBERS),
    "log_cosh": (losses.LogCosh(), TRUTH, NUMBERS),
    "quadratic_cost": (losses.QuadraticCost(), TRUTH, NUMBERS),
    "cosine_similarity": (losses.CosineSimilarity(), TRUTH, NUMBERS),
    "binary_crossentropy": (losses.BinaryCrossentropy(), BITS, PROBABILITIES),
    "binary_crossentropy logits": (losses.BinaryCrossentropy(True, 0.1), BITS, NUMBERS),
    "bernoulli": (losses.BernoulliNegativeLogLikelihood(True), BITS, NUMBERS),
    "categorical_crossentropy": (losses.CategoricalCrossentropy(label_smoothing=0.1), HOT, PROBABILITIES),
    "categorical_crossentropy logits": (losses.CategoricalCrossentropy(True), TARGETS, NUMBERS),
    "sparse_categorical_crossentropy": (losses.SparseCategoricalCrossentropy(), LABELS, PROBABILITIES),
    "sparse_categorical_crossentropy logits": (losses.SparseCategoricalCrossentropy(True), LABELS, NUMBERS),
    "sparse_categorical_crossentropy ignore": (
        losses.SparseCategoricalCrossentropy(True, ignore_class=2), LABELS, NUMBERS),
    "binary_focal_crossentropy": (losses.BinaryFocalCrossentropy(True, gamma=1.5), BITS, PROBABILITIES),
    "binary_focal_crossentropy logits": (losses.BinaryFocalCrossentropy(from_logits=True), BITS, NUMBERS),
    "categorical_focal_crossentropy": (losses.CategoricalFocalCrossentropy(), HOT, PROBABILITIES),
    "categorical_focal_crossentropy logits": (
        losses.CategoricalFocalCrossentropy(from_logits=True, label_smoothing=0.1), HOT, NUMBERS),
    "kl_divergence": (losses.KLDivergence(), TARGETS, PROBABILITIES),
    "poisson": (losses.Poisson(), np.floor(np.abs(TRUTH)), np.abs(NUMBERS) + 0.1),
    "hellinger_distance": (losses.HellingerDistance(), TARGETS, PROBABILITIES),
    "gaussian": (losses.GaussianNegativeLogLikelihood(), TRUTH, np.concatenate([NUMBERS, TARGETS], axis=1)),
    "hinge": (losses.Hinge(), SIGNS, NUMBERS),
    "hinge classes": (losses.Hinge(), BITS, NUMBERS),
    "squared_hinge": (losses.SquaredHinge(), SIGNS, NUMBERS),
    "soft_margin": (losses.SoftMargin(), SIGNS, NUMBERS),
    "categorical_hinge": (losses.CategoricalHinge(), HOT, NUMBERS),
    "multiclass_svm": (losses.MulticlassSVM(), LABELS, NUMBERS),
    "dice": (losses.Dice(axis=1), BITS, PROBABILITIES),
    "tversky": (losses.Tversky(0.3, 0.7, axis=[1]), BITS, PROBABILITIES),
    "contrastive": (losses.Contrastive(2.5), BITS[:, :1], np.abs(NUMBERS[:, :1]) + 0.1),
    "triplet": (losses.Triplet(), LABELS, NUMBERS),
    "circle": (losses.Circle(2.0, 0.3), LABELS, UNIT),
    "generalized": (losses.CategoricalGeneralizedCrossEntropy(0.3), LABELS, PROBABILITIES),
    "ctc": (losses.CTC(), np.asarray([[1, 2, 0], [2, 2, 0], [1, 0, 0], [2, 1, 1]], dtype="int32"),
            RNG.normal(size=(4, 6, 3))),
}  # fmt: skip


def targets(y: Any, dtype: str = "float64") -> Any:
    return asarray(y, dtype) if y.dtype.kind == "f" else asarray(y)


@pytest.mark.parametrize("name", CASES)
def test_derivatives(xp: Any, name: str) -> None:
    loss, y, p = CASES[name]
    y = targets(y)
    # The second derivative may be 0, which finite differences confirm.
    order = 1 if name in ("ctc", "triplet", "circle") else 2
    check_grads(lambda p: loss.compute(y, p), (asarray(p, "float64"),), order=order, directions=1)


BY_TARGETS = [name for name, (loss, _, _) in CASES.items() if not loss.integer_targets]


@pytest.mark.parametrize("name", BY_TARGETS)
def test_derivatives_by_targets(xp: Any, name: str) -> None:
    loss, y, p = CASES[name]
    # Inside of the range of the targets, away from the kinks at its ends.
    y = 0.8 * y + 0.1 if y is BITS or y is HOT else 0.9 * y if y is SIGNS else y
    y, p = asarray(y, "float64"), asarray(p, "float64")
    check_grads(lambda y: loss.compute(y, p), (y,), order=2, directions=1)
    check_grads(loss.compute, (y, p), order=2, directions=1)


@pytest.mark.parametrize("name", CASES)
def test_one_value_for_each_example_and_their_mean(xp: Any, name: str) -> None:
    loss, y, p = CASES[name]
    y, p = targets(y, "float32"), asarray(p, "float32")
    each = loss.per_example(y, p)
    assert each.dtype == p.dtype
    assert tuple(each.shape) == (4,)
    host = to_numpy(each)
    shown = loss.counted(each) if loss.valid(y) is None else loss.valid(y)
    kept = host if shown is None else host[to_numpy(shown)]
    assert_close(loss(y, p), kept.mean(dtype="float64").astype("float32"), rtol=1e-5)
    weight = asarray([0.5, 0.0, 2.0, 1.0])
    weights = to_numpy(weight)
    total = type(loss).from_config({**loss.get_config(), "reduction": "sum"})
    assert_close(total(y, p, weight), (host * weights).sum(), rtol=1e-4, atol=1e-5)
    single = type(loss).from_config({**loss.get_config(), "reduction": None})
    assert_close(single(y, p, weight), host * weights, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_numpy_in_float64(xp: Any, name: str) -> None:
    loss, y, p = CASES[name]
    expected = loss.per_example(y, p)
    assert expected.dtype == np.float64
    assert_close(loss.per_example(targets(y, "float32"), asarray(p, "float32")), expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_compute_can_be_compiled(backend: Backend, name: str) -> None:
    loss, y, p = CASES[name]
    y, p = targets(y, "float32"), asarray(p, "float32")
    assert_close(backend.compile(loss.compute)(y, p), loss(y, p), rtol=1e-5, atol=1e-6)


def test_every_loss_is_in_the_cases() -> None:
    assert {type(loss) for loss, _, _ in CASES.values()} == set(LOSSES.values())


def finite(loss: Any, y: Any, p: Any) -> None:
    """Value and derivative, in float32."""
    y, p = targets(y, "float32"), asarray(p, "float32")
    assert np.isfinite(to_numpy(loss.per_example(y, p))).all()
    assert np.isfinite(to_numpy(grad(lambda p: loss.compute(y, p))(p))).all()


EXTREME = np.asarray([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [0.0, -1e4, 1e4], [1e4, 1e4, -1e4]])
CERTAIN = np.asarray([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@pytest.mark.parametrize("name", sorted(set(CASES) - {"gaussian", "contrastive", "ctc", "dice", "tversky"}))
def test_finite_far_from_zero(xp: Any, name: str) -> None:
    loss, y, _ = CASES[name]
    finite(loss, y, EXTREME)
    finite(loss, y, np.zeros((4, 3)))


@pytest.mark.parametrize("name", [n for n, (_, _, p) in CASES.items() if p is PROBABILITIES])
def test_finite_for_certain_and_wrong_predictions(xp: Any, name: str) -> None:
    loss, y, _ = CASES[name]
    finite(loss, y, CERTAIN)
    finite(loss, y, 1 - CERTAIN)


def test_finite_for_extreme_ctc_and_gaussian(xp: Any) -> None:
    finite(losses.CTC(), CASES["ctc"][1], np.random.default_rng(1).choice([-1e4, 0.0, 1e4], (4, 6, 3)))
    finite(losses.GaussianNegativeLogLikelihood(), TRUTH, np.full((4, 6), 80.0))


def test_values_of_the_documents(xp: Any) -> None:
    y, p = asarray([[0.99, 0.99, 0.01]], "float64"), asarray([[0.01, 0.01, 0.01]], "float64")
    assert_close(losses.BinaryCrossentropy()(y, p), 3.058146503109446, dtype="float64", rtol=1e-12)
    # The document does not normalise probabilities to sum to 1: 0.01 there is 1/3 here.
    log = losses.CategoricalCrossentropy()(y, p)
    assert float(log) + 1.99 * np.log(100 / 3) == pytest.approx(9.16428867, abs=1e-8)
    squares = losses.MeanSquaredError(reduction=None)(xp.reshape(y, (3, 1)), xp.reshape(p, (3, 1)))
    assert_close(squares, [0.9604, 0.9604, 0.0], dtype="float64")
    ones = asarray(np.ones((5, 1)), "float64")
    hinge = losses.Hinge(reduction=None)(ones, asarray([[-2.0], [-1.0], [0.0], [1.0], [2.0]], "float64"))
    assert_close(hinge, [3.0, 2.0, 1.0, 0.0, 0.0], dtype="float64")
    cost = losses.QuadraticCost()(asarray([[0.01, 0.99]], "float64"), asarray([[0.75136507, 0.772928465]], "float64"))
    assert_close(cost, 0.298371109, dtype="float64", rtol=0, atol=1e-9)


def test_network_with_negative_probabilities(xp: Any) -> None:
    """Ketkar's listing 4-12 takes the logarithm of tanh, which is often negative."""
    p = asarray(np.tanh(NUMBERS), "float64")
    for loss in (losses.BinaryCrossentropy(), losses.CategoricalCrossentropy(), losses.Poisson()):
        finite(loss, HOT, np.tanh(NUMBERS))
        assert np.isfinite(to_numpy(loss(asarray(HOT, "float64"), p)))


def test_derivative_on_the_margin_is_zero(xp: Any) -> None:
    y, p = asarray([[1.0]]), asarray([[1.0]])
    for loss in (losses.Hinge(), losses.SquaredHinge()):
        assert to_numpy(grad(lambda p, loss=loss: loss.compute(y, p))(p)).item() == 0
    assert to_numpy(grad(lambda p: losses.MeanAbsoluteError().compute(y, p))(p)).item() == 0


def test_triplets(xp: Any) -> None:
    a, b = asarray([[0.0, 0.0], [1.0, 0.0]]), asarray([[3.0, 4.0], [1.0, 0.0]])
    assert_close(losses.triplet(a, b, a), [6.0, 1.0])
    check_grads(losses.triplet, (asarray(NUMBERS), asarray(TRUTH), asarray(TARGETS)), directions=1)
    one_class = losses.Triplet(reduction=None)(asarray(np.asarray([1, 1])), a)
    assert_close(one_class, [0.0, 0.0])
    with pytest.raises(ValueError, match=r"three arrays of the same shape\. Received: \(2, 2\), \(2, 2\) and \(1, 2\)"):
        losses.triplet(a, b, a[:1, :])


def test_ctc_lengths(xp: Any) -> None:
    logits = RNG.normal(size=(2, 5, 4))
    labels = asarray(np.asarray([[1, 3], [2, 0]], dtype="int32"))
    lengths = asarray(np.asarray([2, 1], dtype="int32"))
    steps = asarray(np.asarray([5, 3], dtype="int32"))
    x = asarray(logits, "float64")
    short = losses.ctc(labels, x, lengths, steps)
    assert_close(short[:1], losses.ctc(labels[:1, :], x[:1, :, :], lengths[:1]), dtype="float64")
    assert_close(short[1:], losses.ctc(labels[1:, :], x[1:, :3, :], lengths[1:]), dtype="float64")
    assert_close(losses.ctc(labels, x), losses.ctc(labels, x, lengths), dtype="float64")
    nothing = losses.ctc(labels[:, :0], x, asarray(np.asarray([0, 0], dtype="int32")))
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    assert_close(nothing, -log_p[:, :, 0].sum(1), dtype="float64")
    impossible = losses.ctc(labels, x[:, :1, :], lengths)
    assert float(impossible[0]) > 1e29
    assert float(impossible[1]) < 100


def test_the_gradient_of_hellinger_distance_at_negative_predictions(xp):
    loss = losses.HellingerDistance()
    true, pred = asarray([[0.25, 0.25, 0.5]]), asarray([[-0.5, 0.0, 0.25]])
    gradient = grad(lambda p: loss.compute(true, p))(pred)
    slope = 2 * (0.0 - 0.5) * 0.5 / 1e-7**0.5 * 0.5**0.5
    last = 2 * (0.5 - 0.5**0.5) * 0.5 / 0.5 * 0.5**0.5
    assert_close(gradient, [[0.0, slope, last]], rtol=1e-5)


def test_triplets_in_a_batch_by_hand(xp: Any) -> None:
    """The farthest example of the same class against the nearest of another, searched in loops."""
    y = np.asarray([0, 1, 0, 2, 1, 1, 3])
    points = np.random.default_rng(8).normal(size=(7, 2))
    expected = []
    for i in range(7):
        near = [np.linalg.norm(points[i] - points[j]) for j in range(7) if y[j] != y[i]]
        far = [np.linalg.norm(points[i] - points[j]) for j in range(7) if y[j] == y[i] and j != i]
        expected.append(max(0.0, max(far) - min(near) + 0.7) if far else 0.0)
    assert sum(value > 0 for value in expected) > 2
    loss = losses.Triplet(margin=0.7, reduction=None)
    for labels in (y, y[:, None], y.astype("float64")):
        assert_close(loss(asarray(labels), asarray(points, "float64")), expected, dtype="float64")


def test_contrastive_pairs_by_hand(xp: Any) -> None:
    y, d = np.asarray([1.0, 1.0, 0.0, 0.0, 0.0]), np.asarray([0.5, 3.0, 0.5, 2.0, 3.0])
    loss = losses.Contrastive(margin=2.0, reduction=None)
    assert_close(loss(asarray(y), asarray(d)), [0.25, 9.0, 2.25, 0.0, 0.0])
    assert_close(losses.Contrastive(reduction=None)(asarray(y), asarray(d)), [0.25, 9.0, 0.25, 0.0, 0.0])


@pytest.mark.parametrize(
    ("loss", "y", "p", "expected"),
    [
        (losses.MeanAbsolutePercentageError(), [[0.0]], [[1e-6]], 1000.0),  # a target of 0 counts as 1e-7
        (losses.MeanAbsolutePercentageError(), [[-2.0]], [[-1.0]], 50.0),
        (losses.MeanSquaredLogarithmicError(), [[0.0]], [[-5.0]], 0.0),
        (losses.KLDivergence(), [[1.0, 0.0]], [[0.0, 1.0]], np.log(1e7)),
        (losses.KLDivergence(), [[1.0]], [[2.0]], 0.0),  # above 1 counts as 1
        (losses.Poisson(), [[1.0]], [[0.0]], np.log(1e7)),
        (losses.Poisson(), [[1.0]], [[-2.0]], np.log(1e7) - 2.0),
        (losses.Dice(), [[0.0]], [[0.0]], 1.0),
        (losses.Tversky(), [[0.0]], [[0.0]], 1.0),
        (losses.Huber(2.0), [[0.0]], [[2.0]], 2.0),
        (losses.Huber(2.0), [[0.0]], [[-3.0]], 4.0),
        (losses.CosineSimilarity(), [[0.0, 0.0]], [[1.0, 0.0]], 0.0),
        (losses.HellingerDistance(), [[0.0, 1.0]], [[-1.0, 1.0]], 0.0),
        (losses.CategoricalHinge(), [[1.0, 0.0]], [[0.5, -3.0]], 0.5),
        (losses.Hinge(), [[0.5, 1.0]], [[1.0, 1.0]], 0.25),  # fractions are no classes
        (losses.Hinge(), [[-1.0, 0.0]], [[0.5, 0.5]], 1.25),  # nor is a mixture of them and signs
        (losses.BinaryCrossentropy(label_smoothing=1.0), [[1.0]], [[0.5]], np.log(2)),
        (losses.CategoricalCrossentropy(label_smoothing=1.0), [[1.0, 0.0]], [[0.5, 0.5]], np.log(2)),
        (losses.BinaryFocalCrossentropy(gamma=0.0), [[1.0]], [[0.25]], np.log(4)),
        (losses.BinaryFocalCrossentropy(True, gamma=0.0), [[0.0]], [[0.75]], 0.75 * np.log(4)),
        (losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=0.0), [[0.0, 1.0]], [[0.75, 0.25]], np.log(4)),
        (losses.MulticlassSVM(margin=0.0), [0], [[1.0, 1.0, 3.0]], 2.0),
    ],
)  # fmt: skip
def test_edges(xp: Any, loss: Any, y: Any, p: Any, expected: float) -> None:
    y, p = np.asarray(y), asarray(p, "float64")
    assert_close(loss(targets(y), p), expected, dtype="float64", rtol=1e-5, atol=1e-6)
