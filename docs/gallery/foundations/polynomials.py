"""Too simple, just right, too flexible: polynomials and a penalty
===============================================================

A line, a parabola and a polynomial of degree 8 are fitted to the same 80 points, and asked about 20 points beyond them.
Then a penalty makes a polynomial of degree 79 behave.

Source: Ketkar, listings 2-1 and 2-2 (figures 2-1 to 2-5).
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet.fused.least_squares import least_squares
from portanet.preprocessing import PolynomialFeatures

# %%
# The points
# ----------
# :math:`y = 2 + x + 2 x^2` at 100 places from -1 to 1, with noise of standard deviation 0.1. The first 80 are seen, the
# last 20 are not.

SEEN = 80


def curve(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The places and the noisy values, shape (100, 1)."""
    x = np.linspace(-1, 1, 100)
    return x[:, None], (2 + x + 2 * x * x + np.random.default_rng(seed).normal(0, 0.1, 100))[:, None]


def fit(degree: int, seed: int = 0, l2: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The fitted polynomial at all 100 places, and its coefficients."""
    x, y = curve(seed)
    with portanet.use_backend("numpy", dtype="float64"):  # powers up to the 79th need float64
        features = PolynomialFeatures(degree).fit_transform(x)
        weights = least_squares(features[:SEEN], y[:SEEN], l2)
    return features @ weights, weights


def errors(degree: int, seed: int = 0, l2: float = 0.0) -> tuple[float, float, float]:
    """Root of the sum of squares on the seen points and on those beyond; the norm of the coefficients."""
    predicted, weights = fit(degree, seed, l2)
    residuals = predicted - curve(seed)[1]
    norms = (np.linalg.norm(part) for part in (residuals[:SEEN], residuals[SEEN:], weights))
    seen, beyond, size = map(float, norms)
    return seen, beyond, size


# %%
# Three degrees
# -------------
x, y = curve()
figure, axes = plt.subplots(1, 3, figsize=(11, 3.5), sharey=True, layout="constrained")
for ax, degree in zip(axes, (1, 2, 8), strict=True):
    ax.plot(x[:SEEN], y[:SEEN], ".", label="seen")
    ax.plot(x[SEEN:], y[SEEN:], ".", label="not seen")
    ax.plot(x, fit(degree)[0], "k-", linewidth=1, label="fitted")
    ax.set(title=f"degree {degree}", xlabel="x", ylim=(0, 7))
axes[0].legend()

# %%
# The line misses both parts. The parabola follows the unseen points. Degree 8 is nearest to the seen points, and leaves
# the others at once: it has learned the noise. The book's errors (the root of the sum of squares) beside these; they
# vary with the noise, that of degree 8 on unseen points from 2 to 80.

BOOK = {1: (3.5076, 7.6951), 2: (0.9190, 0.4462), 8: (0.8973, 14.1909)}

print("degree   seen  in the book   not seen  in the book")
for degree, (book_seen, book_beyond) in BOOK.items():
    seen, beyond, _ = errors(degree)
    print(f"{degree:6} {seen:6.3f} {book_seen:12.3f} {beyond:10.3f} {book_beyond:12.3f}")

# %%
# A penalty on the coefficients
# -----------------------------
# Listing 2-2 keeps 80 coefficients, as many as points, and minimises
# :math:`\|X\beta - y\|^2 + \lambda \|\beta\|^2` for 100 values of :math:`\lambda` from 0.01 to 0.99. (The book's
# formula in the text has a minus sign; its code is right.)


def sweep(count: int = 100, degree: int = 79, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The penalties, and for each the errors and the norm of the coefficients as `errors` returns them."""
    penalties = np.linspace(0.01, 0.99, count)
    return penalties, np.asarray([errors(degree, seed, l2) for l2 in penalties])


penalties, results = sweep()
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(penalties, results[:, 0], label="seen")
left.plot(penalties, results[:, 1], label="not seen")
left.set(xlabel="penalty", ylabel="root of the sum of squares", ylim=(0, None))
left.legend()
right.plot(penalties, results[:, 2])
right.set(xlabel="penalty", ylabel="norm of the coefficients")

# %%
# With a larger penalty the coefficients shrink and the error on seen points grows, always. The error on unseen points
# falls first, then grows: between too flexible and too simple lies the best penalty. Without any, the polynomial goes
# through all seen points but leaves the others by a factor of 100 billion.
best = int(results[:, 1].argmin())
for label, (seen, beyond, size) in {
    "0": errors(79),
    "0.01": results[0],
    f"{penalties[best]:.2f}": results[best],
    "0.99": results[-1],
}.items():
    print(f"penalty {label:4}: seen {seen:.3f}, not seen {beyond:8.3g}, norm of the coefficients {size:8.3g}")
plt.show()
