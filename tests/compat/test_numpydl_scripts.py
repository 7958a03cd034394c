"""What NumPyDL's documentation, scripts and applications use: labels, shapes, names and positions of arguments."""

import importlib

import numpy as np
import pytest

import portanet.compat.numpydl as npdl
from portanet.backends import to_host
from tests.support import assert_close

generator = np.random.default_rng(0)
layers = npdl.layers


class Before:
    def __init__(self, *out_shape):
        self.out_shape = out_shape


@pytest.fixture(autouse=True)
def dtype():
    npdl.utils.set_seed(0)
    npdl.utils.set_dtype("float64")
    yield
    npdl.utils.set_dtype("float32")


def connected(layer, *before):
    layer.connect_to(Before(*before) if before else None)
    return layer


# Positions of arguments


def test_dropout_takes_train_by_position(backend):
    """`forward(input, train=True)`: nothing is dropped where train is False."""
    x = np.ones((50, 40))
    layer = connected(layers.Dropout(0.5), None, 40)
    assert_close(layer.forward(x, False), x, dtype="float64")
    assert_close(layer.forward(x, np.False_), x, dtype="float64")
    for out in (layer.forward(x), layer.forward(x, True), layer.forward(x, train=True)):
        assert set(np.unique(to_host(out))) == {0.0, 2.0}


def test_every_layer_takes_train_by_position(backend):
    x = generator.normal(size=(6, 3))
    layer = connected(layers.BatchNormal(), None, 3)
    np.testing.assert_allclose(to_host(layer.forward(x, False)), x, rtol=1e-5)  # by the running averages
    np.testing.assert_allclose(to_host(layer.forward(x, True)).mean(axis=0), np.zeros(3), atol=1e-9)


@pytest.mark.parametrize("train", ["no", 0, None, np.ones((2, 2))])
def test_train_must_be_a_boolean(train):
    layer = connected(layers.Dense(3, n_in=2))
    with pytest.raises(ValueError, match=r"Argument `train` of Dense.forward must be True or False. Received"):
        layer.forward(np.ones((2, 2)), train)


# Labels


@pytest.mark.parametrize("labels", [
    [0, 2, 1], (0, 2, 1), np.asarray([0.0, 2.0, 1.0]), np.asarray(["0", "2", "1"]), np.asarray(["0", "2", "1"], object),
    np.asarray([b"0", b"2", b"1"]), np.asarray([0, 2, 1], "uint8"), range(0, 3, 1), np.asarray([0, 2, 1], object),
    (n for n in (0, 2, 1)),
])  # fmt: skip
def test_one_hot_takes_labels_as_loaders_return_them(labels):
    expected = np.eye(3)[[0, 1, 2] if isinstance(labels, range) else [0, 2, 1]]
    np.testing.assert_array_equal(npdl.utils.one_hot(labels), expected)


def test_one_hot_takes_booleans_and_series():
    np.testing.assert_array_equal(npdl.utils.one_hot(np.asarray([True, False])), [[0, 1], [1, 0]])
    pandas = pytest.importorskip("pandas")
    for dtype in ("str", "category", "float64"):
        labels = pandas.Series(["1", "0"]).astype(dtype)
        np.testing.assert_array_equal(npdl.utils.one_hot(labels, 3), [[0, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize("labels", [
    [0.5, 1.0], [np.nan, 1.0], [np.inf], ["cat", "dog"], ["1", "-1"], ["1.0"], [""], [[0, 1]], 3, [1j], [None, 1],
])  # fmt: skip
def test_one_hot_refuses_what_is_no_class_number(labels):
    with pytest.raises((ValueError, TypeError), match=r"Received|iterable"):
        npdl.utils.one_hot(labels)
    with pytest.raises(ValueError, match=r"must be in \[0, 2\)"):
        npdl.utils.one_hot(np.asarray(["0", "2"]), 2)


# Activations


EXACT = {
    "sigmoid": lambda s: s * (1 - s), "tanh": lambda t: 1 - t**2, "relu": lambda r: (r > 0) * 1.0,
    "linear": np.ones_like,
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_activations_of_integers(backend, name):
    x = np.arange(-3, 5).reshape(2, 4)
    activation = npdl.activations.get(name)
    out = to_host(activation.forward(x))
    assert out.dtype == "float64"
    np.testing.assert_allclose(out, to_host(npdl.activations.get(name).forward(x * 1.0)), rtol=1e-12)
    np.testing.assert_allclose(to_host(activation.derivative()), EXACT[name](out), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(to_host(activation.derivative(x)), EXACT[name](out), rtol=1e-9, atol=1e-12)


def test_softmax_of_integers(backend):
    x = np.asarray([[0, 1, 2], [3, 3, 3]])
    out = to_host(npdl.activations.Softmax().forward(x))
    np.testing.assert_allclose(out, np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), rtol=1e-12)


def test_layers_and_objectives_of_integers(backend):
    x = np.arange(6).reshape(3, 2)
    layer = connected(layers.Dense(4, n_in=2))
    out = layer.forward(x)
    assert_close(out, np.tanh(x @ to_host(layer.W)), dtype="float64", rtol=1e-9)
    assert to_host(layer.backward(np.ones((3, 4), int))).shape == (3, 2)
    t = np.asarray([[1, 1], [0, 1], [1, 0]])
    assert float(npdl.objectives.MSE().forward(x, t)) == pytest.approx(0.5 * ((x - t) ** 2).sum(axis=1).mean())
    np.testing.assert_allclose(to_host(npdl.objectives.MSE().backward(x, t)), x - t)
    assert np.isfinite(float(npdl.objectives.BCE().forward(t, 1 - t)))


# Shapes


@pytest.mark.parametrize(("n_in", "n_out"), [(4, (2, 3)), ((2, 2), 5), ((4, 1), (3, 2))])
def test_linear_takes_shapes(backend, n_in, n_out):
    """`n_out : (int, tuple) Desired size or shape of layer output`."""
    layer = connected(layers.Linear(n_out=n_out, n_in=n_in))
    given, expected = (n if isinstance(n, tuple) else (n,) for n in (n_in, n_out))
    assert layer.out_shape == (None, *expected)
    x, g = generator.normal(size=(6, *given)), generator.normal(size=(6, *expected))
    flat = x.reshape(6, -1)
    result = (flat @ to_host(layer.W) + to_host(layer.b)).reshape(6, *expected)
    assert_close(layer.forward(x), result, dtype="float64", rtol=1e-9)
    slope = (g.reshape(6, -1) @ to_host(layer.W).T).reshape(x.shape)
    assert_close(layer.backward(g), slope, dtype="float64", rtol=1e-9)
    assert_close(layer.dW, flat.T @ g.reshape(6, -1), dtype="float64", rtol=1e-9)


def test_shapes_may_have_numpys_integers():
    embedding = layers.Embedding(np.eye(4), nb_seq=np.int32(5))
    layer = connected(layers.LSTM(n_out=3, return_sequence=True), *embedding.out_shape)
    assert layer.out_shape == (None, 5, 3)


@pytest.mark.parametrize("cls", ["MaxPooling", "MeanPooling"])
def test_pooling_of_three_axes_after_four(backend, cls):
    pool = connected(getattr(layers, cls)((2, 2)), 10, 1, 4, 4)
    assert pool.out_shape == (10, 1, 2, 2)
    x = np.arange(16.0).reshape(1, 4, 4)
    expected = [[[5, 7], [13, 15]]] if cls == "MaxPooling" else [[[2.5, 4.5], [10.5, 12.5]]]
    assert_close(pool.forward(x), expected, dtype="float64")
    assert to_host(pool.backward(np.ones((1, 2, 2)))).shape == (1, 4, 4)
    assert_close(pool.forward(x[:, None]), np.asarray(expected)[:, None], dtype="float64")
    with pytest.raises(ValueError, match="needs 3 or 4 axes"):
        pool.forward(np.ones((4, 4)))


def test_a_gradient_must_have_the_shape_of_the_result():
    layer = connected(layers.MeanPooling((2, 2)), None, 1, 4, 4)
    layer.forward(np.ones((2, 1, 4, 4)))
    with pytest.raises(ValueError, match=r"`pre_grad` of MeanPooling.backward must have .* \(2, 1, 2, 2\)"):
        layer.backward(np.ones((2, 1, 4, 4)))


def test_what_the_original_asserts_is_an_assertion():
    for layer, before in ((layers.Recurrent(n_out=2), None), (layers.Dense(2), None),
                          (layers.Dense(2), Before(1, 2, 3)), (layers.GRU(n_out=2), Before(1, 2))):  # fmt: skip
        with pytest.raises(AssertionError):
            layer.connect_to(before)


# Initializations


@pytest.mark.parametrize("name", ["Zero", "One", "Uniform", "Normal"])
@pytest.mark.parametrize("size", [7, np.int64(7), (7,), [2, 3]])
def test_initializations_take_an_integer_or_several(backend, name, size):
    """`size : tuple or int`."""
    weights = getattr(npdl.initializations, name)().call(size)
    assert tuple(weights.shape) == (tuple(size) if isinstance(size, (tuple, list)) else (7,))
    if name in ("Zero", "One"):
        assert_close(weights, np.full(weights.shape, float(name == "One")), dtype="float64")


def test_a_generator_gives_the_same_weights_again(backend):
    for cls in (npdl.initializations.Normal, npdl.initializations.GlorotUniform, npdl.initializations.Orthogonal):
        drawn = []
        for _ in range(2):
            npdl.utils.set_rng(np.random.RandomState(5))
            drawn.append(to_host(cls().call((10, 20))))
        np.testing.assert_array_equal(*drawn)


def test_uniform_takes_a_range():
    """`If range is a tuple the weights are sampled from U(range[0], range[1])`."""
    weights = npdl.initializations.Uniform((1.0, 3.0)).call((100, 100))
    assert 1 <= weights.min() < 1.01
    assert 2.99 < weights.max() <= 3


@pytest.mark.parametrize("name", ["Orthogonal", "SVD"])
def test_trailing_axes_are_flattened(name):
    """`For n-dimensional shapes where n > 2, the n-1 trailing axes are flattened.`"""
    flat = getattr(npdl.initializations, name)().call((6, 2, 5)).reshape(6, 10)
    np.testing.assert_allclose(flat @ flat.T, np.eye(6), atol=1e-9)
    assert npdl.initializations.Orthogonal("relu").gain == np.sqrt(2)
    with pytest.raises(ValueError, match="of rank 2 or more"):
        getattr(npdl.initializations, name)().call(3)


def test_scales_are_those_of_numpydls_shapes():
    """Filters come first: fan_in is channels times the filter's size."""
    assert npdl.initializations.decompose_size((8, 3, 5, 5)) == (75, 200)
    assert npdl.initializations.decompose_size((4, 9, 4)) == (12, 12)
    weights = npdl.initializations.HeUniform().call((50, 10, 3, 3))
    assert np.abs(weights).max() == pytest.approx(np.sqrt(6 / 90), rel=0.01)


# Names and optimizers


def test_names():
    assert npdl.optimizers.Adadelat is npdl.optimizers.Adadelta
    assert isinstance(npdl.optimizers.get("Adadelat"), npdl.optimizers.Adadelta)
    assert isinstance(npdl.activations.get("RELU"), npdl.activations.ReLU)
    for name in ["base", "convolution", "core", "embedding", "normalization", "pooling", "recurrent", "shape"]:
        module = importlib.import_module(f"portanet.compat.numpydl.layers.{name}")
        assert module is getattr(layers, name)
    assert layers.convolution.Convolution is layers.Convolution
    assert layers.pooling.MaxPooling is layers.MaxPooling
    np.testing.assert_array_equal(npdl.initializations._one((1, 1)), [[1.0]])


def test_objects_are_copied():
    """Layers and models do not share what objects remember."""
    for module, obj in ((npdl.activations, npdl.activations.Tanh()), (npdl.objectives, npdl.objectives.MSE()),
                        (npdl.optimizers, npdl.optimizers.Adam(lr=0.5)),
                        (npdl.initializations, npdl.initializations.Normal(0.5))):  # fmt: skip
        copy = module.get(obj)
        assert copy is not obj
        assert copy.get_config() == obj.get_config()


def test_one_optimizer_for_two_models(backend):
    optimizer = npdl.optimizers.Momentum(lr=0.1)
    weights = []
    for n_in in (3, 2, 3):
        npdl.utils.set_seed(1)
        model = npdl.Model([layers.Dense(4, n_in=n_in), layers.Softmax(2)])
        model.compile("scce", optimizer)
        model.fit(np.ones((4, n_in)), np.asarray([0, 1, 1, 1]), max_iter=2)
        weights.append(to_host(model.layers[0].W))
    np.testing.assert_array_equal(weights[0], weights[2])


def test_the_base_optimizer_counts_and_decays():
    optimizer = npdl.optimizers.Optimizer(lr=1.0, decay=0.5)
    optimizer.update([], [])
    assert (optimizer.iterations, optimizer.lr) == (1, 1 / 1.5)
    optimizer.lr = 0.3
    assert optimizer.lr == pytest.approx(0.3)
    optimizer.update([], [])
    assert optimizer.lr == pytest.approx(0.3 * 1.5 / 2)


def test_clipping(backend):
    g = generator.normal(size=(10, 20))
    assert_close(npdl.optimizers.npdl_clip(g, 0.5), np.clip(g, -0.5, 0.5), dtype="float64")
    for boundary in (0.0, -1):
        assert_close(npdl.optimizers.npdl_clip(g, boundary), g, dtype="float64")
