import shutil

import pytest

import portanet
from portanet import layers
from portanet.models import plot_model
from tests.models.test_functional import Forked, two_in_two_out


def siamese():
    x = layers.Input((4,))
    encoder = portanet.Model(x, layers.Dense(2)(x), name="encoder")
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    return portanet.Model([a, b], encoder(a) - encoder(b))


def test_as_text():
    assert repr(plot_model(two_in_two_out())).splitlines() == [
        "a           = InputLayer              (None, 4)",
        "b           = InputLayer              (None, 3)",
        "hidden      = Dense(a)                (None, 5)",
        "concatenate = Concatenate(hidden, b)  (None, 8)",
        "main        = Dense(concatenate)      (None, 2)  -> output",
        "side        = Dense(hidden)           (None, 1)  -> output",
    ]


def test_layers_called_twice_and_nested_models():
    assert repr(plot_model(siamese(), show_shapes=False)).splitlines() == [
        "a         = InputLayer",
        "b         = InputLayer",
        "encoder   = Functional(a)",
        "encoder#2 = Functional(b)",
        "subtract  = Subtract(encoder, encoder#2)  -> output",
    ]
    expanded = plot_model(siamese(), expand_nested=True)
    assert [box.name for box in expanded.boxes] == ["a", "b", "encoder/dense", "encoder#2/dense", "subtract"]
    assert 'subgraph "cluster_encoder#2" {' in expanded.dot
    assert "v3 -> v4" in expanded.dot


def test_arguments_of_keras():
    model = two_in_two_out()
    model.get_layer("hidden").trainable = False
    plot = plot_model(model, None, True, True, True, "LR", False, 96, True, True, "curved")
    assert plot.lines()[2].split("  ")[-1] == "(None, 5), float32, tanh, frozen"
    assert plot.lines()[4].endswith(", trainable  -> output")
    assert "  dpi=96 splines=curved" in plot.dot
    with pytest.raises(ValueError, match="`splines` of plot_model must be one of"):
        plot_model(model, splines="round")
    with pytest.raises(ValueError, match="`dpi`"):
        plot_model(model, dpi=0)


def test_the_source_is_written(tmp_path):
    plot_model(two_in_two_out(), tmp_path / "model.dot", rankdir="LR")
    text = (tmp_path / "model.dot").read_text()
    assert text.startswith("digraph {\n  rankdir=LR\n")
    assert 'v4 [label="main: Dense\\n(None, 2)" peripheries=2]' in text
    assert text.count("->") == 5
    with pytest.raises(ValueError, match=r"must end in .txt, .dot.*Received: to_file='model.jpg'"):
        plot_model(two_in_two_out(), "model.jpg")


def test_a_drawing_is_made_or_says_what_is_missing(tmp_path):
    pytest.importorskip("graphviz")
    path = tmp_path / "model.svg"
    if shutil.which("dot"):
        plot_model(two_in_two_out(), path)
        assert "<svg" in path.read_text()
    else:
        with pytest.raises(RuntimeError, match=r"program `dot`.*model.dot"):
            plot_model(two_in_two_out(), path)


def test_what_is_no_graph_cannot_be_shown():
    with pytest.raises(ValueError, match="no graph to show"):
        plot_model(Forked())
