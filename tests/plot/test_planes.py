import numpy as np
import pytest

from portanet import optimizers, plot
from tests.support import asarray

pytest.importorskip("matplotlib")


def bowl(x, y):
    return x**2 + 4 * y**2


def test_contours_follow_the_function():
    ax = plot.contours(bowl, (-2, 2), (-1, 1), points=81, levels=8)
    lines = ax.collections[1]
    levels = np.linspace(0, 8, 9)
    for level, path in zip(levels, lines.get_paths(), strict=True):
        if 0 < level < 8:
            np.testing.assert_allclose(bowl(*path.vertices.T), level, atol=0.02)
    assert tuple(map(float, (*ax.get_xlim(), *ax.get_ylim()))) == (-2, 2, -1, 1)


def test_logarithmic_levels_are_close_at_the_bottom():
    ax = plot.contours(bowl, (-2, 2), (-2, 2), levels=10, log=True)
    heights = ax.collections[1].levels
    assert np.all(np.diff(heights) > 0)
    assert np.all(np.diff(heights, n=2) > 0)


def quarters(f, xlim, ylim, points):
    """The means of the corners of each face of a surface."""
    z = f(*np.meshgrid(np.linspace(*xlim, points), np.linspace(*ylim, points)))
    return ((z[1:, 1:] + z[1:, :-1] + z[:-1, 1:] + z[:-1, :-1]) / 4).ravel()


def test_a_surface_has_the_values_as_heights():
    ax = plot.surface(bowl, (-2, 2), (-1, 1), points=5)
    np.testing.assert_allclose(ax.collections[0].get_array(), quarters(bowl, (-2, 2), (-1, 1), 5))
    logarithm = plot.surface(lambda x, y: 10 ** (x + y), (0, 1), (0, 1), points=3, log=True)
    np.testing.assert_allclose(logarithm.collections[0].get_array(), quarters(np.add, (0, 1), (0, 1), 3))
    with pytest.raises(ValueError, match=r"`log` of plot.surface must be False for values of 0 or less"):
        plot.surface(bowl, (-1, 1), (-1, 1), points=3, log=True)


def test_paths_on_contours(xp):
    path = optimizers.descend(bowl, (2.0, 1.0), optimizers.SGD(0.1), steps=4)
    ax = plot.trajectories(bowl, {"SGD": path, "other": asarray([[2.0, 1.0], [0.0, 0.0]])})
    assert [line.get_label() for line in ax.lines] == ["SGD", "other"]
    np.testing.assert_allclose(ax.lines[0].get_xydata()[1], [2 - 0.4, 1 - 0.8], rtol=1e-6)
    starts = ax.collections[-1].get_offsets()
    assert starts.tolist() == [[2, 1]]
    assert ax.get_xlim()[0] < 0 < 2 < ax.get_xlim()[1]


def test_a_path_ends_where_it_is_not_finite():
    lost = [[1.0, 1.0], [5.0, 1.0], [np.inf, 1.0], [2.0, 2.0]]
    ax = plot.trajectories(
        bowl, {"lost": lost, "one": [[0.0, 0.0]], "none": [[np.nan, 0.0]]}, xlim=(-1, 1), ylim=(-1, 1)
    )
    assert [len(line.get_xydata()) for line in ax.lines] == [2, 1, 0]
    assert tuple(map(float, ax.get_xlim())) == (-1, 1)


def test_functions_with_holes_and_flat_ones():
    with np.errstate(all="ignore"):
        plot.contours(lambda x, y: np.log(x) + y, (-1, 1), (-1, 1), points=9)
    for value in (3.0, 1e20, -1e-320):  # beside which the next level may be no other number
        for log in (False, True):
            plot.contours(lambda x, y, value=value: 0 * x + value, (-1, 1), (-1, 1), points=9, log=log)
    for value, ends in ((3.0, (1.5, 4.5)), (0.25, (-0.25, 0.75)), (-3.0, (-4.5, -1.5))):
        flat = plot.contours(lambda x, y, value=value: 0 * x + value, (-1, 1), (-1, 1), points=9)
        assert (flat.collections[0].levels[0], flat.collections[0].levels[-1]) == ends
    plot.contours(bowl, (-1, 1), (-1, 1), points=9, levels=300)
    plot.surface(lambda x, y: x * np.nan, (-1, 1), (-1, 1), points=9, log=True)
    with pytest.raises(ValueError, match="finite somewhere"):
        plot.contours(lambda x, y: x * np.nan, (-1, 1), (-1, 1), points=9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: plot.contours(lambda x, y: 1.0, (0, 1), (0, 1)),
            r"`f` of plot.contours must be elementwise; numpy.vec",
        ),
        (
            lambda: plot.contours(bowl, (1, 0), (0, 1)),
            "`xlim` of plot.contours must be two numbers, the lower one first",
        ),
        (
            lambda: plot.surface(bowl, (0, 1), (0, 1), points=1),
            "`points` of plot.surface must be an integer of at least 2",
        ),
        (lambda: plot.trajectories(bowl, {}), "`paths` of plot.trajectories must be a dict of paths"),
        (
            lambda: plot.trajectories(bowl, {"a": np.zeros((0, 2))}),
            r"with a point at least. Received: 'a' of shape \(0, 2\)",
        ),
        (lambda: plot.trajectories(bowl, {"a": np.zeros((3, 3))}), r"Received: 'a' of shape \(3, 3\)"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
