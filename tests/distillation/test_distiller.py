"""A student learns from a teacher, on every backend; `tests/keras/test_distillation.py` compares with Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.distillation import DistillationLoss, Distiller, FeatureDistillation, LogitsDistillation

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 4)).astype("float32"), RNG.normal(size=(16, 3)).astype("float32")


def network(units: int = 5, outputs: int = 3) -> portanet.Model:
    x = layers.Input((4,))
    return portanet.Model(x, layers.Dense(outputs, name="out")(layers.Dense(units, "tanh", name="hidden")(x)))


@portanet.saving.register_serializable(package="tests")
class Distance(DistillationLoss):
    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        return portanet.ops.mean(abs(teacher_outputs - student_outputs))


def test_a_student_comes_closer_to_its_teacher(backend: Any, tmp_path: Any) -> None:
    teacher, student = network(), network()
    losses = [LogitsDistillation(2.0), FeatureDistillation("mse", "hidden", "hidden"), Distance()]
    distiller = Distiller(teacher, student, losses, [0.5, 1.0, 1.0], student_loss_weight=0.1)
    distiller.compile(portanet.optimizers.Adam(0.05), "mse", metrics=["mae"])
    before = [weight.copy() for weight in teacher.get_weights()]
    history = distiller.fit(X, Y, epochs=8, verbose=0).history
    assert history["distillation_loss"][-1] < 0.8 * history["distillation_loss"][0]
    assert {"loss", "mae", "student_loss", "distillation_loss", "total_loss"} == set(history)
    for weight, first in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, first)
    distiller.save(tmp_path / "model.safetensors")
    again = portanet.load_model(tmp_path / "model.safetensors")
    np.testing.assert_allclose(again.predict(X, verbose=0), student.predict(X, verbose=0), rtol=1e-6)
    assert [type(loss) for loss in again.distillation_losses] == [type(loss) for loss in losses]
    first, second = (model.evaluate(X, Y, verbose=0, return_dict=True) for model in (distiller, again))
    assert second == pytest.approx(first, rel=1e-4)


def test_some_of_several_outputs() -> None:
    x = layers.Input((4,))
    models = [portanet.Model(x, [layers.Dense(2)(x), layers.Dense(3)(x)]) for _ in range(2)]
    distiller = Distiller(*models, LogitsDistillation(loss=["mse", None]), student_loss_weight=0.0)
    distiller.compile("sgd", ["mse", "mse"])
    loss = distiller.evaluate(X, [np.zeros((16, 2)), Y], verbose=0, return_dict=True)["loss"]
    first, second = (model.predict(X, verbose=0)[0] for model in models)
    assert loss == pytest.approx(np.mean((first - second) ** 2) / 9, rel=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Distiller(1, network(), Distance()), "Argument `teacher`"),  # type: ignore[arg-type]
        (lambda: Distiller(network(), network(outputs=2), Distance()), "must have outputs of the same shapes"),
        (lambda: Distiller(network(), network(), []), "Argument `distillation_losses`"),
        (lambda: Distiller(network(), network(), [Distance()], [1.0, 2.0]), "a list of 1 numbers"),
        (lambda: Distiller(network(), network(), Distance(), student_loss_weight=2.0), "number in "),
        (lambda: Distiller(network(), network(), FeatureDistillation("mse", "none", "hidden")), "'none'"),
        (lambda: Distiller(network(), network(), Distance()).compile(), "Argument `loss`"),
        (lambda: LogitsDistillation(0), "positive number"),
        (lambda: LogitsDistillation(loss=None), "Argument `loss`"),
        (lambda: FeatureDistillation("nothing"), "nothing"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_subclassed_model_has_no_features() -> None:
    class Own(portanet.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(ValueError, match="which is no graph"):
        Distiller(network(), Own(), FeatureDistillation("mse", "hidden", "hidden"))


def test_a_loss_returns_one_number() -> None:
    class Each(Distance):
        def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
            return teacher_outputs - student_outputs

    distiller = Distiller(network(), network(), Each())
    distiller.compile("sgd", "mse")
    with pytest.raises(ValueError, match="must return an array of shape"):
        distiller.fit(X, Y, verbose=0)
    with pytest.raises(NotImplementedError, match="compute_loss"):
        DistillationLoss().compute_loss(X, X)
