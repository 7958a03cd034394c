"""Arguments that Keras and we both have come in the same order, so that no call by position swaps two in silence."""

import inspect

import numpy as np
import pytest

import portanet

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning")
ROOMS = {
    "activations": portanet.activations,
    "callbacks": portanet.callbacks,
    "constraints": portanet.constraints,
    "initializers": portanet.initializers,
    "layers": portanet.layers,
    "losses": portanet.losses,
    "metrics": portanet.metrics,
    "models": portanet.models,
    "ops": portanet.ops,
    "optimizers": portanet.optimizers,
    "optimizers.schedules": portanet.schedules,
    "regularizers": portanet.regularizers,
    "saving": portanet.saving,
    "utils": portanet.utils,
}
METHODS = ("Callback", "Layer", "Loss", "Metric", "Model", "Optimizer", "Sequential")


def callables(room):
    """Names with both functions or classes, and the methods of base classes."""
    theirs = keras
    for part in room.split("."):
        theirs = getattr(theirs, part)
    ours = ROOMS[room]
    for name in sorted(set(dir(theirs)) & set(dir(ours))):
        pair = getattr(ours, name), getattr(theirs, name)
        if name.startswith("_") or not all(map(callable, pair)):
            continue
        yield name, *pair
        if name in METHODS:
            for method in sorted(set(dir(pair[0])) & set(dir(pair[1]))):
                if not method.startswith("_") and all(callable(getattr(each, method)) for each in pair):
                    yield f"{name}.{method}", getattr(pair[0], method), getattr(pair[1], method)


def positions(function):
    """The arguments that may be passed by position; None where it is not known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


@pytest.mark.parametrize("room", ROOMS)
def test_common_arguments_come_in_the_order_of_keras(room):
    wrong = {}
    for name, ours, theirs in callables(room):
        mine, other = positions(ours), positions(theirs)
        if mine is not None and other is not None:
            common = [argument for argument in mine if argument in other]
            if common != [argument for argument in other if argument in mine]:
                wrong[name] = mine, other
    assert wrong == {}


@pytest.mark.parametrize(
    ("ours", "theirs", "count"),
    [
        (portanet.ops.binary_crossentropy, keras.ops.binary_crossentropy, 2),
        (portanet.Model.load_weights, keras.Model.load_weights, 3),
        (portanet.layers.RNN, keras.layers.RNN, 7),
        (portanet.layers.SimpleRNNCell, keras.layers.SimpleRNNCell, 15),
        (portanet.layers.SimpleRNN, keras.layers.SimpleRNN, 6),
        (portanet.layers.LSTMCell, keras.layers.LSTMCell, 8),
        (portanet.layers.LSTM, keras.layers.LSTM, 8),
        (portanet.layers.GRUCell, keras.layers.GRUCell, 7),
        (portanet.layers.GRU, keras.layers.GRU, 7),
        (portanet.layers.Conv3DTranspose, keras.layers.Conv3DTranspose, 9),
        (portanet.losses.Loss, keras.losses.Loss, 3),
        (portanet.losses.Huber, keras.losses.Huber, 4),
        (portanet.metrics.BinaryAccuracy, keras.metrics.BinaryAccuracy, 3),
        (portanet.metrics.TruePositives, keras.metrics.TruePositives, 3),
        (portanet.metrics.AUC, keras.metrics.AUC, 6),
        (portanet.metrics.MeanIoU, keras.metrics.MeanIoU, 4),
        (portanet.Model.compile, keras.Model.compile, 10),
        (portanet.Model.compute_loss, keras.Model.compute_loss, 6),
        (portanet.Model.fit, keras.Model.fit, 10),
    ],
)
def test_the_first_arguments_are_those_of_keras(ours, theirs, count):
    mine, other = positions(ours)[:count], positions(theirs)[:count]
    assert other == mine


def test_binary_crossentropy_by_position_as_keras():
    target, output = np.asarray([0.0, 1.0, 1.0], dtype="float32"), np.asarray([0.1, 0.3, 0.9], dtype="float32")
    expected = keras.ops.convert_to_numpy(keras.ops.binary_crossentropy(target, output))
    np.testing.assert_allclose(portanet.fused.binary_crossentropy(target, output), expected, rtol=1e-5)
