import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks.watch import all_layers, named_layers, watched
from tests.support import asarray


def nested():
    inner = portanet.Sequential([layers.Dense(2, name="a"), layers.LSTM(2, name="b")], name="inner")
    return portanet.Sequential([layers.Input((5, 3)), inner, layers.Dense(1)], name="outer")


def test_layers_inside_models_and_inside_layers():
    assert list(named_layers(nested())) == ["inner/a", "inner/b", "dense"]
    paths = list(all_layers(nested()))
    assert paths[0] == "inner/a"
    assert paths[-2:] == ["dense", "outer"]
    assert any(path.startswith("inner/b/") for path in paths)


def test_every_call_is_told(backend):
    model, seen = nested(), []
    with watched(named_layers(model), lambda path, args, options, result: seen.append((path, tuple(result.shape)))):
        result = model(asarray(np.ones((4, 5, 3))))
    assert seen == [("inner/a", (4, 5, 2)), ("inner/b", (4, 2)), ("dense", (4, 1))]
    assert tuple(result.shape) == (4, 1)
    model(asarray(np.ones((4, 5, 3))))
    assert len(seen) == 3


def test_layers_are_as_they_were_after_an_error():
    model = nested()
    layer = model.layers[1]
    with pytest.raises(TypeError, match="NoneType"), watched(named_layers(model), print):
        model(None)
    assert "call" not in vars(layer)
