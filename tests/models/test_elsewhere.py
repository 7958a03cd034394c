"""Names of other libraries are answered with those that models have here."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

import portanet
from portanet import layers
from portanet.models.elsewhere import IN_ITS_PLACE


@pytest.mark.parametrize("name", IN_ITS_PLACE)
def test_a_name_of_another_library(name: str) -> None:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; in its place: "):
        getattr(model, name)
    assert not hasattr(model, name)
    named = re.findall(r"(?:model\.|^|or )(\w+)", IN_ITS_PLACE[name])
    assert [word for word in named if not hasattr(model, word)] in ([], ["model"], ["portanet"], ["nothing"])


def test_a_subclass_may_have_such_names() -> None:
    class Own(portanet.Model):
        def score(self) -> int:
            return 3

    assert Own().score() == 3


def test_the_error_of_a_property_is_kept() -> None:
    class Own(portanet.Model):
        @property
        def size(self) -> int:
            return self.missing

    with pytest.raises(AttributeError, match="'Own' object has no attribute 'missing'"):
        _ = Own().size


def test_copies_and_pickles() -> None:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    for twin in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.count_params() == 3


def test_a_property_of_a_subclass_has_its_own_error() -> None:
    class Own(portanet.Model):
        @property
        def parameters(self) -> int:
            raise AttributeError("not yet")

    with pytest.raises(AttributeError, match=r"^not yet$"):
        Own().parameters  # noqa: B018
