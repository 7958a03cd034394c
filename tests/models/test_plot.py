import sys
from xml.etree import ElementTree

import pytest

import portanet
from portanet import layers
from portanet.models import plot_model
from tests.models.test_functional import Forked, two_in_two_out

SVG = "{http://www.w3.org/2000/svg}"


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
    with pytest.raises(ValueError, match=r"must end in .svg, .png.*Received: to_file='model.jpg'"):
        plot_model(two_in_two_out(), "model.jpg")


def texts(picture):
    root = ElementTree.fromstring(picture)
    return [["".join(text.itertext()) for text in box.iter(f"{SVG}text")] for box in root.iter(f"{SVG}g")]


def test_each_layer_is_in_the_picture_once(tmp_path):
    plot_model(two_in_two_out(), tmp_path / "model.svg")
    assert texts((tmp_path / "model.svg").read_text()) == [
        ["a: InputLayer", "(None, 4)"],
        ["b: InputLayer", "(None, 3)"],
        ["hidden: Dense", "(None, 5) · 25 parameters"],
        ["concatenate", "(None, 8)"],
        ["main: Dense", "(None, 2) · 18 parameters"],
        ["side: Dense", "(None, 1) · 6 parameters"],
    ]


def test_nested_models_are_boxes_around_their_layers():
    shown = texts(plot_model(siamese(), expand_nested=True).draw().svg)
    assert shown[:2] == [["encoder"], ["encoder#2"]]
    assert ["encoder#2/dense: Dense", "(None, 2) · shared"] in shown


def test_a_model_is_its_picture_in_notebooks():
    model = siamese()
    assert plot_model(model, expand_nested=True).draw().svg in model._repr_html_()
    assert portanet.Sequential([layers.Dense(2)])._repr_html_() is None
    assert Forked()._repr_html_() is None


def test_names_are_escaped():
    x = layers.Input((2,), name='a<b>&"c"')
    model = portanet.Model(x, layers.Dense(1, name="one\ntwo\x00\\")(x))
    assert [lines[0] for lines in texts(model._repr_html_())] == ['a<b>&"c": InputLayer', "one\ufffdtwo\ufffd\\: Dense"]
    assert '[label="a<b>&\\"c\\": InputLayer\\n(None, 2)"' in plot_model(model).dot


def test_names_in_images_are_no_formulas(tmp_path):
    pytest.importorskip("matplotlib")
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, name="$\\nothing$")], name="$x$")
    plot_model(model, tmp_path / "model.png", dpi=20)


def test_many_layers_have_one_line_each():
    model = portanet.Sequential([layers.Input((4,)), *(layers.Dense(4) for _ in range(60))])
    shown = texts(plot_model(model).draw().svg)
    assert len(shown) == 61
    assert shown[-1] == ["dense_59: Dense · (None, 4) · 20 parameters"]


def test_images_are_written_by_matplotlib_where_it_is_there(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    plot_model(siamese(), tmp_path / "model.png", expand_nested=True, dpi=50)
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")
    plot_model(siamese(), tmp_path / "model.pdf")
    assert (tmp_path / "model.pdf").read_bytes().startswith(b"%PDF")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib. Type: pip install .*\[plot\]"):
        plot_model(siamese(), tmp_path / "model.png")


def test_what_is_no_graph_cannot_be_shown():
    with pytest.raises(ValueError, match="no graph to show"):
        plot_model(Forked())
