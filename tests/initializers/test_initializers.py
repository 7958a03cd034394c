from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import portanet
from portanet import initializers, layers, random
from portanet.backends import Backend
from portanet.initializers import INITIALIZERS

RANDOM = ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "GlorotNormal", "GlorotUniform",
          "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "FanIn", "Orthogonal", "SVD", "Sparse"]  # fmt: skip

DENSE, CONV, RECURRENT, EMBEDDING = (300, 200), (3, 3, 40, 60), (100, 400), (500, 60)
FANS = {DENSE: (300, 200), CONV: (360, 540), RECURRENT: (100, 400), EMBEDDING: (500, 60)}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("shape", FANS)
def test_spread_follows_the_fans(shape: tuple[int, ...]) -> None:
    fan_in, fan_out = FANS[shape]
    assert initializers.fans(shape) == (fan_in, fan_out)
    expected = {
        "GlorotNormal": 2 / (fan_in + fan_out),
        "GlorotUniform": 2 / (fan_in + fan_out),
        "HeNormal": 2 / fan_in,
        "HeUniform": 2 / fan_in,
        "LecunNormal": 1 / fan_in,
        "LecunUniform": 1 / fan_in,
        "FanIn": 1 / fan_in,
    }
    for name, variance in expected.items():
        w = initializers.get(name)(shape, generator())
        assert w.shape == shape
        assert w.dtype == np.float64
        assert w.std() == pytest.approx(math.sqrt(variance), rel=0.02), name
        assert abs(w.mean()) < 4 * math.sqrt(variance / w.size), name


def test_limits_of_the_documents() -> None:
    shape = (300, 200)
    limits = {"LecunUniform": math.sqrt(3 / 300), "GlorotUniform": math.sqrt(6 / 500), "HeUniform": math.sqrt(6 / 300)}
    for name, limit in limits.items():
        largest = np.abs(initializers.get(name)(shape, generator())).max()
        assert 0.999 * limit < largest <= limit


def test_truncation_is_at_two_standard_deviations_of_the_parent() -> None:
    w = initializers.HeNormal()((300, 200), generator())
    parent = math.sqrt(2 / 300) / 0.87962566103423978
    assert 1.99 * parent < np.abs(w).max() <= 2 * parent
    assert np.abs(initializers.TruncatedNormal(1.0, 0.5)((1000,), generator()) - 1.0).max() <= 1.0
    untruncated = initializers.VarianceScaling(distribution="untruncated_normal")((300, 200), generator())
    assert np.abs(untruncated).max() > 3 * math.sqrt(1 / 300)


def test_modes() -> None:
    for mode, fan in (("fan_in", 300), ("fan_out", 200), ("fan_avg", 250)):
        w = initializers.VarianceScaling(3.0, mode)((300, 200), generator())
        assert w.std() == pytest.approx(math.sqrt(3 / fan), rel=0.02)


@given(shape=st.lists(st.integers(1, 7), min_size=2, max_size=4).map(tuple), gain=st.sampled_from([1.0, 0.5, "relu"]))
def test_orthogonal(shape: tuple[int, ...], gain: Any) -> None:
    w = initializers.Orthogonal(gain)(shape, generator()).reshape(-1, shape[-1])
    square = 2.0 if gain == "relu" else gain**2
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, square * np.eye(min(w.shape)), atol=1e-12)


def test_orthogonal_prefers_no_direction() -> None:
    # The trace of a uniformly distributed orthogonal matrix has mean 0 and variance 1.
    traces = [np.trace(initializers.Orthogonal()((5, 5), generator(seed))) for seed in range(400)]
    assert abs(np.mean(traces)) < 0.2
    assert np.var(traces) == pytest.approx(1, abs=0.25)


def test_sparse() -> None:
    w = initializers.Sparse(connections=4, stddev=2.0)((50, 400), generator())
    assert (np.count_nonzero(w, axis=0) == 4).all()
    assert w[w != 0].std() == pytest.approx(2, rel=0.05)
    assert np.count_nonzero(w, axis=1).min() > 10  # no input is preferred
    assert np.count_nonzero(initializers.Sparse(connections=9)((3, 2), generator())) == 6


def test_constants() -> None:
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 2), generator()), [[2, 0], [0, 2]])
    np.testing.assert_array_equal(initializers.Constant([1, 2])((2, 2), generator()), [[1, 2], [1, 2]])
    np.testing.assert_array_equal(initializers.get("one")((2,), generator()), [1, 1])
    np.testing.assert_array_equal(initializers.get("zero")((2,), generator()), [0, 0])
    for name in ("Identity", "Orthogonal"):
        assert isinstance(initializers.get(f"{name}Initializer"), getattr(initializers, name))


@pytest.mark.parametrize("name", RANDOM)
def test_numbers_follow_the_generator_or_the_seed(name: str) -> None:
    kind = INITIALIZERS[name]
    first, again, other = (kind()((20, 10), generator(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    fixed = kind(seed=5)
    np.testing.assert_array_equal(fixed((20, 10), generator(1)), fixed((20, 10), generator(2)))
    assert (kind()((20, 10)) != kind()((20, 10))).any()


@pytest.mark.parametrize("name", sorted({kind.__name__ for kind in INITIALIZERS.values()}))
def test_config_makes_an_equal_initializer(name: str) -> None:
    kind = INITIALIZERS[name]
    initializer = kind()
    copy = kind.from_config(initializer.get_config())
    shape = (6, 1, 5) if name == "STFT" else (6, 5)
    np.testing.assert_array_equal(initializer(shape, generator()), copy(shape, generator()))


def test_weights_are_the_same_on_every_backend(backend: Backend) -> None:
    portanet.random.set_seed(3)
    with portanet.use_backend("numpy"):
        expected = portanet.Sequential([layers.Dense(4)])
        expected.build((None, 3))
    portanet.random.set_seed(3)
    model = portanet.Sequential([layers.Dense(4)])
    model.build((None, 3))
    np.testing.assert_array_equal(model.get_weights()[0], expected.get_weights()[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: initializers.RandomNormal(stddev=-1),
            r"`stddev` of RandomNormal must be a positive.*Received: stddev",
        ),
        (lambda: initializers.RandomNormal(mean="a"), r"`mean` of RandomNormal must be a finite.*Received: mean='a'"),
        (lambda: initializers.TruncatedNormal(stddev=0), r"`stddev` of TruncatedNormal must be.*Received: stddev=0"),
        (lambda: initializers.RandomUniform(1, 1), r"must be below `maxval`\. Received: minval=1, maxval=1"),
        (lambda: initializers.VarianceScaling(0), r"`scale` of VarianceScaling must be a positive.*Received: scale=0"),
        (lambda: initializers.VarianceScaling(mode="in"), "`mode` .* one of 'fan_in', .*Received: mode='in'"),
        (lambda: initializers.VarianceScaling(distribution="t"), r"`distribution` of VarianceScaling must be one of '"),
        (lambda: initializers.HeNormal(seed=-1), r"`seed` of HeNormal must be a non-negative integer. Received: seed="),
        (
            lambda: initializers.Orthogonal("tanh"),
            r"`gain` of Orthogonal must be a finite number.*Received: gain='tanh'",
        ),
        (lambda: initializers.SVD()((3,)), r"rank 2 or more\. Received: shape=\(3,\)"),
        (lambda: initializers.Orthogonal()((3,)), r"rank 2 or more\. Received: shape=\(3,\)"),
        (
            lambda: initializers.Sparse(0),
            r"`connections` of Sparse must be a positive integer.*Received: connections=0",
        ),
        (lambda: initializers.Sparse()((3,)), r"rank 2 or more\. Received: shape=\(3,\)"),
        (lambda: initializers.Identity()((2, 2, 2)), r"rank 2\. Received: shape=\(2, 2, 2\)"),
        (lambda: initializers.Constant("a"), r"`value` of Constant must hold finite numbers\. Received: value='a'"),
        (lambda: initializers.Constant([1, 2])((3,)), r"broadcast to the weight's shape \(3,\)\. Received: a value of"),
        (lambda: initializers.get("he_norm"), r"Unknown initializer\. Did you mean 'he_normal'\?"),
        (lambda: initializers.get(3), r"must be the name of a known initializer.*Received: identifier=3"),
    ],
)
def test_bad_input(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("shape", [(6, 4), (3, 5), (2, 3, 4)])
def test_singular_vectors_are_orthonormal(shape):
    w = initializers.SVD()(shape, generator()).reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, np.eye(min(w.shape)), atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (4, 4), (3, 5), (2, 2, 4)])
def test_singular_vectors_of_a_square_are_the_left_ones(shape):
    rows, columns = math.prod(shape[:-1]), shape[-1]
    left, _, right = np.linalg.svd(generator().standard_normal((rows, columns)))
    expected = (left if rows >= columns else right)[:rows, :columns].reshape(shape)
    np.testing.assert_allclose(initializers.SVD()(shape, generator()), expected, rtol=1e-6, atol=1e-7)


def test_a_generator_as_seed_draws_anew() -> None:
    make = lambda: initializers.HeNormal(seed=random.SeedGenerator(5))
    one, two = make(), make()
    first, second = one((3, 2)), one((3, 2))
    assert (first != second).all()
    np.testing.assert_array_equal(two((3, 2)), first)
    assert one.get_config()["seed"] == 5
