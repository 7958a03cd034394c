"""A neural Turing machine: addressing, and copying of sequences
==============================================================

A network with a memory beside it. Heads write to places of the memory and read from them; where they are is a weighting
over all places, so everything has a gradient. Trained to copy short sequences, it copies longer ones.

Source: the articles, "Neural Nets" (F. Tseng): reading, erasing and adding, the shift with [0.1, 0.8, 0.1], sharpening;
the copy task is that of Graves, Wayne and Danihelka (2014).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, ops

# %%
# One address, step by step
# -------------------------
# A head looks for a content: the weighting is highest where the memory is most like the key. Then it may move: shifts
# by -1, 0 and 1 with weights 0.1, 0.8 and 0.1 blur a point over three places. Sharpening undoes the blur.


def addresses() -> dict[str, np.ndarray]:
    """The weighting over 8 places after each step of addressing."""
    memory = np.eye(8, dtype="float32")
    found = ops.address_by_content(memory, memory[3], 10.0)
    blurred = ops.shift_weighting(found, [0.1, 0.8, 0.1])
    moved = ops.shift_weighting(found, [0.0, 0.0, 1.0])
    steps = {"by content": found, "shift .1 .8 .1": blurred, "sharpened, gamma 3": ops.sharpen_weighting(blurred, 3.0)}
    return {name: portanet.to_host(w) for name, w in {**steps, "shift by 1": moved}.items()}


figure, axes = plt.subplots(1, 4, figsize=(9, 2.2), layout="constrained", sharey=True)
for ax, (name, weighting) in zip(axes, addresses().items(), strict=True):
    ax.bar(range(8), weighting)
    ax.set(title=name, xlabel="place", ylim=(0, 1))
    print(f"{name:20}", weighting.round(3))

# %%
# Writing erases, then adds. Here the third place of a memory of ones loses its first number and gains 5.
print(ops.write_memory(ops.ones((3, 2)), [0.0, 0.0, 1.0], erase=[1.0, 0.0], add=[5.0, 0.0]))

# %%
# The machine
# -----------
# A small dense network, the controller, sees the input and what was read last. It tells two heads what to do: key,
# strength, how much to look for content, shift and sharpness; and what to erase and to add.


class Machine(layers.Layer):
    """A neural Turing machine with one head that writes and one that reads, and a dense controller.

    Args:
        width: Size of the output, and of a place in the memory.
        places: Number of places.
        units: Hidden units of the controller.

    Input: shape (batch, time, features). Output: shape (batch, time, width), logits.
    """

    def __init__(self, width: int, places: int = 16, units: int = 32, **options: Any) -> None:
        super().__init__(**options)
        self.width, self.places = width, places
        self.controller = layers.Dense(units, activation="tanh")
        self.heads = [layers.Dense(width + 6) for _ in range(2)]  # key, strength, gate, three shifts, gamma
        self.changes, self.result = layers.Dense(2 * width), layers.Dense(width)

    def address(self, head: Any, memory: Any, before: Any) -> Any:
        """The next weighting of a head, from its numbers, the memory and its last weighting."""
        w = self.width
        key, strength, gate = (
            ops.tanh(head[:, :w]),
            ops.softplus(head[:, w : w + 1]),
            ops.sigmoid(head[:, w + 1 : w + 2]),
        )
        shifts, gamma = ops.softmax(head[:, w + 2 : w + 5]), 1 + ops.softplus(head[:, w + 5 :])
        by_content = ops.address_by_content(memory, key, strength)
        moved = ops.shift_weighting(gate * by_content + (1 - gate) * before, shifts)
        return ops.sharpen_weighting(moved, gamma)

    def run(self, x: Any) -> dict[str, Any]:
        """The outputs, and the weightings of both heads, each of shape (batch, time, size)."""
        batch = x.shape[0]
        memory = ops.zeros((batch, self.places, self.width)) + 0.01
        start = ops.one_hot(ops.zeros((batch,), dtype="int32"), self.places)
        writing, reading, read = start, start, ops.zeros((batch, self.width))
        steps: list[tuple[Any, Any, Any]] = []
        for t in range(x.shape[1]):
            hidden = self.controller(ops.concatenate([x[:, t, :], read], axis=-1))
            writing = self.address(self.heads[0](hidden), memory, writing)
            change = self.changes(hidden)
            erase, add = ops.sigmoid(change[:, : self.width]), ops.tanh(change[:, self.width :])
            memory = ops.write_memory(memory, writing, erase, add)
            reading = self.address(self.heads[1](hidden), memory, reading)
            read = ops.read_memory(memory, reading)
            steps.append((self.result(ops.concatenate([hidden, read], axis=-1)), writing, reading))
        names = ("outputs", "writing", "reading")
        return {
            name: ops.stack(list(values), axis=1) for name, values in zip(names, zip(*steps, strict=True), strict=True)
        }

    def call(self, x: Any) -> Any:
        return self.run(x)["outputs"]


# %%
# The copy task
# -------------
# Random bits go in, one row at a time. Then the input is blank, apart from a flag that says "now you", and the machine
# has to write the same rows.


def task(examples: int, length: int, width: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, shape (examples, 2 length, width + 1), and the bits to be written, (examples, length, width)."""
    bits = np.random.default_rng(seed).integers(0, 2, (examples, length, width)).astype("float32")
    x = np.zeros((examples, 2 * length, width + 1), "float32")
    x[:, :length, :width], x[:, length:, width] = bits, 1
    return x, bits


def loss_of_copy(y_true: Any, y_pred: Any) -> Any:
    """The cross-entropy of the second half of the outputs."""
    return ops.binary_crossentropy(y_true, y_pred[:, y_true.shape[1] :, :], from_logits=True)


def train(steps: int = 400, longest: int = 6, seed: int = 0) -> tuple[portanet.Sequential, list[float]]:
    """A machine that was trained to copy up to `longest` rows, and its loss at each step."""
    portanet.random.set_seed(seed)
    model = portanet.Sequential([Machine(4)])
    model.compile(portanet.optimizers.Adam(0.01, clipnorm=1.0), loss_of_copy)
    lengths = np.random.default_rng(seed).integers(1, longest + 1, steps)
    losses = [float(model.train_on_batch(*task(16, int(n), seed=i))) for i, n in enumerate(lengths)]
    return model, losses


def right(model: portanet.Sequential, length: int, examples: int = 64) -> float:
    """The share of bits that are copied rightly."""
    x, bits = task(examples, length, seed=12345)
    return float(np.mean((model.predict(x, verbose=0)[:, length:] > 0) == (bits > 0.5)))


model, losses = train()
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.plot(losses, linewidth=0.8)
ax.set(xlabel="step", ylabel="cross-entropy", ylim=(0, None))
for length in (4, 6, 8, 12):
    print(f"{length:2} rows: {right(model, length):.1%} of the bits are right")

# %%
# It was trained with 1 to 6 rows, and copies 12 nearly without a mistake: it has learned to go through the memory, not
# six sequences by heart.
#
# Where the heads are
# -------------------
# The writing head moves by one place with each row that comes in. When the flag comes, the reading head moves over the
# same places in the same order.


def copied(model: portanet.Sequential, length: int = 10) -> dict[str, np.ndarray]:
    """One sequence: its input, the answer, and the weightings of the heads, time along the last axis."""
    x, _ = task(1, length, seed=7)
    found = {name: portanet.to_host(v)[0].T for name, v in model.layers[0].run(portanet.asarray(x)).items()}
    answer = 1 / (1 + np.exp(-found["outputs"]))
    answer[:, :length] = np.nan
    return {"input": x[0].T, "answer": answer, "writing head": found["writing"], "reading head": found["reading"]}


figure, axes = plt.subplots(4, 1, figsize=(7, 7), layout="constrained", sharex=True, height_ratios=[1, 1, 2, 2])
for ax, (name, values) in zip(axes, copied(model).items(), strict=True):
    ax.imshow(values, aspect="auto", cmap="Greys", vmin=0, vmax=1)
    ax.set(title=name, ylabel="place" if "head" in name else "bit", yticks=[])
axes[-1].set_xlabel("time")
plt.show()
