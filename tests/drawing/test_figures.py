import subprocess
import sys
import types

import pytest

from portanet import drawing
from portanet.drawing.figures import balanced

pytest.importorskip("matplotlib")


def test_a_new_figure_needs_no_display_and_leaves_pyplot_alone():
    code = (
        "import sys; from portanet.drawing import new_axes; new_axes(None, 'f'); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_where_pyplot_is_in_use_the_figure_is_one_of_its(monkeypatch):
    made = []
    figure = drawing.figure_class()

    def new(**options):
        made.append(figure(**options))
        return made[-1]

    pyplot = types.SimpleNamespace(figure=new)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    monkeypatch.setattr(sys.modules["matplotlib"], "pyplot", pyplot, raising=False)
    assert drawing.new_axes(None, "f").figure is made[0]


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (4, 4), (5, 3), (6, 3), (7, 4), (9, 3), (12, 4)])
def test_rows_of_panels_are_filled_evenly(count, columns):
    assert balanced(count) == columns
    axes = drawing.panels(count, None, "f")
    assert len(axes) == count
    assert axes[0].get_subplotspec().get_gridspec().ncols == columns


def test_axes_that_do_not_fit_are_refused():
    ax = drawing.new_axes(None, "f")
    with pytest.raises(ValueError, match=r"`ax` of f must be matplotlib axes.*Received: ax=3"):
        drawing.new_axes(3, "f")
    with pytest.raises(ValueError, match="`ax` of f must be axes with three dimensions"):
        drawing.new_axes(ax, "f", projection="3d")
    with pytest.raises(ValueError, match="`axes` of f must be 2 matplotlib axes"):
        drawing.panels(2, ax, "f")


def test_whole_numbers():
    ax = drawing.new_axes(None, "f")
    for epochs in (1, 2, 3, 30):
        ax.clear()
        ax.plot(range(1, epochs + 1), range(epochs))
        drawing.whole_numbers(ax.xaxis)
        assert all(tick == int(tick) for tick in ax.get_xticks())
