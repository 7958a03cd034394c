import pytest

from portanet import activations, initializers, losses, optimizers
from portanet.lookup import lookup, names, snake_case


class Plain:
    pass


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dense", "dense"),
        ("SGD", "sgd"),
        ("LSTM", "lstm"),
        ("MaxPooling2D", "max_pooling2d"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("BinaryCrossentropy", "binary_crossentropy"),
        ("RMSprop", "rm_sprop"),
    ],
)
def test_snake_case_is_that_of_keras(name, expected):
    assert snake_case(name) == expected


def test_classes_are_made_and_objects_passed_through():
    made = Plain()
    table = names(Plain)
    assert isinstance(lookup("thing", "plain", table), Plain)
    assert isinstance(lookup("thing", Plain, table), Plain)
    assert lookup("thing", len, table) is len
    with pytest.raises(ValueError, match="Expected the name of a known thing"):
        lookup("thing", made, table)


@pytest.mark.parametrize(
    ("get", "wrong", "nearest"),
    [
        (activations.get, "rellu", "relu"),
        (initializers.get, "glorot_unifrom", "glorot_uniform"),
        (losses.get, "categorical_crosentropy", "categorical_crossentropy"),
        (optimizers.get, "adm", "adam"),
    ],
)
def test_unknown_names_suggest_the_nearest_and_list_the_known(get, wrong, nearest):
    with pytest.raises(ValueError, match=rf"Did you mean '{nearest}'\? Known: .*{nearest}.* Received: '{wrong}'"):
        get(wrong)


def test_numbers_are_no_names():
    with pytest.raises(ValueError, match="Received: 3"):
        losses.get(3)
