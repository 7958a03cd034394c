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


class Failing(Base):
    def __init__(self, factor):
        raise TypeError("something else") from ValueError("its cause")


def test_arguments_that_do_not_fit_name_class_argument_and_remedy():
    with pytest.raises(TypeError, match=r"Derived needs a value of argument `factor`\. Received: size=2"):
        Derived(size=2)
    with pytest.raises(TypeError, match=r"Derived needs a value of argument `factor`\. Received: no arguments"):
        Derived()
    with pytest.raises(TypeError, match=r"Failing has no argument `facto`; did you mean `factor`\? Received: facto=2"):
        Failing(facto=2)
    with pytest.raises(TypeError, match=r"Failing has no argument `q`; it takes factor\. Received: q=\[2\]"):
        Failing(1, q=[2])
    with pytest.raises(TypeError, match=r"Failing takes fewer arguments by position; name .* Received: 1, 2"):
        Failing(1, 2)


def test_other_errors_of_a_constructor_are_unchanged():
    with pytest.raises(TypeError, match=r"^something else$") as caught:
        Failing(1)
    assert str(caught.value.__cause__) == "its cause"
