"""Masks as in Keras 3: in losses, metrics and layers.

Not compared: `go_backwards` (Keras returns the mask in the order of the inputs), weighted metrics over several batches
(on PyTorch, Keras's loss changes the sample weights in place), and attention where all positions are masked (on
PyTorch, Keras then returns a mean of all values, or zeros, depending on `return_attention_scores`).
"""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")

RNG = np.random.default_rng(4)
WORDS = RNG.integers(0, 4, (12, 6))
WORDS[:, 4:] = 0
WORDS[:, 0] = 1
OTHERS = RNG.integers(0, 4, (12, 6))
TARGETS = RNG.normal(size=(12, 6, 2)).astype("float32")
WEIGHTS = RNG.random((12, 6)).astype("float32")


def graph(library, kind, middle):
    a, b = kind.Input((6,), dtype="int32", name="a"), kind.Input((6,), dtype="int32", name="b")
    embedding, plain = kind.Embedding(4, 4, mask_zero=True, name="masked"), kind.Embedding(4, 4, name="plain")
    out = kind.Dense(2, name="last")(middle(kind, embedding(a), embedding(b), plain(b)))
    return library.Model(a if middle in ALONE.values() else [a, b], out)


ALONE = {
    "one": lambda kind, a, b, plain: a,
    "dropout": lambda kind, a, b, plain: kind.Dropout(0.0)(kind.LayerNormalization()(a)),
    "batch normalisation": lambda kind, a, b, plain: kind.BatchNormalization()(a),
    "lstm": lambda kind, a, b, plain: kind.LSTM(3, return_sequences=True)(a),
    "bidirectional": lambda kind, a, b, plain: kind.Bidirectional(kind.GRU(3, return_sequences=True))(a),
    "time distributed": lambda kind, a, b, plain: kind.TimeDistributed(kind.Dense(3))(a),
    "self-attention": lambda kind, a, b, plain: kind.MultiHeadAttention(2, 3)(a, a),
    "convolution": lambda kind, a, b, plain: kind.Conv1D(3, 3, padding="same")(a),
    "lambda": lambda kind, a, b, plain: kind.Lambda(lambda x: x + 1.0, output_shape=(6, 4))(a),
}
MIDDLES = {
    **ALONE,
    "attention": lambda kind, a, b, plain: kind.MultiHeadAttention(2, 3)(a, b),
    "attention to unmasked": lambda kind, a, b, plain: kind.MultiHeadAttention(2, 3)(a, plain),
    "attention of unmasked": lambda kind, a, b, plain: kind.MultiHeadAttention(2, 3)(plain, a),
    **{
        f"{name} {kind_of}": lambda kind, a, b, plain, name=name, kind_of=kind_of: getattr(kind, name)()(
            [a, b if kind_of == "masked" else plain]
        )
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
        for kind_of in ("masked", "partly masked")
    },
    "unmasked first": lambda kind, a, b, plain: kind.Maximum()([plain, a, b]),
    "along steps": lambda kind, a, b, plain: kind.Cropping1D((0, 6))(kind.Concatenate(axis=1)([a, plain])),
}


@pytest.mark.parametrize("middle", MIDDLES)
def test_fit_and_evaluate(middle):
    portanet.random.set_seed(0)
    x = WORDS if middle in ALONE else [WORDS, OTHERS]
    with portanet.use_backend("numpy"):
        ours, theirs = graph(portanet, layers, MIDDLES[middle]), graph(keras, keras.layers, MIDDLES[middle])
        theirs.set_weights(ours.get_weights())
        for layer in theirs.layers:  # of the same shape, in another order
            if layer.name in ("masked", "plain"):
                layer.set_weights(ours.get_layer(layer.name).get_weights())
        ours.compile(portanet.optimizers.SGD(0.1), "mse", metrics=["mae"])
        theirs.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
        split = {"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0}
        for weights in (None, WEIGHTS):
            expected = theirs.fit(x, TARGETS, sample_weight=weights, **split).history
            logs = ours.fit(x, TARGETS, sample_weight=weights, **split).history
            assert set(logs) == set(expected)
            for key, values in expected.items():
                np.testing.assert_allclose(logs[key], values, rtol=1e-4, err_msg=key)
        expected = theirs.evaluate(x, TARGETS, verbose=0)
        np.testing.assert_allclose(ours.evaluate(x, TARGETS, verbose=0), expected, rtol=1e-4)
        for layer in theirs.layers:
            if layer.name in ("masked", "plain", "last"):
                for a, b in zip(ours.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_reductions_and_weighted_metrics(reduction):
    with portanet.use_backend("numpy"):
        ours = graph(portanet, layers, MIDDLES["one"])
        theirs = graph(keras, keras.layers, MIDDLES["one"])
        theirs.set_weights(ours.get_weights())
        ours.compile("sgd", portanet.losses.MeanSquaredError(reduction), weighted_metrics=["mse"])
        theirs.compile("sgd", keras.losses.MeanSquaredError(reduction), weighted_metrics=["mse"])
        for weights in (None, WEIGHTS):
            given = {"sample_weight": None if weights is None else weights.copy(), "verbose": 0, "batch_size": 12}
            expected = theirs.evaluate(WORDS, TARGETS, **given)
            result = ours.evaluate(WORDS, TARGETS, **given)
            np.testing.assert_allclose(result, expected, rtol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 3, 4), (3, 4), (4,), (2, 1, 4), (1,)])
@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax(shape, axis):
    x = RNG.normal(size=(2, 3, 4)).astype("float32")
    mask = RNG.random(shape) < 0.6
    expected = keras.layers.Softmax(axis)(torch.tensor(x), mask=torch.tensor(mask)).detach().numpy()
    np.testing.assert_allclose(layers.Softmax(axis)(x, mask=mask), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["Multiply", "Maximum", "Minimum"])
def test_slopes_of_merged(name):
    """What is masked has no derivative where the other input counts."""
    x = [RNG.normal(size=(2, 3, 4)) for _ in range(2)]
    masks = [RNG.random((2, 3)) < 0.6 for _ in range(2)]
    with portanet.use_backend("numpy", dtype="float64"):
        layer = getattr(layers, name)()
        slopes = grad(lambda x: array_namespace(*x).sum(layer(x, mask=masks)))(x)
    for slope, own, other in zip(slopes, masks, masks[::-1], strict=True):
        assert not slope[~own & other].any()
