"""Models whose class overrides what happens to a batch, on every backend."""

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics, optimizers

generator = np.random.default_rng(0)
X = generator.normal(size=(20, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Same(portanet.Model):
    """Overrides, and changes nothing."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight, training)


class Own(portanet.Model):
    def train_step(self, data):
        x, y = data
        loss, gradients = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x, training=True)))
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def graph(cls, units=5):
    portanet.random.set_seed(1)
    x = layers.Input((4,))
    return cls(x, layers.Dense(1)(layers.Dropout(0.3)(layers.Dense(units, activation="tanh")(x))))


def two_outputs(cls):
    portanet.random.set_seed(1)
    x = layers.Input((4,))
    return cls(x, {"a": layers.Dense(1, name="a")(x), "b": layers.Dense(3, activation="softmax", name="b")(x)})


def sequences(cls):
    portanet.random.set_seed(1)
    x = layers.Input((6,), dtype="int32")
    hidden = layers.LSTM(3, return_sequences=True)(layers.Embedding(9, 4, mask_zero=True)(x))
    return cls(x, layers.Dense(1)(hidden))


WORDS = generator.integers(0, 9, (20, 6)) * (np.arange(6) < generator.integers(2, 7, 20)[:, None])
RUNS = {
    "weighted": (graph, X, Y, {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]}),
    "two outputs": (
        two_outputs,
        X,
        {"a": Y, "b": np.arange(20) % 3},
        {
            "loss": {"a": "mse", "b": "sparse_categorical_crossentropy"},
            "loss_weights": {"a": 0.5},
            "metrics": {"b": ["accuracy"]},
        },
    ),
    "masks": (
        sequences,
        WORDS,
        generator.normal(size=(20, 6, 1)).astype("float32"),
        {"loss": "mse", "metrics": ["mae"]},
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_an_override_that_changes_nothing_changes_nothing(backend, name):
    make, x, y, settings = RUNS[name]
    weight = np.linspace(0.5, 1.5, 20, dtype="float32") if name == "weighted" else None
    logs = []
    for cls in (portanet.Model, Same):
        model = make(cls)
        model.compile("adam", **settings)
        history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, sample_weight=weight, validation_split=0.2)
        logs.append((history.history, model.evaluate(x, y, verbose=0, return_dict=True), model.metrics_names))
    (expected, evaluated, names), (history, custom, custom_names) = logs
    assert list(history) == list(expected)
    assert custom_names == names
    assert list(custom) == list(evaluated)
    for column, values in expected.items():
        np.testing.assert_allclose(history[column], values, rtol=1e-4, err_msg=column)
    np.testing.assert_allclose(list(custom.values()), list(evaluated.values()), rtol=1e-4)


def test_a_run_of_an_overridden_step_is_resumed_from_a_file(backend, tmp_path):
    whole, first = graph(Own), graph(Own)
    for model in (whole, first):
        model.compile("adam", "mse")
    expected = whole.fit(X, Y, batch_size=8, epochs=3, verbose=0).history["loss"]
    first.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    first.save(tmp_path / "model.safetensors")
    again = portanet.load_model(tmp_path / "model.safetensors", custom_objects={"Own": Own})
    assert isinstance(again, Own)
    curve = again.fit(X, Y, batch_size=8, epochs=3, verbose=0, initial_epoch=again.position).history["loss"]
    np.testing.assert_allclose(curve, expected, rtol=1e-5)


def test_a_failing_step_changes_nothing(backend):
    class Failing(portanet.Model):
        def train_step(self, data):
            x, y = data
            _, gradients = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x, training=True)))
            self.optimizer.apply(gradients, self.trainable_variables)
            raise ArithmeticError("after the update")

    model = graph(Failing)
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ArithmeticError, match="after the update"):
        model.fit(X, Y, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_run_eagerly_calls_python_for_every_batch(backend, run_eagerly):
    calls = []

    class Counting(portanet.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            calls.append(training)
            return super().compute_loss(x, y, y_pred, sample_weight, training)

    model = graph(Counting)
    model.compile("sgd", "mse", run_eagerly=run_eagerly)
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0)
    assert len(calls) < 8 if backend.name == "jax" and not run_eagerly else len(calls) == 8


class Autoencoder(portanet.Model):
    def __init__(self):
        super().__init__()
        self.encoder = layers.Dense(2)
        self.decoder = layers.Dense(4)

    def call(self, x):
        decoded = self.decoder(self.encoder(x))
        self.add_loss(losses.MeanSquaredError()(x, decoded))
        return decoded


def test_losses_that_layers_add_need_no_targets(backend):
    portanet.random.set_seed(1)
    model = Autoencoder()
    model.compile("adam")
    history = model.fit(X, epochs=2, batch_size=8, verbose=0).history
    assert list(history) == ["loss"]
    assert history["loss"][1] < history["loss"][0]
    assert model.evaluate(X, verbose=0) > 0
    plain = graph(portanet.Model)
    plain.compile("sgd")
    with pytest.raises(ValueError, match="pass `loss` to compile"):
        plain.fit(X, Y, verbose=0)


class Parts(portanet.Model):
    """Two networks, built in the first step, and no `call`."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(3, activation="tanh")
        self.second = portanet.Sequential([layers.Dense(1)])
        self.extra = optimizers.SGD(0.1)

    def train_step(self, data):
        x, y = data

        def loss_fn():
            y_pred = self.second(self.first(x, training=True))
            return losses.MeanSquaredError()(y, y_pred), y_pred

        (loss, _), gradients = self.value_and_gradients(loss_fn, has_aux=True)
        half = len(gradients) // 2
        self.optimizer.apply(gradients[:half], self.trainable_variables[:half])
        self.extra.apply(gradients[half:], self.trainable_variables[half:])
        return {"loss": loss, "nested": {"twice": 2 * loss}}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_layers_may_be_built_in_a_step(backend, jit_compile):
    portanet.random.set_seed(1)
    model = Parts()
    model.compile(optimizers.Adam(0.05), jit_compile=jit_compile)
    history = model.fit(X, Y, batch_size=8, epochs=6, verbose=0).history
    assert list(history) == ["loss", "twice"]
    np.testing.assert_allclose(history["twice"], 2 * np.asarray(history["loss"]), rtol=1e-6)
    assert history["loss"][-1] < history["loss"][0]
    paths, state = model.optimizer_state
    assert paths == ["dense/kernel", "dense/bias"]
    assert int(backend.to_host(state["iterations"])) == 18
    model.extra.learning_rate = 0.0
    second = model.second.get_weights()
    model.fit(X, Y, verbose=0)
    for old, new in zip(second, model.second.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kind", ["train", "test", "predict"])
def test_functions_of_steps_are_made_once(kind):
    model = graph(portanet.Model)
    model.compile("sgd", "mse")
    make, name = getattr(model, f"make_{kind}_function"), f"{kind}_function"
    assert getattr(model, name) is None
    made = make()
    assert getattr(model, name) is made is make() is make(force=False)
    setattr(model, name, str)  # the user's
    assert make() is str
    assert make(force=True) is getattr(model, name) is not str


def test_a_train_function_may_be_wrapped(backend):
    seen = []

    class Wrapped(portanet.Model):
        def make_train_function(self, force=False):
            inner = super().make_train_function(force)

            def function(iterator):
                logs = inner(iterator)
                seen.append(sorted(logs))
                return {**logs, "more": 1.0}

            self.train_function = function
            return function

    model, plain = graph(Wrapped), graph(portanet.Model)
    for each in (model, plain):
        each.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=10, verbose=0).history
    assert seen == [["loss"], ["loss"]]
    assert history["more"] == [1.0]
    np.testing.assert_allclose(history["loss"], plain.fit(X, Y, batch_size=10, verbose=0).history["loss"], rtol=1e-5)


def test_metrics_that_layers_update_are_in_the_logs(backend):
    class Watched(layers.Layer):
        def __init__(self):
            super().__init__()
            self.largest = metrics.Mean(name="level")

        def call(self, x):
            self.largest.update_state(x)
            return x

    x = layers.Input((4,))
    model = portanet.Model(x, layers.Dense(1)(Watched()(x)))
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=20, verbose=0).history
    np.testing.assert_allclose(history["level"], [X.mean()], atol=1e-6)
    assert model.metrics_names == ["loss", "level"]


def test_single_batches_and_gradients_use_the_overridden_loss(backend):
    class Doubled(portanet.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)

    model, plain = graph(Doubled), graph(portanet.Model)
    for each in (model, plain):
        each.layers[-2].rate = 0.0
        each.compile(optimizers.SGD(0.0), "mse")
    loss, gradients = model.loss_and_gradients(X, Y)
    expected, single = plain.loss_and_gradients(X, Y)
    to_host = backend.to_host
    np.testing.assert_allclose(to_host(loss), 2 * to_host(expected), rtol=1e-6)
    for path, gradient in single.items():
        np.testing.assert_allclose(to_host(gradients[path]), 2 * to_host(gradient), rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(X, Y), 2 * plain.test_on_batch(X, Y), rtol=1e-6)
    np.testing.assert_allclose(model.train_on_batch(X, Y), 2 * to_host(expected), rtol=1e-6)


def test_an_optimizer_that_measures_curvature_knows_an_overridden_loss(backend):
    logs = []
    for cls in (portanet.Model, Same):
        model = graph(cls)
        model.compile(optimizers.ESGD(0.01), "mse")
        logs.append(model.fit(X, Y, batch_size=10, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(logs[1], logs[0], rtol=1e-4)
    model = graph(Own)
    model.compile(optimizers.ESGD(0.01), "mse")
    with pytest.raises(ValueError, match="measures the curvature"):
        model.fit(X, Y, verbose=0)


def test_apply_outside_of_steps(backend):
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1)])
    x, y = portanet.asarray(X), portanet.asarray(Y)
    loss, optimizer = losses.MeanSquaredError(), optimizers.LossScaleOptimizer(optimizers.Adam(0.1))
    values = []
    for _ in range(20):
        value, gradients = model.value_and_gradients(
            lambda: (optimizer.scale_loss(loss(y, y_pred := model(x))), y_pred), has_aux=True
        )
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        values.append(float(backend.to_host(loss(y, value[1]))))
    assert values[-1] < 0.1 * values[0]
    kept = model.get_weights()
    optimizer.learning_rate = 0.0
    optimizer.apply(gradients)
    for old, new in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="Received: 1 gradients, 2 variables"):
        optimizer.apply(gradients[:1], model.trainable_variables)
    with pytest.warns(UserWarning, match="without a gradient are not updated: 'dense/bias'"):
        optimizer.apply([gradients[0], None], model.trainable_variables)
    with pytest.raises(ValueError, match=r"needs a gradient of at least one variable.*Received: grads=\[None"):
        optimizer.apply([None, None], model.trainable_variables)


@pytest.mark.parametrize("known", [(), ("sgd",), ("sgd", 3)], ids=["other", "one more", "one more beside any"])
def test_compile_with_other_arguments_is_left_to_the_user_when_a_model_is_loaded(tmp_path, known):
    class Special(portanet.Model):
        if len(known) == 1:

            def compile(self, optimizer, factor):
                super().compile(optimizer, "mse")

        elif known:

            def compile(self, kind, steps, factor, **options):
                super().compile(kind, "mse")

        else:

            def compile(self, factor):
                super().compile("sgd", "mse")

    model = graph(Special)
    model.compile(*known, 2)
    model.save(tmp_path / "model.safetensors")
    with pytest.warns(UserWarning, match="is not compiled: its `compile` takes other arguments"):
        again = portanet.load_model(tmp_path / "model.safetensors", custom_objects={"Special": Special})
    assert again.optimizer is None
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.warns(UserWarning, match="is not compiled"):
        assert not portanet.models.clone_model(model).compiled


@pytest.mark.parametrize(
    ("result", "message"),
    [(3.0, "must return a dict"), ({"loss": "low"}, "must return numbers by name")],
)
def test_a_step_returns_numbers_by_name(result, message):
    class Wrong(portanet.Model):
        def train_step(self, data):
            return result

    model = graph(Wrong)
    model.compile("sgd", "mse")
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(X, Y, verbose=0)


def test_a_loss_is_one_number():
    class Wrong(portanet.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return y_pred

    model = graph(Wrong)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"`compute_loss` of model .* must return an array of shape \(\)"):
        model.fit(X, Y, verbose=0)


def test_layers_do_not_train_in_a_step_that_does_not_say_so(backend):
    """`self(x)` is `self(x, training=False)` in every step, as in Keras."""

    class Plain(portanet.Model):
        def train_step(self, data):
            return {"loss": self.compute_loss(*data, self(data[0]))}

        test_step = train_step

    model = graph(Plain)
    model.compile("sgd", "mse")
    expected = float(np.mean((model.predict(X) - Y) ** 2))
    history = model.fit(X, Y, batch_size=20, verbose=0)
    assert history.history["loss"] == pytest.approx([expected], rel=1e-5)
    assert model.evaluate(X, Y, batch_size=20, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_the_rate_of_apply_may_become_a_number(backend):
    layer = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    layer.build((None, 2))
    optimizer = optimizers.SGD(portanet.schedules.PiecewiseConstantDecay([100], [0.5, 0.1]))
    for rate in (None, 0.25, 0.125):
        if rate is not None:
            optimizer.learning_rate = rate
        optimizer.apply([portanet.asarray([[1.0], [0.0]])], layer.trainable_weights)
    np.testing.assert_allclose(layer.kernel.numpy(), [[-0.875], [0.0]])
