import pytest

from portanet import activations, initializers, losses, metrics, optimizers
from portanet.lookup import lookup, names, snake_case


class Plain:
    def __call__(self):
        """Only what can be called is found."""


class Other:
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
    table = names(Plain)
    assert isinstance(lookup("thing", "plain", table), Plain)
    assert isinstance(lookup("thing", Plain, table), Plain)
    assert lookup("thing", len, table) is len
    for wrong in (Other(), Other, Plain.__call__.__code__, type):
        with pytest.raises(ValueError, match=r"Argument `identifier` must be the name of a known thing.* Received: "):
            lookup("thing", wrong, table)
    assert lookup("thing", Other, table, base=Other).__class__ is Other
    with pytest.raises(
        ValueError, match=r"Argument `loss` of compile must be the name of a known thing, a portanet thing"
    ):
        lookup("thing", len, table, "loss", "compile", base=Other)


@pytest.mark.parametrize(
    ("get", "wrong", "nearest"),
    [
        (activations.get, "rellu", "relu"),
        (initializers.get, "glorot_unifrom", "glorot_uniform"),
        (losses.get, "categorical_crosentropy", "categorical_crossentropy"),
        (optimizers.get, "adm", "adam"),
        (optimizers.get, "adma", "adam"),
        (metrics.get, "acuracy", "accuracy"),
    ],
)
def test_unknown_names_suggest_the_nearest_and_list_the_known(get, wrong, nearest):
    known = rf"Did you mean '{nearest}'\? Argument `identifier` must be one of .*{nearest}.* "
    with pytest.raises(ValueError, match=f"{known}Received: identifier='{wrong}'"):
        get(wrong)


def test_numbers_are_no_names():
    with pytest.raises(ValueError, match="Received: identifier=3"):
        losses.get(3)
