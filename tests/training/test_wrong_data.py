"""Data that fit, evaluate and predict cannot take: the argument, what is expected and the remedy; nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers, losses
from portanet.backends import Backend

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
T = X.sum(axis=1, keepdims=True)
LABELS = np.arange(8) % 3
B = X[:, :2]


def regression(**options: Any) -> Any:
    model = portanet.Sequential([layers.Input((4,), name="features"), layers.Dense(1)])
    model.compile("sgd", "mse", **options)
    return model


def classifier(loss: Any = "sparse_categorical_crossentropy") -> Any:
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss)
    return model


def images() -> Any:
    return portanet.Sequential([layers.Input((4, 4, 1)), layers.Conv2D(1, 2)])


def two() -> Any:
    a, b = layers.Input((4,), name="a"), layers.Input((2,), name="b")
    h = layers.Concatenate()([a, b])
    model = portanet.Model([a, b], [layers.Dense(1, name="p")(h), layers.Dense(3, "softmax", name="q")(h)])
    model.compile("sgd", ["mse", "sparse_categorical_crossentropy"])
    return model


def batches(count: int = 2) -> Iterator[Any]:
    for _ in range(count):
        yield X, T


def rows_of(*sizes: int) -> Any:
    return [[1.0] * size for size in sizes]


def csr(x: Any) -> Any:
    return pytest.importorskip("scipy.sparse").csr_matrix(x)


def frame(**columns: Any) -> Any:
    return pytest.importorskip("pandas").DataFrame({**columns, "b": np.ones(8), "c": 1.0, "d": 2.0})


def categories() -> Any:
    return pytest.importorskip("pandas").Categorical(["u", "v"] * 4)


def objects() -> Any:
    return np.asarray([0.0, 1.0] * 4, dtype=object)


ONE_INPUT = r"Model 'sequential' takes one input: 'features' \(None, 4\); pass the array itself .*\. Received: "
TWO_INPUTS = r"Model 'functional' takes 2 inputs: 'a' \(None, 4\), 'b' \(None, 2\); .*\. Received: "
TWO_OUTPUTS = r"Argument `y` must hold an array for each output .* by their names: 'p', 'q'\. Received: "
PARTS = r"`validation_data` of fit must be \(x, y\) or \(x, y, sample_weight\), or give batches.*Received: "
BY_CLASS = r"`class_weight` of fit must be a dict, a weight by class number: dict\(enumerate\(weights\)\).*Received: "

FIT: dict[str, tuple[Callable[[], Any], tuple[Any, ...], dict[str, Any], str]] = {
    "x None": (regression, (None, T), {}, r"Argument `x` must be an array of inputs, .*Received: x=None"),
    "x {}": (regression, ({}, T), {}, r"Argument `x` must be an array of inputs, .*Received: x=\{\}"),
    "x []": (regression, ([], T), {}, r"Argument `x` must be an array of inputs, .*Received: x=\[\]"),
    "x in a dict": (regression, ({"a": X}, T), {}, ONE_INPUT + "the keys 'a'"),
    "x twice": (regression, ([X, X], T), {}, ONE_INPUT + "2 arrays"),
    "x a list of rows": (
        regression,
        (list(X), T),
        {},
        r"np\.stack makes one of examples in a list.*Received: 8 arrays",
    ),
    "one of two": (two, (X, [T, LABELS]), {}, TWO_INPUTS + "one array"),
    "three of two": (two, ([X, B, B], [T, LABELS]), {}, TWO_INPUTS + "3 arrays"),
    "wrong key": (two, ({"a": X, "c": B}, [T, LABELS]), {}, TWO_INPUTS + "the keys 'a', 'c'"),
    "None of two": (two, ([X, None], [T, LABELS]), {}, r"Argument `x\[1\]` must be an array of inputs. Received: None"),
    "swapped": (
        two,
        ([B, X], [T, LABELS]),
        {},
        r"Input 'a' of model 'functional' takes arrays of shape \(None, 4\)\. R",
    ),
    "y None": (regression, (X, None), {}, r"Argument `y` must be the targets, .*Received: y=None"),
    "(x, y) as x": (regression, ((X, T),), {}, "takes one input|inputs and targets are two arguments"),
    "y one of two": (two, ([X, B], T), {}, TWO_OUTPUTS + "one array"),
    "y wrong key": (two, ([X, B], {"p": T, "z": LABELS}), {}, TWO_OUTPUTS + "p, z"),
    "y missing key": (two, ([X, B], {"p": T}), {}, TWO_OUTPUTS + "p"),
    "y sparse": (
        regression,
        (X, lambda: csr(T)),
        {},
        r"Argument `y` must be plain arrays: .*x\.toarray\(\).*Received: csr",
    ),
    "y of text": (
        classifier,
        (X, ["a", "b"] * 4),
        {},
        r"Argument `y` must be numeric .*; encode text.*Received: \['a', ",
    ),
    "x of objects": (
        regression,
        (objects(), T),
        {},
        r"Argument `x` must be numeric .*x\.astype\('float32'\).*Received: ",
    ),
    "x ragged": (
        regression,
        (rows_of(2, 1), T),
        {},
        r"`x` must have the same number of elements in every row; pad.*Rec",
    ),
    "y[1] ragged": (
        two,
        ([X, B], [T, rows_of(2, 1)]),
        {},
        r"`y\[1\]` must have the same number of elements in every row",
    ),
    "a name": (
        regression,
        ("data.csv", T),
        {},
        r"Argument `x` must be numeric .*rather than a name.*Received: 'data.csv'",
    ),
    "a function": (regression, (lambda: batches, None), {}, r"Argument `x` must be numeric .*; call the function"),
    "text in a frame": (
        classifier,
        (lambda: frame(a=["u"] * 8), LABELS),
        {},
        r"Received: a DataFrame with the columns 'a'",
    ),
    "categories": (classifier, (lambda: frame(a=categories()), LABELS), {}, r"the columns 'a' \(category\)"),
    "complex": (regression, (X * 1j, T), {}, r"Argument `x` must be real; pass the real and imaginary parts"),
    "lengths": (
        regression,
        (X, T[:5]),
        {},
        r"Arguments `x` and `y` must hold the same number of examples. Received: 8 in x",
    ),
    "broadcast": (
        regression,
        (X, T[:, [0, 0]]),
        {},
        r"Received: y_true of shape \(8, 2\), y_pred of shape \(8, 1\)",
    ),
    "one-hot": (
        classifier,
        (X, np.eye(3)[LABELS]),
        {},
        r"look one-hot: use 'categorical_crossentropy'\. Received: .*\(8, 3",
    ),
    "not one-hot": (
        lambda: classifier("categorical_crossentropy"),
        (X, LABELS),
        {},
        r"look like integer class numbers: use 'sparse_categorical_crossentropy'.*Received: y_true of shape \(8,\)",
    ),
    "labels": (classifier, (X, LABELS + 1), {}, r"needs class numbers from 0 to 2, .*Received: y from 1 to 3"),
    "weights by class": (
        classifier,
        (X, LABELS),
        {"sample_weight": {0: 1.0}},
        r"the argument `class_weight`\. Received: the",
    ),
    "a name of weights": (
        classifier,
        (X, LABELS),
        {"sample_weight": "balanced"},
        r"Argument `sample_weight` must be numeric",
    ),
    "one weight": (
        classifier,
        (X, LABELS),
        {"sample_weight": 1.0},
        r"`sample_weight` needs a batch axis, an entry for each",
    ),
    "length of weights": (
        classifier,
        (X, LABELS),
        {"sample_weight": np.ones(3)},
        r"Received: 8 in x, 3 in sample_weight",
    ),
    "weights of z": (
        two,
        ([X, B], [T, LABELS]),
        {"sample_weight": {"z": np.ones(8)}},
        r"Argument `sample_weight` must hold",
    ),
    "balanced": (classifier, (X, LABELS), {"class_weight": "balanced"}, BY_CLASS + "class_weight='balanced'"),
    "a list of weights": (classifier, (X, LABELS), {"class_weight": [1.0, 2.0, 3.0]}, BY_CLASS),
    "callback class": (
        regression,
        (X, T),
        {"callbacks": [callbacks.EarlyStopping]},
        r"Argument `callbacks` must be an object of .*Callback, or a list of them; .*Received: <class",
    ),
    "callback name": (regression, (X, T), {"callbacks": "early"}, r"Argument `callbacks` must .*Received: 'early'"),
    "callback number": (regression, (X, T), {"callbacks": 3}, r"Argument `callbacks` must .*Received: 3"),
    "split": (
        regression,
        (X, T),
        {"validation_split": 1.0},
        r"must be a number in \[0, 1\)\. Received: validation_split=1.0",
    ),
    "split of batches": (
        regression,
        (batches,),
        {"validation_split": 0.5},
        r"`validation_split` needs arrays; pass `valid",
    ),
    "validation x": (regression, (X, T), {"validation_data": X}, PARTS + "ndarray"),
    "validation (x,)": (regression, (X, T), {"validation_data": (X,)}, PARTS + "tuple of 1 entries"),
    "validation of 4": (regression, (X, T), {"validation_data": (X, T, T, T)}, PARTS + "tuple of 4 entries"),
    "validation True": (regression, (X, T), {"validation_data": True}, PARTS + "bool"),
    "validation y": (
        regression,
        (X, T),
        {"validation_data": (X, None)},
        r"Argument `validation_data\[1\]` must be the targ",
    ),
    "validation lengths": (
        regression,
        (X, T),
        {"validation_data": (X, T[:2])},
        r"Received: 8 in validation_data\[0\], 2 in validation_data\[1\]",
    ),
    "validation features": (
        regression,
        (X, T),
        {"validation_data": (B, T)},
        r"'dense' was built for inputs with 4 features",
    ),
    "validation shapes": (
        regression,
        (X, T),
        {"validation_data": (X, T[:, [0, 0]])},
        r"targets and predictions of the same shape\. Received: y_true of shape",
    ),
    "batches and y": (
        regression,
        (batches, T),
        {},
        r"`x` gives whole batches, so that `y` must be left out. Received: x of",
    ),
    "x alone": (
        regression,
        (lambda: iter([X]),),
        {},
        r"`x` must give batches \(x, y\) .*Received: a batch of ndarray alone",
    ),
    "dicts": (
        regression,
        (lambda: iter([{"x": X, "y": T}]),),
        {},
        r"`x` must give batches \(x, y\).* a batch of dict alone",
    ),
    "four parts": (
        regression,
        (lambda: iter([(X, T, T, T)]),),
        {},
        r"must give batches \(x,\), .*Received: tuple of 4 parts",
    ),
    "no batches": (regression, (lambda: batches(0),), {}, r"gave no batches. Received: "),
}


@pytest.mark.parametrize("case", FIT)
def test_fit(case: str, backend: Backend) -> None:
    make, given, options, message = FIT[case]
    model = make()
    before = model.get_weights()
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(*(value() if callable(value) else value for value in given), **options, epochs=2, verbose=0)
    for actual, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert model.history is None  # not an epoch, and no callback was called


OTHERS: dict[str, tuple[Callable[[], Any], str]] = {
    "predict None": (
        lambda: regression().predict(None),
        r"Argument `x` must be an array of inputs, .*Received: x=None",
    ),
    "predict csr": (lambda: regression().predict(csr(X)), r"Argument `x` must be plain arrays: sparse"),
    "predict batch None": (lambda: regression().predict_on_batch(None), r"Argument `x` must be an array of inputs"),
    "predict no rows": (lambda: regression().predict_on_batch(X[:0]), r"`x` holds no data. Received: .*\(0, 4\)"),
    "predict batches": (
        lambda: regression().predict_on_batch(batches()),
        r"`x` must be one batch, arrays; .* generator",
    ),
    "train None": (lambda: regression().train_on_batch(None, T), r"Argument `x` must be an array of inputs"),
    "train no rows": (lambda: regression().train_on_batch(X[:0], T[:0]), r"`x` holds no data"),
    "train y": (lambda: regression().train_on_batch(X, None), r"Argument `y` must be the targets"),
    "train lengths": (lambda: regression().train_on_batch(X, T[:2]), r"Received: 8 in x, 2 in y"),
    "train weights": (lambda: classifier().train_on_batch(X, LABELS, class_weight="balanced"), BY_CLASS),
    "test None": (lambda: regression().test_on_batch(None, T), r"Argument `x` must be an array of inputs"),
    "test y": (lambda: regression().test_on_batch(X, None), r"Argument `y` must be the targets"),
    "test labels": (lambda: classifier().test_on_batch(X, LABELS + 5), r"class numbers from 0 to 2, .*y from 5 to 7"),
    "evaluate y": (lambda: regression().evaluate(X), r"Argument `y` must be the targets"),
    "evaluate callbacks": (lambda: regression().evaluate(X, T, callbacks=3), r"Argument `callbacks` must"),
    "gradients": (lambda: regression().loss_and_gradients({}, T), r"Argument `x` must be an array of inputs"),
    "predict one example": (lambda: regression().predict(X[0]), r"`x` needs a batch axis first: .*None.*\(4,\)"),
    "fit one example": (lambda: regression().fit(X[0], T[:4]), r"`x` needs a batch axis first: .* x\[None\]\."),
    "predict one image": (lambda: images().predict(np.ones((4, 4))), r"`x` needs a batch axis first: .*\(4, 4\)"),
    "predict two": (lambda: two().predict(X), TWO_INPUTS + "one array"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_functions(case: str, backend: Backend) -> None:
    call, message = OTHERS[case]
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_batches_that_end_early() -> None:
    warning = "Argument `x` gave 1 batches of steps_per_epoch=2 in epoch 2, which ends there"
    message = r"Argument `x` gave no batches for epoch 3: .* an iterator that does not end with steps_per_epoch"
    with pytest.warns(UserWarning, match=warning), pytest.raises(ValueError, match=message):
        regression().fit(batches(3), steps_per_epoch=2, epochs=3, verbose=0)


def test_batches_for_validation_that_end_early() -> None:
    warning = "`validation_data` gave 1 batches of validation_steps=2 in validation after epoch 1, which ends there"
    with pytest.warns(UserWarning, match=warning):
        regression().fit(X, T, validation_data=batches(1), validation_steps=2, verbose=0)


@pytest.mark.parametrize("function", ["evaluate", "predict"])
def test_fewer_batches_than_steps(function: str) -> None:
    occasion = {"evaluate": "evaluation", "predict": "prediction"}[function]
    with pytest.warns(UserWarning, match=f"Argument `x` gave 1 batches of steps=5 in {occasion}, which ends there"):
        getattr(regression(), function)(batches(1), steps=5, verbose=0)


def test_one_callback_or_none(backend: Backend) -> None:
    stopping = callbacks.EarlyStopping("loss", patience=0, min_delta=1e9)
    assert len(regression().fit(X, T, epochs=5, callbacks=stopping, verbose=0).epoch) == 2
    assert len(regression().fit(X, T, epochs=2, callbacks=None, verbose=0).epoch) == 2


@pytest.mark.parametrize("given", [[X], (X,), {"features": X}])
def test_one_input_in_a_list_or_dict(given: Any, backend: Backend) -> None:
    model = regression()
    model.fit(given, T, verbose=0)
    expected = model.predict(X)
    np.testing.assert_array_equal(model.predict(given), expected)
    moved = portanet.asarray(X)
    arrays = {"features": moved} if isinstance(given, dict) else [moved]
    np.testing.assert_array_equal(backend.to_host(model(arrays)), expected)
    graph = portanet.Model(model.input, model.output)
    np.testing.assert_array_equal(graph.predict(given), expected)
    with pytest.raises(ValueError, match=ONE_INPUT.replace("'sequential'", "'functional'")):
        graph.predict([X, X])


def test_validation_data_of_another_length_is_fine(backend: Backend) -> None:
    model = portanet.Sequential([layers.Input((None, 4)), layers.GlobalAveragePooling1D(), layers.Dense(1)])
    model.compile("sgd", "mse")
    longer = np.ones((8, 5, 4)), T
    model.fit(np.ones((8, 3, 4)), T, validation_data=longer, verbose=0)


COMPILE: dict[str, tuple[dict[str, Any], str]] = {
    "reduction": (
        {"loss": losses.MeanSquaredError(reduction=None)},
        r"Argument `loss` of compile must give one number for a batch: .*'mean_squared_error' with reduction=None",
    ),
    "loss": ({"loss": "msee"}, r"Unknown loss\. Did you mean 'mse'\?.*Received: .*'msee'"),
    "metric": ({"metrics": ["binary_acuracy"]}, r"Did you mean 'binary_accuracy'.*Argument `metrics` of compile"),
    "weighted": ({"weighted_metrics": {"dense": "acuracy"}}, r"Argument `weighted_metrics` of compile.*'acuracy'"),
}


@pytest.mark.parametrize("case", COMPILE)
def test_compile(case: str) -> None:
    options, message = COMPILE[case]
    model = regression()
    before = model.get_compile_config()
    with pytest.raises(ValueError, match=message):
        model.compile(**{"optimizer": "adam", "loss": "mse", **options})
    assert model.get_compile_config() == before
