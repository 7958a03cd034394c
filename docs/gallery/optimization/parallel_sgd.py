r"""Gradients that come late: Hogwild, Downpour, delay-tolerant Adagrad, elastic averaging
======================================================================================

Many workers train one model without waiting for each other. A gradient then arrives when others have already changed
the weights that it was computed at. This page simulates such delays, always the same ones, and shows what each way of
training makes of them: the loss over the examples seen. At the end, real threads share real weights.

Source: NumpyDL documentation, 2.4.3 (Parallelizing and distributing SGD): Niu et al. 2011, Dean et al. 2012, McMahan
and Streeter 2014, Zhang et al. 2015.
"""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import distribution, layers

# %%
# A problem whose optimum is known
# --------------------------------
# Least squares, with examples of which a few of many features are not 0, some of them often and most of them rarely.
# The loss is the mean squared error minus that of the best weights, so that it can reach 0.


def problem(examples: int = 1500, features: int = 60, present: int = 5, noise: float = 0.1) -> dict[str, np.ndarray]:
    """Inputs, targets, and the weights with the least mean squared error."""
    generator = np.random.default_rng(0)
    chances = 1 / np.arange(1, features + 1)
    x = np.zeros((examples, features))
    for row in x:
        row[generator.choice(features, present, replace=False, p=chances / chances.sum())] = generator.normal(
            size=present
        )
    y = x @ generator.normal(size=features) + noise * generator.normal(size=examples)
    return {"x": x, "y": y, "best": np.linalg.lstsq(x, y, rcond=None)[0]}


def excess(data: dict[str, np.ndarray], weights: np.ndarray) -> float:
    """The mean squared error beyond the least one."""
    errors, least = (np.mean((data["x"] @ w - data["y"]) ** 2) for w in (weights, data["best"]))
    return float(errors - least)


def slope(data: dict[str, np.ndarray], i: int, weights: np.ndarray) -> np.ndarray:
    """The gradient of half the squared error of an example."""
    x = data["x"][i]
    return (x @ weights - data["y"][i]) * x


# %%
# One set of weights, and late gradients
# --------------------------------------
# With a delay of :math:`d`, a gradient is that at the weights before the last :math:`d` updates. Three rules make
# a step with it:
#
# - SGD, as in Hogwild: :math:`w \leftarrow w - \eta g`.
# - Adagrad, the rule of Downpour's server: the step size of each weight is :math:`\eta / \sqrt{z}` with the sum
#   :math:`z` of its squared gradients.
# - Adagrad that knows of the delay (AdaptiveRevision). With the sum :math:`b` of the gradients that arrived meanwhile,
#   :math:`z` grows by :math:`g^2 + 2 g b`, since gradients that overlap and point the same way act as one larger
#   gradient; and what the gradients in :math:`b` have moved is revised to the new step size.


def late(rule: str, data: dict[str, np.ndarray], rate: float, delay: int, begin: float = 0.1) -> Iterator[np.ndarray]:
    """The weights after each example, in one pass."""
    count, features = data["x"].shape
    weights, total = [np.zeros(features)], [np.zeros(features)]
    z = largest = np.full(features, begin)
    for i in range(count):
        before = max(0, i - delay)
        gradient, w = slope(data, i, weights[before]), weights[-1]
        missed = total[-1] - total[before]
        total.append(total[-1] + gradient)
        if rule == "SGD":
            w = w - rate * gradient
        elif rule == "Adagrad":
            z = z + gradient**2
            w = w - rate / np.sqrt(z) * gradient
        else:
            old = rate / np.sqrt(largest)
            z = z + gradient**2 + 2 * gradient * missed
            largest = np.maximum(z, largest)
            new = rate / np.sqrt(largest)
            w = w - new * gradient + (old - new) * missed
        weights.append(w)
        yield w


# %%
# Weights of its own for each worker
# ----------------------------------
# Eight workers take turns with examples of their own. Each exchanges with the others every :math:`d` examples of all:
#
# - Local SGD: all weights become their mean.
# - Elastic averaging: a worker's weights :math:`x` and the centre :math:`c` are pulled to each other,
#   :math:`x \leftarrow x - \alpha (x - c)` and :math:`c \leftarrow c + \alpha (x - c)`, one worker after the other.


def apart(
    rule: str, data: dict[str, np.ndarray], rate: float, period: int, workers: int = 8, moving_rate: float = 0.9
) -> Iterator[np.ndarray]:
    """The mean of the weights, or the centre, after each example."""
    count, features = data["x"].shape
    own, centre = np.zeros((workers, features)), np.zeros(features)
    steps = max(1, period // workers)
    for i in range(count):
        worker, turn = i % workers, i // workers
        own[worker] -= rate * slope(data, i, own[worker])
        if turn % steps == steps - 1:
            if rule == "elastic averaging":
                force = moving_rate / workers * (own[worker] - centre)
                own[worker] -= force
                centre = centre + force
            elif worker == workers - 1:
                own[:] = own.mean(axis=0)
        yield centre if rule == "elastic averaging" else own.mean(axis=0)


# %%
# What delays do
# --------------
# Each rule gets the rate that suits it best at each delay, of seven.

DELAYS = (1, 32, 256)
RATES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
RULES = {
    "SGD": late,
    "Adagrad": late,
    "AdaptiveRevision": late,
    "local SGD": apart,
    "elastic averaging": apart,
}


def curve(data: dict[str, np.ndarray], rule: str, rate: float, delay: int, every: int = 50) -> np.ndarray:
    """The loss after every so many examples; infinite where it grows without bounds."""
    with np.errstate(over="ignore", invalid="ignore"):
        losses = [
            excess(data, weights)
            for i, weights in enumerate(RULES[rule](rule, data, rate, delay))
            if (i + 1) % every == 0
        ]
    return np.nan_to_num(np.asarray(losses), nan=np.inf)


def best(data: dict[str, np.ndarray], rule: str, delay: int) -> tuple[float, np.ndarray]:
    """The rate with the least mean of the last losses, and its curve."""
    curves = {rate: curve(data, rule, rate, delay) for rate in RATES}
    rate = min(curves, key=lambda rate: float(np.mean(curves[rate][-6:])))
    return rate, curves[rate]


data = problem()
found = {(rule, delay): best(data, rule, delay) for delay in DELAYS for rule in RULES}
figure, axes = plt.subplots(1, len(DELAYS), figsize=(12, 4), sharey=True, layout="constrained")
for ax, delay in zip(axes, DELAYS, strict=True):
    for rule in RULES:
        losses = found[rule, delay][1]
        ax.semilogy(50 * np.arange(1, len(losses) + 1), losses, label=rule)
    ax.set(title=f"delay {delay}", xlabel="examples seen")
axes[0].set_ylabel("loss beyond the least one")
axes[0].legend()

print("loss at the end (rate)   " + "".join(f"delay {delay:<14}" for delay in DELAYS))
for rule in RULES:
    cells = [found[rule, delay] for delay in DELAYS]
    print(f"{rule:25}" + "".join(f"{np.mean(losses[-6:]):.4f} ({rate:g})".ljust(20) for rate, losses in cells))

# %%
# While gradients are hardly late, all rules come near the optimum. With a delay of 256, many gradients for the same
# weights act before any is seen: SGD has to take steps so small that it hardly moves, and Adagrad too must slow down,
# since its step sizes know nothing of what is under way. AdaptiveRevision keeps its large steps. Elastic averaging lets
# the weights of workers stay apart, and its centre follows slowly.

# %%
# Threads that share weights
# --------------------------
# The same problem with `distribution.Hogwild`: four threads of this process change the same array, where the backend
# has such arrays. What each sees of the others is up to the machine, so the last digits differ from run to run.


def hogwild(data: dict[str, np.ndarray], threads: int, epochs: int = 3, rate: float = 0.05) -> list[float]:
    """The loss after each epoch."""
    distribution.set_distribution(distribution.Hogwild(threads))
    try:
        model = portanet.Sequential(
            [layers.Input((data["x"].shape[1],)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
        )
        model.compile(portanet.optimizers.SGD(rate), "mse")
        losses = []
        for _ in range(epochs):
            model.fit(data["x"], data["y"][:, None], batch_size=500, verbose=0)
            losses.append(excess(data, model.get_weights()[0][:, 0]))
    finally:
        distribution.set_distribution(None)
    return losses


if portanet.get_backend().shares_arrays:
    for threads in (1, 4):
        print(f"{threads} threads:", " ".join(f"{loss:.4f}" for loss in hogwild(data, threads)))

plt.show()
