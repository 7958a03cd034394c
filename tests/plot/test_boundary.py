import numpy as np
import pytest

import portanet
from portanet import layers, plot
from tests.support import asarray

pytest.importorskip("matplotlib")
from matplotlib.contour import ContourSet

X = np.asarray([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])


def image(ax):
    return np.asarray(ax.images[0].get_array())


def colours(ax):
    return {tuple(np.round(pixel, 6)) for row in image(ax) for pixel in row}


def test_a_line_divides_the_plane(xp):
    ax = plot.decision_boundary(lambda p: p[:, 0] - 0.5, asarray(X), [0, 1, 0, 1], threshold=0, resolution=50)
    assert image(ax).shape == (50, 50, 3)
    assert len(colours(ax)) == 2
    (edge,) = (shape for shape in ax.collections if isinstance(shape, ContourSet))
    places = np.concatenate([path.vertices for path in edge.get_paths()])
    assert np.abs(places[:, 0] - 0.5).max() < 0.03
    assert {tuple(np.round(row[0], 6)) for row in image(ax)} != {tuple(np.round(row[-1], 6)) for row in image(ax)}
    assert ax.get_xlim() == pytest.approx((-0.1, 1.1))


def test_points_of_each_class_are_on_top():
    ax = plot.decision_boundary(lambda p: p[:, :1], X, np.asarray([[1, 0], [0, 1], [0, 1], [1, 0]]), resolution=5)
    points = {c.get_label(): c.get_offsets().tolist() for c in ax.collections if c.get_label() in ("0", "1")}
    assert points == {"0": [[0, 0], [1, 0]], "1": [[1, 1], [0, 1]]}
    markers = {c.get_label(): len(c.get_paths()[0].vertices) for c in ax.collections if c.get_label() in points}
    assert len(set(markers.values())) == 2  # not by colour alone


def test_a_model_is_asked_for_its_predictions(xp):
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(3, "softmax")])
    model.set_weights([np.asarray([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]), np.asarray([0.0, 0.0, 4.0])])
    ax = plot.decision_boundary(model, X, resolution=20)
    assert len(colours(ax)) == 3
    shades = colours(plot.decision_boundary(model, X, probability=True, resolution=20))
    assert len(shades) > 50


def test_names_and_estimators():
    class Estimator:
        def predict(self, points):
            return np.where(points[:, 0] > 0.5, "right", "left")

    ax = plot.decision_boundary(Estimator(), X, ["left", "right", "left", "right"], resolution=9)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left", "right"]
    assert len(colours(ax)) == 2


def test_one_point_and_missing_values():
    ax = plot.decision_boundary(lambda p: p[:, 0], X[:1], [1], resolution=4)
    assert ax.get_xlim() == (-1, 1)
    ax = plot.decision_boundary(lambda p: p[:, 0] * float("nan"), [[0, float("nan")], [1, 2]], resolution=4)
    assert colours(ax) == {(1.0, 1.0, 1.0)}
    ax = plot.decision_boundary(lambda p: p * float("nan"), X, probability=True, resolution=4)
    assert colours(ax) == {(1.0, 1.0, 1.0)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": np.zeros((0, 2))}, r"`x` of plot.decision_boundary must be .* an example at least.*shape \(0, 2\)"),
        ({"x": np.zeros((3, 4))}, r"draw two features, or a projection.*shape \(3, 4\)"),
        ({"y": [0, 1]}, "must have a class for each of 4 examples. Received: 2"),
        ({"y": [0.5, 1, 0, 1]}, "`y` of .* must be classes: whole numbers.*with fractions"),
        ({"model": lambda p: p[:3, 0]}, r"must return one row per point, shape \(16,\)"),
        ({"model": 3}, "`model` of plot.decision_boundary must be a model, or a function"),
        ({"model": lambda p: 9 * p, "probability": True}, "must return probabilities for probability=True"),
        ({"y": [0, 1, 2, 3]}, "the classes of the model's 2 outputs. Received: 4 classes"),
        ({"y": list("abcd")}, "the classes of the model's 2 outputs. Received: 4 classes"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        plot.decision_boundary(**{"model": lambda p: p, "x": X, "resolution": 4, **options})
