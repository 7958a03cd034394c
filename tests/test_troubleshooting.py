"""The messages in the tables of docs/troubleshooting.md are those that the library gives."""

from __future__ import annotations

import pathlib
import pickle
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses
from portanet.autodiff import array_namespace, grad

PAGE = (pathlib.Path(__file__).parent.parent / "docs" / "troubleshooting.md").read_text()
SAME = lambda x: x
X, Y = np.random.default_rng(0).normal(size=(8, 4)), np.arange(8) % 3


class Bare(layers.Layer):
    """A layer that forgets its base class."""

    def __init__(self) -> None:
        self.size = 3


class Own(layers.Layer):
    """A layer that is not registered."""

    def call(self, x: Any) -> Any:
        return x


def network(units: int = 3, activation: str | None = "softmax") -> Any:
    return portanet.Sequential([layers.Input((4,)), layers.Dense(units, activation=activation)])


def fitted(y: Any, loss: Any, units: int = 3, activation: str | None = "softmax", **options: Any) -> Any:
    model = network(units, activation)
    model.compile("sgd", loss, **options)
    return model.fit(X, y, verbose=0)


def on_device() -> Any:
    pytest.importorskip("array_api_strict")
    with portanet.use_backend("strict", "device1"):
        return np.asarray(portanet.asarray([1.0]))


def saved(model: Any, name: str, load: Any = portanet.load_model) -> Any:
    model.save_weights(name) if load is not portanet.load_model or "weights" in name else model.save(name)
    return load(name)


def pickled() -> Any:
    pathlib.Path("object.pickle").write_bytes(pickle.dumps({"a": 1}))
    return portanet.load_model("object.pickle")


def of_torch() -> Any:
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(2)}, "weights.pt")
    return portanet.load_model("weights.pt")


def without(name: str) -> None:
    reason = portanet.available_backends()[name]
    if reason is None or "not installed" not in reason:
        pytest.skip(f"{name} is installed")
    portanet.set_backend(name)


def torch_on_cuda() -> Any:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    return portanet.set_backend("torch", "cuda")


SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"
CASES: dict[str, Callable[[], Any]] = {
    "needs class numbers from 0 to 2 ... Received: y from 1 to 3": lambda: fitted(Y + 1, SPARSE),
    "The targets look one-hot: use 'categorical_crossentropy'": lambda: fitted(np.eye(3)[Y], SPARSE),
    "The targets look like integer class numbers": lambda: fitted(Y, ONE_HOT),
    "Argument y must be numeric ...; encode text": lambda: fitted(np.asarray(list("abc"))[Y], SPARSE),
    "compares targets and predictions of the same shape": lambda: fitted(X, "mse", 3, None),
    "Loss 'binary_crossentropy' needs probabilities (or 0 and 1)": lambda: fitted(
        Y, losses.BinaryCrossentropy(), 1, "sigmoid"
    ),
    "Metric 'accuracy' needs values from 0 to 1 as targets": lambda: fitted(Y, "mse", 1, None, metrics=["accuracy"]),
    "Arguments x and y must hold the same number of examples": lambda: fitted(Y[:4], SPARSE),
    "loss_weights of compile must be numbers; metrics are passed by the argument's name": lambda: network().compile(
        "adam", "mse", ["mae"]
    ),
    "Unknown backend. 'cuda' is a device, which comes after the name": lambda: portanet.set_backend("cuda"),
    "Backend 'cupy' cannot be used: cupy is not installed": lambda: without("cupy"),
    "Backend 'torch' has no such device here. Known: 'cpu'": torch_on_cuda,
    "Can't convert array on the ... device to a NumPy array": on_device,
    "must call super().__init__() first": lambda: Bare()(X),
    "grad needs a function that returns a scalar": lambda: grad(lambda x: x)(X),
    "Only floating-point arrays can be differentiated": lambda: grad(lambda x: x * x)(3),
    "float(x) cuts the derivative": lambda: grad(lambda x: x * float(x))(3.0),
    "Argument arrays of array_namespace must be an array": lambda: array_namespace(3.0),
    "'History' object is not subscriptable": lambda: fitted(Y, SPARSE)["loss"],
    "no attribute 'state_dict'; in its place: ...": lambda: network().state_dict(),
    "must be a layer; a class makes one when it is called": lambda: portanet.Sequential([layers.Flatten]),
    "layers of Sequential must be a list of layers": lambda: portanet.Sequential(layers.Dense(2), layers.Dense(2)),
    "files hold no code, so a custom function or class is saved by its registered name": lambda: portanet.Sequential(
        [layers.Input((4,)), layers.Lambda(lambda x: x)]
    ).save("model.safetensors"),
    "it names the class 'Own', which is unknown": lambda: saved(
        portanet.Sequential([layers.Input((4,)), Own()]), "own.safetensors"
    ),
    "The name of the file is that of a pickle of PyTorch": lambda: network().save("model.pt"),
    "it is a file of PyTorch, pickled": of_torch,
    "it is a pickled object": pickled,
    "it holds no model; load_model reads files of model.save(path)": lambda: saved(network(), "weights.safetensors"),
    "its weights are not those of the model; nothing was changed": lambda: saved(
        network(), "three.safetensors", network(2).load_weights
    ),
    "Can't pickle <function <lambda>>": lambda: pickle.dumps(portanet.Sequential([layers.Lambda(SAME)])),
}


def what_is_told(call: Callable[[], Any]) -> str:
    try:
        call()
    except Exception as error:
        return str(error).replace("`", "")
    return "no error"


def test_every_message_of_the_tables_is_tried() -> None:
    first = [row.split(" | ")[0][2:] for row in PAGE.splitlines() if re.match(r"\| .*`", row)]
    spans = [re.findall(r"`([^`]+)`", cell)[0] for cell in first if "`" in cell]
    assert spans == list(CASES)


@pytest.mark.parametrize("message", CASES)
def test_message(message: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with portanet.use_backend("numpy"), warnings.catch_warnings():
        warnings.simplefilter("error")
        told, place = what_is_told(CASES[message]), 0
    for part in message.replace("<lambda>>", "<lambda>").split(" ... "):
        for piece in part.removesuffix(" ...").split(" ...; "):
            place = told.find(piece, place)
            assert place >= 0, f"{piece!r} is not in {told!r}"
