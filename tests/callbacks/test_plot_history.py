import sys

import numpy as np
import pytest

from portanet.callbacks import PlotHistory
from tests.callbacks.scripted import Script, losses

pytest.importorskip("matplotlib")

EPOCHS = [{"loss": 3.0}, {"loss": 2.0, "val_loss": 2.5}, {"loss": 1.0}, {"loss": 0.5, "val_loss": 1.5}]


def lines(plot):
    (axes,) = plot.figure.axes
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_each_point_is_at_its_epoch(tmp_path):
    plot = PlotHistory(tmp_path / "pictures" / "history.png")
    Script().play(plot, EPOCHS)
    assert lines(plot) == {"training": [[1, 3], [2, 2], [3, 1], [4, 0.5]], "validation": [[2, 2.5], [4, 1.5]]}
    assert all(tick == int(tick) for tick in plot.figure.axes[0].get_xticks())
    assert (tmp_path / "pictures" / "history.png").read_bytes().startswith(b"\x89PNG")


def test_only_numbers_are_drawn_or_what_is_asked_for(tmp_path):
    epochs = [{"loss": 1.0, "accuracy": 0.5, "f1": np.ones(3)}]
    plot = PlotHistory(tmp_path / "a.svg")
    Script().play(plot, epochs)
    assert [axes.get_title() for axes in plot.figure.axes] == ["loss", "accuracy"]
    plot = PlotHistory(tmp_path / "a.svg", ["accuracy"])
    Script().play(plot, epochs)
    assert [axes.get_title() for axes in plot.figure.axes] == ["accuracy"]
    with pytest.raises(ValueError, match=r"can draw 'loss', 'accuracy'. Received: quantities=\['mae'\]"):
        Script().play(PlotHistory(tmp_path / "a.svg", ["mae"]), epochs)


def test_it_draws_now_and_then(tmp_path):
    path, seen = tmp_path / "a.svg", []
    plot = PlotHistory(path, every=2)
    plot.on_epoch_begin = lambda epoch, logs: seen.append(path.exists())
    Script().play(plot, EPOCHS)
    assert seen == [False, False, True, True]


def test_a_resumed_run_draws_the_whole_curve(tmp_path):
    first, plot = Script(), PlotHistory(tmp_path / "a.svg")
    first.play(plot, EPOCHS[:1])
    second, resumed = Script(), PlotHistory(tmp_path / "a.svg")
    second.position = first.position
    second.play(resumed, EPOCHS[1:], plot.get_state())
    Script().play(plot, EPOCHS)
    assert lines(resumed) == lines(plot)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib. Type: pip install .*\[plot\]'"):
        Script().play(PlotHistory(), losses(1))


def test_it_draws_in_every_third_epoch(tmp_path):
    path, seen = tmp_path / "a.svg", []
    plot = PlotHistory(path, every=3)
    plot.on_epoch_begin = lambda epoch, logs: seen.append(path.exists())
    Script().play(plot, EPOCHS)
    assert seen == [False, False, False, True]
