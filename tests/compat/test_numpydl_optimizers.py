"""Optimizers with the names of NumPyDL."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from portanet.compat import numpydl as npdl
from tests.support import asarray, to_numpy

OPTIMIZERS = ["SGD", "Momentum", "NesterovMomentum", "Adagrad", "RMSprop", "Adadelta", "Adam", "Adamax"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_go_downhill(backend, name):
    optimizer = npdl.optimizers.get(name)
    optimizer = type(optimizer)(lr=0.05, clip=10.0)
    params = [asarray([1.0, -2.0])]
    for _ in range(20):
        params = optimizer.update(params, [2 * params[0]])
    assert np.sum(to_numpy(params[0]) ** 2) < 5.0
    assert optimizer.iterations == 20


def test_first_steps_are_the_documented_ones(backend):
    def step(optimizer, g=2.0):
        return float(to_numpy(optimizer.update([asarray([1.0])], [asarray([g])])[0])[0])

    assert step(npdl.optimizers.SGD(lr=0.1)) == pytest.approx(0.8)
    assert step(npdl.optimizers.SGD(lr=0.1, clip=1.0)) == pytest.approx(0.9)
    assert step(npdl.optimizers.NesterovMomentum(lr=0.1)) == pytest.approx(1 - 0.2 * 1.9)
    assert step(npdl.optimizers.Adagrad(lr=0.1)) == pytest.approx(0.9, rel=1e-5)
    assert step(npdl.optimizers.RMSprop(lr=0.1)) == pytest.approx(1 - 0.1 / 0.1**0.5, rel=1e-5)
    assert step(npdl.optimizers.Adam(lr=0.1)) == pytest.approx(0.9, rel=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_option_matters(backend, name):
    def end(**options):
        optimizer = getattr(npdl.optimizers, name)(**{"lr": 0.1, **options})
        params = [asarray([1.0, -2.0])]
        for grad in ([0.5, 3.0], [-0.25, 2.0]):
            params = optimizer.update(params, [asarray(grad)])
        return to_numpy(params[0])

    others = {
        "momentum": 0.5,
        "rho": 0.5,
        "beta1": 0.5,
        "beta2": 0.5,
        "epsilon": 0.5,
        "lr": 0.01,
        "clip": 0.3,
        "decay": 9.0,
        "lr_min": 1.0,
        "lr_max": 0.01,
    }
    kind = getattr(npdl.optimizers, name)
    own = {n for cls in kind.__mro__ if "__init__" in vars(cls) for n in inspect.signature(cls.__init__).parameters}
    assert own & {"lr", "clip", "decay", "lr_min", "lr_max"}
    for option in own & set(others):
        assert abs(end(**{option: others[option]}) - end()).max() > 1e-6, option


def test_decay_lowers_the_learning_rate():
    """The original multiplies by (1. / 1 + decay * iterations), which raises it."""
    optimizer = npdl.optimizers.SGD(lr=1.0, decay=0.5, lr_min=0.3)
    rates = []
    for _ in range(6):
        optimizer.update([asarray([1.0])], [asarray([0.0])])
        rates.append(optimizer.lr)
    assert rates[:3] == pytest.approx([1 / 1.5, 1 / 2.0, 1 / 2.5])
    assert min(rates) == 0.3
