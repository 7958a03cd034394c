import numpy as np
import pytest

from portanet import metrics
from portanet.training import history
from portanet.training.history import Totals
from tests.support import asarray


def batch(loss, count, right):
    return {"loss": (asarray(loss * count), asarray(float(count))), "accuracy": (asarray(right), asarray(float(count)))}


def test_names_without_values(backend):
    """The mapping is empty before the first batch, and knows its names before anything is fetched."""
    sums = Totals({"accuracy": metrics.get("accuracy")}, backend)
    assert (list(sums), len(sums), "loss" in sums, dict(sums)) == ([], 0, False, {})
    sums.add(batch(1.0, 2, 2.0))
    assert (list(sums), len(sums), "accuracy" in sums, "mae" in sums) == (["loss", "accuracy"], 2, True, False)
    sums.fetch()
    assert list(sums) == ["loss", "accuracy"]


def test_batches_count_by_their_examples(backend):
    sums = Totals({"accuracy": metrics.get("accuracy")}, backend)
    sums.add(batch(1.0, 10, 10.0))
    assert sums.logs() == {"loss": 1.0, "accuracy": 1.0}
    sums.add(batch(4.0, 5, 0.0))
    assert sums.logs() == {"loss": 2.0, "accuracy": pytest.approx(10 / 15)}


def test_sums_are_fetched_together_and_now_and_then(backend, monkeypatch):
    fetched = []
    to_host = backend.to_host
    monkeypatch.setattr(backend, "to_host", lambda x: fetched.append(1) or to_host(x), raising=True)
    sums = Totals({"accuracy": metrics.get("accuracy")}, backend)
    for _ in range(history.AT_MOST - 1):
        sums.add(batch(1.0, 2, 2.0))
    assert fetched == []
    sums.add(batch(1.0, 2, 2.0))
    assert len(fetched) == 4  # one transfer for each sum, not for each batch
    assert sums.logs() == {"loss": 1.0, "accuracy": 1.0}


def test_sums_add_up_in_double_precision(backend):
    sums = Totals({}, backend)
    for value in np.full(3000, 0.1, dtype="float32"):
        sums.add({"loss": (asarray(value), asarray(1.0))})
    assert sums.logs()["loss"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_sums_are_the_same_bits_whenever_they_are_fetched(backend):
    values = [asarray(value) for value in np.random.default_rng(0).normal(size=600) * 10.0 ** np.arange(-30, 30, 0.1)]
    rare, often = Totals({}, backend), Totals({}, backend)
    for i, value in enumerate(values):
        for each in (rare, often):
            each.add({"loss": (value, asarray(1.0))})
        if i % 7 == 0:
            often.fetch()
    assert rare.logs() == often.logs()
