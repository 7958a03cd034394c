r"""Roots and minima: bisection, Newton, gradient descent
=====================================================

A minimum of :math:`f` is a zero of its slope. So a search for zeros finds minima. This page compares three: halving an
interval, following the tangent, and small steps downhill.

Source: Shanahan, act 0: "Unconstrained optimization", "Gradient Descent (a simpler root finder)".
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from portanet import plot
from portanet.autodiff import grad
from portanet.optimizers import bisect, minimize, newton

# %%
# A function and its slope
# ------------------------
# :math:`f(x) = x^4/4 - 2x + 1`. Its slope is :math:`x^3 - 2`, so the minimum lies at :math:`\sqrt[3]{2} = 1.259921`.


def f(x: Any) -> Any:
    """The function to minimise."""
    return x**4 / 4 - 2 * x + 1


def slope(x: Any) -> Any:
    """Its derivative, by automatic differentiation."""
    return grad(f)(x)


def searches(rate: float = 0.05) -> dict[str, list[float]]:
    """The points that the three searches visit."""
    paths: dict[str, list[float]] = {"bisection": [], "Newton": [], "gradient descent": []}
    note = {name: lambda x, path=path: path.append(float(x)) for name, path in paths.items()}
    bisect(slope, np.asarray(0.0), np.asarray(2.0), callback=note["bisection"])
    newton(slope, np.asarray(2.0), callback=note["Newton"])
    minimize(
        f,
        np.asarray(2.0),
        "gradient-descent",
        tolerance=1e-14,
        max_iterations=120,
        learning_rate=rate,
        callback=note["gradient descent"],
    )
    return paths


paths = searches()
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
x = np.asarray(np.linspace(0, 2, 100))
axes[0].plot(x, f(x), label="f")
axes[0].plot(x, x**3 - 2, label="slope of f")
axes[0].axhline(0, color="grey", linewidth=0.5)
axes[0].plot(2 ** (1 / 3), f(2 ** (1 / 3)), "k.")
axes[0].legend()
for name, path in paths.items():
    axes[1].semilogy(
        range(1, len(path) + 1), np.maximum(np.abs(np.asarray(path) - 2 ** (1 / 3)), 1e-16), ".-", label=name
    )
axes[1].set(xlabel="step", ylabel="distance from the minimum")
axes[1].legend()

# %%
# Left: the function has its minimum where the slope is 0. Right: the distance from it. Bisection halves its interval, a
# straight line here, whatever the function. So is gradient descent, and the learning rate decides how steep it is.
# Newton's method doubles the number of digits in each step, but it needs the second derivative: for many unknowns a
# matrix, to be inverted. Gradient descent needs the slope alone, which is why networks are trained by it.
for name, path in paths.items():
    print(f"{name:17} {len(path):3} steps, x = {path[-1]:.12f}")
print(f"{'cube root of 2':17}            {2 ** (1 / 3):.12f}")

# %%
# The derivative of a root
# ------------------------
# The root depends on what the function closes over, here on `y`, and is differentiated by it. The implicit function
# theorem gives the derivative, so no step is stored. The slope of the cube root at 2 is
# :math:`\tfrac13 2^{-2/3} = 0.209987`.


def cube_root(y: Any) -> Any:
    """The cube root, by Newton's method."""
    return newton(lambda x: x**3 - y, np.asarray(1.0)).x


print(f"{float(cube_root(np.asarray(2.0))):.6f} has the slope {float(grad(cube_root)(np.asarray(2.0))):.6f}")

# %%
# The highest point of a paraboloid
# ---------------------------------
# :math:`-(x^2 + y^2) + 4` has its maximum 4 at (0, 0). Gradient ascent goes up; that is gradient descent on the
# negative. A step is the learning rate times the gradient, so the distance shrinks by the factor
# :math:`|1 - 2\,\mathrm{rate}|`: slowly for 0.05, in one step for 0.5, in a zigzag for 0.95, and never for 1.05.


def hill(x: Any, y: Any) -> Any:
    """The document's paraboloid."""
    return -(x**2 + y**2) + 4


def climb(rate: float, start: tuple[float, float] = (1.5, -1.0), steps: int = 30) -> tuple[np.ndarray, Any]:
    """The path of gradient ascent, and the result."""
    path = [np.asarray(start)]
    result = minimize(
        lambda v: -hill(v[0], v[1]),
        np.asarray(start),
        "gradient-descent",
        max_iterations=steps,
        learning_rate=rate,
        callback=lambda v: path.append(v),
    )
    return np.asarray(path), result


climbs = {
    rate: climb(rate, start)
    for rate, start in ((0.05, (1.5, -1.0)), (0.5, (1.0, 1.5)), (0.95, (-1.5, 0.0)), (1.05, (-0.5, -1.5)))
}
ax = plot.trajectories(
    lambda x, y: 4.0 - hill(x, y),
    {f"rate {rate}": path for rate, (path, _) in climbs.items()},
    xlim=(-2, 2),
    ylim=(-2, 2),
    log=False,
)
ax.set_title("contours of 4 - f: the top is in the middle")
for rate, (_, result) in climbs.items():
    print(f"rate {rate:4}: {result.iterations:2} steps, height {-result.value:.6f}; {result.message}")

# %%
# The same hill as a surface, with Newton's method for the zero of both slopes. The function is quadratic: one step is
# enough.
plot.surface(hill, (-2, 2), (-2, 2))
result = newton(grad(lambda v: hill(v[0], v[1])), np.asarray([1.5, -1.0]))
print("Newton:", result.x, "after", result.iterations, "steps")
plt.show()
