import numpy as np
import pytest

import portanet
from portanet import layers, plot

pytest.importorskip("matplotlib")

X = np.random.default_rng(0).standard_normal((50, 6)).astype("float32")


def deep(seed=0):
    portanet.random.set_seed(seed)
    hidden = [layers.Dense(5, "tanh", name=f"hidden{i}") for i in range(3)]
    return portanet.Sequential([layers.Input((6,)), *hidden])


def test_histograms_of_weights_count_each_element(xp):
    model = deep()
    axes = plot.weight_histograms(model, bins=7)
    assert [ax.get_title() for ax in axes] == [f"hidden{i}/{w}" for i in range(3) for w in ("kernel", "bias")]
    for ax, weights in zip(axes, model.get_weights(), strict=True):
        counts, edges = np.histogram(weights, bins=7)
        values = ax.patches[0].get_data()
        assert values.values.tolist() == counts.tolist()
        np.testing.assert_allclose(values.edges, edges, rtol=1e-5, atol=1e-6)


def test_histograms_of_outputs(xp):
    model = deep()
    axes = plot.activation_histograms(model, X, bins=4)
    assert [ax.get_title() for ax in axes] == ["hidden0", "hidden1", "hidden2"]
    counts, _ = np.histogram(portanet.to_host(model.predict(X)), bins=4)
    assert axes[2].patches[0].get_data().values.tolist() == counts.tolist()
    assert axes[2].get_xlabel().startswith("mean ")


def test_means_and_deviations_over_seeds(xp):
    models = [deep(seed) for seed in range(3)]
    mean, std = plot.activation_spread(models, X)
    outputs = [portanet.to_host(model.predict(X)) for model in models]
    assert mean.lines[0].get_ydata()[2] == pytest.approx(np.mean([o.mean() for o in outputs]), rel=1e-4, abs=1e-6)
    assert std.lines[0].get_ydata()[2] == pytest.approx(np.mean([o.std() for o in outputs]), rel=1e-4)
    edge = std.collections[0].get_paths()[0].vertices
    at_last = edge[edge[:, 0] == 2][:, 1]
    assert (at_last.min(), at_last.max()) == pytest.approx(
        (min(map(np.std, outputs)), max(map(np.std, outputs))), rel=1e-4
    )
    assert [label.get_text() for label in std.get_xticklabels()] == ["hidden0", "hidden1", "hidden2"]


def test_groups_of_models_by_label():
    (ax,) = plot.activation_spread({"one": deep(), "two": [deep(1), deep(2)]}, X, statistics=["dead"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    assert len(ax.collections) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.weight_histograms(3), "`model` of plot.weight_histograms must be a model"),
        (lambda: plot.weight_histograms(portanet.Sequential([layers.Dense(2)])), "must have weights: give it an Input"),
        (lambda: plot.activation_spread([], X), "one or more models with the same number of layers"),
        (
            lambda: plot.activation_spread(deep(), X, ["median"]),
            "`statistics` of plot.activation_spread must be one of",
        ),
        (lambda: plot.activation_histograms(deep(), X, axes=[]), "must be 3 matplotlib axes"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
