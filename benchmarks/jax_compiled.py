"""The training step compiled by JAX, the same step uncompiled, and Keras 3 on JAX: a CNN on handwritten digits.

`python -m benchmarks.jax_compiled`. All three get prepared data; Keras's step is `model.train_function`, called
directly as in its `fit`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")


import portanet
from benchmarks.pages import environment, report
from benchmarks.timing import interleaved, table
from portanet.backends import use_backend
from portanet.training import TrainingRun

BATCH = 32
Step = Callable[[], Any]


def digits() -> tuple[Any, Any]:
    """The first images of scikit-learn's handwritten digits, 8x8, and their classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x[:BATCH] / 16).astype("float32").reshape(BATCH, 8, 8, 1), y[:BATCH].astype("int32")


def cnn(layers: Any) -> list[Any]:
    """The layers, with the names common to portanet and Keras."""
    return [
        layers.Input((8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]


def portanet_step(compiled: bool) -> Step:
    """The training step of `fit`; it waits for the result."""
    x, y = digits()
    with use_backend("jax"):
        model = portanet.Sequential(cnn(portanet.layers))
        model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
        run = TrainingRun(model)
        x, y = portanet.asarray(x), portanet.asarray(y)
    if not compiled:
        run.step = run.step.__wrapped__

    def step() -> None:
        run(x, y)["loss"][0].block_until_ready()

    return step


def keras_step() -> Step:
    """Keras's compiled step; it waits for the result."""
    import jax
    import keras

    x, y = map(jax.numpy.asarray, digits())
    model = keras.Sequential(cnn(keras.layers))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(x, y)
    state = [model._get_jax_state(*(True,) * 4, purge_model_variables=True)]

    def step() -> None:
        logs, state[0] = model.train_function(state[0], iter([(x, y)]))
        logs["loss"].block_until_ready()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    args = parser.parse_args()
    steps = {"compiled": portanet_step(True), "uncompiled": portanet_step(False), "Keras 3": keras_step()}
    medians = interleaved(steps, rounds=args.rounds, turn=0.05)
    how = f"{environment('jax', 'keras', 'numpy')}; {args.rounds} rounds. `python -m benchmarks.jax_compiled`"
    text = (
        f"{table(f'batch {BATCH}', {'forward, backward, Adam': medians}, list(steps), 'Keras 3')}\n\n"
        f"The compiled step is {medians['uncompiled'] / medians['compiled']:.1f} times as fast as the uncompiled one "
        f"(aim: 5), and takes {medians['compiled'] / medians['Keras 3']:.2f} of Keras's time (aim: 1)."
    )
    report("jax_compiled", {"CNN on 8x8 digits": text}, how, args.write)


if __name__ == "__main__":
    main()
