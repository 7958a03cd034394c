"""Names of classes and functions in files."""

from __future__ import annotations

import inspect

import pytest

import portanet
from portanet import activations, layers, losses, metrics
from portanet.saving.registry import find, name_of, register_serializable


@register_serializable(package="registry")
def known(x):
    return x


@register_serializable("registry", name="Other")
class Known(layers.Layer):
    pass


def test_names_of_the_library_say_the_room():
    assert name_of(layers.Dense) == "layers.Dense"
    assert (name_of(losses.Hinge), name_of(metrics.Hinge)) == ("losses.Hinge", "metrics.Hinge")
    assert name_of(portanet.Sequential) == "models.Sequential"
    assert name_of(activations.relu) == "activations.relu"
    for thing in (layers.Dense, losses.Hinge, metrics.Hinge, portanet.Sequential, activations.relu):
        assert find(name_of(thing), {}) is thing


def test_functions_of_other_rooms_are_not_found():
    """A file names what computes, and nothing that reads files, trains or plots."""
    for name in ("models.clone_model", "optimizers.minimize", "schedules.plot", "layers.Input", "metrics.get"):
        assert inspect.isfunction(getattr(getattr(portanet, name.split(".")[0]), name.split(".")[1]))
        assert find(name, {}) is None
    for name in ("activations.Activation", "losses.REDUCTIONS", "activations.numpy", "backends.get_backend"):
        assert find(name, {}) is None


def test_registered_ones_have_a_package():
    assert (name_of(known), name_of(Known)) == ("registry>known", "registry>Other")
    assert find("registry>known", {}) is known
    assert find("registry>Other", {}) is Known


def test_others_have_no_name_and_are_found_among_custom_objects():
    class Dense(layers.Dense):
        pass

    assert name_of(Dense) is None
    assert name_of(lambda x: x) is None
    assert find("Dense", {}) is None
    assert find("Dense", {"Dense": Dense}) is Dense
    assert find("package>Dense", {"Dense": Dense}) is Dense


def test_a_definition_may_be_run_again_and_a_name_is_taken_once():
    def make():
        @register_serializable(package="registry")
        def again(x):
            return x

        return again

    first, second = make(), make()
    assert first is not second
    assert find("registry>again", {}) is second
    with pytest.raises(ValueError, match="Something else is registered as 'registry>known'; choose another"):
        register_serializable("registry", name="known")(Known)


@pytest.mark.parametrize(("thing", "message"), [(3, "takes classes and functions"), (dict, "needs get_config")])
def test_what_cannot_be_registered(thing, message):
    with pytest.raises((TypeError, ValueError), match=message):
        register_serializable()(thing)
