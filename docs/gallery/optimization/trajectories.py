r"""Seven optimizers in a valley and at a saddle
============================================

Two functions of two numbers, on which one can watch every step. In a long valley the slope across is much steeper than
the slope along. At a saddle the slope is almost 0, and the way down begins sideways.

Source: NumpyDL documentation, "Visualization of algorithms" (figures 2.10 and 2.11: "SGD optimization on loss surface
contours" and "on saddle point"), animations by A. Radford.
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import optimizers, plot

# %%
# The optimizers
# --------------
# Adaptive methods (the last four) divide each slope by its usual size, so that a flat direction counts as much as a
# steep one.


def seven(rate: float = 0.026) -> dict[str, optimizers.Optimizer]:
    """The optimizers of the figures, by label."""
    return {
        "SGD": optimizers.SGD(rate),
        "Momentum": optimizers.SGD(rate, momentum=0.9),
        "NAG": optimizers.SGD(rate, momentum=0.9, nesterov=True),
        "Adagrad": optimizers.Adagrad(0.5),
        "Adadelta": optimizers.Adadelta(20.0),
        "RMSprop": optimizers.RMSprop(0.05),
        "Adam": optimizers.Adam(0.1),
    }


def paths(f, start: tuple[float, float], steps: int) -> dict[str, np.ndarray]:
    """The points that each optimizer visits."""
    return {
        name: portanet.to_host(optimizers.descend(f, start, optimizer, steps)) for name, optimizer in seven().items()
    }


# %%
# A long valley
# -------------
# :math:`f(x, y) = x^2/2 + 25 y^2`: fifty times as steep across as along. The cross is the start, the dots are the ends
# after 100 steps.


def valley(x, y):
    """A long valley with its lowest point at (0, 0)."""
    return 0.5 * x**2 + 25 * y**2


found = paths(valley, (-4.0, 0.8), steps=100)
ax = plot.trajectories(valley, found, xlim=(-4.5, 2.5), ylim=(-1.1, 1.1))
ax.set_title("A long valley")
for name, path in found.items():
    print(f"{name:9} f after 10 steps {valley(*path[10]):7.4f}, after 100 steps {valley(*path[-1]):.1e}")

# %%
# SGD jumps from side to side, then creeps along. Momentum and NAG "are led off-track, evoking the image of a ball
# rolling down the hill": they run past the lowest point, and NAG turns earlier, since it looks ahead. The adaptive
# methods cross the steep side and walk along the floor at the same time. Adadelta begins with tiny steps, and is on its
# way still.


def overshoot(path: np.ndarray) -> float:
    """How far a path runs past the lowest point, along the valley."""
    return float(max(path[:, 0].max(), 0.0))


print(f"past the lowest point: momentum {overshoot(found['Momentum']):.2f}, NAG {overshoot(found['NAG']):.2f}")

# %%
# A saddle
# --------
# :math:`f(x, y) = x^2 - y^2` near (1, 0): down in x, and a hundred-thousandth off the ridge in y. "SGD, Momentum, and
# NAG find it difficult to break symmetry, although the two latter eventually manage to escape the saddle point."


def saddle(x, y):
    """A saddle at (0, 0)."""
    return x**2 - y**2


START = (1.0, 1e-5)


def escape(path: np.ndarray, distance: float = 1.0) -> int | None:
    """The number of steps until a path is so far from the ridge; None if it never is."""
    far = np.abs(path[:, 1]) > distance
    return int(np.argmax(far)) if far.any() else None


found = paths(saddle, START, steps=240)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
plot.trajectories(saddle, found, xlim=(-1.2, 1.2), ylim=(-1, 1.2), log=False, ax=left)
for line in left.lines:
    path = found[line.get_label()]
    right.semilogy(np.abs(path[:, 1]), color=line.get_color(), label=line.get_label())
right.axhline(1, color="#999999", linestyle=":")
right.set_ylim(1e-5, 10)
right.set_xlabel("step")
right.set_ylabel("distance from the ridge")
left.set_title("At a saddle")
right.set_title("How they leave it")
for name, path in found.items():
    print(f"{name:9} leaves the ridge after {escape(path)} steps")

# %%
# On the right, a straight line is exponential growth: SGD gains 5.2% in each step, momentum much more. The adaptive
# methods start high: their first steps have the full length in both directions, however small the slope.
