"""Models with overridden steps, in classes that differ in the library alone, against Keras 3: curves and weights."""

import numpy as np
import pytest

import portanet
from portanet.autodiff import array_namespace

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
generator = np.random.default_rng(0)
X = generator.normal(size=(40, 4)).astype("float32")
Y = np.tanh(X.sum(axis=1, keepdims=True)) + 0.1 * generator.normal(size=(40, 1)).astype("float32")
WEIGHT = generator.uniform(0.5, 2.0, size=40).astype("float32")


def doubled(lib):
    class Doubled(lib.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)

    return Doubled


def old_signature(lib):
    class OldSignature(lib.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return super().compute_loss(x, y, y_pred, sample_weight) + lib.losses.MeanAbsoluteError()(y, y_pred)

    return OldSignature


def tracked(lib):
    class Tracked(lib.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.tracker = lib.metrics.Mean(name="loss")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = lib.losses.Huber()(y, y_pred, sample_weight)
            self.tracker.update_state(loss)
            return loss

        def reset_metrics(self):
            self.tracker.reset_state()

        @property
        def metrics(self):
            return [self.tracker]

    return Tracked


def more_metrics(lib):
    class MoreMetrics(lib.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.extra = lib.metrics.MeanAbsoluteError(name="extra")

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.extra.update_state(y, y_pred, sample_weight)
            return {**results, "extra": self.extra.result(), "constant": 3.0}

    return MoreMetrics


def own_test_step(lib):
    class OwnTestStep(lib.Model):
        def test_step(self, data):
            x, y, weight = (*data, None)[:3]
            y_pred = self(x, training=False)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight, training=False)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

        def predict_step(self, data):
            return -self(data[0] if isinstance(data, tuple) else data, training=False)

    return OwnTestStep


CASES = [doubled, old_signature, tracked, more_metrics, own_test_step]


def graph(lib, cls):
    x = lib.layers.Input((4,))
    hidden = lib.layers.Dense(6, activation="tanh", kernel_regularizer=lib.regularizers.L2(0.01))(x)
    hidden = lib.layers.BatchNormalization()(hidden)
    return cls(x, lib.layers.Dense(1)(hidden))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("define", CASES)
def test_as_keras(backend, define, weight):
    ours, twin = graph(portanet, define(portanet)), graph(keras, define(keras))
    twin.set_weights(ours.get_weights())
    logs = []
    for lib, model in ((portanet, ours), (keras, twin)):
        metrics = None if define is own_test_step else ["mae"]
        model.compile(lib.optimizers.Adam(0.05), "mse", metrics=metrics)
        history = model.fit(
            X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0, sample_weight=weight, validation_data=(X, Y)
        ).history
        logs.append((history, model.evaluate(X, Y, batch_size=16, verbose=0, return_dict=True)))
    for ours_by_name, theirs_by_name in zip(*logs, strict=True):
        assert set(theirs_by_name) <= set(ours_by_name)
        for name, values in theirs_by_name.items():
            np.testing.assert_allclose(ours_by_name[name], values, rtol=2e-4, err_msg=name)
    for mine, other in zip(ours.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        ours.predict(X, batch_size=16), twin.predict(X, batch_size=16, verbose=0), rtol=1e-3, atol=1e-4
    )


def distiller(lib):
    class Distiller(lib.Model):
        def __init__(self, student, teacher):
            super().__init__()
            self.student = student
            self.teacher = teacher

        def compile(self, optimizer, metrics, student_loss_fn, distillation_loss_fn, alpha=0.3):
            super().compile(optimizer=optimizer, metrics=metrics)
            self.student_loss_fn = student_loss_fn
            self.distillation_loss_fn = distillation_loss_fn
            self.alpha = alpha

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False):
            soft = self.distillation_loss_fn(self.teacher(x, training=False), y_pred)
            return self.alpha * self.student_loss_fn(y, y_pred) + (1 - self.alpha) * soft

        def call(self, x):
            return self.student(x)

    return Distiller


def classifier(lib, units):
    return lib.Sequential([lib.layers.Input((4,)), lib.layers.Dense(units), lib.layers.Dense(3, activation="softmax")])


def test_distillation_as_keras(backend):
    labels = generator.integers(0, 3, 40)
    logs, models = [], []
    for lib in (portanet, keras):
        student, teacher = classifier(lib, 5), classifier(lib, 8)
        teacher.trainable = False
        model = distiller(lib)(student, teacher)
        model.compile(
            lib.optimizers.SGD(0.5),
            [lib.metrics.SparseCategoricalAccuracy(name="accuracy")],
            lib.losses.SparseCategoricalCrossentropy(),
            lib.losses.KLDivergence(),
        )
        models.append(model)
        if lib is portanet:
            start = student.get_weights(), teacher.get_weights()
        else:
            student.set_weights(start[0])
            teacher.set_weights(start[1])
        history = model.fit(X, labels, batch_size=16, epochs=3, shuffle=False, verbose=0).history
        logs.append({**history, "evaluated": model.evaluate(X, labels, verbose=0)})
    assert set(logs[0]) == set(logs[1])
    for name, values in logs[1].items():
        np.testing.assert_allclose(logs[0][name], values, rtol=2e-4, err_msg=name)
    for ours, theirs in zip(models[0].student.get_weights(), models[1].student.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


class OurGan(portanet.Model):
    def train_step(self, data):
        real, noise = data
        bce = portanet.losses.BinaryCrossentropy(from_logits=True)

        def discriminate():
            on_real, on_fake = self.discriminator(real), self.discriminator(self.generator(noise))
            xp = array_namespace(on_real)
            return bce(xp.ones_like(on_real), on_real) + bce(xp.zeros_like(on_fake), on_fake)

        variables = self.discriminator.trainable_variables
        d_loss, gradients = self.value_and_gradients(discriminate, variables)
        self.d_optimizer.apply(gradients, variables)

        def deceive():
            on_fake = self.discriminator(self.generator(noise))
            return bce(array_namespace(on_fake).ones_like(on_fake), on_fake)

        variables = self.generator.trainable_variables
        g_loss, gradients = self.value_and_gradients(deceive, variables)
        self.g_optimizer.apply(gradients, variables)
        return {"d_loss": d_loss, "g_loss": g_loss}


class TheirGan(keras.Model):
    def train_step(self, data):
        real, noise = data
        bce = keras.losses.BinaryCrossentropy(from_logits=True)
        for which in ("d", "g"):
            self.zero_grad()
            on_fake = self.discriminator(self.generator(noise))
            if which == "d":
                on_real = self.discriminator(real)
                d_loss = loss = bce(torch.ones_like(on_real), on_real) + bce(torch.zeros_like(on_fake), on_fake)
            else:
                g_loss = loss = bce(torch.ones_like(on_fake), on_fake)
            loss.backward()
            variables = (self.discriminator if which == "d" else self.generator).trainable_weights
            gradients = [v.value.grad for v in variables]
            with torch.no_grad():
                (self.d_optimizer if which == "d" else self.g_optimizer).apply(gradients, variables)
        return {"d_loss": d_loss, "g_loss": g_loss}


@pytest.mark.parametrize("jit_compile", ["auto", True])
def test_gan_as_keras(backend, jit_compile):
    noise = generator.normal(size=(40, 2)).astype("float32")
    models, curves, starts = [], [], None
    for lib, cls in ((portanet, OurGan), (keras, TheirGan)):
        model = cls()
        model.generator = lib.Sequential(
            [lib.layers.Input((2,)), lib.layers.Dense(6, activation="tanh"), lib.layers.Dense(4)]
        )
        model.discriminator = lib.Sequential(
            [lib.layers.Input((4,)), lib.layers.Dense(6), lib.layers.LeakyReLU(), lib.layers.Dense(1)]
        )
        model.built = True
        model.compile(jit_compile=jit_compile if lib is portanet else "auto")
        model.d_optimizer, model.g_optimizer = lib.optimizers.Adam(0.01), lib.optimizers.RMSprop(0.02)
        if starts is None:
            starts = model.generator.get_weights(), model.discriminator.get_weights()
        model.generator.set_weights(starts[0])
        model.discriminator.set_weights(starts[1])
        curves.append(model.fit(X, noise, batch_size=8, epochs=3, shuffle=False, verbose=0).history)
        models.append(model)
    for name in ("d_loss", "g_loss"):
        np.testing.assert_allclose(curves[0][name], curves[1][name], rtol=1e-3)
    for part in ("generator", "discriminator"):
        pairs = zip(getattr(models[0], part).get_weights(), getattr(models[1], part).get_weights(), strict=True)
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours, theirs, rtol=5e-3, atol=1e-3)
