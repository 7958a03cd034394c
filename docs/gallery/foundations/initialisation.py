r"""What initial weights do to ten layers
=====================================

Ten layers of 500 units, before any training. With small weights all outputs shrink to 0. With large weights tanh
saturates. Between them lie :math:`1/\sqrt{n}` for tanh and :math:`1/\sqrt{n/2}` for ReLU.

Source: Shanahan, act 4: the five experiments of "Init with small random numbers", with their histograms and their
plots of means and standard deviations; and "Mini-Batch Normalization".
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.initializers import RandomNormal

DOCUMENT = {
    "N(0, .01), tanh": (0.01, "tanh", 0.2131, 0.0000),
    "N(0, 1), tanh": (1.0, "tanh", 0.9819, 0.9817),
    "1/sqrt(n), tanh": (500**-0.5, "tanh", 0.6280, 0.2280),
    "1/sqrt(n), relu": (500**-0.5, "relu", 0.58, 0.0261),
    "1/sqrt(n/2), relu": (250**-0.5, "relu", 0.8252, 0.8445),
}
"""The standard deviation of the weights, the activation, and what the document prints for layers 1 and 10."""


def network(stddev: float, activation: str, seed: int = 0, normalised: bool = False) -> portanet.Sequential:
    """Ten layers of 500 units, with weights of one standard deviation."""
    portanet.random.set_seed(seed)
    stack: list[layers.Layer] = [layers.Input((500,))]
    for number in range(1, 11):
        stack.append(layers.Dense(500, use_bias=False, kernel_initializer=RandomNormal(stddev=stddev)))
        if normalised:
            stack.append(layers.BatchNormalization())
        stack.append(layers.Activation(activation, name=f"layer_{number}"))
    return portanet.Sequential(stack)


def inputs(examples: int = 1000, seed: int = 0) -> np.ndarray:
    """Normal numbers of mean 0 and standard deviation 1, 500 for each example."""
    return np.random.default_rng(seed).standard_normal((examples, 500)).astype("float32")


def outputs(model: portanet.Sequential, x: np.ndarray, training: bool = False) -> list[np.ndarray]:
    """What each of the ten activations returns."""
    result, values = [], portanet.asarray(x)
    for layer in model.layers:
        values = layer(values, training=training)
        if layer.name.startswith("layer_"):
            result.append(portanet.to_host(values))
    return result


def spreads(stddev: float, activation: str, seeds: int = 4, examples: int = 1000) -> np.ndarray:
    """The standard deviation behind each layer, one row per seed."""
    rows = []
    for seed in range(seeds):
        values = outputs(network(stddev, activation, seed), inputs(examples, seed))
        rows.append([float(np.std(value)) for value in values])
    return np.asarray(rows)


# %%
# Histograms
# ----------
# One row for each way to draw the weights, one column for each layer; 30 bins. The first row collapses to a line at 0.
# In the second, everything is -1 or +1. The third keeps its shape. ReLU loses half of the variance in each layer of the
# fourth row; the factor 2 of He et al. brings it back in the last.


def histograms(examples: int = 1000) -> plt.Figure:
    """The outputs of all layers for all five ways."""
    figure, axes = plt.subplots(5, 10, figsize=(13, 7), layout="constrained")
    for row, (name, (stddev, activation, _, _)) in zip(axes, DOCUMENT.items(), strict=True):
        span = (-1, 1) if activation == "tanh" else (0, 2)
        values = outputs(network(stddev, activation), inputs(examples))
        for number, (ax, value) in enumerate(zip(row, values, strict=True)):
            ax.hist(value.ravel(), 30, range=span)
            ax.set(yticks=[], xticks=span, title=f"{number + 1}" if row is axes[0] else "")
            if activation == "relu":
                ax.set_ylim(0, value.size / 12)  # the bar of the zeros, half of all, goes beyond it
        row[0].set_ylabel(name.replace(f", {activation}", f"\n{activation}"))
    return figure


histograms()

# %%
# The gradient of a layer's weights is a sum of its inputs, weighted by errors. In the first row inputs are 0, so the
# gradient is 0. In the second row the slope of tanh, :math:`1 - \tanh(x)^2`, is 0. Neither can learn.
#
# Means and standard deviations
# -----------------------------
# The same as lines; a band goes from the lowest to the highest of four seeds. The numbers of the document are black
# dots. All examples pass through the same weights, so the spread of ReLU in layer 10 depends on the draw: between .65
# and 1.15. The others hardly move.

bands = {name: spreads(stddev, activation) for name, (stddev, activation, _, _) in DOCUMENT.items()}
ax = plot.bands(bands, x=range(1, 11))
for name, (_, _, first, last) in DOCUMENT.items():
    ax.plot([1, 10], [first, last], "k.")
    print(
        f"{name:18} layer 1: {bands[name][:, 0].mean():.4f} (document {first:.4f})   layer 10: "
        f"{bands[name][:, -1].min():.4f} to {bands[name][:, -1].max():.4f} (document {last:.4f})"
    )
ax.set(xlabel="layer", ylabel="standard deviation of the outputs", ylim=(0, 1.3))

# %%
# :func:`portanet.plot.activation_spread` draws means and deviations of any model, here of the last two ways.
axes = plot.activation_spread(
    {
        name: [network(*DOCUMENT[name][:2], seed) for seed in range(2)]
        for name in ("1/sqrt(n), relu", "1/sqrt(n/2), relu")
    },
    inputs(200),
)

# %%
# Or make it so: batch normalisation
# ----------------------------------
# "You want unit Gaussian activations? Just make them so." Batch normalisation before the activation subtracts the mean
# of the batch and divides by its standard deviation. Then the size of the initial weights does not matter: with
# N(0, .01) and with N(0, 1), tanh gets what it needs in all ten layers.
for name in ("N(0, .01), tanh", "N(0, 1), tanh"):
    stddev, activation, _, _ = DOCUMENT[name]
    values = outputs(network(stddev, activation, normalised=True), inputs(), training=True)
    print(f"{name}, normalised: layer 1 {np.std(values[0]):.3f}, layer 10 {np.std(values[-1]):.3f}")

# %%
# The layer then scales by gamma and shifts by beta, which are learned. If gamma is the standard deviation and beta the
# mean, they undo the normalisation: the network can choose the identity.


def undone(x: np.ndarray) -> np.ndarray:
    """The outputs of a batch normalisation in training whose gamma and beta are those of the batch."""
    layer = layers.BatchNormalization(epsilon=0.0)
    layer.build(x.shape)
    layer.gamma.assign(portanet.asarray(x.std(axis=0)))
    layer.beta.assign(portanet.asarray(x.mean(axis=0)))
    return portanet.to_host(layer(portanet.asarray(x), training=True))


x = 3 * inputs(50) + 2
print(f"largest difference from the input: {np.abs(undone(x) - x).max():.1e}")


# %%
# In prediction there may be no batch. So the layer keeps running averages while it trains, and uses those.


def running(momentum: float = 0.9, batches: int = 100) -> tuple[float, float]:
    """The running mean and variance after batches of mean 2 and standard deviation 3."""
    layer = layers.BatchNormalization(momentum=momentum)
    generator = np.random.default_rng(0)
    for _ in range(batches):
        layer(portanet.asarray(generator.normal(2, 3, (100, 4))), training=True)
    return float(np.mean(portanet.to_host(layer.moving_mean.value))), float(
        np.mean(portanet.to_host(layer.moving_variance.value))
    )


mean, variance = running()
print(f"after 100 batches of mean 2 and variance 9: running mean {mean:.2f}, running variance {variance:.2f}")
plt.show()
