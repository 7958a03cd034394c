import pytest

import portanet
from portanet import layers
from tests.models.test_functional import Forked, normal, two_in_two_out
from tests.support import asarray


def text_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines[0]


def test_the_table_of_a_graph():
    with portanet.use_backend("numpy"):
        model = two_in_two_out()
        model.get_layer("hidden").trainable = False
        assert text_of(model, show_trainable=True).splitlines() == [
            "Model 'two' on numpy",
            "-------------------------  ------------  ------  ------  ------------  -------",
            "Layer (type)               Output shape  Params  Memory  Connected to  Trained",
            "-------------------------  ------------  ------  ------  ------------  -------",
            "a (InputLayer)             (None, 4)          0       0  -             -",
            "hidden (Dense)             (None, 5)         25   100 B  a             no",
            "b (InputLayer)             (None, 3)          0       0  -             -",
            "concatenate (Concatenate)  (None, 8)          0       0  hidden, b     -",
            "main (Dense)               (None, 2)         18    72 B  concatenate   yes",
            "side (Dense)               (None, 1)          6    24 B  hidden        yes",
            "-------------------------  ------------  ------  ------  ------------  -------",
            "Total params: 49 (196 B)",
            "Trainable params: 24 (96 B)",
            "Non-trainable params: 25 (100 B)",
        ]


def test_nested_models_are_listed_on_request():
    x = layers.Input((1000,))
    inner = portanet.Sequential([layers.Input((1000,)), layers.Dense(500), layers.Dense(2)], name="inner")
    model = portanet.Model(x, inner(x))
    assert "dense" not in text_of(model)
    text = text_of(model, expand_nested=True)
    assert "  dense (Dense)           (None, 500)   500,500  1.91 MiB" in text
    assert "inner (Sequential)        (None, 2)     501,502  1.91 MiB  input_layer" in text
    assert "Total params: 501,502" in text


def test_some_of_the_layers(capsys):
    model = two_in_two_out()
    model.summary(80, [0.3, 0.6, 1.0], layer_range=["hidden", "main"])
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines()[4:-4]]
    assert rows == ["hidden", "b", "concatenate", "main"]
    assert "side" in text_of(model, layer_range=["b", "sid."])
    for wrong in (["hidden"], "hidden", ["hidden", "nope"]):
        with pytest.raises(ValueError, match="`layer_range` of summary must"):
            model.summary(layer_range=wrong)
    with pytest.raises(ValueError, match="`line_length`"):
        model.summary(0)


def test_shared_weights_count_once():
    encoder = layers.Dense(3, name="encoder")
    model = portanet.Sequential([layers.Input((5,)), encoder, layers.TiedDense(encoder)])
    text = text_of(model)
    assert "tied_dense (TiedDense)  (None, 5)          5" in text
    assert "Total params: 23" in text


def test_a_subclass_shows_what_its_layers_gave(backend):
    model = Forked()
    model(asarray(normal(2, 5)))
    text = text_of(model)
    assert "dense (Dense)      (None, 4)" in text
    assert "dense_1 (Dense)    ?" in text


def test_models_in_models_in_models():
    with portanet.use_backend("numpy"):
        core = portanet.Sequential([layers.Input((3,)), layers.Dense(2), layers.ReLU()], name="core")
        block = portanet.Sequential([layers.Input((3,)), core, layers.BatchNormalization(name="norm")], name="block")
        model = portanet.Sequential([layers.Input((3,)), block, layers.Dense(1, name="last")], name="stack")
        core.trainable = False
        assert text_of(model, expand_nested=True, show_trainable=True).splitlines() == [
            "Model 'stack' on numpy",
            "---------------------------  ------------  ------  ------  -------",
            "Layer (type)                 Output shape  Params  Memory  Trained",
            "---------------------------  ------------  ------  ------  -------",
            "block (Sequential)           (None, 2)         16    64 B  yes",
            "  core (Sequential)          (None, 2)          8    32 B  no",
            "    dense (Dense)            (None, 2)          8    32 B  no",
            "    re_lu (ReLU)             (None, 2)          0       0  -",
            "  norm (BatchNormalization)  (None, 2)          8    32 B  yes",
            "last (Dense)                 (None, 1)          3    12 B  yes",
            "---------------------------  ------------  ------  ------  -------",
            "Total params: 19 (76 B)",
            "Trainable params: 7 (28 B)",
            "Non-trainable params: 12 (48 B)",
        ]
        rows = text_of(model, expand_nested=True, layer_range=["core", "norm"]).splitlines()[4:-4]
        assert [row.split()[0] for row in rows] == ["core", "dense", "re_lu", "norm"]


def test_a_model_that_is_not_built():
    with portanet.use_backend("numpy"):
        model = portanet.Sequential([layers.Dense(2, name="first")], name="new")
        assert text_of(model).splitlines() == [
            "Model 'new' on numpy",
            "-------------  ------------  ------  ------",
            "Layer (type)   Output shape  Params  Memory",
            "-------------  ------------  ------  ------",
            "first (Dense)  ?                  ?       0",
            "-------------  ------------  ------  ------",
            "The model is not built: parameters are known when it has seen data, or has an Input",
        ]
