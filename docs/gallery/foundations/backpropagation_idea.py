"""Gradients of functions of matrices
===================================

A function of matrices is a small network: draw it, go back through it, and read off the gradient. Here each gradient
that is derived by hand stands beside the one of `grad`.

Source: the articles, "Deriving gradients using the backpropagation idea" (UFLDL tutorial): examples 1 and 2 from sparse
coding, and example 3, where one matrix is used twice.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from portanet.autodiff import array_namespace, grad, show

# %%
# Example 1: the weights of sparse coding
# ---------------------------------------
# :math:`F(A) = \|A s - x\|^2 + \gamma \|A\|^2`. As a network: s goes through the weights A, x is taken away, and the
# squares are added. The gradient by hand is :math:`2 (A s - x) s^T + 2 \gamma A`.

GAMMA = 0.3


def data(seed: int = 0) -> dict[str, np.ndarray]:
    """A dictionary A with 6 columns, sparse codes s of 8 examples x of 5 numbers, a grouping V, weights W."""
    generator = np.random.default_rng(seed)
    shapes = {"A": (5, 6), "s": (6, 8), "x": (5, 8), "V": (3, 6), "W": (4, 5)}
    return {name: generator.standard_normal(shape) for name, shape in shapes.items()}


def coding(a: Any, s: Any, x: Any) -> Any:
    """The cost of example 1."""
    xp = array_namespace(a)
    return xp.sum((xp.matmul(a, s) - x) ** 2) + GAMMA * xp.sum(a * a)


# %%
# Example 2: smoothed, grouped sparsity
# -------------------------------------
# :math:`F(s) = \sum \sqrt{V s^2 + \epsilon}`, with squares and roots element by element, and V the squared weights of
# the groups. The network squares, adds up by V, takes the root, and adds all. By hand, the gradient is s times
# :math:`V^T (1 / \sqrt{V s^2 + \epsilon})`.

EPSILON = 0.01


def sparsity(s: Any, v: Any) -> Any:
    """The cost of example 2."""
    xp = array_namespace(s)
    return xp.sum(xp.sqrt(xp.matmul(v * v, s * s) + EPSILON))


# %%
# Example 3: one matrix, used twice
# ---------------------------------
# :math:`F(W) = \|W^T W x - x\|^2`, the cost of independent component analysis with reconstruction. W is in the network
# twice, once transposed. Its gradient is the sum of both: :math:`2 W r x^T` and :math:`2 W x r^T`, with r = W'W x - x.


def reconstruction(w: Any, x: Any) -> Any:
    """The cost of example 3."""
    xp = array_namespace(w)
    return xp.sum((xp.matmul(xp.matrix_transpose(w), xp.matmul(w, x)) - x) ** 2)


# %%
# By hand and by `grad`
# ---------------------


def gradients(seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each example, the gradient that was derived by hand and the one of `grad`."""
    d = data(seed)
    a, s, x, v, w = (d[name] for name in ("A", "s", "x", "V", "W"))
    r = w.T @ w @ x - x
    return {
        "1: 2 (A s - x) s' + 2 gamma A": (2 * (a @ s - x) @ s.T + 2 * GAMMA * a, grad(coding)(a, s, x)),
        "2: s V'(1 / sqrt(V s s + epsilon))": (
            s * ((v * v).T @ (1 / np.sqrt(v * v @ (s * s) + EPSILON))), grad(sparsity)(s, v),
        ),
        "3: 2 W r x' + 2 W x r'": (2 * w @ r @ x.T + 2 * w @ x @ r.T, grad(reconstruction)(w, x)),
    }  # fmt: skip


figure, axes = plt.subplots(2, 3, figsize=(9, 4.5), layout="constrained")
for column, (name, pair) in zip(axes.T, gradients().items(), strict=True):
    limit = np.abs(pair[0]).max()
    for ax, values, how in zip(column, pair, ("by hand", "grad"), strict=True):
        ax.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
        ax.set(xticks=[], yticks=[], ylabel=how)
    column[0].set_title(name, fontsize="small")
    print(f"{name:36} largest difference {np.abs(pair[0] - pair[1]).max():.1e}")

# %%
# The drawing
# -----------
# The text draws each function as a chain of steps. `show` prints that chain, with W (argument 0) used in two places.
d = data()
print(show(lambda w: reconstruction(w, d["x"]), d["W"]))
plt.show()
