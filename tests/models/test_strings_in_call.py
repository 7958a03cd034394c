"""Models whose `call` looks strings up: they train on any backend, with strings as NumPy arrays or lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, models, ops
from portanet.saving import register_serializable

WORDS = np.asarray([["good day"], ["bad day"], ["good"], ["bad"]])
LABELS = np.asarray([1.0, 0.0, 1.0, 0.0], dtype="float32")


@register_serializable("tests_strings")
class Judge(models.Model):
    """Words in `call` as the average of their vectors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.words = layers.TextVectorization(vocabulary=["good", "bad", "day"], output_sequence_length=3)
        self.vectors = layers.Embedding(5, 4)
        self.out = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.out(ops.mean(self.vectors(self.words(x)), axis=1))


@pytest.fixture
def judge(backend: Any) -> Judge:
    portanet.random.set_seed(0)
    model = Judge()
    model.compile(portanet.optimizers.SGD(0.5), "mse")
    return model


def test_it_trains_as_on_indices(judge: Judge) -> None:
    inputs = layers.Input((3,), dtype="int32")
    same = models.Model(inputs, layers.Dense(1)(ops.mean(layers.Embedding(5, 4)(inputs), axis=1)))
    same.compile(portanet.optimizers.SGD(0.5), "mse")
    indices = np.asarray([[2, 4, 0], [3, 4, 0], [2, 0, 0], [3, 0, 0]])
    assert portanet.to_host(judge.words(WORDS[:, 0])).tolist() == indices.tolist()
    judge(WORDS[:, 0])
    same.set_weights(judge.get_weights())
    ours = judge.fit(WORDS[:, 0], LABELS, epochs=5, batch_size=2, verbose=0).history["loss"]
    theirs = same.fit(indices, LABELS, epochs=5, batch_size=2, verbose=0).history["loss"]
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert judge.evaluate(WORDS[:, 0], LABELS, verbose=0) == pytest.approx(ours[-1], abs=1)


@pytest.mark.parametrize(
    "form", [lambda x: x[:, 0].tolist(), lambda x: x[:, 0].astype(object), lambda x: x[:, 0].astype("S")]
)
def test_forms_of_strings(judge: Judge, form: Any) -> None:
    np.testing.assert_allclose(judge.predict(form(WORDS)), judge.predict(WORDS[:, 0]), rtol=1e-5, atol=1e-6)


def test_batches_from_a_generator(judge: Judge) -> None:
    history = judge.fit(((WORDS[i : i + 2, 0], LABELS[i : i + 2]) for i in (0, 2)), epochs=1, verbose=0).history
    assert list(history) == ["loss"]


def test_strings_beside_numbers(backend: Any) -> None:
    class Priced(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.kind = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
            self.out = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.out(ops.concatenate([ops.cast(self.kind(x["kind"]), "float32"), x["size"]], axis=-1))

    model = Priced()
    model.compile("sgd", "mse")
    data = {"kind": np.asarray(["a", "b", "c"]), "size": np.ones((3, 2), dtype="float32")}
    model.fit(data, np.ones(3, dtype="float32"), verbose=0)
    assert model.predict(data, verbose=0).shape == (3, 1)
    with pytest.raises(TypeError, match=r"size.*must be numeric"):
        model.predict({**data, "size": np.asarray([[None, 1]] * 3, dtype=object)})


def test_a_step_of_its_own(backend: Any) -> None:
    class Own(Judge):
        def train_step(self, data: Any) -> Any:
            x, y = data
            loss, gradients = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x, training=True)))
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    model = Own()
    model.compile("sgd", "mse")
    assert list(model.fit(WORDS[:, 0], LABELS, verbose=0).history) == ["loss"]


def test_a_file(judge: Judge, tmp_path: Any) -> None:
    expected = judge.predict(WORDS[:, 0])
    judge.save(tmp_path / "judge.safetensors")
    np.testing.assert_array_equal(portanet.load_model(tmp_path / "judge.safetensors").predict(WORDS[:, 0]), expected)


def test_other_models_refuse_strings(backend: Any) -> None:
    model = models.Sequential([layers.Dense(1)])
    with pytest.raises(TypeError, match="must be numeric"):
        model.predict(WORDS)
    with pytest.raises(TypeError, match="computes with numbers"):
        model(WORDS)
