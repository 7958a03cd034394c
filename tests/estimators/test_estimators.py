"""Not covered by scikit-learn's checks: pipelines, searches, seeds, custom models, backends, pickles."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import portanet
from portanet import layers, optimizers, schedules
from portanet.backends import Backend
from portanet.callbacks import EarlyStopping
from portanet.estimators import PortanetClassifier, PortanetRegressor

IRIS = load_iris(return_X_y=True)


def deep(n_features: int, n_outputs: int) -> portanet.Model:
    return portanet.Sequential(
        [layers.Dense(16, "relu"), layers.Dropout(0.1), layers.Dense(n_outputs, activation="softmax")]
    )


def quick(**options: Any) -> PortanetClassifier:
    return PortanetClassifier(**{"epochs": 40, "learning_rate": 0.02, "random_state": 0, **options})


def test_on_every_backend(backend: Backend) -> None:
    x, y = IRIS
    x = StandardScaler().fit_transform(x).astype("float32")
    labels = np.asarray(["setosa", "versicolor", "virginica"])[y]
    model = quick(hidden_layer_sizes=(16,)).fit(x, labels)
    assert model.score(x, labels) > 0.93
    assert model.model_.backend.name == backend.name
    assert str(model.predict_proba(x).dtype) == "float32"
    with portanet.use_backend("numpy"):
        twin = quick(hidden_layer_sizes=(16,)).fit(x, labels)
    np.testing.assert_allclose(model.predict_proba(x), twin.predict_proba(x), rtol=1e-2, atol=1e-4)


def test_the_backend_and_dtype_asked_for() -> None:
    pytest.importorskip("torch")
    model = quick(backend="torch", epochs=1).fit(*IRIS)
    assert (model.model_.backend.name, str(model.model_.weights[0].dtype)) == ("torch", "torch.float64")
    assert quick(dtype="float32", epochs=1).fit(*IRIS).predict_proba(IRIS[0]).dtype == "float32"


def test_pipelines_searches_and_cross_validation() -> None:
    x, y = IRIS
    network = make_pipeline(StandardScaler(), quick())
    assert cross_val_score(network, x, y, cv=3).mean() > 0.9
    grid = {"portanetclassifier__hidden_layer_sizes": [(4,), (8, 8)], "portanetclassifier__activation": ["tanh"]}
    search = GridSearchCV(network, grid, cv=2).fit(x, y)
    assert search.best_score_ > 0.9
    assert set(search.best_params_) == set(grid)


def test_regression_of_scaled_targets() -> None:
    x, y = load_diabetes(return_X_y=True)
    network = PortanetRegressor(hidden_layer_sizes=(8,), epochs=60, learning_rate=0.01, random_state=0)
    model = TransformedTargetRegressor(make_pipeline(StandardScaler(), network), transformer=StandardScaler())
    assert cross_val_score(model, x, y, cv=3).mean() > 0.3  # a linear model scores 0.48


def test_several_outputs_keep_their_shape() -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = np.stack([x[:, 0], x[:, 1] - x[:, 2]], axis=1)
    model = PortanetRegressor(epochs=100, learning_rate=0.02, random_state=0).fit(x, y)
    assert model.predict(x).shape == (60, 2)
    assert model.score(x, y) > 0.9
    assert PortanetRegressor(epochs=1).fit(x, y[:, 0]).predict(x).shape == (60,)
    assert PortanetRegressor(epochs=1).fit(x, y[:, :1]).predict(x).shape == (60, 1)


def test_the_seed_fixes_results_and_leaves_others_alone() -> None:
    portanet.random.set_seed(5)
    portanet.random.next_unowned()
    before = np.random.get_state()[1].copy()  # noqa: NPY002 -- to see that it is left alone
    first, second, other = (quick(model=deep, random_state=s, epochs=3).fit(*IRIS) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.predict_proba(IRIS[0]), second.predict_proba(IRIS[0]))
    assert np.any(first.predict_proba(IRIS[0]) != other.predict_proba(IRIS[0]))
    quick(random_state=None, epochs=1).fit(*IRIS)
    assert portanet.random.get_seed() == 5
    assert portanet.random.next_unowned() == 1
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_pickles_hold_host_arrays_and_predict_the_same() -> None:
    for model in (quick(model=deep, epochs=5).fit(*IRIS), PortanetRegressor(epochs=2).fit(*IRIS)):
        state = model.__getstate__()
        assert "model_" not in state
        assert all(type(w) is np.ndarray for w in state["_weights"])
        twin = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(twin.predict(IRIS[0]), model.predict(IRIS[0]))
        twin.partial_fit(*IRIS)
        assert twin.n_iter_ == model.n_iter_ + 1
    assert not hasattr(pickle.loads(pickle.dumps(quick())), "model_")


@pytest.mark.parametrize("way", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("optimizer", ["adam", optimizers.SGD(schedules.ExponentialDecay(0.1, 5, 0.5), momentum=0.9)])
def test_a_copy_goes_on_exactly(backend: Backend, way: Any, optimizer: Any) -> None:
    x, y = IRIS[0].astype("float32"), IRIS[1]
    model = quick(model=deep, optimizer=optimizer, epochs=2, warm_start=True).fit(x, y)
    model.model_.optimizer.learning_rate = 0.005 if optimizer == "adam" else optimizer.learning_rate
    twin = way(way(model))
    assert int(twin.model_.optimizer_state[1]["iterations"]) == 2
    for one in (model, twin):
        one.partial_fit(x, y).fit(x, y)
    np.testing.assert_array_equal(twin.predict_proba(x), model.predict_proba(x))
    assert twin.history_ == model.history_
    # A change of parameters reaches the next network alone.
    model.model_.layers[0].trainable = False
    model.set_params(optimizer="rmsprop", loss="categorical_crossentropy")
    twin = way(model)
    for one in (model, twin):
        one.partial_fit(x, y)
    np.testing.assert_array_equal(twin.predict_proba(x), model.predict_proba(x))


def test_early_stopping_on_a_part_kept_for_it() -> None:
    stopping = EarlyStopping(monitor="val_loss", patience=1, min_delta=10.0)
    model = quick(validation_fraction=0.2, callbacks=[stopping]).fit(*IRIS)
    assert model.n_iter_ == 2
    assert set(model.history_) == {"loss", "val_loss"}
    clone(model).fit(*IRIS)  # the given callback is not modified


def test_training_goes_on() -> None:
    x, y = IRIS
    model = quick(epochs=2, warm_start=True).fit(x, y)
    before = model.history_["loss"][-1]
    model.fit(x, y)
    assert model.n_iter_ == len(model.history_["loss"]) == 4
    assert model.history_["loss"][-1] < before
    piece = quick().partial_fit(x[:50], y[:50], classes=[0, 1, 2])
    assert piece.partial_fit(x[50:], y[50:]).predict_proba(x).shape == (150, 3)
    with pytest.raises(ValueError, match=r"must hold labels among the classes.*Received: \[.*7"):
        piece.partial_fit(x[:2], [0, 7])
    regressor = PortanetRegressor(epochs=1).partial_fit(x, y)
    with pytest.raises(ValueError, match=r"of the first call. Received: shape \(150, 2\)"):
        regressor.partial_fit(x, np.stack([y, y], axis=1))


def test_losses_that_take_probabilities() -> None:
    assert quick(loss="categorical_crossentropy").fit(*IRIS).score(*IRIS) > 0.9


def test_a_model_function_must_give_a_model() -> None:
    with pytest.raises(TypeError, match=r"`model` must be a function .* Received: model="):
        quick(model=lambda n, m: 3).fit(*IRIS)


def test_without_scikit_learn() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "try: import portanet.estimators\n"
        "except ImportError as error: print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "[sklearn]'" in out


@pytest.mark.parametrize("kind", [PortanetClassifier, PortanetRegressor])
@pytest.mark.parametrize("mask", [np.ma.nomask, True])
def test_masked_arrays_are_refused(backend: Backend, kind: Any, mask: Any) -> None:
    x, y = IRIS
    weights = np.ones(len(y))
    model = kind(epochs=1, random_state=0).fit(x, y)
    masked = [np.ma.masked_array(a, mask=np.zeros(a.shape, bool) if mask is True else mask) for a in (x, y, weights)]
    rows = [np.ma.masked_array(row) for row in x]
    calls = [
        lambda: model.fit(masked[0], y),
        lambda: model.fit(x, masked[1]),
        lambda: model.fit(x, y, masked[2]),
        lambda: model.partial_fit(masked[0], y),
        lambda: model.partial_fit(x, masked[1]),
        lambda: model.partial_fit(x, y, sample_weight=masked[2]),
        lambda: model.fit(rows, y),
        lambda: model.predict(masked[0]),
        lambda: model.score(masked[0], y),
        lambda: model.score(x, masked[1]),
        lambda: model.score(x, y, masked[2]),
        lambda: getattr(model, "predict_proba", model.predict)(rows),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"x\.filled\(0\).*Received: MaskedArray"):
            call()
    assert model.score(x, y, weights) == pytest.approx(model.score(x, y))


@pytest.mark.parametrize("kind", [PortanetClassifier, PortanetRegressor])
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_weights_that_are_no_plain_arrays(kind: Any) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    x, y = IRIS
    weights = np.ones(len(y))
    for wrong in (np.matrix(weights), weights + 0j, sparse.csr_matrix(weights), sparse.coo_array(weights)):
        for call in (kind(epochs=1).fit, kind(epochs=1).partial_fit):
            with pytest.raises((TypeError, ValueError), match=r"matri|omplex|arse"):
                call(x, y, sample_weight=wrong)
