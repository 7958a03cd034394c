"""Invalid arguments of fit, evaluate and predict: one clear error each, and nothing changed."""

import numpy as np
import pytest

import portanet
from portanet import layers

X = np.zeros((6, 4), dtype="float32")
Y = np.zeros(6, dtype="int64")


def model(loss="sparse_categorical_crossentropy", units=3):
    made = portanet.Sequential([layers.Input((4,)), layers.Dense(units, activation="softmax")])
    made.compile("sgd", loss)
    return made


def bad_labels():
    return np.asarray([0, 1, 2, 3, 0, 1])


def with_nan():
    x = X.copy()
    x[2, 1] = np.nan
    return x


CASES = {
    "lengths": (lambda: model().fit(X, Y[:5]), r"same number of examples. Received: 6 in x, 5 in y"),
    "weights": (lambda: model().fit(X, Y, sample_weight=np.ones(3)), r"Received: 6 in x, 3 in sample_weight"),
    "empty": (lambda: model().fit(X[:0], Y[:0]), r"`x` holds no data. Received: an array of shape \(0, 4\)"),
    "scalar": (lambda: model().fit(1.0, Y), r"`x` needs a batch axis"),
    "nan": (lambda: model().fit(with_nan(), Y), r"`x` holds NaN or infinity.*check_finite=False. Received: 1 such"),
    "nan predict": (lambda: model().predict(with_nan()), r"`x` holds NaN or infinity"),
    "val lengths": (
        lambda: model().fit(X, Y, validation_data=(X, Y[:2])),
        r"Received: 6 in validation_data\[0\], 2 in validation_data\[1\]",
    ),
    "labels high": (lambda: model().fit(X, bad_labels()), r"class numbers from 0 to 2.*Received: y from 0 to 3"),
    "labels low": (lambda: model().fit(X, bad_labels() - 1), r"class numbers from 0 to 2.*Received: y from -1 to 2"),
    "labels val": (lambda: model().fit(X, Y, validation_data=(X, bad_labels())), r"Received: y from 0 to 3"),
    "labels real": (lambda: model().fit(X, Y + 0.5), r"integer class numbers as targets. Received: y of dtype float32"),
    "one-hot": (lambda: model().fit(X, np.eye(3)[Y]), r"look one-hot: use 'categorical_crossentropy'"),
    "not one-hot": (
        lambda: model("categorical_crossentropy").fit(X, Y),
        r"look like integer class numbers: use 'sparse_categorical_crossentropy'",
    ),
    "broadcast": (
        lambda: model("mse", 2).fit(X, Y.astype("float32")),
        r"same shape. For integer class numbers use the sparse loss.* y_true of shape \(6,\)",
    ),
    "features": (lambda: model().fit(X[:, :3], Y), r"'dense' was built for inputs with 4 features"),
    "batch size": (lambda: model().fit(X, Y, batch_size=0), r"`batch_size` must be a positive integer"),
    "epochs": (lambda: model().fit(X, Y, epochs=2.5), r"`epochs` of fit must be a positive integer"),
    "split": (
        lambda: model().fit(X, Y, validation_split=1.0),
        r"`validation_split` of fit must be a number in \[0, 1\)",
    ),
    "split none": (lambda: model().fit(X, Y, validation_split=0.9999), r"leaves no examples on one side"),
    "verbose": (lambda: model().fit(X, Y, verbose=7), r"`verbose` of ProgressBar must be 0, 1 or 2"),
    "loss": (lambda: model(None).fit(X, Y), r"has no loss to compute: pass `loss` to compile\(...\), such as 'mse'"),
    "optimizer": (lambda: model().compile("sdg", "mse"), r"Unknown optimizer. Did you mean 'sgd'\?"),
}


@pytest.mark.parametrize("case", CASES)
def test_mistakes(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_data_that_cannot_be_numbers():
    with pytest.raises(TypeError, match="numeric"):
        model().fit([["a", "b", "c", "d"]] * 6, Y)


def test_a_model_that_was_not_compiled():
    bare = portanet.Sequential([layers.Dense(1)])
    with pytest.raises(RuntimeError, match=r"must be compiled first: model.compile\(optimizer, loss\)"):
        bare.fit(X, Y)


def test_the_check_for_nan_can_be_switched_off():
    assert np.isnan(model().predict(with_nan(), check_finite=False)[2]).all()


def test_a_refused_batch_changes_nothing():
    made = model()
    before = made.get_weights()
    with pytest.raises(ValueError, match="Received"):
        made.fit(X, bad_labels())
    for a, b in zip(made.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
