import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import ActivationMonitor, Probe
from portanet.callbacks.probe import statistics_of
from tests.callbacks.scripted import Script, losses


class Counting(Probe):
    def look(self, model):
        return {"a": {"seen": float(model.position.epoch), "counts": np.zeros(2)}}


def test_a_resumed_run_has_the_records_of_the_uninterrupted_one():
    first, probe = Script(), Counting(every=2)
    first.play(probe, losses(1, 1))
    state = probe.get_state()
    second, resumed = Script(), Counting(every=2)
    second.position = first.position
    second.play(resumed, losses(1, 1), state)
    whole = Counting(every=2)
    Script().play(whole, losses(1, 1, 1, 1))
    assert whole.epochs == resumed.epochs == [0, 2, 4]
    assert [record["a"]["seen"] for record in resumed.records] == [0, 2, 4]
    assert len(state["epochs"]) == 2  # the state in a checkpoint does not grow


def test_a_table_and_pictures():
    pytest.importorskip("matplotlib")
    model = portanet.Sequential([layers.Input((2,)), *(layers.Dense(2, "tanh") for _ in range(6)), layers.Dense(1)])
    model.compile("sgd", "mse")
    monitor = ActivationMonitor(np.ones((4, 2)), bins=5)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[monitor])
    lines = monitor.table().splitlines()
    assert lines[0].split() == ["mean", "std", "norm", "largest", "nonfinite", "dead", "saturated"]
    assert [line.split()[0] for line in lines[2:]] == list(monitor.records[-1])
    histograms = monitor.plot_histograms(0)
    assert [axes.get_title() for axes in histograms.axes] == list(monitor.records[0])
    drawn = histograms.axes[0].patches[0].get_data()
    np.testing.assert_array_equal(drawn.values, monitor.records[0]["dense"]["counts"])
    means, _ = monitor.plot_spread().axes
    assert means.lines[0].get_ydata().tolist() == [each["mean"] for each in monitor.records[-1].values()]


def test_statistics_of_nothing_finite():
    result = statistics_of(np.asarray([np.nan, np.inf]), 3)
    assert (result["nonfinite"], result["counts"].sum()) == (2, 0)
    assert [result[name] for name in ("mean", "std", "norm", "largest")] == [0.0] * 4


def test_statistics_of_half_precision_do_not_overflow():
    result = statistics_of(np.asarray([3e4, -4e4], "float16"), 3)
    assert (result["norm"], result["mean"], result["std"]) == pytest.approx((5e4, -5e3, 3.5e4), rel=1e-3)


def test_every_must_be_positive():
    with pytest.raises(ValueError, match=r"Argument `every` of Counting must be a positive integer. Received: every=0"):
        Counting(every=0)


def test_the_latest_record_is_the_default():
    pytest.importorskip("matplotlib")
    probe = Counting()
    probe.records = [
        {"a": statistics_of(np.full(3, float(value)), 2), "b": statistics_of(np.zeros(2), 2)} for value in (1, 2, 3)
    ]
    for record, value in ((None, 3), (0, 1), (1, 2)):
        chosen = {} if record is None else {"record": record}
        assert probe.table(**chosen).splitlines()[2].split()[:2] == ["a", str(value)]
        means, spreads = probe.plot_spread(**chosen).axes
        assert means.lines[0].get_ydata().tolist() == [value, 0]
        assert (means.get_title(), spreads.get_title()) == ("mean", "std")
        assert spreads.lines[0].get_ydata().tolist() == [0, 0]
        first, second = probe.plot_histograms(**chosen).axes
        edges = first.patches[0].get_data().edges
        np.testing.assert_array_equal(edges, probe.records[-1 if record is None else record]["a"]["edges"])
        assert (first.get_title(), second.get_title()) == ("a", "b")
