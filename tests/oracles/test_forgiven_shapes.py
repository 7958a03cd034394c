"""Targets, weights and inputs whose shapes differ from the declared ones by an axis of size 1, against Keras 3."""

import numpy as np
import pytest

import portanet

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
generator = np.random.default_rng(0)
X = generator.normal(size=(20, 4)).astype("float32")
POSITIVE = X[:, 0] > 0
IMAGES = generator.normal(size=(20, 6, 5)).astype("float32")
LOSSES = """
    mse mae mape msle huber log_cosh binary_crossentropy binary_focal_crossentropy hinge squared_hinge poisson
    kl_divergence cosine_similarity dice tversky
"""


def dense(lib, shape, activation="sigmoid"):
    x = lib.layers.Input(shape)
    return lib.Model(x, lib.layers.Dense(1, activation=activation)(lib.layers.Flatten()(x)))


def steps(lib, shape):
    x = lib.layers.Input(shape)
    return lib.Model(x, lib.layers.Dense(1)(x))


def stack(lib, shape):
    return lib.Sequential([lib.layers.Input(shape), lib.layers.Flatten(), lib.layers.Dense(1)])


def compare(build, shape, x, y, loss="mse", metrics=("mae",), weight=None):
    models, curves, start = [], [], None
    for lib in (portanet, keras):
        model = build(lib, shape)
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        model.compile("sgd", loss, metrics=list(metrics), weighted_metrics=list(metrics))
        options = {} if lib is keras else {"check_finite": False}
        history = model.fit(
            x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, sample_weight=weight, **options
        ).history
        curves.append({**history, "evaluated": model.evaluate(x, y, verbose=0)[:2]})
        models.append(model)
    for name in ("loss", *metrics, "evaluated"):
        np.testing.assert_allclose(curves[0][name], curves[1][name], rtol=2e-4, err_msg=name)
    ours, theirs = models[0].predict(x), models[1].predict(x, verbose=0)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES.split())
def test_targets_without_the_last_axis(backend, loss):
    compare(dense, (4,), X, POSITIVE.astype("float32"), loss)


@pytest.mark.parametrize("y", [POSITIVE, POSITIVE[:, None]], ids=["vector", "column"])
def test_boolean_targets(backend, y):
    compare(dense, (4,), X, y, "binary_crossentropy", ("accuracy", "mae"))


@pytest.mark.parametrize("shape", [(20,), (20, 1)])
def test_weights_may_be_columns(backend, shape):
    weight = generator.uniform(0.5, 2, shape).astype("float32")
    compare(dense, (4,), X, POSITIVE[:, None].astype("float32"), weight=weight)


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_sequences_of_targets_without_the_last_axis(backend, loss):
    compare(steps, (6, 5), IMAGES, IMAGES[:, :, 0], loss)


@pytest.mark.parametrize("build", [dense, stack])
@pytest.mark.parametrize(
    ("shape", "x"),
    [((6, 5, 1), IMAGES), ((6, 5), IMAGES[..., None]), ((1,), X[:, 0])],
    ids=["lacks", "too much", "vector"],
)
def test_inputs_with_another_last_axis(backend, build, shape, x):
    compare(build, shape, x, X[:, :1])


def test_whole_numbers_in_floating_point_for_an_embedding(backend):
    ids = generator.integers(0, 5, (20, 3))
    portanet.random.set_seed(0)
    model = portanet.Sequential([portanet.layers.Embedding(5, 2), portanet.layers.Flatten()])
    expected = model.predict(ids)
    np.testing.assert_array_equal(model.predict(ids.astype("float32")), expected)
    model.compile("sgd", "mse")
    model.fit(ids.astype("float64"), expected, verbose=0)
    with pytest.raises(ValueError, match="round the data first"):
        model.predict(ids + 0.5)
    with pytest.raises(IndexError, match="from 0 to 4"):
        model.predict(ids + 4.0)


def test_what_an_input_is_declared_by():
    assert portanet.layers.Input(batch_shape=(2, 3)).shape == keras.Input(batch_shape=(2, 3)).shape
    assert portanet.layers.Input(batch_shape=(None, 3, None)).shape == (None, 3, None)
    assert portanet.layers.Input(3).shape == (None, 3)
    with pytest.raises(ValueError, match="takes the place of `shape`"):
        portanet.layers.Input((3,), batch_shape=(2, 3))
    with pytest.raises(ValueError, match="the batch first"):
        portanet.layers.Input(batch_shape=3)
