import json

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, value_and_grad
from portanet.configurable import arguments_of
from portanet.models import Functional, clone_model
from portanet.variables import bind
from tests.support import asarray, assert_close, to_numpy

Input, Model = layers.Input, portanet.Model


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def two_in_two_out():
    """Two inputs are merged; one of the two outputs depends only on the first."""
    a, b = Input((4,), name="a"), Input((3,), name="b")
    x = layers.Dense(5, activation="tanh", name="hidden")(a)
    both = layers.Concatenate()([x, b])
    return Model([a, b], [layers.Dense(2, name="main")(both), layers.Dense(1, name="side")(x)], name="two")


def computed(model, a, b):
    """The same by hand, from the weights."""
    w = {path: v.numpy() for path, v in model.named_variables().items()}
    x = np.tanh(a @ w["hidden/kernel"] + w["hidden/bias"])
    both = np.concatenate([x, b], axis=1)
    return both @ w["main/kernel"] + w["main/bias"], x @ w["side/kernel"] + w["side/bias"]


def test_a_graph_computes_what_its_layers_compute(backend):
    model = two_in_two_out()
    assert isinstance(model, Functional)
    assert model.built
    assert list(model.named_variables()) == [f"{n}/{w}" for n in ("hidden", "main", "side") for w in ("kernel", "bias")]
    a, b = normal(6, 4), normal(6, 3)
    expected = computed(model, a, b)
    for x in ([asarray(a), asarray(b)], (asarray(a), asarray(b)), {"b": asarray(b), "a": asarray(a)}):
        for result, wanted in zip(model(x), expected, strict=True):
            assert_close(result, wanted, rtol=1e-5, atol=1e-5)
    assert model.input_shape == [(None, 4), (None, 3)]
    assert model.output_shape == [(None, 2), (None, 1)]
    assert model.compute_output_shape([(7, 4), (7, 3)]) == [(7, 2), (7, 1)]
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["main", "side"]
    assert [layer.name for layer in model.layers] == ["a", "hidden", "b", "concatenate", "main", "side"]
    assert model.get_layer("side") is model.layers[-1] is model.get_layer(index=-1)


def test_inputs_and_outputs_may_be_dicts(backend):
    left, right = Input((2,)), Input((2,))
    model = Model({"l": left, "r": right}, {"sum": left + right, "difference": left - right, "product": left * right})
    x = {"r": asarray([[1.0, 2.0]]), "l": asarray([[3.0, 5.0]])}
    out = model(x)
    assert list(out) == ["difference", "product", "sum"]
    for name, wanted in (("sum", [[4.0, 7.0]]), ("difference", [[2.0, 3.0]]), ("product", [[3.0, 10.0]])):
        assert_close(out[name], wanted)
    assert model.input_shape == [(None, 2), (None, 2)]
    predicted = model.predict({name: to_numpy(value) for name, value in x.items()})
    np.testing.assert_allclose(predicted["sum"], [[4.0, 7.0]])


def test_graphs_train_with_several_inputs_and_outputs(backend):
    portanet.random.set_seed(0)
    model = two_in_two_out()
    model.compile(optimizer=portanet.optimizers.Adam(0.02), loss=["mse", "mse"])
    a, b = normal(64, 4), normal(64, 3)
    y = [a[:, :2] + b[:, 1:], a[:, :1]]
    history = model.fit({"a": a, "b": b}, y, epochs=6, batch_size=16, verbose=0).history
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    assert [each.shape for each in model.predict([a, b])] == [(64, 2), (64, 1)]


def test_the_gradients_of_shared_weights_add_up(backend):
    """d/dw of f(w, w) is the sum of the two partial derivatives: against a model with separate weights."""
    shared = layers.Dense(3, activation="tanh", name="shared")
    a, b = Input((3,), name="a"), Input((3,), name="b")
    model = Model([a, b], layers.Multiply()([shared(shared(a)), shared(b)]))
    assert list(model.named_variables()) == ["shared/kernel", "shared/bias"]
    x = [asarray(normal(5, 3)), asarray(normal(4, 5, 3)[1])]

    def total(kernels):
        w, v, u = kernels
        xp = array_namespace(*kernels)
        tanh = lambda x, k: xp.tanh(xp.matmul(x, k))
        return xp.sum(tanh(tanh(x[0], w), v) * tanh(x[1], u))

    def ours(kernel):
        with bind({shared.kernel: kernel}):
            return array_namespace(kernel).sum(model(x))

    kernel = shared.kernel.value
    value, slope = value_and_grad(ours)(kernel)
    expected, parts = value_and_grad(total)([kernel, kernel, kernel])
    assert_close(value, to_numpy(expected), rtol=1e-4)
    assert_close(slope, sum(to_numpy(part) for part in parts), rtol=1e-3, atol=1e-4)


def test_models_are_layers_of_graphs(backend):
    features = Input((4,))
    encoder = Model(features, layers.Dense(2)(features), name="encoder")
    head = portanet.Sequential([layers.Dense(3, activation="relu"), layers.Dense(1)], name="head")
    left, right = Input((4,)), Input((4,))
    model = Model([left, right], head(layers.Subtract()([encoder(left), encoder(right)])))
    assert list(model.named_variables()) == [
        "encoder/dense/kernel", "encoder/dense/bias", "head/dense/kernel", "head/dense/bias", "head/dense_1/kernel",
        "head/dense_1/bias",
    ]  # fmt: skip
    x = normal(3, 4)
    difference = to_numpy(encoder(asarray(x))) - to_numpy(encoder(asarray(2 * x)))
    assert_close(model([asarray(x), asarray(2 * x)]), to_numpy(head(asarray(difference))), rtol=1e-4, atol=1e-5)


def test_an_autoencoder_is_cut_into_its_parts(backend):
    """Shanahan's notebook, 1480-1615: parameters of each layer, and submodels that share the weights."""
    x = Input((100,))
    code = layers.Dense(10, activation="relu", name="code")(layers.Dense(50, activation="relu")(x))
    out = layers.Dense(100)(layers.Dense(50, activation="relu")(code))
    auto = Model(inputs=[x], outputs=[out])
    assert [layer.count_params() for layer in auto.layers] == [0, 5050, 510, 550, 5100]
    assert auto.count_params() == 11210
    encoder = Model(auto.input, auto.get_layer("code").output)
    again = Input((10,))
    decoder = Model(again, auto.layers[-1](auto.layers[-2](again)))
    data = normal(40, 100)
    codes = encoder.predict(data)
    assert codes.shape == (40, 10)
    np.testing.assert_allclose(decoder.predict(codes), auto.predict(data), rtol=1e-4, atol=1e-5)
    from_the_middle = Model(auto.get_layer("code").output, auto.output)
    np.testing.assert_allclose(from_the_middle.predict(codes), auto.predict(data), rtol=1e-4, atol=1e-5)
    # Other models of the same layers do not change names and paths.
    assert [layer.name for layer in auto.layers] == ["input_layer", "dense", "code", "dense_1", "dense_2"]
    assert list(decoder.sublayers()) == ["input_layer", "dense_1", "dense_2"]


def test_frozen_parts_stay_as_they_are(backend):
    x = Input((3,))
    encoder = Model(x, layers.Dense(4, activation="tanh")(x), name="encoder")
    y = Input((3,))
    model = Model(y, layers.Dense(1, name="head")(encoder(y)))
    model.compile(optimizer="sgd", loss="mse")
    data = normal(8, 3)

    def changed():
        before = {path: v.numpy() for path, v in model.named_variables().items()}
        model.fit(data, data[:, :1], epochs=1, verbose=0)
        return {path.split("/")[0] for path, v in model.named_variables().items() if (v.numpy() != before[path]).any()}

    assert changed() == {"encoder", "head"}
    encoder.trainable = False  # without recompiling
    assert model.trainable_paths() == ["head/kernel", "head/bias"]
    assert changed() == {"head"}
    model.compile(optimizer="sgd", loss="mse")
    assert changed() == {"head"}
    encoder.trainable = True
    assert changed() == {"encoder", "head"}


def test_layers_are_trained_one_at_a_time(backend):
    """Layer-wise pretraining: each layer learns to reconstruct the output of the one below, then all are stacked."""
    portanet.random.set_seed(1)
    data = (normal(64, 3) @ normal(5, 3, 8)[1]).astype("float32")
    given, trained = data, []
    for units in (6, 3):
        x = Input(given.shape[1:])
        hidden = layers.Dense(units, activation="elu")
        auto = Model(x, layers.Dense(given.shape[1])(hidden(x)))
        auto.compile(optimizer=portanet.optimizers.Adam(0.02), loss="mse")
        loss = auto.fit(given, given, epochs=8, batch_size=16, verbose=0).history["loss"]
        assert loss[-1] < 0.7 * loss[0]
        given = Model(auto.input, hidden.output).predict(given)
        trained.append(hidden)
    learned = [layer.kernel.numpy() for layer in trained]
    x = Input((8,))
    stack = Model(x, layers.Dense(2, name="head")(trained[1](trained[0](x))))
    assert list(stack.named_variables())[:4] == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    for layer, kernel in zip(trained, learned, strict=True):
        np.testing.assert_array_equal(layer.kernel.numpy(), kernel)


def test_masks_flow_through_graphs_and_nested_models(backend):
    words = Input((5,), dtype="int32")
    embedded = portanet.Sequential([layers.Embedding(10, 4, mask_zero=True)], name="inner")(words)
    model = Model(words, layers.GRU(3)(layers.Dropout(0.5)(embedded)))
    padded = np.asarray([[4, 2, 9, 0, 0]], dtype="int32")
    short = Input((3,), dtype="int32")
    gru, inner = model.layers[-1], model.get_layer("inner")
    expected = Model(short, gru(inner(short)))(asarray(padded[:, :3]))
    assert_close(model(asarray(padded)), to_numpy(expected), rtol=1e-4, atol=1e-5)


def test_states_and_options_are_part_of_the_graph(backend):
    source, target = Input((4, 3)), Input((None, 2))
    _, *states = layers.LSTM(5, return_state=True)(source)
    decoder = layers.LSTM(5, return_sequences=True)
    model = Model([source, target], decoder(target, initial_state=states))
    assert model.output_shape == (None, None, 5)
    a, b = asarray(normal(2, 4, 3)), asarray(normal(2, 6, 2))
    _, *result = model.layers[2](a)
    assert_close(model([a, b]), to_numpy(decoder(b, initial_state=result)), rtol=1e-4, atol=1e-5)
    x = Input((4, 6))
    attention = layers.MultiHeadAttention(2, 3)
    both = Model(x, attention(x, use_causal_mask=True, return_attention_scores=True))
    assert [tuple(shape) for shape in both.output_shape] == [(None, 4, 6), (None, 2, 4, 4)]


def test_data_is_checked_behind_layers_that_pass_on_a_list(backend):
    words, other = Input((3,), dtype="int32"), Input((2,), dtype="int32")
    first, second = layers.Identity()([words, other])
    vectors = [layers.Flatten()(layers.Embedding(4, 2)(each)) for each in (first, second)]
    model = Model([words, other], layers.Concatenate()(vectors))
    fine = [np.full((2, 3), 3, dtype="int32"), np.full((2, 2), 3, dtype="int32")]
    assert model.predict(fine).shape == (2, 10)
    for position in (0, 1):
        wrong = [asarray(part + np.int32(i == position)) for i, part in enumerate(fine)]
        with pytest.raises(IndexError, match=r"integers from 0 to 3. Received: integers from 4 to 4"):
            model.check_data(wrong)


class Shifted(layers.Layer):
    def call(self, x, by=None):
        return x + by


def test_arguments_by_name_are_inputs_or_constants(backend):
    x, by = Input((3,)), Input((3,))
    a, b = normal(2, 3), normal(2, 3) * 2
    assert_close(Model([x, by], Shifted()(x, by=by))([asarray(a), asarray(b)]), a + b)
    assert_close(Model(x, Shifted()(x, by=asarray(b[0])))(asarray(a)), a + b[0])


def test_training_can_be_settled_in_the_graph(backend):
    x = Input((3,))
    model = Model(x, layers.Dropout(0.9)(x, training=False))
    ones = asarray(np.ones((4, 3)))
    assert_close(model(ones, training=True), np.ones((4, 3), dtype="float32"))


def test_data_is_checked_wherever_it_goes(backend):
    words, other = Input((2, 3), dtype="int32", name="words"), Input((6,), name="other")
    flat = layers.Flatten()(words)
    vectors = portanet.Sequential([layers.Embedding(4, 2), layers.Flatten()])(flat)
    model = Model([words, other], layers.Concatenate()([vectors, other]))
    good, bad = np.full((2, 2, 3), 3, dtype="int32"), np.full((2, 2, 3), 4, dtype="int32")
    assert model.predict([good, normal(2, 6)]).shape == (2, 18)
    with pytest.raises(IndexError, match=r"integers from 0 to 3. Received: integers from 4 to 4"):
        model.check_data([asarray(bad), asarray(normal(2, 6))])


def twins():
    words, age = Input((4,), dtype="int32", name="words"), Input((3,), name="age")
    dense = layers.Dense(3, activation="tanh")
    inner = Input((3,))
    nested = Model(inner, layers.Dense(3)(inner) + inner, name="nested")
    pooled = layers.GlobalAveragePooling1D()(layers.Embedding(7, 3)(words))
    merged = layers.Concatenate()([dense(age), nested(dense(pooled))])
    return Model(
        {"words": words, "age": age}, {"out": layers.Dropout(0.5)(merged, training=False), "nested": nested(age)}
    )


def test_a_config_makes_an_equal_model(backend):
    model = twins()
    twin = clone_model(model)
    assert list(twin.named_variables()) == list(model.named_variables())
    assert not {id(layer) for layer in model.flatten_layers()} & {id(layer) for layer in twin.flatten_layers()}
    twin.set_weights(model.get_weights())
    x = {"words": asarray(np.asarray([[0, 1, 2, 6]], dtype="int32")), "age": asarray(normal(1, 3))}
    for name, value in model(x, training=True).items():
        assert_close(twin(x, training=True)[name], to_numpy(value))
    assert twin.input_names == model.input_names
    assert twin.output_names == model.output_names


def test_a_config_is_plain_data_but_for_the_layers():
    config = arguments_of(twins())
    layers_, rest = config.pop("layers"), config
    assert set(layers_) == {"words", "age", "embedding", "global_average_pooling1d", "dense", "nested",
                            "concatenate", "dropout"}  # fmt: skip
    assert json.loads(json.dumps(rest)) == rest
    assert rest["nodes"][-2]["args"] == [{"from": ["concatenate", 0, 0]}]
    assert rest["nodes"][-2]["options"] == {"training": False}


class Told(layers.Layer):
    """Keeps the options that it was called with."""

    def call(self, x, options=None):
        self.told = options
        return x


@pytest.mark.parametrize(
    "options",
    [{"from": []}, {"from": [1, 0, 0]}, {"from": "told"}, {"from": ["told", 0]}, {"from": ["told", 0, 0], "to": 1}],
    ids=str,
)
def test_options_that_resemble_arrays_of_a_graph_stay_as_they_are(options):
    x = Input((2,))
    model = Model(x, Told(name="told")(x, options=[options]))
    config = arguments_of(model)
    twin = Functional.from_config(config | {"layers": arguments_of(clone_model(model))["layers"]})
    twin(np.ones((1, 2)))
    assert next(each for each in twin.layers if isinstance(each, Told)).told == [options]


def test_graphs_are_saved_and_loaded(backend, tmp_path):
    model = twins()
    model.save(tmp_path / "model.safetensors")
    loaded = portanet.load_model(tmp_path / "model.safetensors")
    x = {"words": np.asarray([[0, 1, 2, 6]], dtype="int32"), "age": normal(1, 3)}
    for name, value in model.predict(x).items():
        np.testing.assert_array_equal(loaded.predict(x)[name], value)


def test_names_given_by_the_user_are_kept_apart_by_an_error():
    x = Input((3,))
    with pytest.raises(ValueError, match=r"Two layers of one model have the same name.*'same'"):
        Model(x, layers.Dense(2, name="same")(layers.Dense(3, name="same")(x))).named_variables()


class Forked(portanet.Model):
    """Control flow that depends on the shape; layers in a dict."""

    def __init__(self, units=4, **options):
        super().__init__(**options)
        self.parts = {"wide": layers.Dense(units), "narrow": layers.Dense(units)}
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=False):
        part = self.parts["wide" if x.shape[1] > 3 else "narrow"]
        return self.drop(part(x)) if training else part(x)


def test_a_subclass_computes_with_plain_control_flow(backend):
    model = Forked()
    with pytest.raises(AttributeError, match="not built yet"):
        _ = model.output_shape
    model.compile(optimizer="sgd", loss="mse")
    model.fit(normal(8, 5), normal(8, 4), epochs=1, verbose=0)
    assert list(model.named_variables()) == ["dense/kernel", "dense/bias", "dropout/counter"]
    assert model.output_shape == (None, 4)
    x = Input((5,))
    nested = Model(x, layers.Dense(2)(model(x)))
    assert nested.output_shape == (None, 2)
    assert model.input is x
    with pytest.raises(AttributeError, match="has no symbolic inputs"):
        Forked().inputs  # noqa: B018


ONE, OTHER = Input((3,), name="one"), Input((4,), name="other")


@pytest.mark.parametrize(
    ("use", "kind", "message"),
    [
        (lambda: Model(ONE, layers.Concatenate()([ONE, OTHER])), ValueError,
         r"depends on the input 'other'.*inputs 'one'"),
        (lambda: Model([ONE, ONE], ONE + ONE), ValueError, "takes each input once"),
        (lambda: Model(np.ones(3), ONE), TypeError, r"`inputs`.*must be symbolic arrays.*Received: array"),
        (lambda: Model(ONE, layers.Dense(2)), TypeError, r"`outputs`.*must be symbolic.*<Dense 'dense', .*not built>"),
        (lambda: Model([ONE, np.ones(3)], ONE), TypeError, r"`inputs`.*must be symbolic arrays.*Received: array"),
        (lambda: Model(ONE, []), TypeError, "`outputs`.*Received: 'none'"),
        (lambda: layers.Add()([ONE, np.ones((2, 3))]), TypeError,
         "together with something else.*SymbolicArray, ndarray"),
        (lambda: Shifted()(np.ones((2, 3)), by=ONE), TypeError, "together with something else.*Received: ndarray"),
        (lambda: two_in_two_out().get_layer("none"), ValueError, "has the layers a, hidden, b.*Received: name='none'"),
        (lambda: two_in_two_out()(np.ones((2, 4))), ValueError, r"takes 2 inputs: 'a' \(None, 4\), 'b'.*one array"),
        (lambda: two_in_two_out()({"a": 1, "c": 2}), TypeError, "convert lists and numbers"),
        (lambda: two_in_two_out()([np.ones((2, 4)), np.ones((2, 5))]), ValueError,
         r"Input 'b' .*\(None, 3\).*\(2, 5\)"),
        (lambda: two_in_two_out()({"a": np.ones((2, 4)), "c": np.ones(3)}), ValueError, "Received: the keys 'a', 'c'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_graph_is_said(use, kind, message):
    with pytest.raises(kind, match=message):
        use()


def test_a_layer_built_for_other_shapes_is_refused_while_drawing():
    layer = layers.Dense(2)
    layer(ONE)
    with pytest.raises(ValueError, match=r"built for inputs with 3 features"):
        layer(OTHER)
    with pytest.raises(AttributeError, match=r"has an output after it was called on symbolic arrays"):
        layers.Dense(2).output  # noqa: B018


def test_layers_that_keep_integers_get_none_where_nothing_takes_them(backend):
    x = layers.Input((3, 1))
    model = portanet.Model(x, layers.Flatten()(x))
    assert model.predict(np.ones((2, 3, 1), dtype="int32")).dtype == np.float32
