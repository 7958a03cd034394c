import numpy as np
import pytest

import portanet
from portanet import layers, plot
from portanet.plot.landscape import Place
from tests.support import asarray, to_numpy

pytest.importorskip("matplotlib")

DATA = np.random.default_rng(0).standard_normal((12, 3)).astype("float32")
TARGETS = DATA @ np.asarray([[1.0], [-2.0], [0.5]], dtype="float32")


def network():
    model = portanet.Sequential(
        [layers.Input((3,)), layers.Dense(4, "tanh"), layers.BatchNormalization(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(DATA, TARGETS, epochs=1, verbose=0)
    return model


def test_values_are_those_of_evaluate_and_the_model_stays(xp):
    model = network()
    before = model.get_weights()
    weights = [v.numpy() for v in model.trainable_weights]
    directions = [[np.ones_like(w) for w in weights], [np.arange(w.size).reshape(w.shape) * 0.1 for w in weights]]
    values = plot.loss_values(model, (DATA, TARGETS), directions, [[0.0, 0.5], [-0.5, 0.0, 1.0]])
    assert [np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)] == [True] * len(before)
    assert values.shape == (2, 3)
    for i, a in enumerate([0.0, 0.5]):
        for j, b in enumerate([-0.5, 0.0, 1.0]):
            for v, w, c, d in zip(model.trainable_weights, weights, *directions, strict=True):
                v.assign(np.asarray(w + a * c + b * d, dtype="float32"))
            assert values[i, j] == pytest.approx(model.evaluate(DATA, TARGETS, verbose=0), rel=1e-4)


def test_directions_are_filter_normalised_and_leave_biases_and_normalisation():
    model = network()
    place = Place(model, (DATA, TARGETS), "f")
    direction = place.direction(np.random.default_rng(1))
    for d, w in zip(direction, place.weights, strict=True):
        if w.ndim == 1:
            assert not d.any()
        else:
            np.testing.assert_allclose(np.linalg.norm(d, axis=0), np.linalg.norm(w, axis=0), rtol=1e-6)
    assert [w.shape for w in place.weights] == [(3, 4), (4,), (4,), (4,), (4, 1), (1,)]
    kernel = portanet.Sequential([layers.Input((5, 5, 2)), layers.Conv2D(3, 2), layers.Flatten()])
    kernel.compile("sgd", "mse")
    place = Place(kernel, (np.ones((2, 5, 5, 2)), np.ones((2, 48))), "f")
    d, w = place.direction(np.random.default_rng(0))[0], place.weights[0]
    norms = [np.sqrt((array**2).sum(axis=(0, 1, 2))) for array in (d, w)]
    np.testing.assert_allclose(*norms, rtol=1e-6)


def test_a_model_that_fails_keeps_its_weights():
    model = network()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"`directions` of plot.loss_values must have arrays like the weights"):
        plot.loss_values(model, (DATA, TARGETS), [[np.ones(3)]], [[0.0]])
    bad = [np.full(v.shape, np.nan) for v in model.trainable_weights]
    assert np.isnan(plot.loss_values(model, (DATA, TARGETS), [bad], [[1.0]]))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_ray_of_a_function(xp):
    weights = {"w": asarray([[1.0, 2.0], [3.0, 4.0]]), "b": asarray([0.5, 0.5])}

    def loss(tree):
        return (tree["w"] * tree["w"])[0, 0] + tree["b"][1]

    direction = {"w": np.eye(2), "b": np.asarray([0.0, 2.0])}
    ax = plot.loss_ray(loss, weights, direction, radius=2, points=5)
    line = ax.lines[0]
    assert line.get_xdata().tolist() == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(line.get_ydata(), [(1 + a) ** 2 + 0.5 + 2 * a for a in (-2, -1, 0, 1, 2)], rtol=1e-6)
    assert to_numpy(weights["b"]).tolist() == [0.5, 0.5]


def test_a_plane_against_direct_evaluation():
    w, d, e = np.asarray([1.0, 2.0]), np.asarray([1.0, 0.0]), np.asarray([0.0, 1.0])
    ax = plot.loss_plane(lambda v: v[0] + 10 * v[1], w, (d, e), points=3, kind="surface")
    assert ax.name == "3d"
    (surface,) = ax.collections
    assert surface.get_array().size == 4
    assert [label() for label in (ax.get_xlabel, ax.get_zlabel)] == ["first direction", "loss"]
    flat = plot.loss_plane(lambda v: v[0] + 10 * v[1], w, (d, e), points=3)
    assert (flat.collections[0].levels[0], flat.collections[0].levels[-1]) == (10.0, 32.0)
    assert flat.lines[-1].get_xydata().tolist() == [[0, 0]]


def test_the_seed_decides():
    def line(seed):
        return plot.loss_ray(lambda v: (v**3).sum(), np.asarray([1.0, 2.0]), seed=seed).lines[0].get_ydata().tolist()

    assert line(1) == line(1)
    assert line(1) != line(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.loss_ray(network(), DATA), r"`at` of plot.loss_ray must be the data, \(x, y\)"),
        (lambda: plot.loss_ray(3, [np.ones(2)]), "`loss` of plot.loss_ray must be a function"),
        (lambda: plot.loss_ray(np.sum, np.ones(2, dtype=int)), "`at` of plot.loss_ray must be floating-point weights"),
        (lambda: plot.loss_ray(lambda w: w, np.ones(2)), r"must return one number. Received: an array of shape \(2,\)"),
        (lambda: plot.loss_plane(np.sum, np.ones(2), [np.ones(2)]), "must be a list of two directions"),
        (lambda: plot.loss_ray(np.sum, np.ones(2), radius=0), "`radius` of plot.loss_ray"),
        (lambda: plot.loss_plane(np.sum, np.ones(2), kind="flat"), "`kind` of plot.loss_plane must be one of"),
        (lambda: plot.loss_values(np.sum, np.ones(2), [np.ones(2)], [[0], [1]]), "a list with 1 lists of numbers"),
        (lambda: plot.loss_plane(lambda w: -np.sum(w * w), np.ones(2), kind="surface", log=True), "must be False for"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_model_that_is_not_compiled_says_so():
    with pytest.raises(RuntimeError, match="compile"):
        plot.loss_ray(portanet.Sequential([layers.Input((3,)), layers.Dense(1)]), (DATA, TARGETS))
