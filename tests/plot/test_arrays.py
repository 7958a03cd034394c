import numpy as np
import pytest

from portanet import plot
from tests.support import asarray

pytest.importorskip("matplotlib")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_images_share_a_scale(xp):
    values = np.arange(24.0).reshape(2, 3, 4)
    axes = plot.images(asarray(values), titles=["a", "b"])
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    np.testing.assert_array_equal(axes[1].images[0].get_array(), values[1])
    assert [ax.images[0].get_clim() for ax in axes] == [(0, 23), (0, 23)]


@pytest.mark.parametrize(("shape", "count"), [((4, 5), 1), ((3, 4, 5, 1), 3), ((2, 4, 5, 3), 2)])
def test_images_of_all_forms(shape, count):
    assert len(plot.images(np.zeros(shape))) == count


def test_colours_from_0_to_255_are_those_from_0_to_1():
    values = np.asarray([[[[255, 0, 51]]]])
    (a,), (b,) = plot.images(values), plot.images(values / 255.0)
    np.testing.assert_allclose(a.images[0].get_array(), b.images[0].get_array())


def test_confusion_counts_each_pair(xp):
    labels, predictions = asarray([0, 0, 1, 2, 2, 2], "int32"), asarray([0, 1, 1, 2, 2, 0], "int32")
    assert texts(plot.confusion_matrix(labels, predictions)) == ["1", "1", "0", "0", "1", "0", "1", "0", "2"]
    ax = plot.confusion_matrix(labels, predictions, normalize=True)
    assert texts(ax)[-3:] == ["0.33", "0.00", "0.67"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "label")


def test_confusion_of_names_and_of_a_class_without_examples():
    ax = plot.confusion_matrix(["cat", "dog"], ["dog", "dog"])
    assert texts(ax) == ["0", "1", "0", "1"]
    ax = plot.confusion_matrix([0, 2], [0, 2], names=["a", "b", "c"])
    assert texts(ax) == ["1", "0", "0", "0", "0", "0", "0", "0", "1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_attention_names_rows_and_columns(xp):
    ax = plot.attention(asarray([[0.1, 0.9]]), queries=["q"], keys=["first", "second"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["first", "second"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.1, 0.9]], rtol=1e-6)
    assert ax.images[0].get_clim()[0] == 0


def test_gates_as_curves_and_colours(xp):
    axes = plot.gates({"open": asarray([0.0, 0.5, 1.0]), "state": asarray([[1.0, -2.0]] * 3)}, steps="abc")
    assert axes[0].lines[0].get_ydata().tolist() == [0, 0.5, 1]
    assert axes[0].get_ylim() == pytest.approx((-0.05, 1.05))
    assert plot.gates({"state": asarray([-1.0, 3.0])})[0].get_ylim() == pytest.approx((-1.2, 3.2))
    assert axes[1].images[0].get_array().shape == (2, 3)
    assert axes[1].images[0].get_clim() == (-2, 2)
    assert [label.get_text() for label in axes[1].get_xticklabels()] == ["a", "b", "c"]
    assert axes[1].get_xlabel() == "step"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_left_out(value):
    pixels = np.asarray([[0.0, value], [1.0, 2.0]])
    assert plot.images(pixels)[0].images[0].get_clim() == (0, 2)
    assert plot.gates({"a": pixels})[0].images[0].get_clim() == (0, 2)
    plot.attention(pixels)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.images(np.zeros((0, 3, 3))), r"`images` of plot.images must be .* not empty.*shape \(0, 3, 3\)"),
        (lambda: plot.images(np.zeros((2, 3, 3, 4))), r"1 or 3 channels, and not empty.*shape \(2, 3, 3, 4\)"),
        (lambda: plot.images(np.zeros((2, 3, 3)), titles="abc"), "`titles` of plot.images must be a list of 2 names"),
        (lambda: plot.images("text"), "`images` of plot.images must be an array of shape"),
        (lambda: plot.confusion_matrix([0], [0, 1]), "Received: 2 predictions and 1 labels"),
        (lambda: plot.confusion_matrix([], []), "at least one. Received: 0 predictions and 0 labels"),
        (lambda: plot.confusion_matrix([0, 1], [0.2, 0.7]), "with fractions: compare with a threshold first"),
        (lambda: plot.confusion_matrix([0, 1], [1, 0], names=["a"]), "`names` of .* must be a list of 2 names"),
        (lambda: plot.confusion_matrix([0, 10**12], [1, 0], names=["a"]), "must be a list of 1000000000001 names"),
        (lambda: plot.confusion_matrix([0, None], [1, 0]), "`labels` of .* must be classes: whole numbers, names"),
        (lambda: plot.confusion_matrix([0], [[0.5, np.nan]]), "must be classes. Received: an array with NaN"),
        (
            lambda: plot.attention(np.zeros((2, 3, 3))),
            r"of one head and example. Received: an array of shape \(2, 3, 3\)",
        ),
        (lambda: plot.attention(np.zeros((2, 3)), keys=["a"]), "`keys` of plot.attention must be a list of 3 names"),
        (lambda: plot.attention(np.zeros((0, 3))), "that is not empty"),
        (lambda: plot.gates({}), "`values` of plot.gates must be a dict of arrays"),
        (lambda: plot.gates({"a": np.zeros(2), "b": np.zeros(3)}), r"all of one length. Received: 'a' of shape \(2,\)"),
        (lambda: plot.gates({"a": np.zeros(0)}), "with values"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
