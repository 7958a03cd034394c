"""Pages of autoencoders, at small sizes: the numbers of Shanahan's document, and what each kind is for."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

pytest.importorskip("sklearn")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy"):
        yield


def test_the_summary_and_the_halves_of_the_document():
    page = load("autoencoders/simple_autoencoder")
    x, x_test, _, _ = page.data()
    assert (x.shape, x_test.shape) == ((1600, 100), (400, 100))
    model, inputs, code = page.autoencoder()
    assert [layer.count_params() for layer in model.layers if layer.count_params()] == [5050, 510, 550, 5100]
    assert model.count_params() == 11_210
    loss = model.fit(x, x, epochs=4, verbose=0).history["loss"]
    assert loss == sorted(loss, reverse=True)
    encoder, decoder = page.halves(model, inputs, code)
    encoded = encoder.predict(x_test, verbose=0)
    assert encoded.shape == (400, 10)
    decoded = decoder.predict(encoded, verbose=0)
    assert decoded.shape == (400, 100)
    np.testing.assert_allclose(decoded, model.predict(x_test, verbose=0), rtol=1e-5, atol=1e-5)


FAMILY = load("autoencoders/family")


@pytest.mark.parametrize("kind", FAMILY.KINDS)
def test_each_kind_learns(kind):
    x, x_test = FAMILY.digits()
    model, encoder, _ = FAMILY.train(kind, x[:600], epochs=15)
    assert encoder.predict(x_test[:5], verbose=0).shape == (5, 16)
    assert FAMILY.error(model, x_test, x_test) < 0.8 * float(np.mean((x_test - x.mean(axis=0)) ** 2))
    assert model.count_params() == {"deep": 64 * 32 + 32 + 32 * 16 + 16 + 16 * 32 + 32 + 32 * 64 + 64}.get(
        kind, 64 * 16 + 16 + 64 + (0 if kind == "tied" else 16 * 64)
    )


def test_no_linear_autoencoder_is_better_than_principal_components():
    x, _ = FAMILY.digits()
    decomposition = pytest.importorskip("sklearn.decomposition")
    components = decomposition.PCA(16).fit(x)
    expected = np.mean((components.inverse_transform(components.transform(x)) - x) ** 2)
    best = FAMILY.component_error(x, x, 16)
    assert best == pytest.approx(expected, rel=1e-3)
    model, _, _ = FAMILY.train("linear", x, epochs=6)
    assert best < FAMILY.error(model, x, x) < 2.5 * best


def test_the_penalty_makes_the_code_move_less():
    moved = FAMILY.contraction(FAMILY.digits()[0][:300], (0.0, 0.05), epochs=4)
    assert moved[1] < 0.8 * moved[0]


STACKED = load("autoencoders/stacked")


def test_layers_that_are_frozen_stay_and_the_cache_changes_nothing():
    x = STACKED.digits()[0][:300]
    model = STACKED.stack()
    STACKED.outer_pair(model, x, 2)
    outer = model.layers[0].get_weights()[0]
    for way in (STACKED.one_at_a_time, STACKED.cached):
        stacked = way(x, epochs=2)
        np.testing.assert_array_equal(stacked.layers[0].get_weights()[0], outer)
        assert not np.array_equal(stacked.layers[1].get_weights()[0], model.layers[1].get_weights()[0])


@pytest.mark.parametrize("way", ["together", "one_at_a_time", "cached"])
def test_each_way_of_stacking_learns(way):
    x, x_test = STACKED.digits()
    model = getattr(STACKED, way)(x[:500], epochs=8)
    assert STACKED.error(model, x_test) < 0.7 * float(np.mean((x_test - x.mean(axis=0)) ** 2))


def test_tied_weights_are_half_of_the_weights():
    assert STACKED.stack().count_params() == 2 * (64 * 40 + 40 * 12) + 40 + 12 + 40 + 64
    assert STACKED.tied().count_params() == 64 * 40 + 40 * 12 + 40 + 12 + 40 + 64


def test_noise_is_removed():
    page = load("autoencoders/convolutional")
    x, x_test = page.digits(400)
    model, history = page.train(page.noisy(x), x, epochs=6)
    assert history.history["loss"][-1] < history.history["loss"][0]
    spoilt = page.noisy(x_test[:200], seed=1)
    assert page.error(model.predict(spoilt, verbose=0), x_test[:200]) < 0.8 * page.error(spoilt, x_test[:200])


def test_sequences_pass_through_four_numbers():
    page = load("autoencoders/sequences")
    x, _, _ = page.waves(200)
    _, encoder, history = page.train(x, epochs=12)
    assert encoder.predict(x[:3], verbose=0).shape == (3, 4)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]


def test_a_variational_autoencoder_generates_and_interpolates():
    page = load("autoencoders/variational")
    x, _ = page.digits()
    model, encoder, decoder, history = page.train(x[:500], epochs=8)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert page.grid(decoder, 3).shape == (24, 24)
    codes = encoder.predict(x[:2], verbose=0)
    line = page.between(codes[0], codes[1], 5)
    np.testing.assert_allclose(line[[0, -1]], codes, rtol=1e-5, atol=1e-6)
    assert page.copies(model, x[0]).std(axis=0).max() > 0.01


def test_the_divergence_is_that_of_two_normal_distributions():
    """Against numerical integration of p log(p / q)."""
    page = load("autoencoders/variational")
    mean, deviation = 0.7, 0.5
    z = np.linspace(-6, 6, 20001)
    p, q = (np.exp(-(((z - m) / s) ** 2) / 2) / (s * np.sqrt(2 * np.pi)) for m, s in ((mean, deviation), (0.0, 1.0)))
    expected = float(np.sum(p * np.log(p / q)) * (z[1] - z[0]))
    with portanet.variables.collect_losses() as losses:
        page.Divergence()(np.full((3, 1), mean), np.full((3, 1), 2 * np.log(deviation)))
    assert float(losses[0]) == pytest.approx(expected, rel=1e-5)


def test_pretrained_layers_are_restored():
    """On 8 x 8 digits: most have no labels."""
    datasets = pytest.importorskip("sklearn.datasets")
    page = load("autoencoders/pretraining_mnist")
    digits = datasets.load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target
    result = page.compare(x[:600], (x[:60], y[:60]), (x[600:1000], y[600:1000]), epochs=2)
    assert result.pop("features").shape == (64, 300)
    assert min(result.values()) > 0.6
