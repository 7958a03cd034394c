import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.backends import use_backend
from portanet.training import TrainingRun
from tests.support import asarray, to_numpy


def blobs(count=60, classes=3, features=4, seed=0):
    generator = np.random.default_rng(seed)
    y = np.arange(count) % classes
    x = generator.normal(size=(count, features)) + 3 * np.eye(features)[y]
    return x.astype("float32"), y


def classifier(*middle, loss="sparse_categorical_crossentropy", optimizer="adam", metrics=("accuracy",)):
    portanet.random.set_seed(0)
    model = portanet.Sequential(
        [layers.Input((4,)), layers.Dense(8, activation="relu"), *middle, layers.Dense(3, activation="softmax")]
    )
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def test_training_lowers_the_loss_and_says_so(backend):
    x, y = blobs()
    history = classifier(optimizer=portanet.optimizers.Adam(0.01)).fit(
        x, y, epochs=8, batch_size=16, validation_split=0.25, verbose=0
    )
    assert sorted(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(8))
    assert history.params == {"epochs": 8, "steps": 3, "batch_size": 16, "verbose": 0, "validation_freq": 1}
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]


def test_curves_agree_with_numpy(backend):
    x, y = blobs()

    def curve():
        model = classifier(layers.Dropout(0.3))
        return model.fit(x, y, epochs=5, batch_size=16, validation_split=0.25, verbose=0).history

    here = curve()
    with use_backend("numpy"):
        there = curve()
    for name, values in there.items():
        np.testing.assert_allclose(here[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def test_the_reported_loss_is_the_mean_over_examples_of_uneven_batches(backend):
    x, y = blobs(50)
    model = classifier(optimizer=portanet.optimizers.SGD(0.0))
    history = model.fit(x, y, batch_size=16, verbose=0).history
    p = model.predict(x)
    expected = -np.log(p[np.arange(50), y]).mean()
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)
    assert history["accuracy"][0] == pytest.approx((p.argmax(1) == y).mean(), rel=1e-6)
    loss, accuracy = model.evaluate(x, y, batch_size=7, verbose=0)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert accuracy == pytest.approx((p.argmax(1) == y).mean(), rel=1e-6)
    assert [float(metric.result()) for metric in (model.metrics[0], *model.metrics[1].metrics)] == [loss, accuracy]


def test_the_last_partial_batch_is_used(backend):
    x = np.zeros((5, 1), dtype="float32")
    x[4] = 1.0
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(portanet.optimizers.SGD(1.0), "mse")
    model.fit(x, x, batch_size=4, shuffle=False, verbose=0)
    assert model.get_weights()[0][0, 0] == 2.0  # one step of 2 (t - o) x on the last example alone


def test_the_callers_arrays_never_change(backend):
    x, y = blobs()
    before = x.copy(), y.copy()
    weight = np.ones(60)
    model = classifier()
    model.fit(x, y, sample_weight=weight, verbose=0)
    model.predict(x)
    model.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
    np.testing.assert_array_equal(weight, np.ones(60))


def test_the_global_generator_of_numpy_is_left_alone(backend):
    np.random.seed(5)  # noqa: NPY002 -- this is what must not be touched
    expected = np.random.get_state()[1].copy()  # noqa: NPY002
    x, y = blobs()
    classifier(layers.Dropout(0.5)).fit(x, y, verbose=0)
    np.testing.assert_array_equal(np.random.get_state()[1], expected)  # noqa: NPY002


def test_dropout_is_for_training_only(backend):
    x, y = blobs()
    model = classifier(layers.Dropout(0.9))
    np.testing.assert_array_equal(model.predict(x), model.predict(x))
    assert model.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_shuffling_follows_the_seed(backend):
    x, y = blobs()
    runs = [classifier().fit(x, y, epochs=3, batch_size=8, verbose=0).history["loss"] for _ in range(2)]
    assert runs[0] == runs[1]
    straight = classifier().fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"]
    assert straight != runs[0]


def test_training_goes_on_where_it_stopped(backend):
    x, y = blobs()
    whole = classifier().fit(x, y, epochs=4, verbose=0).history["loss"]
    model = classifier()
    parts = model.fit(x, y, epochs=2, verbose=0).history["loss"]
    parts += model.fit(x, y, initial_epoch=2, epochs=4, verbose=0).history["loss"]
    np.testing.assert_allclose(parts, whole, rtol=1e-6)


def test_sample_weights_weigh(backend):
    x, y = blobs()
    weight = (y == 0).astype("float32")
    model = classifier()
    p = model.predict(x)
    loss = model.evaluate(x, y, sample_weight=weight, verbose=0)[0]
    assert loss == pytest.approx((-np.log(p[np.arange(60), y]) * weight).mean(), rel=1e-5)


def test_a_changed_learning_rate_counts(backend):
    x, y = blobs()
    model = classifier(optimizer="sgd")
    model.fit(x, y, verbose=0)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("first", "then"), [(0.1, lambda step: 0.0), (lambda step: 0.1, 0.0)])
def test_a_schedule_takes_the_place_of_a_number_and_a_number_that_of_a_schedule(backend, first, then):
    x, y = blobs()
    model = classifier(optimizer=portanet.optimizers.SGD(first))
    start = model.get_weights()
    model.fit(x, y, verbose=0)
    model.optimizer.learning_rate = then
    before = model.get_weights()
    assert not np.array_equal(before[0], start[0])
    model.fit(x, y, verbose=0)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_frozen_layers_stay(backend):
    x, y = blobs()
    model = classifier()
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], before[0])
    assert not np.array_equal(after[2], before[2])


def test_penalties_are_those_of_trained_weights(backend):
    x, y = blobs()
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(3, kernel_regularizer="l2")])
    model.compile(portanet.optimizers.SGD(0.0), "mse")
    hot = np.eye(3, dtype="float32")[y]
    bare = ((model.predict(x) - hot) ** 2).mean()
    penalty = 0.01 * (model.get_weights()[0] ** 2).sum()
    for expected in (bare + penalty, bare):
        assert model.evaluate(x, hot, verbose=0) == pytest.approx(expected, rel=1e-5)
        assert model.fit(x, hot, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)
        model.layers[0].trainable = False


@pytest.mark.parametrize("kind", ["lists", "pandas", "float64", "native", "torch"])
def test_inputs_of_every_kind_give_the_same(backend, kind):
    x, y = blobs()
    expected = classifier().fit(x, y, verbose=0).history["loss"]
    if kind == "lists":
        data = x.tolist(), y.tolist()
    elif kind == "pandas":
        pandas = pytest.importorskip("pandas")
        data = pandas.DataFrame(x), pandas.Series(y)
    elif kind == "float64":
        data = x.astype("float64"), y
    elif kind == "native":
        data = asarray(x), asarray(y)
    else:
        torch = pytest.importorskip("torch")
        data = torch.from_numpy(x), torch.from_numpy(y)
    np.testing.assert_allclose(classifier().fit(*data, verbose=0).history["loss"], expected, rtol=1e-6)


def test_predict_gives_numpy_in_the_models_dtype(backend):
    x, _ = blobs()
    out = classifier().predict(x, batch_size=7)
    assert isinstance(out, np.ndarray)
    assert out.shape == (60, 3)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-5)


def test_regression_and_binary_targets(backend):
    x, _ = blobs()
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    labels = (x[:, :1] > 1).astype("float32")
    history = model.fit(x, labels, epochs=2, verbose=0).history
    p = model.predict(x)
    assert model.evaluate(x, labels, verbose=0)[1] == pytest.approx(((p > 0.5) == labels).mean())
    assert history["loss"][1] < history["loss"][0]


def test_metrics_of_several_numbers(backend):
    x, y = blobs()
    model = classifier(metrics=[portanet.metrics.ConfusionMatrix(3), "accuracy"])
    history = model.fit(x, y, batch_size=16, verbose=0, validation_data=(x, y)).history
    matrix = history["val_confusion_matrix"][0]
    assert matrix.shape == (3, 3)
    assert matrix.sum() == 60
    assert np.trace(matrix) / 60 == pytest.approx(history["val_accuracy"][0])


def test_one_hot_targets_and_a_loss_of_ones_own(backend):
    x, y = blobs()
    hot = np.eye(3, dtype="float32")[y]
    model = classifier(loss="categorical_crossentropy")
    assert model.evaluate(x, hot, verbose=0)[0] == pytest.approx(classifier().evaluate(x, y, verbose=0)[0], rel=1e-6)

    def absolute(y_true, y_pred):
        xp = portanet.autodiff.array_namespace(y_true, y_pred)
        return xp.mean(xp.abs(y_true - y_pred), axis=-1)

    own = classifier(loss=absolute, metrics=())
    assert own.evaluate(x, hot, verbose=0) == pytest.approx(np.abs(hot - own.predict(x)).mean(), rel=1e-5)
    losses = own.fit(x, hot, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_model_moves_with_its_optimizer(backend):
    x, y = blobs()
    whole = classifier().fit(x, y, epochs=4, verbose=0).history["loss"]
    model = classifier()
    parts = model.fit(x, y, epochs=2, verbose=0).history["loss"]
    model.to("numpy")
    assert isinstance(model.weights[0].value, np.ndarray)
    parts += model.fit(x, y, initial_epoch=2, epochs=4, verbose=0).history["loss"]
    np.testing.assert_allclose(parts, whole, rtol=1e-4)


def test_the_model_stays_where_it_was_built(backend):
    x, y = blobs()
    model = classifier()
    with use_backend("numpy"):
        model.fit(x, y, verbose=0)
        assert backend.owns(model.weights[0].value)
        assert isinstance(model.predict(x), np.ndarray)


def test_ctrl_c_leaves_a_usable_model(backend, monkeypatch):
    x, y = blobs()
    model = classifier()
    steps = []
    step = TrainingRun.__call__

    def interrupted(self, *batch):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return step(self, *batch)

    monkeypatch.setattr(TrainingRun, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=8, verbose=0)
    assert np.isfinite(model.predict(x)).all()
    assert np.isfinite(model.evaluate(x, y, verbose=0)).all()


def test_train_on_batch_is_one_step(backend):
    x, y = blobs()
    whole = classifier().fit(x, y, batch_size=60, epochs=2, shuffle=False, verbose=0).history
    model = classifier()
    for epoch in range(2):
        logs = model.train_on_batch(x, y, return_dict=True)
        assert logs == {name: pytest.approx(values[epoch], rel=1e-6) for name, values in whole.items()}


def test_batches_without_targets_for_a_loss_of_the_model(backend):
    class Own(portanet.Model):
        def __init__(self):
            super().__init__()
            self.decode = layers.Dense(2)

        def call(self, x):
            return self.decode(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(x[:, :2] - y_pred))

    x, _ = blobs()
    model = Own()
    model.compile("sgd")
    before = np.mean((x[:, :2] - model.predict(x)) ** 2)
    assert model.train_on_batch(x) == pytest.approx(before, rel=1e-5)
    after = np.mean((x[:, :2] - model.predict(x)) ** 2)
    assert after < before
    assert model.test_on_batch(x, return_dict=True) == {"loss": pytest.approx(after, rel=1e-5)}


def test_weights_and_loss_stay_float32(backend):
    x, y = blobs()
    model = classifier()
    model.fit(x.astype("float64"), y, verbose=0)
    assert {to_numpy(v.value).dtype.name for v in model.weights} == {"float32"}
