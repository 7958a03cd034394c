"""Processes with weights of their own, which are brought together every few steps."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import portanet
from portanet import distribution
from tests.distribution import jobs


@pytest.mark.parametrize(("count", "library"), [(3, "numpy"), (2, "torch")])
def test_local_runs(tmp_path: pathlib.Path, count: int, library: str) -> None:
    reason = portanet.backends.registry.backend_class(library).unavailable()
    if reason is not None:
        pytest.skip(reason)
    results = jobs.run(count, "local", tmp_path, library)
    for result in results:
        together, averaged = result["together"], result["averaged"]
        for name, curve in together["history"].items():
            assert np.allclose(averaged["history"][name], curve, rtol=0, atol=1e-5), name
        for path, value in together["weights"].items():
            assert np.allclose(averaged["weights"][path], value, rtol=0, atol=1e-5), path
        for name in ("LocalSGD", "EASGD"):
            assert result[name]["distance"] < 1e-4, name  # from the optimum
            for what in ("found", "last", "loss"):  # bit for bit
                assert result[name][what] == results[0][name][what]
        assert result["resumed"] == result["unbroken"] != result["interrupted"]  # bit for bit
        found, expected = result["center"]
        assert abs(found - expected) < 1e-6
    for epoch in range(1, 4):
        assert results[0]["LocalSGD"]["first"][epoch] == results[1]["LocalSGD"]["first"][epoch]
        assert results[0]["EASGD"]["first"][epoch] != results[1]["EASGD"]["first"][epoch]


def test_one_process_alone() -> None:
    runs = []
    for kind in (None, distribution.LocalSGD(2), distribution.EASGD(2)):
        portanet.random.set_seed(3)
        distribution.set_distribution(kind)
        try:
            model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
            model.compile("sgd", "mse")
            runs.append(model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, epochs=2, verbose=0).history)
        finally:
            distribution.set_distribution(None)
    assert runs[0] == runs[1] == runs[2]


def test_arguments() -> None:
    with pytest.raises(ValueError, match="`period` of LocalSGD must be a positive integer"):
        distribution.LocalSGD(0)
    with pytest.raises(ValueError, match=r"`moving_rate` of EASGD must be a number in \(0, 1\]"):
        distribution.EASGD(moving_rate=1.5)
