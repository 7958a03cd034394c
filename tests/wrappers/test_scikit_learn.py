"""Compiled models in scikit-learn: cloning, labels, shapes of targets, searches and pipelines."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import portanet
from portanet import layers
from portanet.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
LABELS = np.where(X[:, 0] > 0, "up", "down")


def network(X: Any, y: Any, units: int = 4, loss: str = "categorical_crossentropy") -> Any:
    last = layers.Dense(y.shape[1], "softmax" if "cross" in loss else None)
    model = portanet.Sequential([layers.Input((X.shape[1],)), layers.Dense(units, "tanh"), last])
    model.compile(portanet.optimizers.Adam(0.05), loss)
    return model


def test_classes(backend: Any) -> None:
    classifier = SKLearnClassifier(network, model_kwargs={"units": 5}, fit_kwargs={"verbose": 0, "epochs": 1})
    classifier.fit(X, LABELS, epochs=25, batch_size=8)
    assert len(classifier.history_.history["loss"]) == 25
    assert classifier.classes_.tolist() == ["down", "up"]
    assert classifier.model_.layers[0].units == 5
    assert classifier.score(X, LABELS) > 0.9
    outputs = classifier.decision_function(X)
    np.testing.assert_array_equal(classifier.classes_[outputs.argmax(1)], classifier.predict(X))
    same = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(same.decision_function(X), outputs, rtol=1e-5)


@pytest.mark.parametrize("columns", [0, 1, 2])
def test_targets_and_predictions_have_one_shape(columns: int) -> None:
    y = X[:, 0] if columns == 0 else X[:, :columns]
    regressor = SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0})
    regressor.fit(X, y, epochs=60, batch_size=8)
    assert regressor.predict(X).shape == y.shape
    assert regressor.score(X, y) > 0.8


def test_a_model_is_copied_unless_it_goes_on() -> None:
    model = network(X, np.zeros((1, 2)))
    before = model.get_weights()
    first = SKLearnClassifier(model, fit_kwargs={"verbose": 0}).fit(X, LABELS)
    assert first.model_ is not model
    assert first.model_.optimizer is not model.optimizer
    assert float(first.model_.optimizer.learning_rate) == pytest.approx(0.05)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])
    going_on = SKLearnClassifier(model, warm_start=True, fit_kwargs={"verbose": 0})
    assert going_on.fit(X, LABELS).model_ is model
    after = model.get_weights()
    assert going_on.fit(X, LABELS).model_ is model
    assert np.abs(model.get_weights()[0] - after[0]).max() > 0
    with pytest.raises(ValueError, match="labels among"):
        going_on.fit(X, np.where(X[:, 0] > 0, "up", "left"))


def test_searches_and_pipelines() -> None:
    classifier = SKLearnClassifier(network, model_kwargs={"units": 2}, fit_kwargs={"verbose": 0})
    assert clone(classifier).get_params() == classifier.get_params()
    search = GridSearchCV(classifier, {"model_kwargs": [{"units": 2}, {"units": 3}]}, cv=2)
    assert search.fit(X, LABELS).best_params_["model_kwargs"]["units"] in (2, 3)
    features = SKLearnTransformer(network, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0, "epochs": 20})
    targets = X[:, :2] > 0
    assert make_pipeline(StandardScaler(), features).fit(X, targets.astype("float64")).transform(X).shape == (40, 2)
    chain = make_pipeline(features.fit(X, targets.astype("float64")), LogisticRegression())
    assert chain[1].fit(features.transform(X), LABELS).score(features.transform(X), LABELS) > 0.8


def test_wrong_arguments() -> None:
    plain = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
    for model, error, message in [
        (plain, RuntimeError, "compiled with a loss"),
        (lambda X, y: 3, TypeError, "Argument `model`"),
        (3, ValueError, "`model` of SKLearnClassifier must be a compiled model, or a function"),
    ]:
        with pytest.raises(error, match=message):
            SKLearnClassifier(model).fit(X, LABELS)
    with pytest.raises(ValueError, match="more than one class"):
        SKLearnClassifier(network).fit(X, np.zeros(40))
    with pytest.raises(ValueError, match="`fit_kwargs` of SKLearnRegressor"):
        SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs=3).fit(X, X)
    with pytest.raises(ValueError, match="`model_kwargs` of SKLearnRegressor"):
        SKLearnRegressor(network, model_kwargs=[1]).fit(X, X)
    with pytest.raises(ValueError, match="requires y"):
        SKLearnTransformer(network).fit(X, None)
    for predict in (SKLearnRegressor(network).predict, SKLearnClassifier(network).predict):
        with pytest.raises(NotFittedError, match="not fitted"):
            predict(X)
