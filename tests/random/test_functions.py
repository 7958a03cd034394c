"""Random arrays under the names of Keras: their distributions, what a seed means, and generators in layers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, random
from portanet.random import functions
from portanet.variables import bind
from tests.support import asarray, assert_equal, to_numpy

stats = pytest.importorskip("scipy.stats")

LAWS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("normal", (1.0, 2.0), stats.norm(1.0, 2.0)),
    ("truncated_normal", (1.0, 2.0), stats.truncnorm(-2, 2, 1.0, 2.0)),
    ("uniform", (-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    ("gamma", (2.5,), stats.gamma(2.5)),
    ("beta", (2.0, 3.0), stats.beta(2.0, 3.0)),
    ("randint", (0, 5), stats.randint(0, 5)),
    ("binomial", (10, 0.3), stats.binom(10, 0.3)),
]


@pytest.mark.parametrize(("name", "args", "law"), LAWS)
def test_distributions(name: str, args: tuple[Any, ...], law: Any, xp: Any) -> None:
    x = getattr(random, name)((40, 50), *args, seed=3)
    values = to_numpy(x)
    assert values.shape == (40, 50)
    assert values.dtype == ("int32" if name == "randint" else "float32")
    if hasattr(law.dist, "pdf"):
        assert stats.kstest(values.ravel(), law.cdf).pvalue > 1e-3
    else:
        counts = np.bincount(values.ravel().astype("int64"), minlength=11)[:11]
        expected = 2000 * law.pmf(np.arange(11))
        few = expected > 5
        assert stats.chisquare(counts[few], expected[few] * counts[few].sum() / expected[few].sum()).pvalue > 1e-3


def test_what_a_seed_means(xp: Any) -> None:
    first, second = (random.normal((3,), seed=7) for _ in range(2))
    assert_equal(first, to_numpy(second))
    generator = random.SeedGenerator(7)
    drawn = [to_numpy(random.normal((3,), seed=generator)) for _ in range(2)]
    assert (drawn[0] != drawn[1]).all()
    again = random.SeedGenerator.from_config(generator.get_config())
    assert_equal(random.normal((3,), seed=again), drawn[0])
    with random.use_seed(5):
        one, two = to_numpy(random.uniform((3,))), to_numpy(random.uniform((3,)))
    with random.use_seed(5):
        assert_equal(random.uniform((3,)), one)
    assert (one != two).all()


def test_categorical_dropout_and_shuffle(xp: Any) -> None:
    logits = asarray(np.log([[0.1, 0.2, 0.7], [1.0, 1e-30, 1e-30]]))
    drawn = to_numpy(random.categorical(logits, 1000, seed=1))
    assert drawn.shape == (2, 1000)
    np.testing.assert_allclose(np.bincount(drawn[0], minlength=3) / 1000, [0.1, 0.2, 0.7], atol=0.04)
    assert not drawn[1].any()
    kept = to_numpy(random.dropout(asarray(np.ones((50, 4))), 0.25, noise_shape=(None, 1), seed=1))
    assert set(np.unique(kept)) == {0.0, np.float32(1 / 0.75)}
    assert (kept == kept[:, :1]).all()
    x = np.arange(12).reshape(3, 4)
    shuffled = to_numpy(random.shuffle(asarray(x, "int32"), axis=1, seed=2))
    assert sorted(shuffled.T.tolist()) == x.T.tolist()
    assert shuffled.tolist() != x.tolist()


class Noise(layers.Layer):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.generator = random.SeedGenerator(3)

    def call(self, x: Any) -> Any:
        return x + random.normal(tuple(x.shape), seed=self.generator)


def test_a_generator_in_a_layer_counts_in_compiled_steps(xp: Any) -> None:
    model = portanet.Sequential([layers.Input((2,)), Noise(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, epochs=2, verbose=0)
    (path,) = (path for path in model.named_variables() if "seed_generator" in path)
    assert int(to_numpy(model.named_variables()[path].value)) == 8
    assert len(model.weights) == 2
    before = model.named_variables()[path]
    with bind({before: before.value}):
        model(asarray(np.ones((2, 2))))
    assert int(to_numpy(before.value)) == 8  # a call with bound state is pure


def test_a_compiled_step_without_a_generator_is_refused(backend: Any) -> None:
    noise = layers.Lambda(lambda x: x + random.normal(tuple(x.shape)))
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2), noise])
    model.compile("sgd", "mse")
    if backend.name != "jax":  # the one that compiles
        model.predict(np.ones((2, 2)), verbose=0)
        return
    with pytest.raises(ValueError, match=r"SeedGenerator .* Received: seed=None"):
        model.predict(np.ones((2, 2)), verbose=0)


def test_draws_from_inverse_distributions_leave_out_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least and the greatest uniform number that float32 has."""
    ends = np.asarray([0.0, 2.0**-24, 0.5, 1 - 2.0**-24], "float32")
    monkeypatch.setattr(functions, "uniform", lambda *args, **options: ends)
    for draw in (lambda: functions.gamma((4,), 2.0, seed=1), lambda: functions.beta((4,), 2.0, 3.0, seed=1)):
        values = to_numpy(draw())
        assert np.isfinite(values).all()
        assert (np.diff(values) > 0).all()
        assert values[0] > 0


def test_ends_of_any_kind_of_number(backend: Any) -> None:
    expected = to_numpy(random.uniform((3,), 0.5, 2.0, seed=1))
    np.testing.assert_array_equal(to_numpy(random.uniform((3,), Fraction(1, 2), np.float64(2), seed=1)), expected)
