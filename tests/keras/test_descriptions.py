"""Descriptions of objects: `serialize` and `deserialize` of each module, and `get` of a description."""

from __future__ import annotations

import operator
from typing import Any

import pytest

import portanet

keras = pytest.importorskip("keras")

OBJECTS: dict[str, Any] = {
    "activations": lambda P: P.activations.relu,
    "initializers": lambda P: P.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3),
    "losses": lambda P: P.losses.Tversky(0.25, 0.5, name="mine"),
    "metrics": lambda P: P.metrics.MeanIoU(3, name="mine"),
    "optimizers": lambda P: P.optimizers.Adam(P.optimizers.schedules.CosineDecay(0.25, 10), clipnorm=1.0, name="mine"),
    "optimizers.schedules": lambda P: P.optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.5, 0.25, 0.125], "mine"),
    "regularizers": lambda P: P.regularizers.L1L2(0.25, 0.5),
    "constraints": lambda P: P.constraints.MaxNorm(0.5, axis=1),
}


def known(config: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    """The part of a configuration that both libraries have, in plain values."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k in of and k != "learning_rate"}


@pytest.mark.parametrize("room", OBJECTS)
def test_each_library_reads_what_the_other_writes(room: str) -> None:
    ours, theirs = OBJECTS[room](portanet), OBJECTS[room](keras)
    module = operator.attrgetter(room)
    here, there = module(portanet), module(keras)
    made, again = there.deserialize(here.serialize(ours)), here.deserialize(there.serialize(theirs))
    if room == "activations":
        assert (made, again) == (theirs, ours)
        return
    assert (type(made), type(again)) == (type(theirs), type(ours))
    config = theirs.get_config()
    assert known(made.get_config(), config) == known(config, config)
    assert known(again.get_config(), ours.get_config()) == known(ours.get_config(), ours.get_config())


def test_short_descriptions() -> None:
    config = {"initial_learning_rate": 0.5, "decay_steps": 2, "decay_rate": 0.5}
    rate = {"class_name": "ExponentialDecay", "config": config}
    schedule = portanet.optimizers.schedules.deserialize(rate)
    assert schedule(2) == 0.25
    described = portanet.optimizers.schedules.serialize(schedule)
    adam = portanet.optimizers.get({"class_name": "Adam", "config": {"learning_rate": described, "beta_1": 0.5}})
    assert (adam.rates(2), adam.learning_rate, adam.beta_1) == (0.25, 0.5, 0.5)
    assert portanet.optimizers.get({"class_name": "adam", "config": {}}).beta_1 == 0.9
    assert portanet.metrics.get({"class_name": "MeanIoU", "config": {"num_classes": 3}}).num_classes == 3
    assert portanet.losses.get({"class_name": "Huber", "config": {"delta": 0.5}}).delta == 0.5
    model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
    model.compile({"class_name": "SGD", "config": {"learning_rate": 0.5}}, "mse")
    assert model.optimizer.learning_rate == 0.5
