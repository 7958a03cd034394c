"""From Theano: the fourteen listings, and how each is written now
===============================================================

The book builds symbolic graphs with Theano and compiles them to functions. In portanet a function of arrays is the
graph: it is recorded when a derivative is asked for. Each section is one listing of the book, with the number that the
book prints.

Source: Ketkar, listings 4-1 to 4-14 (figures 4-1 to 4-14 are drawings of the graphs).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad, scan, show, value_and_grad
from portanet.initializers import RandomNormal
from portanet.regularizers import L1, L2

# %%
# At a glance
# -----------
# ============================================  ===============================================================
# Theano                                        portanet
# ============================================  ===============================================================
# ``T.dscalar``, ``T.dmatrix``, ``function``    a Python function
# ``theano.printing.pydotprint``                `portanet.autodiff.show`
# ``T.nnet.sigmoid`` and others                 `portanet.activations`
# ``theano.shared``, ``get_value``              `portanet.Variable`, ``.value``, ``.assign``
# ``T.grad(z, [x])``                            `portanet.autodiff.grad(f)`
# ``T.nnet.binary_crossentropy`` and others     `portanet.losses`
# ``RandomStreams(seed)``                       `portanet.random.set_seed`, `portanet.random.normal`
# ``function(updates=...)``                     `compile` and `fit`
# ``T.switch``, ``ifelse``                      ``xp.where``, ``if``
# ``theano.scan``                               `portanet.autodiff.scan`, or a loop
# ============================================  ===============================================================
#
# 4-13: one function, three ways to write it
# ------------------------------------------
# The hinge loss :math:`\max(0, 1 - xy)`: as a maximum, with `if`, and with a choice by elements. All three have values
# and derivatives; at the corner, the slope differs, and each is a valid one.


def hinge_maximum(x: Any, y: Any) -> Any:
    """The hinge by a maximum."""
    return array_namespace(x).maximum(0 * x, 1 - x * y)


def hinge_if(x: Any, y: Any) -> Any:
    """The hinge by a condition of Python: the branch that is taken is differentiated."""
    return 1 - x * y if 1 - x * y > 0 else 0 * x


def hinge_where(x: Any, y: Any) -> Any:
    """The hinge by `where`, for many elements at once."""
    xp = array_namespace(x)
    return xp.where(1 - x * y < 0, 0 * x, 1 - x * y)


HINGES = (hinge_maximum, hinge_if, hinge_where)
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
for ax, hinge in zip(axes, HINGES, strict=True):
    points = [portanet.asarray(float(v)) for v in np.linspace(-2, 2, 81)]
    pairs = [value_and_grad(hinge)(x, 1.0) for x in points]
    ax.plot([float(x) for x in points], [[float(part) for part in pair] for pair in pairs], label=["value", "slope"])
    ax.set(title=hinge.__name__, xlabel="x, for y = 1")
axes[0].legend()
for x in (-2.0, -1.0, 0.0, 1.0, 2.0):
    print(f"f({x:g}, 1) =", *(float(hinge(portanet.asarray(x), 1.0)) for hinge in HINGES))

# %%
# 4-1 to 4-3: functions of scalars and matrices
# ---------------------------------------------
# Nothing is declared. `show` prints the graph of a function, what the book draws.


def scalars(a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Listing 4-1; the book prints 1.6."""
    return ((a - b + c) * d) / e


def matrices(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Listing 4-2; the book prints -6 in each place."""
    return (a + b - c) * d


def both(a: Any, b: Any, c: Any, d: Any, p: Any, q: Any, r: Any, s: Any, u: Any) -> Any:
    """Listing 4-3; the book prints -26.25 in each place."""
    return (((a * p) + (b - q) - (c + r)) * d / s) * u


def expressions() -> tuple[float, Any, Any]:
    """The values of the three listings."""
    numbers = [portanet.asarray(float(n)) for n in range(1, 6)]
    squares = [portanet.asarray(np.full((2, 2), n)) for n in (1.0, 2.0, 5.0, 3.0)]
    return float(scalars(*numbers)), matrices(*squares), both(*squares, *numbers)


for value in expressions():
    print(value)
print(show(scalars, *(portanet.asarray(float(n)) for n in range(1, 6))))

# %%
# 4-4: activation functions
# -------------------------
# Theano's `ultra_fast_sigmoid`, an approximation by pieces, is there too.


def activations() -> dict[str, np.ndarray]:
    """Each activation at -1, 0 and 1."""
    x = portanet.asarray([[-1.0, 0.0, 1.0]])
    names = ("sigmoid", "tanh", "ultra_fast_sigmoid", "softplus", "relu", "softmax")
    return {name: portanet.to_host(portanet.activations.get(name)(x))[0] for name in names}


for name, values in activations().items():
    print(f"{name:18}", values)

# %%
# 4-5, 4-6: shared variables and gradients
# ----------------------------------------
# A `Variable` is what a function keeps: a new value changes the function. The book prints 68 and (7, 17, 33), then 42
# and (4, 13, 28).


def shared() -> list[tuple[Any, float, Any]]:
    """X + y, z = sum((x**2 + y) x) and its gradient at (1, 2, 3), for two values of y."""
    x, y = portanet.asarray([1.0, 2.0, 3.0]), portanet.Variable(np.asarray([4.0, 5.0, 6.0], "float32"))

    def z(x: Any) -> Any:
        return array_namespace(x).sum((x * x + y.value) * x)

    results = []
    for new in ([4.0, 5.0, 6.0], [1.0, 1.0, 1.0]):
        y.assign(np.asarray(new, "float32"))
        value, slope = value_and_grad(z)(x)
        results.append((portanet.to_host(x + y.value), float(value), portanet.to_host(slope)))
    return results


for total, value, slope in shared():
    print(f"x + y = {total}, z = {value:g}, gradient {slope}")

# %%
# 4-7, 4-8: losses and penalties
# ------------------------------
# The book prints 3.058146503109446 and 9.16428867; the squared error that it prints is a copy of the line above it, and
# should be (0.9604, 0.9604, 0). Theano takes the outputs of the categorical loss as they are; portanet, as Keras,
# divides them by their sum first, so 0.01 of 0.03 counts as 1/3. To compare, add the logarithm of what was divided.


def losses() -> tuple[float, float, Any]:
    """Binary and categorical cross-entropy and squared errors of the book's outputs and targets."""
    output, target = (portanet.asarray([v]) for v in ([0.01, 0.01, 0.01], [0.99, 0.99, 0.01]))
    binary = portanet.losses.BinaryCrossentropy()(target, output)
    categorical = float(portanet.losses.CategoricalCrossentropy()(target, output))
    return float(binary), categorical - 1.99 * np.log(0.03), portanet.to_host((output - target) ** 2)[0]


def penalties() -> tuple[float, float]:
    """L1 and L2 of (0, 1, 3); the book prints 4 and 10."""
    x = portanet.asarray([0.0, 1.0, 3.0])
    return float(L1(1.0)(x)), float(L2(1.0)(x))


print("losses   ", *losses())
print("penalties", *penalties())

# %%
# 4-9: random streams
# -------------------
# Each call draws anew, and a seed repeats the row of draws: the same bits on every backend. They are not Theano's.


def draws(count: int = 3, seed: int = 42) -> list[Any]:
    """Rows of three normal numbers, each from a new call."""
    portanet.random.set_seed(seed)
    return [portanet.to_host(portanet.random.normal((1, 3)))[0] for _ in range(count)]


for row in draws():
    print(row)

# %%
# 4-10 to 4-12: logistic regression, linear regression, a network
# ---------------------------------------------------------------
# The book writes model, loss, gradients and updates. Here `compile` takes the loss and the optimizer, the layer its
# penalty, and an epoch with all data in one batch is one of the book's steps. Labels and targets are random: what is
# learned is memorised.


def noise(examples: int, features: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random inputs, labels 0 or 1, and targets."""
    generator = np.random.default_rng(seed)
    x, labels = generator.standard_normal((examples, features)), generator.integers(0, 2, (examples, 1)).astype(float)
    return x, labels, generator.standard_normal((examples, 1))


def dense(units: int, activation: str | None) -> Any:
    """A layer with standard normal weights and a penalty of 0.01 times their squares."""
    normal = RandomNormal(stddev=1.0)
    return layers.Dense(units, activation, kernel_initializer=normal, kernel_regularizer=L2(0.01))


def regression(kind: str, steps: int = 1000, seed: int = 0, examples: int = 1000) -> tuple[float, float, list[float]]:
    """Accuracy ("logistic", "network") or mean square ("linear") before and after training, and the losses."""
    portanet.random.set_seed(seed)
    x, labels, targets = noise(examples, 100, seed)
    y = targets if kind == "linear" else labels
    last = {"logistic": "sigmoid", "linear": None, "network": "sigmoid"}[kind]
    hidden = [dense(10, "tanh")] if kind == "network" else []
    model = portanet.Sequential([layers.Input((100,)), *hidden, dense(1, last)])
    loss, metric = ("mse", "mse") if kind == "linear" else ("binary_crossentropy", "binary_accuracy")
    model.compile(portanet.optimizers.SGD(0.1), loss, metrics=[metric])
    before = model.evaluate(x, y, batch_size=examples, verbose=0)[1]
    history = model.fit(x, y, batch_size=examples, epochs=steps, shuffle=False, verbose=0)
    return before, model.evaluate(x, y, batch_size=examples, verbose=0)[1], history.history["loss"]


figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for ax, (kind, book) in zip(
    axes, {"logistic": "0.481 to 0.629", "linear": "90.5 to 0.916", "network": "0.510 to 0.716"}.items(), strict=True
):
    before, after, history = regression(kind)
    ax.loglog(range(1, len(history) + 1), history)
    ax.set(title=kind, xlabel="step")
    print(f"{kind:8} {before:.3f} to {after:.3f}; in the book {book}")
axes[0].set_ylabel("loss with penalty")

# %%
# The book's network (4-12) ends in tanh and takes the logarithm of it, though tanh is negative for half of the
# examples: Theano returns NaN for them in silence. Here the last unit is a sigmoid. With tanh, portanet clips the
# probabilities, so the loss stays a number.


def loss_of_negative_probabilities() -> float:
    """The binary cross-entropy of tanh(-1), a negative "probability"."""
    return float(portanet.losses.BinaryCrossentropy()(portanet.asarray([[1.0]]), portanet.asarray([[np.tanh(-1.0)]])))


print(f"loss of a negative probability: {loss_of_negative_probabilities():.2f}")

# %%
# 4-14: scan
# ----------
# A loop that multiplies: 2 to the power of 5 is 32, and its derivative 5 times 2 to the power of 4. A loop of Python is
# differentiated just as well; `scan` needs less memory for long loops.


def power(a: Any, k: int) -> Any:
    """A to the power of k, by k - 1 multiplications."""
    return scan(lambda result, _: (result * a, None), a, length=k - 1)[0]


print("2 ** 5 =", float(power(portanet.asarray(2.0), 5)), " slope", float(grad(power)(portanet.asarray(2.0), 5)))
plt.show()
