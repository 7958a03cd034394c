import numpy as np
import pytest

import portanet
from portanet import layers
from tests.training.models import line, rows

X, Y = rows(12)


class Trap(layers.Layer):
    """Fails on the batch that contains a marked example."""

    keeps_shape = True

    def call(self, x):
        if x.shape[0] == 2:
            raise ArithmeticError("trap")
        return x


def trapped():
    portanet.random.set_seed(0)
    inner = portanet.Sequential([layers.Dense(2, name="a"), Trap(name="trap")], name="inner")
    model = portanet.Sequential([layers.Input((3,)), inner, layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def test_a_failing_batch_is_named_with_its_layer_and_shapes(backend):
    model = trapped()
    before = model.get_weights()
    with pytest.raises(ArithmeticError, match="trap") as caught:
        model.fit(X[:10], Y[:10], batch_size=8, epochs=3, verbose=0)
    notes = caught.value.__notes__  # JAX adds one of its own
    assert [notes[0], notes[-1]] == [
        "In layer 'sequential/inner/trap' (Trap), given float32 (2, 2)",
        "Epoch 1 of 3, batch 2 of 2: x float32 (2, 3), y float32 (2, 1)",
    ]
    assert model.position.batch == 1
    assert not np.array_equal(model.get_weights()[0], before[0])  # only the first batch was counted


def test_evaluation_and_prediction_too(backend):
    model = trapped()
    with pytest.raises(ArithmeticError) as caught:
        model.evaluate(X[:10], Y[:10], batch_size=8, verbose=0)
    assert caught.value.__notes__[-1] == "Evaluation, batch 2 of 2: x float32 (2, 3), y float32 (2, 1)"
    with pytest.raises(ArithmeticError) as caught:
        model.predict(X[:10], batch_size=8)
    assert caught.value.__notes__[-1] == "Prediction, batch 2 of 2: x float32 (2, 3)"


def test_a_step_that_fails_leaves_everything_as_it_was(backend):
    """A metric is the last part of a step that can fail: weights and optimizer are unchanged."""

    def picky(y_true, y_pred):
        if y_pred.shape[0] == 4:
            raise ArithmeticError("picky")
        return (y_true - y_pred)[:, 0]

    def run(count):
        model = line(optimizer="adam", metrics=[picky])
        data = X[:count], Y[:count]
        if count > 8:
            with pytest.raises(ArithmeticError):
                model.fit(*data, batch_size=8, shuffle=False, verbose=0)
        else:
            model.fit(*data, batch_size=8, shuffle=False, verbose=0)
        return [*model.get_weights(), *map(model.backend.to_host, model.optimizer_state[1]["m"].values())]

    for result, expected in zip(run(12), run(8), strict=True):
        np.testing.assert_array_equal(result, expected)
