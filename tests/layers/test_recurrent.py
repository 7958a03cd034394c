from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.autodiff import array_namespace, grad, lift, value_and_grad
from portanet.backends import get_backend
from portanet.variables import bind
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy

KINDS = ["SimpleRNN", "LSTM", "GRU"]


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape)


# The declarative test


@pytest.mark.parametrize(
    ("make", "output", "weights"),
    [
        (lambda: layers.SimpleRNN(4), (2, 4), {"kernel": (3, 4), "recurrent_kernel": (4, 4), "bias": (4,)}),
        (lambda: layers.LSTM(4), (2, 4), {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}),
        (lambda: layers.GRU(4), (2, 4), {"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (2, 12)}),
        (
            lambda: layers.GRU(4, reset_after=False, return_sequences=True, use_bias=False),
            (2, 5, 4),
            {"kernel": (3, 12), "recurrent_kernel": (4, 12)},
        ),
        (
            lambda: layers.LSTM(4, peephole=True, projection_units=2, return_state=True, return_sequences=True),
            [(2, 5, 2), (2, 2), (2, 4)],
            {
                "kernel": (3, 16),
                "recurrent_kernel": (2, 16),
                "bias": (16,),
                "peephole_kernel": (3, 4),
                "projection_kernel": (4, 2),
            },
        ),
        (
            lambda: layers.JordanRNN(4, 2, return_sequences=True),
            (2, 5, 2),
            {"kernel": (3, 4), "recurrent_kernel": (2, 4), "bias": (4,), "output_kernel": (4, 2), "output_bias": (2,)},
        ),
    ],
)
def test_layer(backend, make, output, weights):
    layer = make()
    cell = layer.cell.name
    check_layer(make, (2, 5, 3), output, {f"{cell}/{path}": shape for path, shape in weights.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_layer_with_everything(backend, kind):
    make = lambda: getattr(layers, kind)(
        3,
        return_sequences=True,
        go_backwards=True,
        learn_initial_state=True,
        dropout=0.3,
        recurrent_dropout=0.4,
        seed=1,
    )
    check_layer(make, (2, 4, 3), (2, 4, 3), training=True)


def test_stack_of_cells(backend):
    check_layer(lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]), (2, 5, 3), (2, 3))


def test_bidirectional(backend):
    check_layer(lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True)), (2, 4, 3), (2, 4, 6))
    check_layer(
        lambda: layers.Bidirectional(layers.GRU(3, return_state=True), merge_mode=None),
        (2, 4, 3),
        [(2, 3)] * 4,
        trains=False,
    )


@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions_are_merged(backend, sequences):
    x = asarray(normal(2, 4, 3))
    merge = {"sum": lambda a, b: a + b, "ave": lambda a, b: (a + b) / 2, "mul": lambda a, b: a * b}
    merge |= {"concat": lambda a, b: np.concatenate([a, b], axis=-1)}
    for mode, expected in merge.items():
        layer = layers.Bidirectional(layers.GRU(3, return_sequences=sequences), merge_mode=mode)
        result = layer(x)
        forward, backward = (to_numpy(each(x)) for each in (layer.forward_layer, layer.backward_layer))
        assert_close(result, expected(forward, backward[:, ::-1] if sequences else backward))


def test_bidirectional_layers_share_no_weights():
    layer = layers.Bidirectional(layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]))
    layer.build((2, 4, 3))
    assert len(layer.trainable_weights) == 12


def test_time_distributed(backend):
    check_layer(lambda: layers.TimeDistributed(layers.Dense(4)), (2, 5, 3), (2, 5, 4))


# Weights and names


def test_forget_bias_and_parameters():
    layer = layers.LSTM(3)
    layer.build((None, 5, 2))
    np.testing.assert_array_equal(layer.cell.bias.numpy(), [0] * 3 + [1] * 3 + [0] * 6)
    assert layer.count_params() == 4 * (3 * 3 + 2 * 3 + 3)
    kernel = layer.cell.recurrent_kernel.numpy()
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(3), atol=1e-6)


def test_user_cells(backend):
    class Minimal(layers.Layer):
        state_size = 3

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")

        def call(self, x, states):
            new = states[0] + array_namespace(x, self.kernel.value).matmul(x, self.kernel.value)
            return 2 * new, new

    layer = layers.RNN(Minimal(), return_sequences=True, return_state=True)
    x = normal(2, 4, 3)
    mask = np.asarray([[True, True, False, True], [False, True, False, False]])
    outputs, state = layer(asarray(x), mask=asarray(mask))
    sums = np.cumsum(np.where(mask[..., None], x @ layer.cell.kernel.numpy(), 0), axis=1)
    assert_close(outputs, 2 * sums, rtol=1e-4, atol=1e-5)
    assert_close(state, sums[:, -1], rtol=1e-4, atol=1e-5)
    assert layer.compute_output_shape((2, 4, 3)) == ((2, 4, 3), (2, 3))


@pytest.mark.parametrize(
    "make", [lambda: layers.LSTMCell(3), lambda: layers.GRUCell(3), lambda: layers.SimpleRNNCell(3)]
)
def test_cells_step_by_step(backend, make):
    cell = make()
    x = asarray(normal(2, 4, 3))
    cell.build((2, 3))
    states = cell.get_initial_state(2)
    for t in range(4):
        output, states = cell(x[:, t, :], states)
    assert_close(layers.RNN(cell)(x), to_numpy(output), rtol=1e-4, atol=1e-6)


# States


@pytest.mark.parametrize("kind", KINDS)
def test_state_goes_in_and_out(backend, kind):
    layer = getattr(layers, kind)(3, return_sequences=True, return_state=True)
    x = asarray(normal(2, 6, 4))
    whole, *last = layer(x)
    _, *states = layer(x[:, :2, :])
    second, *end = layer(x[:, 2:, :], initial_state=states)
    assert_close(second, to_numpy(whole)[:, 2:], rtol=1e-5, atol=1e-6)
    for a, b in zip(end, last, strict=True):
        assert_close(a, to_numpy(b), rtol=1e-5, atol=1e-6)
    assert_close(layer([x[:, 2:, :], *states])[0], to_numpy(second), rtol=1e-6)
    assert_close(layer(x)[0], to_numpy(whole), rtol=0, atol=0)  # no state is kept between calls


@pytest.mark.parametrize("kind", KINDS)
def test_stateful(backend, kind):
    layer = getattr(layers, kind)(3, stateful=True)
    x = asarray(normal(2, 6, 4))
    layer.build((2, 3, 4))
    twin = getattr(layers, kind)(3)
    twin.build((2, 6, 4))
    twin.set_weights([w.numpy() for w in layer.trainable_weights])
    layer(x[:, :3, :])
    assert_close(layer(x[:, 3:, :]), to_numpy(twin(x)), rtol=1e-5, atol=1e-6)
    layer.reset_state()
    assert_close(layer(x), to_numpy(twin(x)), rtol=1e-5, atol=1e-6)


def test_learned_initial_state_gets_a_gradient(backend):
    layer = layers.LSTM(3, learn_initial_state=True, dtype="float64")
    x = asarray(normal(2, 4, 3), "float64")
    layer.build((2, 4, 3))
    states = layer.initial_state

    def total(values):
        with bind(dict(zip(states, values, strict=True))):
            out = layer(x)
        return array_namespace(out).sum(out)

    slopes = grad(total)([v.value for v in states])
    assert all(np.abs(to_numpy(g)).min() > 0 for g in slopes)


# Masks: padding has no effect


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_has_no_influence(backend, kind, side):
    layer = getattr(layers, kind)(3, dtype="float64")
    x = normal(1, 4, 2)
    padding = np.full((1, 3, 2), np.nan)
    padded = np.concatenate([padding, x] if side == "left" else [x, padding], axis=1)
    mask = np.isfinite(padded[..., 0])
    layer.build(x.shape)
    kernel = layer.cell.kernel

    def total(w, x, mask=None):
        with bind({kernel: w}):
            out = layer(x, mask=mask)
        return array_namespace(out).sum(out * out)

    expected = value_and_grad(total, (0, 1))(kernel.value, asarray(x, "float64"))
    value, (by_w, by_x) = value_and_grad(total, (0, 1))(kernel.value, asarray(padded, "float64"), asarray(mask))
    assert_close(value, to_numpy(expected[0]), dtype="float64")
    assert_close(by_w, to_numpy(expected[1][0]), dtype="float64")
    assert_close(by_x[:, 3:, :] if side == "left" else by_x[:, :4, :], to_numpy(expected[1][1]), dtype="float64")
    assert np.all(to_numpy(by_x)[~mask] == 0)


def test_zero_output_for_mask_and_compute_mask():
    layer = layers.GRU(3, return_sequences=True, zero_output_for_mask=True)
    mask = np.asarray([[True, False, True]])
    out = layer(normal(1, 3, 2).astype("float32"), mask=mask)
    assert np.all(out[0, 1] == 0)
    assert np.all(out[0, 2] != 0)
    assert layer.compute_mask(None, mask) is mask
    assert layers.GRU(3).compute_mask(None, mask) is None


# Gradients through time


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_reaches_the_first_step_unless_truncated(backend, kind):
    x = asarray(normal(2, 6, 3), "float64")

    def by_x(**options):
        layer = getattr(layers, kind)(4, dtype="float64", **options)
        layer.build((2, 6, 3))
        layer.set_weights([normal(*w.shape) * 0.5 for w in layer.trainable_weights])
        return to_numpy(grad(lambda x: array_namespace(x).sum(layer(x)))(x))

    whole, cut, long = by_x(), by_x(truncate_gradient=2), by_x(truncate_gradient=9)
    assert np.abs(whole).min() > 0
    assert np.all(cut[:, :4] == 0)
    np.testing.assert_allclose(cut[:, 4:], whole[:, 4:])
    np.testing.assert_array_equal(long, whole)


@pytest.mark.parametrize("kind", [*KINDS, "GRU before"])
def test_second_derivatives(backend, kind):
    options = {"reset_after": False} if kind == "GRU before" else {}
    layer = getattr(layers, kind.split()[0])(2, dtype="float64", return_sequences=True, **options)
    x, v = normal(2, 3, 2), np.random.default_rng(1).normal(size=(2, 3, 2))
    mask = asarray(np.asarray([[True, True, True], [True, True, False]]))
    layer.build(x.shape)

    def slope(x):
        return grad(lambda x: array_namespace(x).sum(layer(x, mask=mask) ** 2))(x)

    along = asarray(v, "float64")
    product = grad(lambda x: array_namespace(x).sum(slope(x) * along))(asarray(x, "float64"))
    h = 1e-4
    ahead, back = (to_numpy(slope(asarray(x + step * v, "float64"))) for step in (h, -h))
    assert_close(product, (ahead - back) / (2 * h), rtol=1e-5, atol=1e-7, dtype="float64")


# Dropout


@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_dropout_is_for_training_and_the_same_in_every_step(backend, options):
    layer = layers.SimpleRNN(
        8, activation="linear", return_sequences=True, recurrent_initializer="zeros", seed=3, **options
    )
    x = asarray(np.ones((2, 4, 5)))
    plain = to_numpy(layer(x))
    np.testing.assert_array_equal(to_numpy(layer(x)), plain)
    first, second = to_numpy(layer(x, training=True)), to_numpy(layer(x, training=True))
    for t in range(4):  # without recurrence, the same kept inputs give the same output
        np.testing.assert_allclose(first[:, t], first[:, 0], rtol=1e-5)
    differs = not np.allclose(first, second)
    assert differs == ("dropout" in options)


def test_dropout_does_not_depend_on_the_backend(backend):
    from portanet import random, use_backend

    def result():
        random.set_seed(5)
        layer = layers.LSTM(3, dropout=0.5, recurrent_dropout=0.5)
        return to_numpy(layer(asarray(normal(2, 4, 3)), training=True))

    actual = result()
    with use_backend("numpy"):
        np.testing.assert_allclose(actual, result(), rtol=1e-4, atol=1e-5)


# Jordan network


def test_teacher_forcing(backend):
    layer = layers.JordanRNN(6, 2, output_activation="sigmoid", return_sequences=True)
    x, wanted = asarray(normal(2, 5, 3)), asarray(np.random.default_rng(1).random((2, 5, 2)))
    taught = to_numpy(layer(x, teacher=wanted))
    state = asarray(np.zeros((2, 2)))
    for t in range(5):
        output, _ = layer.cell(x[:, t, :], [state])
        assert_close(output, taught[:, t], rtol=1e-4, atol=1e-5)
        state = wanted[:, t, :]


# Under a trace, with plain inputs and under compilation


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_step_agrees(backend, kind):
    layer = getattr(layers, kind)(3, return_sequences=True)
    x, mask = asarray(normal(2, 7, 4)), asarray(np.arange(7) < np.asarray([[7], [3]]))
    layer.build((2, 7, 4))
    trained = layer.trainable_weights

    def slopes(values, x, mask):
        def total(values):
            with bind(dict(zip(trained, values, strict=True))):
                out = layer(lift(x), mask=lift(mask))
            return array_namespace(out).sum(out * out)

        return grad(total)(values)

    values = [w.value for w in trained]
    for a, b in zip(get_backend().compile(slopes)(values, x, mask), slopes(values, x, mask), strict=True):
        assert_close(a, to_numpy(b), rtol=1e-4, atol=1e-5)


# Errors


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LSTM(0), "`units` of layer 'lstm_cell' must be a positive integer.*Received: units=0"),
        (lambda: layers.LSTM(3, projection_units=1.5), "`projection_units`.*Received:"),
        (lambda: layers.GRU(3, dropout=1.0), r"`dropout` of layer 'gru_cell' must be a number in \[0, 1\)."),
        (lambda: layers.GRU(3, truncate_gradient=0), "`truncate_gradient`.*Received: truncate_gradient=0"),
        (lambda: layers.GRU(3, stateful=True, learn_initial_state=True), "not both.*Received:"),
        (lambda: layers.RNN(layers.Dense(3)), "`cell` of layer 'rnn'.*`state_size`.*Received:"),
        (lambda: layers.StackedRNNCells([]), "`cells`.*Received:"),
        (lambda: layers.Bidirectional(layers.Dense(3)), "must be a recurrent layer.*Received:"),
        (lambda: layers.Bidirectional(layers.GRU(3), merge_mode="add"), "`merge_mode`.*Received: merge_mode='add'"),
        (lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3)), "different directions.*Received:"),
        (lambda: layers.TimeDistributed(3), "`layer`.*Received: layer=3"),
        (lambda: layers.GRU(3, stateful=True).build((None, 4, 2)), "fixed batch size.*Received:"),
        (lambda: layers.GRU(3).reset_state(), "keeps no state.*Received: stateful=False"),
        (lambda: layers.GRU(3)(np.ones((2, 3))), "needs inputs of shape.*Received: shape"),
        (lambda: layers.RNN(layers.GRUCell(3))(np.ones((2, 5, 4, 3))), "gru_cell.*in each time step. Received: shape"),
        (lambda: layers.GRU(3)(np.ones((2, 0, 3))), "at least one time step.*Received:"),
        (lambda: layers.GRU(3)(np.ones((2, 4, 3)), mask=np.ones((2, 3))), "mask of shape.*Received:"),
        (lambda: layers.GRU(3)(np.ones((2, 4, 3)), initial_state=np.ones((2, 4))), "needs states of shapes.*Received:"),
        (
            lambda: layers.JordanRNN(3, 2)(np.ones((2, 4, 3)), teacher=np.ones((2, 4, 2))),
            "return_sequences=True.*Received:",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_features():
    layer = layers.GRU(3)
    layer.build((None, 5, 4))
    with pytest.raises(ValueError, match=r"built for inputs with 4 features.*Received:"):
        layer(np.ones((2, 5, 3), dtype="float32"))


@pytest.mark.parametrize("shape", [(3, 5), (4, 6), (3, 6), (5,)])
def test_masks_of_time_distributed_fit_its_input(shape: Any, xp: Any) -> None:
    layer = layers.TimeDistributed(layers.Dense(2))
    with pytest.raises(ValueError, match=r"`mask` of layer 'time_distributed' must have .*\(4, 5\)\. Received: a mask"):
        layer(asarray(np.zeros((4, 5, 3))), mask=asarray(np.ones(shape, bool)))
