"""Losses, weights and logs of models with several outputs against Keras, with the same weights."""

import numpy as np
import pytest

import portanet
from tests.training.models import TwoHeads, rows

pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
X, SUM = rows(50)
KIND = np.arange(50) % 3
W = np.linspace(0.1, 2, 50).astype("float32")
V = np.linspace(3, 0, 50).astype("float32")
COMPILE = {
    "losses": {"loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"}},
    "loss weights": {
        "loss": {"kind": "sparse_categorical_crossentropy", "size": "mae"}, "loss_weights": {"kind": 0.3, "size": 2.0},
    },
    "metrics": {
        "loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"},
        "metrics": {"kind": ["accuracy"], "size": ["mae", "mse"]},
        "weighted_metrics": {"size": ["mae"], "kind": ["accuracy"]},
    },
    "one without": {"loss": {"size": "mse"}, "metrics": {"size": ["mae"]}},
}  # fmt: skip
WEIGHTS = {"none": None, "each": {"kind": W, "size": V}}


def pair(settings):
    keras = pytest.importorskip("keras")
    portanet.random.set_seed(0)
    ours = TwoHeads(by_name=True)
    ours.predict(X)
    inputs = keras.Input((3,))
    h = keras.layers.Dense(6, activation="tanh")(inputs)
    outputs = {
        "kind": keras.layers.Dense(3, activation="softmax", name="kind")(h),
        "size": keras.layers.Dense(1, name="size")(h),
    }
    theirs = keras.Model(inputs, outputs)
    theirs.set_weights(ours.get_weights())
    ours.compile(portanet.optimizers.SGD(0.05), **settings)
    theirs.compile(keras.optimizers.SGD(0.05), **settings)
    return ours, theirs


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("case", COMPILE)
def test_fit_and_evaluate(backend, case, weight):
    ours, theirs = pair(COMPILE[case])
    y = {"kind": KIND, "size": SUM}
    weights = WEIGHTS[weight]
    options = {"batch_size": 16, "verbose": 0, "sample_weight": weights}
    expected = theirs.evaluate(X, y, return_dict=True, **options)
    result = ours.evaluate(X, y, return_dict=True, **options)
    assert set(result) == set(expected)
    for name, value in expected.items():
        assert result[name] == pytest.approx(value, rel=2e-4, abs=1e-6), name
    if case != "metrics":  # there Keras's list is in alphabetical order
        np.testing.assert_allclose(ours.evaluate(X, y, **options), theirs.evaluate(X, y, **options), rtol=2e-4)
    expected = theirs.fit(X, y, epochs=2, shuffle=False, **options).history
    result = ours.fit(X, y, epochs=2, shuffle=False, **options).history
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, rtol=5e-4, atol=1e-6, err_msg=name)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("options", [{"class_weight": {0: 1.0, 1: 5.0}}, {"sample_weight": W}])
def test_weights_of_one_output(backend, options):
    keras = pytest.importorskip("keras")
    portanet.random.set_seed(0)
    ours = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(3, activation="softmax")])
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    theirs.set_weights(ours.get_weights())
    names = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
    ours.compile(portanet.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **names)
    theirs.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **names)
    shared = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0, "validation_split": 0.2, **options}
    expected = theirs.fit(X, KIND, validation_freq=2, **shared).history
    result = ours.fit(X, KIND, validation_freq=2, **shared).history
    assert set(result) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, rtol=2e-4, err_msg=name)
    single = {} if "class_weight" in options else {"sample_weight": W}
    # By name: Keras's list has the accuracy twice.
    for call, given in (("test_on_batch", single), ("train_on_batch", options)):
        expected = getattr(theirs, call)(X, KIND, return_dict=True, **given)
        result = getattr(ours, call)(X, KIND, return_dict=True, **given)
        assert set(result) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(result[name], value, rtol=2e-4, err_msg=f"{call} {name}")
    np.testing.assert_allclose(ours.predict_on_batch(X), theirs.predict_on_batch(X), rtol=2e-3, atol=1e-5)
