"""How Keras's files list the arguments of a layer: defaults of which class, and the form of each value."""

from __future__ import annotations

from typing import Any

import pytest

from portanet import activations, initializers, layers
from portanet.saving.keras.completion import _defaults, _kept, completed

ZEROS = initializers.Zeros()


class Below(layers.Layer):
    def __init__(self, units: int, rate: float = 1.0, size: int = 3, **options: Any) -> None:
        super().__init__(**options)


class Above(Below):
    def __init__(self, rate: float = 2.0, trainable: bool = False, **options: Any) -> None:
        super().__init__(3, rate, trainable=trainable, **options)


def test_the_defaults_of_the_class_go_before_those_of_its_base() -> None:
    assert _defaults(Below) == {"rate": 1.0, "size": 3}
    assert _defaults(Above) == {"rate": 2.0, "size": 3}


@pytest.mark.parametrize(
    ("key", "value", "attribute", "kept"),
    [
        ("activation", "relu", activations.relu, "relu"),
        ("kernel_initializer", "zeros", ZEROS, ZEROS),
        ("strides", 2, (2, 2), (2, 2)),
        ("strides", None, (2, 2), (2, 2)),
        ("strides", (2, 1), (2, 2), (2, 1)),
        ("strides", True, (1, 1), True),
        ("strides", 2, 2, 2),
        ("units", 2, (2,), 2),
        ("units", None, (2,), None),
        ("size", 2, (2,), 2),
        ("size", 2, (2, 2), (2, 2)),
        ("pool_size", 2, (2,), (2,)),
        ("activation", None, activations.linear, "linear"),
        ("activation", None, activations.relu, None),
        ("activation", 3, activations.linear, 3),
    ],
)
def test_the_form_of_a_value(key: str, value: Any, attribute: Any, kept: Any) -> None:
    result = _kept(key, value, attribute)
    assert result is kept or (type(result), result) == (type(kept), kept)


def test_what_is_listed() -> None:
    """Given arguments before defaults, those of the cell too; of all layers' only what was given and says something."""
    listed = completed(layers.LSTM(3), {"units": 3, "unit_forget_bias": False, "name": None, "dtype": "float64"})
    assert {key: listed[key] for key in ("units", "unit_forget_bias", "use_bias", "go_backwards", "dtype")} == {
        "units": 3,
        "unit_forget_bias": False,
        "use_bias": True,
        "go_backwards": False,
        "dtype": "float64",
    }
    assert "name" not in listed
    assert "trainable" not in completed(layers.Dense(3), {"units": 3, "trainable": True})
    assert completed(layers.Dense(3), {"units": 3, "trainable": False})["trainable"] is False
    assert "return_sequences" not in completed(layers.LSTMCell(3), {"units": 3})
    assert completed(layers.Conv2D(3, 2), {"filters": 3, "kernel_size": 2})["data_format"] == "channels_last"
    assert completed(Above(), {"rate": None}) == {"rate": None}  # a user's class says itself what it has
