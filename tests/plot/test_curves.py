import math
from types import SimpleNamespace

import numpy as np
import pytest

import portanet
from portanet import layers, plot
from portanet.autodiff import grad
from tests.support import asarray

pytest.importorskip("matplotlib")

EPOCHS = {"loss": [3.0, 2.0, 1.0], "accuracy": [0.2, 0.5, 0.6], "val_loss": [3.5, 2.5, 2.0]}


def data(ax):
    return {line.get_label(): line.get_xydata().tolist() for line in ax.lines if not line.get_label().startswith("_")}


def test_history_of_a_dict():
    axes = plot.history(EPOCHS)
    assert [ax.get_title() for ax in axes] == ["loss", "accuracy"]
    assert data(axes[0]) == {"training": [[1, 3], [2, 2], [3, 1]], "validation": [[1, 3.5], [2, 2.5], [3, 2]]}
    assert all(tick == int(tick) for tick in axes[0].get_xticks())


def test_history_of_fit_and_of_the_model():
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = model.fit(x, y, epochs=5, initial_epoch=2, verbose=0)
    (ax,) = plot.history(history, names=["mae"])
    assert data(ax) == {"training": [[e + 3, v] for e, v in enumerate(history.history["mae"])]}
    assert data(plot.history(model, names=["mae"])[0]) == data(ax)


@pytest.mark.parametrize(("freq", "epochs"), [(2, [2, 4]), ([1, 4], [1, 4]), (5, [5])])
def test_values_of_validation_are_drawn_at_their_epochs(freq, epochs):
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = model.fit(x, y, epochs=5, verbose=0, validation_data=(x, y), validation_freq=freq)
    (ax,) = plot.history(history)
    assert [epoch for epoch, _ in data(ax).get("validation", [])] == epochs
    assert [epoch for epoch, _ in data(ax)["training"]] == [1, 2, 3, 4, 5]


def test_several_runs_share_panels():
    axes = plot.history({"a": EPOCHS, "b": {"loss": [1.0]}}, ["loss"])
    assert list(data(axes[0])) == ["a", "b", "validation"]
    assert data(axes[0])["b"] == [[1, 1]]
    assert len(axes[0].lines) == 4
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["a", "b", "validation"]


def test_history_with_gaps_one_epoch_and_validation_alone():
    (ax,) = plot.history({"loss": [math.nan, 1.0]})
    assert math.isnan(ax.lines[0].get_ydata()[0])
    (ax,) = plot.history({"loss": [1.0]})
    assert data(ax) == {"training": [[1, 1]]}
    assert ax.lines[0].get_marker() == "."
    (ax,) = plot.history(SimpleNamespace(history={"loss": [3.0, 1.0]}, epoch=[0]))
    assert data(ax) == {"training": [[1, 3], [2, 1]]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({},), r"`history` of plot.history must have values of at least one epoch: call fit first"),
        (({"loss": []},), "at least one epoch"),
        ((3,), r"`history` of plot.history must be what fit returned.*Received: history=3"),
        ((EPOCHS, ["mae"]), r"`names` of plot.history must be some of 'loss', 'accuracy'. Received: names=\['mae'\]"),
        ((EPOCHS, None, [1, 2]), "`axes` of plot.history must be 2 matplotlib axes"),
    ],
)
def test_history_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot.history(*arguments)


def test_curves_and_slopes(xp):
    ax, other = plot.curves(["tanh", "relu"], xlim=(-2, 2))
    value, slope = ax.lines[:2]
    x = value.get_xdata()
    assert (x[0], x[-1], len(x)) == (-2, 2, 401)
    np.testing.assert_allclose(value.get_ydata(), np.tanh(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope.get_ydata(), 1 - np.tanh(x) ** 2, rtol=1e-4, atol=1e-6)
    assert set(other.lines[1].get_ydata().tolist()) == {0.0, 1.0}
    assert len(plot.curves({"square": lambda x: x * x}, slopes=False)[0].lines) == 3


def test_curves_refuse_what_is_not_elementwise():
    with pytest.raises(ValueError, match=r"`functions` of plot.curves must be elementwise.*'sum'"):
        plot.curves({"sum": lambda x: x[:1]})
    with pytest.raises(ValueError, match=r"`xlim` of plot.curves must be two numbers, the lower one first"):
        plot.curves("relu", xlim=(1, -1))


def test_bands_are_from_the_lowest_to_the_highest(xp):
    ax = plot.bands({"a": asarray([[1.0, 2.0, 3.0], [3.0, 4.0, 8.0]]), "b": asarray([1.0, 1.0, 1.0])}, x=[10, 20, 30])
    assert data(ax) == {"a": [[10, 2], [20, 3], [30, 5.5]], "b": [[10, 1], [20, 1], [30, 1]]}
    (band,) = ax.collections
    edge = band.get_paths()[0].vertices
    assert {tuple(point) for point in edge.tolist()} >= {(10, 1), (10, 3), (30, 3), (30, 8)}
    with pytest.raises(ValueError, match=r"`lines` of plot.bands must have runs.*'a' of shape \(0, 2\)"):
        plot.bands({"a": np.zeros((0, 2))})
    with pytest.raises(ValueError, match="and 2 places"):
        plot.bands([1.0, 2.0, 3.0], x=[1, 2])


def test_values_of_traced_arrays_are_drawn(xp):
    seen = []

    def f(x):
        seen.append(plot.bands(x * 2.0).lines[0].get_ydata().tolist())
        return (x * x)[0]

    grad(f)(asarray([1.0, 2.0]))
    assert seen == [[2.0, 4.0]]
