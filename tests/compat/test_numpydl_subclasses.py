# ruff: noqa: A002 -- NumPyDL's argument `input`
"""Subclasses with NumPyDL's methods, written in NumPy, compute and train like the classes of the package."""

import io

import numpy as np
import pytest

import portanet.compat.numpydl as npdl
from portanet.backends import to_host as to_numpy

generator = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def dtype():
    npdl.utils.set_seed(0)
    npdl.utils.set_dtype("float64")
    yield
    npdl.utils.set_dtype("float32")


class Halves(npdl.initializations.Initializer):
    def call(self, size):
        return np.full(size, 0.5)


class Hyperbolic(npdl.activations.Activation):
    def forward(self, input):
        assert isinstance(input, np.ndarray)
        self.last_forward = np.tanh(input)
        return self.last_forward

    def derivative(self, input=None):
        last_forward = self.last_forward if input is None else self.forward(input)
        return 1 - np.power(last_forward, 2)


class Squares(npdl.objectives.Objective):
    def forward(self, outputs, targets):
        assert isinstance(outputs, np.ndarray)
        assert isinstance(targets, np.ndarray)
        return 0.5 * np.mean(np.sum(np.power(outputs - targets, 2), axis=1))

    def backward(self, outputs, targets):
        return outputs - targets


class Affine(npdl.layers.Layer):
    """Does not call `Layer.__init__`, as NumPyDL's own layers do not."""

    def __init__(self, n_out):
        self.n_out = n_out
        self.W, self.dW, self.b, self.db = None, None, None, None

    def connect_to(self, prev_layer=None):
        self.out_shape = (None, self.n_out)
        self.W = npdl.initializations.get("glorot_uniform")((prev_layer.out_shape[-1], self.n_out))
        self.b = np.zeros(self.n_out)

    def forward(self, input):
        assert isinstance(input, np.ndarray)
        self.last_input = input
        return np.dot(input, to_numpy(self.W)) + to_numpy(self.b)

    def backward(self, pre_grad):
        assert isinstance(pre_grad, np.ndarray)
        self.dW = np.dot(self.last_input.T, pre_grad)
        self.db = np.sum(pre_grad, axis=0)
        return np.dot(pre_grad, to_numpy(self.W).T)

    @property
    def params(self):
        return self.W, self.b

    @property
    def grads(self):
        return self.dW, self.db


class HostAffine(Affine):
    """Its parameters are NumPy arrays, changed in place."""

    def connect_to(self, prev_layer=None):
        super().connect_to(prev_layer)
        self.W, self.b = np.array(to_numpy(self.W)), np.array(to_numpy(self.b))


class Wrapped(npdl.layers.Layer):
    """A layer in a layer."""

    def __init__(self, n_out):
        self.dense = npdl.layers.Linear(n_out)

    def connect_to(self, prev_layer=None):
        self.dense.connect_to(prev_layer)
        self.out_shape = self.dense.out_shape

    def forward(self, input, *args, **kwargs):
        return self.dense.forward(input)

    def backward(self, pre_grad, *args, **kwargs):
        return self.dense.backward(pre_grad)

    @property
    def params(self):
        return self.dense.params

    @property
    def grads(self):
        return self.dense.grads


class Overridden(npdl.layers.Linear):
    """One of the package's layers with other methods."""

    def forward(self, input, *args, **kwargs):
        self.last_input = input
        return np.dot(input, to_numpy(self.W)) + to_numpy(self.b)

    def backward(self, pre_grad, *args, **kwargs):
        self.dW = np.dot(self.last_input.T, pre_grad)
        self.db = np.sum(pre_grad, axis=0)
        return np.dot(pre_grad, to_numpy(self.W).T)


class Descent(npdl.optimizers.Optimizer):
    def update(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            assert isinstance(p, np.ndarray)
            p -= self.lr * g
        super().update(params, grads)


def train(middle, loss="scce", optimizer=None, last=npdl.layers.Softmax):
    npdl.utils.set_seed(1)
    x, y = np.random.default_rng(1).normal(size=(10, 4)), np.arange(10) % 3
    model = npdl.Model([npdl.layers.Dense(5, n_in=4), middle, last(3)])
    model.compile(loss, optimizer or npdl.optimizers.SGD(lr=0.1, decay=0.1))
    file = io.StringIO()
    model.fit(x, y, max_iter=2, batch_size=4, validation_split=0.2, file=file)
    return file.getvalue(), [to_numpy(p) for layer in model.layers for p in layer.params], to_numpy(model.predict(x))


def assert_trains_alike(one, other):
    assert one[0] == other[0]
    for a, b in zip([*one[1], one[2]], [*other[1], other[2]], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("layer", [Affine, HostAffine, Wrapped, Overridden])
def test_layers(backend, layer):
    assert_trains_alike(train(layer(4)), train(npdl.layers.Linear(4)))


def test_a_layer_may_be_last(backend):
    def with_mse(last):
        return train(npdl.layers.Dropout(0.0), "mse", last=last)

    assert_trains_alike(with_mse(Affine), with_mse(npdl.layers.Linear))
    assert_trains_alike(with_mse(Overridden), with_mse(npdl.layers.Linear))


def test_activations(backend):
    assert_trains_alike(train(npdl.layers.Dense(4, activation=Hyperbolic())), train(npdl.layers.Dense(4)))


def test_a_subclass_of_an_activation_of_the_package(backend):
    class Steep(npdl.activations.Sigmoid):
        def forward(self, input):
            self.last_forward = 1 / (1 + np.exp(-3 * input))
            return self.last_forward

        def derivative(self, input=None):
            return 3 * self.last_forward * (1 - self.last_forward)

    class Traced(npdl.activations.Activation):
        def function(self, x):
            return npdl.activations.Sigmoid().function(3 * x)

    middles = [npdl.layers.Dense(4, activation=cls()) for cls in (Steep, Traced)]
    assert_trains_alike(*map(train, middles))


@pytest.mark.parametrize("case", ["convolution", "simple rnn", "gru", "lstm"])
def test_activations_in_other_layers(backend, case):
    def make(activation):
        npdl.utils.set_seed(2)
        layers = npdl.layers
        layer, x = {
            "convolution": lambda: (
                layers.Convolution(2, (2, 2), input_shape=(None, 1, 3, 3), activation=activation), (2, 1, 3, 3)),
            "simple rnn": lambda: (layers.SimpleRNN(n_out=3, n_in=2, activation=activation), (2, 3, 2)),
            "gru": lambda: (layers.GRU(n_out=3, n_in=2, activation=activation), (2, 3, 2)),
            "lstm": lambda: (layers.LSTM(n_out=3, n_in=2, activation=activation), (2, 3, 2)),
        }[case]()  # fmt: skip
        layer.connect_to()
        out = layer.forward(np.random.default_rng(3).normal(size=x))
        slope = layer.backward(np.ones(out.shape))
        return [to_numpy(a) for a in (out, slope, *layer.grads)]

    for a, b in zip(make(Hyperbolic()), make("tanh"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_objectives(backend):
    assert_trains_alike(train(npdl.layers.Linear(4), Squares()), train(npdl.layers.Linear(4), "mse"))


def test_a_subclass_of_an_objective_of_the_package(backend):
    """The softmax and its loss are not computed in one then: the subclass's methods count."""

    class Twice(npdl.objectives.SCCE):
        def forward(self, outputs, targets):
            return 2 * super().forward(outputs, targets)

        def backward(self, outputs, targets):
            return 2 * to_numpy(super().backward(outputs, targets))

    one = train(npdl.layers.Linear(4), Twice(), npdl.optimizers.SGD(lr=0.1))
    other = train(npdl.layers.Linear(4), "scce", npdl.optimizers.SGD(lr=0.2))
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_optimizers(backend):
    optimizer = Descent(lr=0.1, decay=0.1)
    assert_trains_alike(train(npdl.layers.Linear(4), "scce", optimizer), train(npdl.layers.Linear(4)))
    assert optimizer.iterations == 0  # models have an optimizer each


@pytest.mark.parametrize(
    ("own", "of_the_package"),
    [
        (Hyperbolic, npdl.activations.Tanh),
        (Squares, npdl.objectives.MSE),
        (Affine, npdl.layers.Linear),
        (Descent, npdl.optimizers.SGD),
    ],
)
def test_only_what_a_subclass_implements_runs_in_numpy(own, of_the_package):
    make = lambda cls: cls(3) if issubclass(cls, npdl.layers.Layer) else cls()
    assert make(own).in_numpy is True
    assert make(of_the_package).in_numpy is False
    assert make(type("Named", (own,), {})).in_numpy is True
    assert make(type("Named", (of_the_package,), {})).in_numpy is False


def test_the_first_layer_knows_that_it_is(backend):
    """Its `backward` need not give a gradient."""
    parts = [npdl.layers.Dense(3, n_in=2), Affine(4), Affine(2)]
    npdl.Model(parts).compile("mse")
    assert [part.first_layer for part in parts] == [True, False, False]


def test_as_many_parameters_are_replaced_as_there_are(backend):
    layer = npdl.layers.Dense(3, n_in=2)
    layer.connect_to()
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        layer.set_params(layer.params[:1])


def test_initializers(backend):
    layer = npdl.layers.Dense(3, n_in=2, init=Halves())
    layer.connect_to()
    np.testing.assert_array_equal(to_numpy(layer.W), np.full((2, 3), 0.5))
    assert backend.owns(Halves()((2, 3)))
    np.testing.assert_array_equal(Halves().call((2, 3)), np.full((2, 3), 0.5))


def test_recurrent_layers_of_ones_own(backend):
    class Last(npdl.layers.Recurrent):
        def forward(self, input, *args, **kwargs):
            self.last_shape = input.shape
            return input[:, -1, :]

        def backward(self, pre_grad, *args, **kwargs):
            slope = np.zeros(self.last_shape)
            slope[:, -1, :] = pre_grad
            return slope

    model = npdl.Model([npdl.layers.SimpleRNN(n_out=3, n_in=2, nb_seq=4, return_sequence=True), Last(n_out=3)])
    model.add(npdl.layers.Softmax(2))
    model.compile("scce", "adam")
    assert model.layers[1].out_shape == (None, 3)
    assert (model.layers[1].n_in, model.layers[1].nb_seq) == (3, 4)
    model.fit(generator.normal(size=(6, 4, 2)), np.arange(6) % 2, max_iter=1, file=io.StringIO())
    assert to_numpy(model.predict(np.zeros((2, 4, 2)))).shape == (2, 2)


def test_train_is_passed_to_layers_that_take_it(backend):
    seen = []

    class Watching(Affine):
        def forward(self, input, train=True):
            seen.append(train)
            return super().forward(input)

    train(Watching(4))
    assert set(seen) == {True, False}


def test_what_a_subclass_must_implement_is_said():
    base = npdl.layers.Layer.from_json({})
    assert str(base) == "Layer"
    calls = [
        base.to_json, lambda: base.connect_to(None), lambda: base.forward(None), lambda: base.backward(None),
        npdl.activations.Activation().derivative, lambda: npdl.activations.Activation().forward(1.0),
        lambda: npdl.objectives.Objective().forward(None, None),
        lambda: npdl.objectives.Objective().backward(None, None),
        lambda: npdl.initializations.Initializer().call((2, 2)),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NotImplementedError, match="must implement"):
            call()


def test_gradients_and_parameters_must_match():
    class Wrong(Affine):
        @property
        def grads(self):
            return self.dW, self.dW

    with pytest.raises(ValueError, match=r"`grads` of Wrong must have the shapes of `params`"):
        train(Wrong(4))

    class Immutable(Affine):
        @property
        def params(self):
            w = np.array(to_numpy(self.W))
            w.flags.writeable = False
            return [w, self.b]

    with pytest.raises(TypeError, match=r"or implement set_params\(params\)"):
        train(Immutable(4))
