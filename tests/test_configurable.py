import pytest

from portanet.configurable import Configurable


class Base(Configurable):
    def __init__(self, size=1, **options):
        self.size = size
        self.options = options


class Derived(Base):
    def __init__(self, factor, *rest, **options):
        super().__init__(factor * 2, **options)
        self.rest = rest


class Silent(Base):
    pass


def test_only_the_outermost_arguments_are_recorded():
    made = Derived(3, 4, 5, name="x")
    assert made.get_config() == {"factor": 3, "rest": [4, 5], "name": "x"}
    assert made.size == 6


def test_defaults_are_part_of_the_config():
    assert Base().get_config() == {"size": 1}


def test_a_class_without_init_of_its_own_records_its_parents_arguments():
    assert Silent(7).get_config() == {"size": 7}
    assert Silent.from_config({"size": 7}).size == 7


def test_a_config_cannot_be_changed_from_outside():
    made = Base(2)
    made.get_config()["size"] = 9
    assert made.get_config() == {"size": 2}


def test_wrong_arguments_fail_as_usual():
    with pytest.raises(TypeError, match="missing a required argument: 'factor'"):
        Derived()
