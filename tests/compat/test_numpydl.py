"""NumPyDL's interface on every backend: its scripts run, and the original's errors are corrected."""

import io
import json

import numpy as np
import pytest

import portanet.compat.numpydl as npdl
from tests.support import asarray, assert_close, to_numpy

generator = np.random.default_rng(0)


class Before:
    """A stand-in for the previous layer."""

    def __init__(self, *out_shape):
        self.out_shape = out_shape


@pytest.fixture(autouse=True)
def dtype():
    npdl.utils.set_seed(0)
    yield
    npdl.utils.set_dtype("float32")


LAYERS = {
    "linear": (lambda: npdl.layers.Linear(4, n_in=3), None, (5, 3), (5, 4)),
    "dense": (lambda: npdl.layers.Dense(4, n_in=3), None, (5, 3), (5, 4)),
    "dense relu": (
        lambda: npdl.layers.Dense(4, activation=npdl.activations.ReLU()), Before(None, 3), (5, 3), (5, 4)
    ),
    "softmax": (lambda: npdl.layers.Softmax(4), Before(None, 3), (5, 3), (5, 4)),
    "convolution": (
        lambda: npdl.layers.Convolution(2, (3, 2), input_shape=(None, 3, 6, 5)), None, (2, 3, 6, 5), (2, 2, 4, 4)
    ),
    "convolution stride": (
        lambda: npdl.layers.Convolution(2, (2, 2), stride=2, activation="tanh"),
        Before(None, 1, 6, 4), (2, 1, 6, 4), (2, 2, 3, 2),
    ),
    "max": (lambda: npdl.layers.MaxPooling((2, 2)), Before(None, 2, 4, 6), (3, 2, 4, 6), (3, 2, 2, 3)),
    "mean": (lambda: npdl.layers.MeanPooling((2, 3)), Before(None, 2, 4, 6), (3, 2, 4, 6), (3, 2, 2, 2)),
    "mean of time": (lambda: npdl.layers.MeanPooling((4, 1)), Before(None, 4, 6), (3, 4, 6), (3, 1, 6)),
    "batch normal": (lambda: npdl.layers.BatchNormal(), Before(None, 3), (6, 3), (6, 3)),
    "batch normal channels": (
        lambda: npdl.layers.BatchNormal(axis=1), Before(None, 3, 2, 2), (6, 3, 2, 2), (6, 3, 2, 2)
    ),
    "simple rnn": (lambda: npdl.layers.SimpleRNN(n_out=4, n_in=3), None, (2, 5, 3), (2, 4)),
    "gru": (lambda: npdl.layers.GRU(n_out=4, return_sequence=True), Before(None, 5, 3), (2, 5, 3), (2, 5, 4)),
    "lstm": (lambda: npdl.layers.LSTM(n_out=4, n_in=3), None, (2, 5, 3), (2, 4)),
    "batch lstm": (
        lambda: npdl.layers.BatchLSTM(n_out=4, n_in=3, nb_seq=5, return_sequence=True), None, (2, 5, 3), (2, 5, 4)
    ),
    "flatten": (lambda: npdl.layers.Flatten(), Before(None, 2, 3, 4), (5, 2, 3, 4), (5, 24)),
    "flatten 3": (lambda: npdl.layers.Flatten(3), Before(None, 2, 3, 4), (5, 2, 3, 4), (5, 2, 12)),
    "dim shuffle": (lambda: npdl.layers.DimShuffle(2), Before(None, 2, 3), (5, 2, 3), (5, 2, 1, 3)),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYERS)
def test_layers_go_forward_and_back(backend, case):
    """Derivatives with respect to input and parameters, against central differences along a random direction."""
    make, before, shape, result = LAYERS[case]
    npdl.utils.set_dtype("float64")
    layer = make()
    layer.connect_to(before)
    x = generator.normal(size=shape)
    out = layer.forward(x)
    assert tuple(out.shape) == result
    assert tuple(layer.out_shape)[1:] == result[1:]
    g = generator.normal(size=result)
    slope = to_numpy(layer.backward(g))
    assert slope.shape == shape
    assert [tuple(p.shape) for p in layer.params] == [tuple(d.shape) for d in layer.grads]
    assert len(layer.param_grads) == len(layer.params)

    step = 1e-6
    direction = generator.normal(size=shape)
    value = [float(np.sum(g * to_numpy(layer.forward(x + s * direction)))) for s in (step, -step)]
    assert (value[0] - value[1]) / (2 * step) == pytest.approx(np.sum(slope * direction), rel=1e-5, abs=1e-7)
    weights = [to_numpy(p) for p in layer.params]
    for i, (weight, actual) in enumerate(zip(weights, map(to_numpy, layer.grads), strict=True)):
        direction = generator.normal(size=weight.shape)
        value = []
        for s in (step, -step):
            layer.set_params([asarray(w + s * direction if i == j else w, "float64") for j, w in enumerate(weights)])
            value.append(float(np.sum(g * to_numpy(layer.forward(x)))))
        layer.set_params([asarray(w, "float64") for w in weights])
        assert (value[0] - value[1]) / (2 * step) == pytest.approx(np.sum(actual * direction), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("case", LAYERS)
def test_layers_can_be_described_and_made_again(case):
    make, before, shape, result = LAYERS[case]
    config = json.loads(json.dumps(make().to_json()))
    twin = type(make()).from_json(config)
    twin.connect_to(before)
    assert tuple(twin.forward(np.zeros(shape)).shape) == result


def test_embedding(backend):
    layer = npdl.layers.Embedding(input_size=5, n_out=3, static=False, nb_seq=2)
    layer.connect_to()
    words = np.asarray([[0, 1], [1, 1]])
    out = layer.forward(words)
    assert_close(out, to_numpy(layer.params[0])[words])
    assert layer.backward(np.ones((2, 2, 3))) is None
    assert_close(layer.grads[0], np.asarray([1, 3, 0, 0, 0.0])[:, None] * np.ones(3))
    static = npdl.layers.Embedding(embed_words=np.eye(4))
    static.connect_to()
    assert static.params == static.grads == []
    assert_close(static.forward(words, train=False), np.eye(4)[words])


def test_lstm_takes_masks_and_states(backend):
    layer = npdl.layers.LSTM(n_out=4, n_in=3)
    layer.connect_to()
    x = generator.normal(size=(2, 5, 3))
    mask = np.asarray([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    whole = to_numpy(layer.forward(x, mask))
    np.testing.assert_allclose(whole[0], to_numpy(layer.forward(x[:1, :3]))[0], rtol=1e-5, atol=1e-6)
    other = npdl.layers.BatchLSTM(n_out=4, n_in=3)
    other.connect_to()
    c0, h0 = generator.normal(size=(2, 4)), generator.normal(size=(2, 4))
    assert not np.allclose(to_numpy(other.forward(x, c0, h0)), to_numpy(other.forward(x)))
    other.forward(x, c0, h0)
    both = to_numpy(other.backward(np.zeros((2, 4)), dcn=np.ones((2, 4)), dhn=np.ones((2, 4))))
    assert np.abs(both).max() > 0


def test_the_forget_gate_starts_open():
    layer = npdl.layers.BatchLSTM(n_out=3, n_in=2, forget_bias_num=5)
    layer.connect_to()
    bias = next(p for p in layer.params if len(p.shape) == 1)
    np.testing.assert_array_equal(bias, [0, 0, 0, 5, 5, 5, 0, 0, 0, 0, 0, 0])


ACTIVATIONS = ["sigmoid", "tanh", "tan", "relu", "linear", "elliot", "symmetric_elliot", "softplus", "soft_plus",
               "softsign", "soft_sign", "Sigmoid", "SymmetricElliot", "SoftPlus"]  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_differentiate_themselves(backend, name):
    npdl.utils.set_dtype("float64")
    activation = npdl.activations.get(name)
    x = np.asarray([-2.0, -0.5, 0.3, 3.0])
    activation.forward(x)
    central = (to_numpy(activation.function(asarray(x + 1e-6, "float64"))) - to_numpy(
        activation.function(asarray(x - 1e-6, "float64")))) / 2e-6  # fmt: skip
    np.testing.assert_allclose(to_numpy(activation.derivative()), central, rtol=1e-6, atol=1e-9)
    assert_close(activation.derivative([0.3]), central[2:3], rtol=1e-6, dtype="float64")


def test_softmax_has_its_true_derivative(backend):
    """The original returns 1 everywhere."""
    npdl.utils.set_dtype("float64")
    softmax = npdl.activations.Softmax()
    p = to_numpy(softmax.forward([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]]))
    expected = [np.diag(row) - np.outer(row, row) for row in p]
    assert_close(softmax.derivative(), np.asarray(expected), rtol=1e-12, dtype="float64")


def test_a_derivative_needs_a_place():
    with pytest.raises(ValueError, match=r"Tanh.derivative\(\) needs an input"):
        npdl.activations.Tanh().derivative()


@pytest.mark.parametrize("name", ["mse", "hed", "bce", "scce"])
def test_objectives_differentiate_the_sum(backend, name):
    npdl.utils.set_dtype("float64")
    loss = npdl.objectives.get(name)
    p = np.asarray([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    t = np.asarray([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    slope = to_numpy(loss.backward(p, t))
    for i in range(2):
        for j in range(3):
            step = np.zeros((2, 3))
            step[i, j] = 1e-6
            central = (float(loss.forward(p + step, t)) - float(loss.forward(p - step, t))) / 2e-6
            assert slope[i, j] == pytest.approx(2 * central, rel=1e-5, abs=1e-8)  # the mean over 2 examples, the sum
    if name != "bce":
        assert float(loss.forward(p, np.asarray([1, 2]))) == pytest.approx(float(loss.forward(p, t)))


def test_objectives_have_the_documented_values():
    p, t = np.asarray([[0.01, 0.01, 0.01]]), np.asarray([[0.99, 0.99, 0.01]])
    assert float(npdl.objectives.BCE().forward(p, t)) == pytest.approx(3.058146503109446, rel=1e-6)
    assert float(npdl.objectives.SCCE().forward(p, t)) == pytest.approx(9.16428867, rel=1e-6)
    np.testing.assert_allclose(npdl.objectives.MSE().backward(p, t), p - t, rtol=1e-6)
    expected = ((np.sqrt(p) - np.sqrt(t)) ** 2).sum() / np.sqrt(2)
    assert float(npdl.objectives.HeD().forward(p, t)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["hed", "bce", "scce"])
def test_objectives_stay_finite_at_0_and_1(name):
    loss = npdl.objectives.get(name)
    p, t = np.asarray([[0.0, 1.0]]), np.asarray([[1.0, 0.0]])
    assert np.isfinite(loss.forward(p, t))
    assert np.isfinite(loss.backward(p, t)).all()


@pytest.mark.parametrize("targets", [[1, 3], [0, -1]])
def test_class_numbers_out_of_range_are_refused(targets):
    with pytest.raises(ValueError, match=r"must be in \[0, 3\)"):
        npdl.objectives.SCCE().forward(np.full((2, 3), 1 / 3), np.asarray(targets))


def test_targets_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="Targets must have the shape of the outputs"):
        npdl.objectives.MSE().forward(np.ones((2, 3)), np.ones((2, 1)))


INITIALIZATIONS = {
    "Zero": 0.0, "One": 0.0, "Uniform": 0.05 / 3**0.5, "Normal": 0.01, "LecunUniform": 400**-0.5,
    "GlorotUniform": (2 / 700) ** 0.5, "GlorotNormal": (2 / 700) ** 0.5, "HeNormal": (2 / 400) ** 0.5,
    "HeUniform": (2 / 400) ** 0.5, "Orthogonal": 400**-0.5, "SVD": 400**-0.5,
}  # fmt: skip


@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_initializations_have_their_spread(backend, name):
    weights = npdl.initializations.get(name.lower())((400, 300))
    assert backend.owns(weights)
    assert to_numpy(weights).std() == pytest.approx(INITIALIZATIONS[name], rel=0.02)


def test_orthogonal_matrices_are():
    for initialization in (npdl.initializations.SVD(), npdl.initializations.Orthogonal()):
        w = initialization((6, 4))
        np.testing.assert_allclose(w.T @ w, np.eye(4), atol=1e-6)
    relu = npdl.initializations.Orthogonal("relu")((6, 4))
    np.testing.assert_allclose(relu.T @ relu, 2 * np.eye(4), atol=1e-5)


def test_labels():
    np.testing.assert_array_equal(npdl.utils.one_hot(np.asarray([0, 2]), 3), [[1, 0, 0], [0, 0, 1]])
    assert npdl.utils.one_hot(np.asarray([], int)).shape == (0, 0)
    assert npdl.utils.one_hot(np.asarray([], int), 2).shape == (0, 2)
    np.testing.assert_array_equal(npdl.utils.unhot(np.asarray([[0, 1], [1, 0]])), [1, 0])
    with pytest.raises(ValueError, match=r"Labels must be in \[0, 2\). Received: labels from 0 to 2"):
        npdl.utils.one_hot(np.asarray([0, 2]), 2)


def blobs(count=70):
    y = np.arange(count) % 3
    return np.eye(4)[y] * 3 + np.random.default_rng(0).normal(size=(count, 4)), y


def network(optimizer="sgd", *middle):
    npdl.utils.random.set_seed(1)
    model = npdl.Model()
    model.add(npdl.layers.Dense(n_out=8, n_in=4, activation=npdl.activations.ReLU()))
    for layer in middle:
        model.add(layer)
    model.add(npdl.layers.Softmax(n_out=3))
    model.compile(loss=npdl.objectives.SCCE(), optimizer=optimizer)
    return model


def lines_of(model, *data, **options):
    file = io.StringIO()
    model.fit(*data, file=file, **options)
    return file.getvalue().splitlines()


def test_a_model_trains_and_says_so(backend):
    x, y = blobs()
    lines = lines_of(network(npdl.optimizers.SGD(lr=0.05)), x, npdl.utils.one_hot(y), max_iter=8, validation_split=0.1)
    assert len(lines) == 8
    assert lines[0].startswith("iter 1, train-[loss ")
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in lines]
    assert losses[-1] < losses[0] / 2
    assert "valid-[loss " in lines[-1]


def test_accuracy_and_evaluation(backend):
    """Of class numbers and of indicators, in batches, without dropout."""
    x, y = blobs()
    model = network("sgd", npdl.layers.Dropout(0.5))
    outputs = np.asarray([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.1, 0.2, 0.7], [0.4, 0.3, 0.3]])
    for targets in (np.asarray([1, 0, 0, 0]), np.eye(3)[[1, 0, 0, 0]]):
        assert model.accuracy(outputs, targets) == 0.75
    out = to_numpy(model.predict(x))
    expected = -np.mean(np.log(out[np.arange(len(y)), y])), np.mean(out.argmax(axis=1) == y)
    for targets, batch_size in ((y, 16), (npdl.utils.one_hot(y), 70)):
        np.testing.assert_allclose(model.evaluate(x, targets, batch_size), expected, rtol=1e-4)


def test_class_numbers_and_indicators_train_alike(backend):
    x, y = blobs()
    kinds = [lines_of(network(), x, target, max_iter=2) for target in (y, npdl.utils.one_hot(y))]
    assert kinds[0] == kinds[1]


def test_the_fused_step_is_the_chain_of_backwards(backend):
    """One step of `fit` is `backward` of the loss and then of each layer."""
    npdl.utils.set_dtype("float64")
    x, y = blobs(6)
    by_fit, by_hand = network(npdl.optimizers.SGD(lr=0.1)), network()
    by_fit.fit(x, y, max_iter=1, shuffle=False, file=io.StringIO())
    out = x
    for layer in by_hand.layers:
        out = layer.forward(out)
    slope = by_hand.loss.backward(out, y)
    for layer in reversed(by_hand.layers):
        slope = layer.backward(slope)
    for layer, trained in zip(by_hand.layers, by_fit.layers, strict=True):
        for (p, g), new in zip(layer.param_grads, trained.params, strict=True):
            np.testing.assert_allclose(to_numpy(new), to_numpy(p) - 0.1 * to_numpy(g), rtol=1e-7, atol=1e-10)


def test_dropout_and_batch_statistics_are_for_training_only(backend):
    x, _ = blobs()
    model = network("sgd", npdl.layers.Dropout(0.5), npdl.layers.BatchNormal())
    np.testing.assert_array_equal(to_numpy(model.predict(x)), to_numpy(model.predict(x)))
    model.fit(x, np.zeros(70, dtype=int), max_iter=1, file=io.StringIO())
    alone, together = to_numpy(model.predict(x[:1])), to_numpy(model.predict(x))[:1]
    np.testing.assert_allclose(alone, together, rtol=1e-5)


def test_neither_arrays_nor_the_global_generator_are_touched(backend):
    x, y = blobs()
    before = x.copy(), y.copy()
    np.random.seed(3)  # noqa: NPY002 -- this is what must not be touched
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    network("adam", npdl.layers.Dropout(0.5)).fit(x, y, max_iter=2, file=io.StringIO())
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_a_model_that_is_not_ready_says_what_to_do():
    model = npdl.Model()
    with pytest.raises(TypeError, match=r"consists of npdl.layers"):
        model.add("dense")
    with pytest.raises(ValueError, match="needs layers before"):
        model.compile()
    model.add(npdl.layers.Dense(3))
    with pytest.raises(ValueError, match="`n_in` of the first layer is required"):
        model.compile()
    with pytest.raises(RuntimeError, match="must be compiled first"):
        model.fit(np.ones((2, 2)), np.ones(2))
    with pytest.raises(RuntimeError, match="needs a forward"):
        npdl.layers.Dense(3, n_in=2).backward(np.ones((1, 3)))
