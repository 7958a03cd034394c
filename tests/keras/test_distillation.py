"""A student learns from a teacher as in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet

keras: Any = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4)).astype("float32"), RNG.integers(0, 3, 20)
LOSSES: dict[str, Any] = {
    "logits": (lambda lib: lib.distillation.LogitsDistillation(loss=lib.losses.KLDivergence()), None, 0.5),
    "both": (
        lambda lib: [
            lib.distillation.LogitsDistillation(2.0, "mse"),
            lib.distillation.FeatureDistillation("mae", "hidden", "hidden"),
        ],
        [0.7, 0.3],
        0.3,
    ),
    "teacher alone": (lambda lib: lib.distillation.FeatureDistillation("mse"), None, 0.0),
    "targets alone": (lambda lib: [lib.distillation.LogitsDistillation(4.0, "mse")], None, 1.0),
}


def network(library: Any, seed: int) -> Any:
    x = library.layers.Input((4,))
    hidden = library.layers.Dense(5, "tanh", name="hidden")(x)
    model = library.Model(x, library.layers.Dense(3)(hidden))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=np.shape(w), scale=0.5).astype("float32") for w in model.get_weights()])
    return model


@pytest.mark.parametrize("name", LOSSES)
def test_a_student_learns_as_in_keras(name: str) -> None:
    make, weights, share = LOSSES[name]
    seen = []
    for library in (keras, portanet):
        teacher, student = network(library, 1), network(library, 2)
        distiller = library.distillation.Distiller(teacher, student, make(library), weights, student_loss_weight=share)
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        distiller.compile(library.optimizers.SGD(0.1), loss, metrics=["accuracy"])
        history = distiller.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
        assert not teacher.trainable
        assert student.trainable
        facts = (len(distiller.trainable_variables), distiller.metrics_names, len(distiller.distillation_losses))
        seen.append((history, distiller.evaluate(X, Y, verbose=0), student.get_weights(), facts))
    (history, evaluated, weights, facts), (ours, own, learned, own_facts) = seen
    assert {k: pytest.approx(np.asarray(v, "float64"), rel=1e-4, abs=1e-6) for k, v in history.items()} == ours
    np.testing.assert_allclose(own, evaluated, rtol=1e-4, atol=1e-6)
    for after, expected in zip(learned, weights, strict=True):
        np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-5)
    assert own_facts == facts


def test_the_divergence_by_name_is_that_of_probabilities() -> None:
    """As Keras documents it; Keras itself compares logits where the name is passed, and this where the object is."""
    outputs = np.asarray([[1.0, 2.0, 0.5]], "float32"), np.asarray([[0.0, 3.0, 1.0]], "float32")
    expected = keras.distillation.LogitsDistillation(2.0, keras.losses.KLDivergence()).compute_loss(*outputs)
    ours = portanet.distillation.LogitsDistillation(2.0).compute_loss(*map(portanet.asarray, outputs))
    assert float(ours) == pytest.approx(float(expected), rel=1e-5)
