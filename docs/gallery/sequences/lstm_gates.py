"""LSTM: the gates over time
=========================

A memory cell that is written, kept, read and cleared: first with gates that are set by hand, as in the document's
figure, then with gates that a network has learned.

Source: NumpyDL documentation, 2.7.5 (figures 2.29 and 2.30).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.autodiff import array_namespace, value_and_grad

# %%
# What the gates are
# ------------------
# The document says write, keep and read; the names in the papers are input gate i, forget gate f and output gate o. The
# kernels of `LSTM` hold the products of all four parts side by side, in the order i, f, c, o. `gates` repeats these
# products for a sequence, and asks the cell for the states.


def gates(layer: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    """The gates, the cell and the output at each step of one sequence (steps, inputs): arrays (steps, units)."""
    kernel, recurrent, bias = (portanet.to_host(weight.value) for weight in layer.weights)
    states: list[Any] = [portanet.asarray(np.zeros((1, layer.units))) for _ in range(2)]
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("write", "keep", "read", "cell", "output")}
    for step in x:
        sums = step @ kernel + portanet.to_host(states[0])[0] @ recurrent + bias
        write, keep, _, read = np.split(sums, 4)
        _, states = layer.cell(portanet.asarray(step[None]), states)
        for name, values in (("write", write), ("keep", keep), ("read", read)):
            rows[name].append(1 / (1 + np.exp(-values)))
        rows["output"].append(portanet.to_host(states[0])[0])
        rows["cell"].append(portanet.to_host(states[1])[0])
    return {name: np.stack(values) for name, values in rows.items()}


# %%
# By hand
# -------
# Four inputs: a value, and one signal for each gate. Weights of 40 and biases of -20 open a gate if its signal is 1 and
# close it otherwise. The value 4.2 is written at step 1, kept, read at step 6 and cleared at step 7.


def by_hand() -> Any:
    """An LSTM of one linear unit whose gates obey the inputs 1 (write), 2 (keep) and 3 (read)."""
    layer = layers.LSTM(1, activation="linear", return_sequences=True)
    layer.build((None, None, 4))
    kernel = np.zeros((4, 4))
    kernel[[1, 2, 0, 3], [0, 1, 2, 3]] = [40, 40, 1, 40]
    layer.set_weights([kernel, np.zeros((1, 4)), np.asarray([-20.0, -20.0, 0.0, -20.0])])
    return layer


def program(steps: int = 9, value: float = 4.2) -> np.ndarray:
    """Write at step 1, read two steps before the last, clear at the last but one: shape (steps, 4)."""
    x = np.zeros((steps, 4), dtype="float32")
    x[:, 0] = np.random.default_rng(0).normal(size=steps)  # what else the network says, which is not written
    x[1, :2] = value, 1
    x[2 : steps - 2, 2] = 1
    x[steps - 3, 3] = 1
    return x


values = gates(by_hand(), program())
plot.gates({name: values[name][:, 0] for name in ("write", "keep", "read")})
figure, ax = plt.subplots(figsize=(6, 2.5))
ax.plot(values["cell"][:, 0], "o-", label="cell")
ax.plot(values["output"][:, 0], "s--", label="output")
ax.set(xlabel="step")
ax.legend()

# %%
# The cell holds 4.2 from step 1 to step 6, whatever comes in. The output shows it at step 6 only.
#
# The gradient does not fade
# --------------------------
# The derivative of the output at the reading by the value at the writing is 1, no matter how many steps lie between.
# In a plain recurrent unit with the weight 0.9 it is 0.9 to the power of their number at most.


def reading(steps: int) -> tuple[float, float]:
    """The output at the reading, and its derivative by the value that was written."""
    layer, x = by_hand(), portanet.asarray(program(steps)[None])
    value, slope = value_and_grad(lambda x: array_namespace(x).sum(layer(x)[:, -3, :]))(x)
    return float(value), float(portanet.to_host(slope)[0, 1, 0])


print("steps between   output   derivative    0.9 to this power")
for steps in (10, 100, 1000):
    output, slope = reading(steps)
    print(f"{steps - 4:13} {output:8.3f} {slope:12.6f} {0.9 ** (steps - 4):20.1e}")

# %%
# Learned
# -------
# A sequence of random numbers; one of them has a flag. At the end, the network must say that one. It has to learn when
# to write, and to keep for up to 20 steps.


def flagged(count: int, steps: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and flags (count, steps, 2), and the flagged number of each sequence (count, 1)."""
    generator = np.random.default_rng(seed)
    numbers, places = generator.uniform(-1, 1, (count, steps)), generator.integers(0, steps - 1, count)
    flags = np.arange(steps) == places[:, None]
    x = np.stack([numbers, flags], axis=-1).astype("float32")
    return x, numbers[np.arange(count), places][:, None].astype("float32")


def learn(examples: int = 2000, epochs: int = 30, units: int = 8, steps: int = 20) -> tuple[Any, float]:
    """The trained model, and its mean absolute error on new sequences."""
    portanet.random.set_seed(0)
    x, y = flagged(examples, steps)
    model = portanet.Sequential([layers.Input((steps, 2)), layers.LSTM(units), layers.Dense(1)])
    model.compile(portanet.optimizers.Adam(0.02, clipnorm=1.0), "mse", metrics=["mae"])
    model.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
    new_x, new_y = flagged(500, steps, seed=1)
    return model, model.evaluate(new_x, new_y, verbose=0)[1]


model, error = learn()
x, y = flagged(500, seed=2)
chosen = int(np.argmax(x[:, 5, 1]))  # a sequence whose sixth number is flagged
marks = ["flag" if flag else "" for flag in x[chosen, :, 1]]
plot.gates(
    {name: values for name, values in gates(model.layers[0], x[chosen]).items() if name != "output"}, steps=marks
)
print(f"mean absolute error on new sequences {error:.3f} (without memory 0.5)")
print(f"this sequence: {y[chosen, 0]:.3f}, the network says {model.predict(x[chosen : chosen + 1])[0, 0]:.3f}")

# %%
# Look at the column of the flag. The write gates of units 4 and 5 open there and nowhere else. All keep gates drop at
# that step, so what the cells held before is gone, and stay near 1 after it: the cells keep the number to the end.
plt.show()
