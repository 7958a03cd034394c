import pytest

import portanet
from portanet import layers, plot


def test_a_model_with_its_nested_models():
    inner = portanet.Sequential([layers.Input((3,)), layers.Dense(2)], name="inner")
    model = portanet.Sequential([layers.Input((3,)), inner, layers.Dense(1, name="last")])
    picture = plot.model(model, direction="LR").draw()
    assert [frame.lines[0] for frame in picture.frames] == [
        "input_layer: InputLayer", "inner", "inner/dense: Dense", "last: Dense",
    ]  # fmt: skip
    assert picture.width > picture.height
    assert len(plot.model(model, expand_nested=False).boxes) == 3


def test_what_is_no_graph_is_refused():
    with pytest.raises(ValueError, match="no graph to show"):
        plot.model(portanet.Sequential([layers.Dense(2)]))
    with pytest.raises(ValueError, match=r"`direction` of plot.model must be one of 'TB', 'LR', 'BT', 'RL'"):
        plot.model(portanet.Sequential([layers.Input((2,)), layers.Dense(2)]), direction="up")
