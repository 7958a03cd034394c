import numpy as np
import pytest

from portanet import losses, metrics
from portanet.callbacks import EarlyStopping, Monitor, ReduceLROnPlateau
from tests.callbacks import scripted
from tests.callbacks.scripted import Script


@pytest.mark.parametrize(
    ("name", "direction"),
    [("loss", "min"), ("val_loss", "min"), ("left_loss", "min"), ("accuracy", "max"), ("val_mse", "min")],
)
def test_the_mode_is_found_out(name, direction):
    watch = Monitor(name)
    watch.set_model(Script(metrics=[metrics.get("accuracy"), metrics.MeanSquaredError(name="mse")]))
    assert watch.direction == direction


def test_a_loss_as_a_metric_should_fall():
    watch = Monitor("val_far")
    watch.set_model(Script(metrics=[metrics.FunctionMetric(losses.Huber(), name="far")]))
    assert watch.direction == "min"


def test_a_mode_that_cannot_be_found_out():
    watch = Monitor("val_mine")
    watch.set_model(Script(metrics=[metrics.FunctionMetric(lambda a, b: a, name="mine")]))
    with pytest.raises(ValueError, match=r"pass mode='min' or mode='max'. Received: monitor='val_mine', mode='auto'"):
        watch.direction  # noqa: B018


def test_an_unknown_mode():
    with pytest.raises(ValueError, match=r"`mode` of Monitor must be one of 'auto', 'min', 'max'. Received: "):
        Monitor("loss", mode="best")


def test_what_is_not_there_is_told_with_what_there_is():
    with pytest.warns(UserWarning, match=r"monitors 'val_loss', .* Available in this epoch: 'loss'.*='val_loss'"):
        ended = Script().play(EarlyStopping(), scripted.losses(1.0, name="loss"))
    assert not ended.stop_training


@pytest.mark.parametrize("value", ["0.5", "a", None, [1.0], np.ones(2)])
@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
def test_the_quantity_must_be_a_number(make, value):
    with pytest.raises(TypeError, match=rf"{make.__name__} monitors must be a number.*Received: logs\['val_loss'\]="):
        Script().play(make(), [{"val_loss": value}])
