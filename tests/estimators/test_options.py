"""What the estimators pass to `fit`: which examples, weights, seeds, batches, and what they keep between calls."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.utils import get_tags

import portanet
from portanet import activations, layers, losses, optimizers
from portanet.callbacks import LambdaCallback
from portanet.estimators import PortanetClassifier, PortanetRegressor
from portanet.models import Model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
RARE = np.repeat(["a", "b", "c"], [36, 18, 6])
TARGETS = RNG.normal(size=60)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of each call of `Model.fit`."""
    calls: list[dict[str, Any]] = []
    fit = Model.fit

    def noted(self: Model, x: Any, y: Any, **options: Any) -> Any:
        calls.append({"x": x, "y": y, **options})
        return fit(self, x, y, **options)

    monkeypatch.setattr(Model, "fit", noted)
    return calls


def classifier(**options: Any) -> PortanetClassifier:
    return PortanetClassifier(**{"hidden_layer_sizes": (4,), "epochs": 1, "random_state": 0, **options})


def regressor(**options: Any) -> PortanetRegressor:
    return PortanetRegressor(**{"hidden_layer_sizes": (4,), "epochs": 1, "random_state": 0, **options})


# Validation


def test_validation_keeps_the_shares_of_the_classes(fits: list[dict[str, Any]]) -> None:
    order = np.random.default_rng(1).permutation(60)
    for seed in range(3):
        classifier(validation_fraction=0.5, random_state=seed).fit(X[order], RARE[order])
    for call in fits:
        assert np.bincount(call["y"]).tolist() == [18, 9, 3]
        assert np.bincount(call["validation_data"][1]).tolist() == [18, 9, 3]
        rows = np.concatenate([call["x"], call["validation_data"][0]])
        assert sorted(map(tuple, rows)) == sorted(map(tuple, X))  # each example once
    first, second = (call["validation_data"][0] for call in fits[:2])
    assert not np.array_equal(np.sort(first, axis=0), np.sort(second, axis=0))
    classifier(validation_fraction=0.25).fit(X, RARE)
    assert len(fits[-1]["x"]) == 45


def test_validation_holds_the_examples_of_its_labels_and_weights(fits: list[dict[str, Any]]) -> None:
    x = np.stack([np.arange(60.0), np.zeros(60)], axis=1)
    weights = np.arange(60.0) + 1
    classifier(validation_fraction=0.2).fit(x, RARE, sample_weight=weights)
    regressor(validation_fraction=0.2).fit(x, np.arange(60.0), sample_weight=weights)
    for call, targets in zip(fits, (np.searchsorted(["a", "b", "c"], RARE), np.arange(60)[:, None]), strict=True):
        parts = [(call["x"], call["y"], call["sample_weight"]), call["validation_data"]]
        assert [len(part) for part in parts] == [3, 3]
        for part_x, part_y, part_weights in parts:
            rows = part_x[:, 0].astype(int)
            np.testing.assert_array_equal(part_y, targets[rows])
            np.testing.assert_array_equal(part_weights, weights[rows])
    classifier(validation_fraction=0.2).fit(x, RARE)
    assert fits[-1]["sample_weight"] is None
    assert len(fits[-1]["validation_data"]) == 2
    classifier().fit(x, RARE)
    assert fits[-1]["validation_data"] is None
    np.testing.assert_array_equal(fits[-1]["x"], x)


def test_regressors_are_not_stratified() -> None:
    regressor(validation_fraction=0.2).fit(X, TARGETS)
    regressor(validation_fraction=0.2).fit(X, np.eye(60)[0])  # 1 once, 0 for all others


def test_too_few_examples_of_a_class_to_validate() -> None:
    with pytest.raises(ValueError, match="least populated class"):
        classifier(validation_fraction=0.2).fit(X, ["a"] * 59 + ["b"])
    with pytest.raises(ValueError, match="greater or equal to the number of classes"):
        classifier(validation_fraction=0.03).fit(X, RARE)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1, 5, True, "0.1", None])
def test_fractions_of_validation(fraction: Any) -> None:
    with pytest.raises(
        ValueError, match=r"`validation_fraction` of Portanet\w+ must be a number in \[0, 1\). Received"
    ):
        classifier(validation_fraction=fraction).fit(X, RARE)
    with pytest.raises(
        ValueError, match=r"`validation_fraction` of Portanet\w+ must be a number in \[0, 1\). Received"
    ):
        regressor(validation_fraction=fraction).fit(X, TARGETS)


# Seeds


def weights_of(estimator: Any) -> list[np.ndarray]:
    return [w.copy() for w in estimator.fit(X, RARE).model_.get_weights()]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_seeds_are_ints_or_drawn() -> None:
    assert same(weights_of(classifier(random_state=3)), weights_of(classifier(random_state=np.int64(3))))
    assert not same(weights_of(classifier(random_state=3)), weights_of(classifier(random_state=4)))
    assert not same(weights_of(classifier(random_state=None)), weights_of(classifier(random_state=None)))
    for make in (np.random.RandomState, np.random.default_rng):
        assert same(weights_of(classifier(random_state=make(3))), weights_of(classifier(random_state=make(3))))
        assert not same(weights_of(classifier(random_state=make(3))), weights_of(classifier(random_state=make(4))))
        advancing = classifier(random_state=make(3))
        first, second = weights_of(advancing), weights_of(advancing)
        assert same(first, weights_of(classifier(random_state=make(3))))
        assert not same(first, second)
    for state in (None, np.random.RandomState(3), np.random.default_rng(3)):
        seeds = [classifier(random_state=state)._draw_seed() for _ in range(30)]
        assert len(set(seeds)) == 30
        assert 2**28 < max(seeds) < 2**31
    drawn = int(np.random.RandomState(3).randint(2**31 - 1))
    state = np.random.RandomState(3)
    assert same(weights_of(classifier(random_state=state)), weights_of(classifier(random_state=drawn)))


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1", np.random])
def test_other_seeds(seed: Any) -> None:
    with pytest.raises(ValueError, match="`random_state` of PortanetClassifier must be a non-negative integer"):
        classifier(random_state=seed).fit(X, RARE)


# What training gets


def test_batches_epochs_and_callbacks(fits: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    x, y = np.repeat(X, 4, axis=0), np.repeat(RARE, 4)
    epochs: list[int] = []
    callback = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    model = classifier(epochs=2, callbacks=[callback]).fit(x, y)
    assert capsys.readouterr().out == ""
    assert (fits[-1]["batch_size"], fits[-1]["initial_epoch"], fits[-1]["epochs"]) == (200, 0, 2)
    model.partial_fit(x[:50], y[:50])
    assert (fits[-1]["batch_size"], fits[-1]["initial_epoch"], fits[-1]["epochs"]) == (50, 2, 3)
    assert epochs == [0, 1, 2]
    assert fits[-1]["callbacks"][0] is not callback
    classifier(batch_size=7, verbose=2).fit(x, y)
    assert fits[-1]["batch_size"] == 7
    assert "loss" in capsys.readouterr().out
    for wrong in ("all", 0, np.asarray([2, 3])):
        with pytest.raises(ValueError, match=r"`batch_size` must be a positive integer. Received: batch_size="):
            classifier(batch_size=wrong).fit(x, y)


def test_a_fit_starts_afresh_or_goes_on() -> None:
    model = classifier(epochs=3)
    first = weights_of(model)
    assert same(first, weights_of(model))
    assert model.n_iter_ == len(model.history_["loss"]) == 3
    network = model.model_
    model.fit(X, RARE)
    assert model.model_ is not network
    model.warm_start = True
    network = model.model_
    model.fit(X, RARE)
    assert model.model_ is network
    assert model.n_iter_ == len(model.history_["loss"]) == 6
    with pytest.raises(ValueError, match=r"among the classes.*Received: \['d'\]"):
        model.fit(X, np.where(RARE == "c", "d", RARE))
    with pytest.raises(ValueError, match="expecting 3 features"):
        model.fit(X[:, :2], RARE)
    with pytest.raises(ValueError, match="expecting 3 features"):
        model.partial_fit(X[:, :2], RARE)
    with pytest.raises(ValueError, match="`warm_start` of PortanetClassifier must be True or False"):
        classifier(warm_start=1).fit(X, RARE)
    assert classifier(warm_start=True).fit(X, RARE).n_iter_ == 1
    for epochs in (0, 1.5, True):
        model.epochs = epochs
        with pytest.raises(ValueError, match="`epochs` of PortanetClassifier must be a positive integer"):
            model.fit(X, RARE)
    other = regressor(warm_start=True, epochs=2).fit(X, TARGETS)
    assert other.fit(X, TARGETS).n_iter_ == 4
    assert regressor(epochs=2).fit(X, TARGETS).fit(X, TARGETS).n_iter_ == 2
    with pytest.raises(ValueError, match="expecting 3 features"):
        other.fit(X[:, :2], TARGETS)
    with pytest.raises(ValueError, match=r"shape \(examples\) of the first call. Received: shape \(60, 1\)"):
        other.fit(X, TARGETS[:, None])
    assert regressor().fit(X, TARGETS).fit(X, TARGETS[:, None]).predict(X).shape == (60, 1)


def test_classes_of_the_first_part() -> None:
    model = classifier().partial_fit(X[:36], RARE[:36], classes=["c", "a", "b"])
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict_proba(X).shape == (60, 3)
    assert model.partial_fit(X, RARE, classes=["z"]).classes_.tolist() == ["a", "b", "c"]
    weighted = classifier(random_state=1).partial_fit(X, RARE, sample_weight=np.arange(60.0))
    assert not same(weighted.model_.get_weights(), classifier(random_state=1).partial_fit(X, RARE).model_.get_weights())


def test_the_network_of_the_options() -> None:
    model = classifier(hidden_layer_sizes=(5, 2), activation="tanh").fit(X, RARE)
    assert [layer.units for layer in model.model_.layers] == [5, 2, 3]
    used = lambda network: [layer.activation for layer in network.layers]
    assert used(model.model_) == [activations.tanh, activations.tanh, activations.softmax]
    assert used(regressor().fit(X, TARGETS).model_) == [activations.relu, activations.linear]
    assert [layer.units for layer in regressor(hidden_layer_sizes=()).fit(X, np.eye(60)[:, :2]).model_.layers] == [2]


def test_networks_of_functions() -> None:
    given: list[Any] = []

    def unbuilt(features: int, outputs: int) -> Model:
        given.append((features, outputs))
        return portanet.Sequential([layers.Dense(outputs)])

    def built(features: int, outputs: int) -> Model:
        network = portanet.Sequential([layers.Input((features,)), layers.Dense(outputs)])
        given.append(network)
        return network

    assert regressor(model=unbuilt).fit(X, TARGETS).predict(X).shape == (60,)
    assert regressor(model=unbuilt).fit(X, np.eye(60)[:, :2]).predict(X).shape == (60, 2)
    assert given == [(3, 1), (3, 2)]
    assert regressor(model=built).fit(X, TARGETS).model_ is given[-1]


def test_learning_rates_are_for_names() -> None:
    def rate(**options: Any) -> float:
        return float(classifier(**options).fit(X, RARE).model_.optimizer.learning_rate)

    assert rate() == optimizers.Adam().learning_rate
    assert rate(learning_rate=0.25) == 0.25
    assert rate(optimizer="sgd") == optimizers.SGD().learning_rate
    given = optimizers.SGD(0.5)
    assert rate(optimizer=given, learning_rate=0.25) == 0.5
    model = classifier(optimizer=given).fit(X, RARE)
    assert model.model_.optimizer is not given
    assert isinstance(model.model_.optimizer, optimizers.SGD)
    unchanged = classifier(learning_rate=0).fit(X, RARE).model_.get_weights()
    assert same(unchanged, classifier(learning_rate=0, epochs=3).fit(X, RARE).model_.get_weights())
    with pytest.raises(ValueError, match=r"`learning_rate` of PortanetClassifier must be .*Received: learning_rate=-1"):
        classifier(learning_rate=-1).fit(X, RARE)


def test_losses_by_name_are_means_over_the_weights() -> None:
    """With learning rate 0, the loss is that of the first weights."""
    weights = np.arange(60.0)

    def loss(make: Any, y: Any, **options: Any) -> tuple[float, Any]:
        model = make(learning_rate=0.0, batch_size=60, **options).fit(X, y, sample_weight=weights)
        return model.history_["loss"][0], model

    result, model = loss(classifier, RARE)
    errors = -np.log(model.predict_proba(X)[np.arange(60), np.searchsorted(model.classes_, RARE)])
    np.testing.assert_allclose(result, np.average(errors, weights=weights), rtol=1e-6)
    assert isinstance(model.model_.loss, losses.SparseCategoricalCrossentropy)
    result, model = loss(regressor, TARGETS)
    errors = (model.predict(X) - TARGETS) ** 2
    np.testing.assert_allclose(result, np.average(errors, weights=weights), rtol=1e-6)
    result, model = loss(regressor, TARGETS, loss="mean_absolute_error")
    errors = np.abs(model.predict(X) - TARGETS)
    np.testing.assert_allclose(result, np.average(errors, weights=weights), rtol=1e-6)
    given = losses.MeanAbsoluteError(reduction="sum")
    result, model = loss(regressor, TARGETS, loss=given)
    np.testing.assert_allclose(result, np.sum(errors * weights), rtol=1e-6)
    assert model.model_.loss is not given


def test_dtypes_of_data_and_computation() -> None:
    for given, expected in (
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float64"),
        ("int32", "float64"),
    ):
        x = (X * 8).astype(given)
        model = regressor().fit(x, TARGETS)
        assert str(model.model_.weights[0].dtype) == expected
        assert str(model.predict(x).dtype) == expected
        assert str(regressor(dtype="float32").fit(x, TARGETS).model_.weights[0].dtype) == "float32"
    assert str(regressor(dtype="float64").fit(X.astype("float32"), TARGETS).model_.weights[0].dtype) == "float64"


def test_backends_are_names_objects_or_the_one_in_use() -> None:
    pytest.importorskip("array_api_strict")
    with portanet.use_backend("strict") as strict:
        assert regressor().fit(X, TARGETS).model_.backend.name == "strict"
        assert regressor(backend="numpy").fit(X, TARGETS).model_.backend.name == "numpy"
    assert regressor(backend=strict).fit(X, TARGETS).model_.backend.name == "strict"
    assert portanet.get_backend().name != "strict"


# Results


def test_predictions_of_a_known_network() -> None:
    model = classifier().fit(X, RARE)
    expected = model.predict_proba(X)
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-6)
    assert model.predict(X).tolist() == np.asarray(["a", "b", "c"])[expected.argmax(axis=1)].tolist()
    other = regressor().fit(X, np.stack([TARGETS, -TARGETS], axis=1))
    np.testing.assert_array_equal(other.predict(X), other.model_.predict(X))


def test_before_a_fit() -> None:
    for model in (classifier(), regressor()):
        with pytest.raises(NotFittedError):
            model.predict(X)
    with pytest.raises(ValueError, match="expecting 3 features"):
        regressor().fit(X, TARGETS).predict(X[:, :2])


@pytest.mark.parametrize("row", [[-0.5, 1.0, 0.5], [0.5, 0.5, 0.1], [0.2, 0.2, 0.2], [2.0, -0.5, -0.5]])
def test_outputs_that_are_no_probabilities(monkeypatch: pytest.MonkeyPatch, row: list[float]) -> None:
    model = classifier().fit(X, RARE)
    right = np.full((4, 3), 1 / 3)
    for position, dtype in itertools.product((0, 3), ("float32", "float64")):
        outputs = right.astype(dtype)
        monkeypatch.setattr(model.model_, "predict", lambda x, outputs=outputs: outputs)
        np.testing.assert_array_equal(model.predict_proba(X[:4]), outputs)
        outputs[position] = row
        with pytest.raises(ValueError, match=rf"outputs are probabilities;.*from {min(row):.3}.*sums from"):
            model.predict_proba(X[:4])
    outputs = right.copy()
    outputs[1] += 0.002  # rounding of half precision
    monkeypatch.setattr(model.model_, "predict", lambda x: outputs)
    assert model.predict_proba(X[:4]) is outputs


def test_what_scikit_learn_may_pass() -> None:
    assert get_tags(regressor()).target_tags.multi_output
    assert not get_tags(classifier()).target_tags.multi_output
    assert not get_tags(classifier()).input_tags.sparse


def test_columns_of_labels_and_targets() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert classifier().fit(X, RARE[:, None]).predict(X).shape == (60,)
    with pytest.raises(ValueError, match="continuous"):
        classifier().fit(X, TARGETS)
    with pytest.raises(ValueError, match=r"could not convert string to float|dtype='numeric'"):
        regressor().fit(X, RARE.astype(object))


# Pickles


def dropping(features: int, outputs: int) -> Model:
    return portanet.Sequential([layers.Dense(8), layers.Dropout(0.5), layers.Dense(outputs, "softmax")])


def test_a_copy_draws_the_masks_that_the_original_would() -> None:
    """With another seed than that with which networks are rebuilt."""
    model = classifier(model=dropping, random_state=3).fit(X, RARE)
    twin = pickle.loads(pickle.dumps(model))
    assert same(twin.model_.get_weights(), model.model_.get_weights())
    for each in (model, twin):
        each.partial_fit(X, RARE)
    assert same(twin.model_.get_weights(), model.model_.get_weights())


def test_pickles_of_weights_alone() -> None:
    """Those of earlier versions: they predict the same, and train on with a new optimizer."""
    for model in (classifier(epochs=3).fit(X, RARE), regressor(epochs=3).fit(X, TARGETS)):
        state = model.__getstate__()
        del state["_training"]
        old = type(model)()
        old.__setstate__(state)
        np.testing.assert_array_equal(old.predict(X), model.predict(X))
        assert same(old.model_.get_weights(), model.model_.get_weights())
        old.partial_fit(X, RARE if isinstance(model, PortanetClassifier) else TARGETS)
        assert old.n_iter_ == 4
        assert not same(old.model_.get_weights(), model.model_.get_weights())
