"""Perceptrons: NAND, a half adder, and sigmoid neurons in their place
===================================================================

A perceptron weighs its inputs and answers yes or no. With weights -2, -2 and bias 3 it is a NAND gate, and NAND gates
build any circuit. A sigmoid neuron gives the answer between 0 and 1, which can be learned by small steps.

Source: the articles, "Using neural nets to recognize handwritten digits" (M. Nielsen, chapter 1): perceptrons, NAND,
the half adder, the sigmoid and step functions, the exercises on sigmoid neurons and on four output bits.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, ops, plot

BITS = np.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

# %%
# A gate
# ------
# `Perceptron` computes 1 where `w . x + b > 0`, else 0. A straight line, where the sum is 0, separates
# the three inputs with answer 1 from the one with answer 0.


def nand() -> layers.Perceptron:
    """A perceptron with weights -2, -2 and bias 3."""
    gate = layers.Perceptron(1)
    gate.build((None, 2))
    gate.set_weights([[[-2.0], [-2.0]], [3.0]])
    return gate


gate = nand()
answers = portanet.to_host(gate(portanet.asarray(BITS)))[:, 0]
ax = plot.decision_boundary(gate, BITS, answers)
ax.set(xlabel="$x_1$", ylabel="$x_2$", title="NAND")
print("\n".join(f"{int(a)} NAND {int(b)} = {int(c)}" for (a, b), c in zip(BITS, answers, strict=True)))

# %%
# A circuit
# ---------
# Five NAND gates add two bits: one gives the sum, another the carry bit. All five are the same layer, called again and
# again. Its last call gets one output twice; the text replaces that by one connection of weight -4.


def half_adder(gate: layers.Perceptron, bits: Any) -> tuple[Any, Any]:
    """The sum of two bits and the carry bit, shape (examples, 1) each, from NAND gates."""
    a, b = bits[:, :1], bits[:, 1:]

    def both(p: Any, q: Any) -> Any:
        return gate(ops.concatenate([p, q], axis=1))

    left = both(a, b)
    return both(both(a, left), both(left, b)), both(left, left)


total, carry = (portanet.to_host(x)[:, 0] for x in half_adder(gate, portanet.asarray(BITS)))
for (a, b), s, c in zip(BITS, total, carry, strict=True):
    print(f"{int(a)} + {int(b)} = {int(c)}{int(s)} in binary")

# %%
# The rule that learns
# --------------------
# Nobody has to find the weights. `learn` adds each wrong example to the weights, or subtracts it. AND and OR are
# learned in a few passes. XOR is not: no line separates its answers. (This is why the half adder needs several gates.)


def learned(answers: np.ndarray, epochs: int = 20) -> tuple[layers.Perceptron, list[int]]:
    """A perceptron that learned these answers to the four inputs, and its mistakes in each pass."""
    gate = layers.Perceptron(1)
    return gate, gate.learn(portanet.asarray(BITS), portanet.asarray(answers[:, None]), epochs=epochs)


figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for ax, name, target in zip(axes, ("AND", "OR", "XOR"), (BITS.min(1), BITS.max(1), BITS.sum(1) % 2), strict=True):
    trained, mistakes = learned(target)
    plot.decision_boundary(trained, BITS, target, ax=ax)
    ax.set_title(f"{name}: {mistakes[-1]} mistakes in the last pass")
    print(f"{name}: mistakes in each pass {mistakes}")

# %%
# The sigmoid neuron
# ------------------
# The sigmoid is a step with a rounded edge. Its slope is above 0 everywhere, so a small change of a weight makes a
# small change of the output, and gradients can say which change helps.
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
plot.curves({"sigmoid": "sigmoid"}, xlim=(-5, 5), axes=[axes[0]])
z = np.linspace(-5, 5, 500)
axes[1].plot(z, z > 0)
axes[1].set(title="step", xlabel="z")

# %%
# Exercise: multiply all weights and biases of a network by `c`. Perceptrons do not change. Sigmoid neurons become
# perceptrons as `c` grows, where no sum is exactly 0. The half adder shows it: with `c = 8`, every output is within
# 0.001 of its bit.


def sigmoid_half_adder(c: float) -> np.ndarray:
    """The half adder from sigmoid neurons with weights -2 c, -2 c and bias 3 c: shape (4, 2), sum and carry bit."""
    gate = layers.Dense(1, activation="sigmoid")
    gate.build((None, 2))
    gate.set_weights([[[-2.0 * c], [-2.0 * c]], [3.0 * c]])
    return np.concatenate([portanet.to_host(x) for x in half_adder(gate, portanet.asarray(BITS))], axis=1)


factors = [1, 2, 3, 4, 5, 6, 7, 8]
distances = [np.abs(sigmoid_half_adder(c) - np.stack([total, carry], axis=1)).max() for c in factors]
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.semilogy(factors, distances, "o-")
ax.set(xlabel="factor c of all weights and biases", ylabel="largest distance to the bit")
print({c: float(f"{d:.2g}") for c, d in zip(factors, distances, strict=True)})

# %%
# Four bits in place of ten outputs
# ---------------------------------
# Exercise: add a layer that turns ten outputs, one per digit, into the digit's four bits. The old output is at least
# .99 for the digit, and below .01 for others. A weight of 20 for each bit that is set and a bias of -10 do it.


def bits_of_digits() -> tuple[np.ndarray, np.ndarray]:
    """Outputs of the four sigmoid neurons for the ten digits, and the true bits, shapes (10, 4)."""
    bits = ((np.arange(10)[:, None] >> np.arange(4)) & 1).astype(float)
    layer = layers.Dense(4, activation="sigmoid")
    layer.build((None, 10))
    layer.set_weights([20.0 * bits, np.full(4, -10.0)])
    return portanet.to_host(layer(portanet.asarray(np.where(np.eye(10) == 1, 0.99, 0.0099)))), bits


found, bits = bits_of_digits()
for digit, row in enumerate(found):
    print(digit, "is", "".join(str(round(float(v))) for v in row[::-1]))
print(f"largest distance to a bit: {np.abs(found - bits).max():.4f}")
plt.show()
