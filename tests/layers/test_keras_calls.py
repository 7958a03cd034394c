"""Calls by keyword, and objects described by dicts, as in Keras."""

import copy

import numpy as np
import pytest

import portanet
from portanet import initializers, layers, losses, metrics, optimizers, regularizers

X = np.ones((2, 3, 4), dtype="float32")


class Sum(layers.Layer):
    def call(self, left, right=None):
        return left + right


def test_inputs_may_be_passed_by_keyword(backend):
    x = portanet.asarray(X)
    dense = layers.Dense(2)
    expected = backend.to_host(dense(x))
    np.testing.assert_array_equal(backend.to_host(dense(inputs=x)), expected)
    np.testing.assert_array_equal(backend.to_host(dense(x=x)), expected)
    np.testing.assert_array_equal(backend.to_host(Sum()(left=x, right=2 * x)), 3 * X)
    attention = layers.MultiHeadAttention(2, 3)
    out = attention(query=x, value=2 * x, key=x)
    np.testing.assert_allclose(backend.to_host(out), backend.to_host(attention(x, 2 * x, x)), rtol=1e-6)
    model = portanet.Sequential([layers.Input((3, 4)), dense])
    np.testing.assert_array_equal(backend.to_host(model(inputs=x)), expected)


def test_sequences_and_states_may_be_passed_by_keyword(backend):
    x, states = portanet.asarray(X), [portanet.asarray(np.ones((2, 2), dtype="float32"))] * 2
    lstm = layers.LSTM(2)
    np.testing.assert_array_equal(backend.to_host(lstm(sequences=x)), backend.to_host(lstm(x)))
    out = lstm(sequences=x, initial_state=states)
    np.testing.assert_array_equal(backend.to_host(out), backend.to_host(lstm([x, *states])))


def test_source_inputs():
    a, b = layers.Input((3,)), layers.Input((3,))
    assert portanet.utils.get_source_inputs(
        layers.Dense(2)(b) + layers.Add()([layers.Dense(2)(a), 1.0 * b[:, :2]])
    ) == [a, b]
    assert portanet.utils.get_source_inputs(a) == [a]
    with pytest.raises(ValueError, match="`tensor` of get_source_inputs must be a symbolic array"):
        portanet.utils.get_source_inputs(X)


def test_symbolic_inputs_may_be_passed_by_keyword():
    x = layers.Input((3, 4))
    assert portanet.Model(inputs=x, outputs=layers.Dense(2)(inputs=x)).output_shape == (None, 3, 2)


def test_no_input_is_an_error():
    with pytest.raises(TypeError, match="computes with arrays"):
        layers.Dense(2)()


def test_shapes_of_several_inputs_one_by_one():
    query, value, key = (2, 3, 4), (2, 5, 4), (2, 5, 6)
    layer = layers.MultiHeadAttention(2, 3)
    layer.build(query, value, key)
    assert layer.build_shape == [query, value, key]
    assert layer.compute_output_shape(query, value) == query
    by_name = layers.MultiHeadAttention(2, 3)
    by_name.build(query_shape=query, value_shape=value, key_shape=key)
    assert [w.shape for w in by_name.weights] == [w.shape for w in layer.weights]
    assert layers.Attention().compute_output_shape(query, value_shape=(2, 5, 4)) == query
    with pytest.raises(TypeError, match="`queue_shape`"):
        layers.Attention().compute_output_shape(query, value, queue_shape=key)


def test_output_specs_are_in_no_graph(backend):
    layer = layers.Dense(2, dtype="mixed_float16")
    spec = layer.compute_output_spec(layers.Input((4,), dtype="float32"))
    assert (spec.shape, spec.dtype) == ((None, 2), "float16")
    symbolic = layers.Input((4,))
    assert layer(symbolic) is layer.output  # the only call
    with pytest.raises(TypeError, match="takes symbolic arrays"):
        layer.compute_output_spec(portanet.asarray(X))


def test_losses_of_calls_outside_of_steps(backend):
    layer = layers.Dense(2, "relu", kernel_regularizer="l2", activity_regularizer=regularizers.L2(0.5))
    model = portanet.Sequential([layers.Input((4,)), layer])
    assert len(model.losses) == 1  # the kernel's; trials for shapes leave none
    for _ in range(2):  # each call forgets the losses of the one before
        out = backend.to_host(model(portanet.asarray(X[0])))
        activity, kernel = (float(backend.to_host(loss)) for loss in model.losses)
        np.testing.assert_allclose(activity, 0.5 * np.sum(out**2) / 3, rtol=1e-5)
        np.testing.assert_allclose(kernel, 0.01 * np.sum(backend.to_host(layer.kernel.value) ** 2), rtol=1e-5)
    assert len(copy.deepcopy(model).losses) == 1
    model.compile("sgd", "mse")
    model.fit(X[0], X[0][:, :2], verbose=0)
    assert len(model.losses) == 1


def test_layers_without_weights_are_built():
    assert layers.ReLU().built
    assert layers.MaxPooling2D().built
    assert not layers.Dense(2).built
    assert not portanet.Sequential([layers.ReLU()]).built

    class Scaled(layers.ReLU):
        def build(self, input_shape):
            self.scale = self.add_weight((), "ones")

    assert not Scaled().built


@pytest.mark.parametrize(
    ("get", "identifier", "name", "value"),
    [
        (initializers.get, {"class_name": "GlorotUniform", "config": {"seed": 3}}, "seed", 3),
        (losses.get, {"class_name": "Huber", "config": {"delta": 0.5}}, "delta", 0.5),
        (metrics.get, {"class_name": "BinaryAccuracy", "config": {"threshold": 0.2}}, "threshold", 0.2),
        (optimizers.get, {"class_name": "adam", "config": {"learning_rate": 0.2}}, "learning_rate", 0.2),
        (regularizers.get, {"class_name": "L2", "config": {"l2": 0.2}}, "l2", 0.2),
        (losses.get, {"class_name": "MeanSquaredError"}, "reduction", "sum_over_batch_size"),
    ],
)
def test_objects_described_by_dicts(get, identifier, name, value):
    assert getattr(get(identifier), name) == value


def test_a_dict_of_an_unknown_class_is_an_error():
    with pytest.raises(ValueError, match=r"Unknown loss\. Did you mean 'Huber'"):
        losses.get({"class_name": "Hubert", "config": {}})
    with pytest.raises(ValueError, match="a known loss"):
        losses.get({"config": {}})


def test_a_call_of_a_subclass_may_take_arrays_one_by_one(backend):
    """With masks by their names, in calls, graphs and under other layers; super().call takes both forms."""
    given = []

    class Raised(layers.LSTM):
        def call(self, sequences, initial_state=None, mask=None):
            given.append((mask is None, initial_state is None))
            return super().call(sequences, initial_state, mask) + 1.0

    class Scored(layers.MultiHeadAttention):
        def call(self, query, value, key=None, value_mask=None, **options):
            given.append((value_mask is None, key is None))
            return super().call(query, value, key, value_mask=value_mask, return_attention_scores=True, **options)[0]

    class Pair(layers.Layer):
        several_inputs = layers.MultiHeadAttention.several_inputs

        def call(self, query, value=None):
            return query if value is None else query - value

    x, state = portanet.asarray(X), portanet.asarray(np.ones((2, 2), dtype="float32"))
    mask = portanet.asarray(np.asarray([[True, True, False], [True, False, False]]))
    lstm, plain = Raised(2), layers.LSTM(2)
    for layer in (lstm, plain):
        layer.build((None, 3, 4))
    plain.set_weights(lstm.get_weights())
    for inputs, options in (([x], {}), ([x, state, state], {}), ([x], {"mask": mask})):
        out, expected = lstm(inputs, **options), plain(inputs, **options)
        np.testing.assert_allclose(backend.to_host(out), backend.to_host(expected) + 1.0, rtol=1e-6)
    assert given == [(True, True), (True, False), (False, True)]
    scored, plain = Scored(2, 3), layers.MultiHeadAttention(2, 3)
    for layer in (scored, plain):
        layer.build([(None, 3, 4), (None, 3, 4)])
    plain.set_weights(scored.get_weights())
    masks = [None, mask]
    np.testing.assert_allclose(
        backend.to_host(scored([x, x], mask=masks)), backend.to_host(plain([x, x], mask=masks)), atol=1e-6
    )
    assert given[3:] == [(False, True)]
    inputs = layers.Input((3, 4))
    model = portanet.Model(inputs, scored(inputs, inputs))
    np.testing.assert_allclose(backend.to_host(model(x)), backend.to_host(plain([x, x])), atol=1e-6)
    assert backend.to_host(Pair()(x, x)).sum() == 0
    assert Pair()([x]).shape == x.shape
