"""Pages about depth, at small sizes."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.gallery.pages import load

pytest.importorskip("sklearn")
DENSE, PICTURES, GATES = (load(f"depth/{name}") for name in ("dense_shortcuts", "convolutional_shortcuts", "gates"))


@pytest.fixture
def numpy_backend():
    with portanet.use_backend("numpy"):
        yield


@pytest.mark.parametrize(
    ("shape", "block", "expected"),
    [
        ((6,), lambda x: DENSE.residual(x, 6), (None, 6)),
        ((6,), lambda x: DENSE.pre_activation(x, 6), (None, 6)),
        ((6,), lambda x: DENSE.highway(x, 6), (None, 6)),
        ((4, 4, 4), lambda x: PICTURES.highway(x, 4), (None, 4, 4, 4)),
        ((4, 4, 2), lambda x: PICTURES.dense(PICTURES.dense(x, 4), 4), (None, 4, 4, 10)),
        ((4, 4, 2), lambda x: PICTURES.transition(PICTURES.dense(x, 4), 3), (None, 2, 2, 3)),
        ((4, 4, 2), lambda x: PICTURES.inception(x, 12), (None, 4, 4, 12)),
    ],
)
def test_blocks_train(backend, shape, block, expected):
    portanet.random.set_seed(0)
    x = layers.Input(shape)
    y = block(x)
    assert y.shape == expected
    model = portanet.Model(x, layers.Dense(1)(layers.Flatten()(y)))
    model.compile(portanet.optimizers.Adam(0.01), "mse")
    data = np.random.default_rng(0).standard_normal((32, *shape)).astype("float32")
    loss = model.fit(data, data.reshape(32, -1)[:, :1], epochs=4, batch_size=8, verbose=0).history["loss"]
    assert loss[-1] < loss[0]


def test_of_thirty_layers_those_with_shortcuts_learn(numpy_backend):
    """Two classes on a line: without shortcuts, the gradient nearly vanishes behind 30 layers."""
    x = np.random.default_rng(0).standard_normal((256, 64)).astype("float32")
    data = x, (x[:, 0] > 0).astype("int32")
    assert DENSE.accuracy(DENSE.highway, 30, data, data, 20)[1] > 0.75
    assert DENSE.accuracy(DENSE.plain, 30, data, data, 20)[1] < 0.65


def test_gradients_fade_in_the_plain_network_alone(numpy_backend):
    (x, y), _ = DENSE.digits()
    plain, carried = (DENSE.gradients(block, 30, x[:200], y[:200]) for block in (DENSE.plain, DENSE.highway))
    assert max(plain) < 0.1 * min(carried)


@pytest.mark.parametrize("kind", PICTURES.KINDS)
def test_convolutional_networks_of_any_depth_train(numpy_backend, kind):
    (x, y), _ = PICTURES.digits(300)
    history, _ = PICTURES.train(kind, (x, y), (x, y), epochs=2, depth=4)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_the_networks_of_the_document(numpy_backend):
    """25 highway units of 64 filters of 3 x 3, five convolutions of stride 2, one at each end."""
    model = PICTURES.network("highway", depth=25, filters=64, shape=(32, 32, 3), strides=5)
    unit = 2 * (3 * 3 * 64 * 64 + 64)
    first, last = 3 * 3 * 3 * 64 + 4 * 64, 3 * 3 * 64 * 10 + 4 * 10
    assert model.count_params() == 25 * unit + 5 * (3 * 3 * 64 * 64 + 4 * 64) + first + last
    assert PICTURES.network("plain", depth=25, filters=64, shape=(32, 32, 3), strides=5).output_shape == (None, 10)


@pytest.mark.parametrize("units", [1, 5, 12])
def test_connections_of_a_dense_block(numpy_backend, units):
    maps = PICTURES.seen(units)
    assert maps == [4 + 4 * unit for unit in range(units)]
    assert sum(count // 4 for count in maps) == units * (units + 1) // 2


def test_the_rate_is_divided_at_a_half_and_three_quarters(numpy_backend):
    rates = [float(PICTURES.schedule(100)(step)) for step in (0, 49, 51, 74, 76, 99)]
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-6)


def test_the_gate_of_the_document(numpy_backend):
    """S 2824: what is written and what stays; and gradient descent finds the same gate."""
    np.testing.assert_array_equal(GATES.gated(GATES.GATE, GATES.X, GATES.MEMORY), [8, 11, 3, 7, 5, 15])
    gates = GATES.learned()
    np.testing.assert_allclose(gates[0], 0.5)
    np.testing.assert_array_equal(np.round(gates[-1]), GATES.GATE)
    np.testing.assert_allclose(GATES.gated(gates[-1], GATES.X, GATES.MEMORY), [8, 11, 3, 7, 5, 15], atol=0.5)


def test_smoothing_is_a_weighted_sum_of_the_past(numpy_backend):
    actual = GATES.series()
    forecast = GATES.smoothed(actual, 0.3)
    weights = np.append(0.3 * 0.7 ** np.arange(9), 0.7**9)
    assert forecast[9] == pytest.approx(weights @ np.append(actual[8::-1], actual[0]))
    np.testing.assert_array_equal(GATES.smoothed(actual, 1.0)[1:], actual[:-1])
    assert GATES.moving_average(actual)[10] == pytest.approx(actual[6:10].mean())
    assert GATES.simple_mean(actual)[10] == pytest.approx(actual[:10].mean())
