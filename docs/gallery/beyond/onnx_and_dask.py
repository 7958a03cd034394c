"""ONNX and Dask: models for other programs, and for data larger than memory
==========================================================================

A layer is written in the array API standard, so it runs on arrays that only record what is to be done. With ONNX the
record is a file, which other programs run. With Dask it is a graph that goes through the data block by block.

Beyond the documents. Parts whose library is not installed are left out, and the page says so.
"""

import importlib.util
import pathlib
import tempfile

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers

# %%
# A trained model
# ---------------
# A ring of points, and a network that tells inside from outside.


def trained(examples: int = 400, epochs: int = 40) -> tuple[portanet.Sequential, np.ndarray, np.ndarray]:
    """The model, points of shape (examples, 2), and 1 for those inside the unit circle."""
    portanet.random.set_seed(0)
    x = np.random.default_rng(0).uniform(-2, 2, (examples, 2)).astype("float32")
    y = (np.sum(x**2, axis=1, keepdims=True) < 1).astype("float32")
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(16, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile(portanet.optimizers.Adam(0.05), "binary_crossentropy")
    model.fit(x, y, epochs=epochs, verbose=0)
    return model, x, y


def grid(side: int = 200) -> np.ndarray:
    """Points on a square, shape (side * side, 2)."""
    line = np.linspace(-2, 2, side, dtype="float32")
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


model, x, y = trained()
points = grid()
answers = {"portanet": model.predict(points, verbose=0)}

# %%
# ONNX
# ----
# `export` writes the file. Here onnxruntime reads it, a program that knows nothing of Python's array libraries.


def by_onnx(model: portanet.Sequential, points: np.ndarray) -> tuple[np.ndarray, int]:
    """The answers of onnxruntime, and the size of the file in bytes."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "ring.onnx"
        model.export(path)
        session = onnxruntime.InferenceSession(path)
        return session.run(None, {session.get_inputs()[0].name: points})[0], path.stat().st_size


def missing(*libraries: str) -> list[str]:
    """Those of some libraries that are not installed."""
    return [name for name in libraries if importlib.util.find_spec(name) is None]


if absent := missing("ndonnx", "onnx", "onnxruntime"):
    print("ONNX is left out: there is no", ", ".join(absent), "here. Type: pip install 'portanet[onnx]'")
else:
    answers["ONNX"], size = by_onnx(model, points)
    print(f"the file has {size} bytes; largest distance {np.abs(answers['ONNX'] - answers['portanet']).max():.1e}")

# %%
# Dask
# ----
# `predict` takes an array of Dask and returns one. Nothing is computed until a part is asked for, and then block by
# block, on all cores or on a cluster. This array has 800 MB, of which 40,000 rows are asked for.


def by_dask(model: portanet.Sequential, points: np.ndarray, rows: int = 100_000_000) -> tuple[np.ndarray, int]:
    """The answers for the first rows of a large array, and the number of its blocks."""
    import dask.array as da

    block = da.from_array(points, chunks=(10_000, 2))
    rest = da.zeros((rows - len(points), 2), chunks=(1_000_000, 2), dtype="float32")
    lazy = model.predict(da.concatenate([block, rest]), batch_size=10_000)
    return lazy[: len(points)].compute(), lazy.npartitions


if absent := missing("dask"):
    print("Dask is left out: there is no dask here. Type: pip install 'portanet[dask]'")
else:
    answers["Dask"], blocks = by_dask(model, points)
    print(f"{blocks} blocks, largest distance {np.abs(answers['Dask'] - answers['portanet']).max():.1e}")

# %%
# The same picture by all of them.
figure, axes = plt.subplots(1, len(answers), figsize=(3.2 * len(answers), 3), layout="constrained", squeeze=False)
for ax, (name, values) in zip(axes[0], answers.items(), strict=True):
    ax.imshow(values.reshape(200, 200), extent=(-2, 2, -2, 2), origin="lower", cmap="RdBu", vmin=0, vmax=1)
    ax.add_patch(plt.Circle((0, 0), 1, fill=False, linestyle="--"))
    ax.set_title(name)
plt.show()
