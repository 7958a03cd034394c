"""Files of Keras without Keras: round trips, what is refused, and files that are damaged or hostile."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from portanet.saving import LoadError
from portanet.saving.keras.hdf5 import WeightFile

h5py = pytest.importorskip("h5py")

X = np.linspace(-1.0, 1.0, 8, dtype="float32").reshape(2, 4)


def network() -> Any:
    x = layers.Input((4,))
    model = portanet.Model(x, layers.Dense(2)(layers.Dense(3, "relu")(x)))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def saved(folder: pathlib.Path) -> pathlib.Path:
    network().save(folder / "model.keras")
    return folder / "model.keras"


def rewritten(path: pathlib.Path, config: Any = None, weights: bytes | None = None, **more: bytes) -> pathlib.Path:
    """The file with another description, other weights or more entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    if config is not None:
        entries["config.json"] = config if isinstance(config, bytes) else json.dumps(config).encode()
    if weights is not None:
        entries["model.weights.h5"] = weights
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (entries | more).items():
            archive.writestr(name, content)
    return path


def description(path: pathlib.Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))
    return config


def test_round_trips(backend: Backend, tmp_path: pathlib.Path) -> None:
    model = network()
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = portanet.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert int(loaded.optimizer_state[1]["iterations"]) == 2
    assert loaded.optimizer.learning_rate == pytest.approx(model.optimizer.learning_rate)
    assert portanet.load_model(tmp_path / "model.keras", compile=False).optimizer is None
    for name in ("model.weights.h5", "model.keras"):
        other = network()
        result = other.load_weights(tmp_path / name)
        assert (len(result.matching), result.missing, result.unexpected) == (4, [], [])
        np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_half_precision(tmp_path: pathlib.Path) -> None:
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(2, dtype="mixed_float16"), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    loaded = portanet.load_model(tmp_path / "model.keras")
    assert [layer.dtype_policy.name for layer in loaded.layers] == ["mixed_float16", "float32"]


def test_models_are_told_by_content_not_by_name(tmp_path: pathlib.Path) -> None:
    """Files in portanet's format keep loading, whatever they are called."""
    model = network()
    model.save(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").rename(tmp_path / "old.keras")
    np.testing.assert_array_equal(portanet.load_model(tmp_path / "old.keras").predict(X), model.predict(X))


# Names


@pytest.mark.parametrize("name", ["m.pb", "m.pt", "m.onnx", "m.weights.h5"])
def test_names_of_other_formats_are_refused(name: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"end it in \.safetensors for portanet's format, or in \.keras"):
        network().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["w.h5", "w.keras", "w.npz"])
def test_names_of_other_formats_are_refused_for_weights(name: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"or in \.weights\.h5 for Keras's\. Received: filepath="):
        network().save_weights(tmp_path / name)


def test_unknown_endings_warn(tmp_path: pathlib.Path) -> None:
    with pytest.warns(UserWarning, match="written in portanet's format, whatever '.model' stands for"):
        network().save(tmp_path / "m.model")


# What Keras does not have


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.Highway(), "Keras has no Highway"),
        (layers.LSTM(2, peephole=True), "Keras's LSTM has no peephole=True"),
        (layers.Lambda(abs), "files hold no code"),
        (layers.SpectralNormalization(layers.Dense(2)), "Keras normalizes the kernel in training alone"),
    ],
)
def test_what_keras_lacks_is_not_saved(layer: Any, message: str, tmp_path: pathlib.Path) -> None:
    path = saved(tmp_path)
    before = path.read_bytes()
    shape = (3, 4) if isinstance(layer, layers.RNN) else (4,)
    model = portanet.Sequential([layers.Input(shape), layer])
    with pytest.raises(ValueError, match=rf"Cannot save .*{message}.*\.safetensors"):
        model.save(path)
    assert path.read_bytes() == before


def changed(path: pathlib.Path, change: Callable[[dict[str, Any]], None]) -> pathlib.Path:
    """The file with the description of its last layer changed."""
    config = description(path)
    change(config["config"]["layers"][-1])
    return rewritten(path, config)


LAMBDA = {"class_name": "__lambda__", "config": {"value": ["4wEAAA==", None, None]}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"class_name": "Own", "module": "mine", "registered_name": "mine>Own"},
            "names the class 'Own'.*custom_objects=",
        ),
        ({"class_name": "Lambda", "config": {"name": "f", "function": LAMBDA}}, "a lambda, which is Python code"),
        (
            {"class_name": "Lambda", "config": {"name": "f", "function": {"class_name": "function", "config": "eval"}}},
            "names the function 'eval'",
        ),
        ({"class_name": "system", "module": "os"}, "names the class 'system'"),
        ({"class_name": "Own", "module": None}, "names the class 'Own'"),
        ({"class_name": "SpectralNormalization"}, "of class SpectralNormalization, which is not the same"),
        (
            {"config": {"name": "d", "units": 2, "lora_rank": 3}},
            "Dense 'd' has lora_rank=3, which portanet does not have",
        ),
        ({"config": {"name": "d", "units": -2}}, "Dense 'd' cannot be created"),
        ({"config": {"name": "d", "units": 10**9}}, "a weight of shape .* has no values in the file"),
        ({"config": {"name": "a/b", "units": 2}}, "a layer of class Dense has no name"),
        ({"config": [1]}, "the configuration of 'Dense' is not a JSON object"),
        (
            {"config": {"name": "d", "units": {"class_name": "__numpy__", "config": {"value": 1, "dtype": "O"}}}},
            "invalid arr",
        ),
        ({"name": "dense"}, "two layers named 'dense'"),
        ({"inbound_nodes": [[["dense", 0, 0, {}]]]}, "written by Keras 2"),
        ({"inbound_nodes": [{"args": "x"}]}, "written by Keras 2"),
        ({"inbound_nodes": []}, "cannot be created: layer 'dense_1' has no output 0"),
    ],
)
def test_descriptions_that_are_refused(change: dict[str, Any], message: str, tmp_path: pathlib.Path) -> None:
    path = changed(saved(tmp_path), lambda node: node.update(change))
    with pytest.raises(LoadError, match=rf"Cannot load .*model\.keras: .*{message}"):
        portanet.load_model(path)


def test_custom_objects(tmp_path: pathlib.Path) -> None:
    own = type("Dense", (layers.Dense,), {})  # the weights of a layer are named by its class
    path = changed(
        saved(tmp_path), lambda node: node.update(class_name="Own", module="mine", registered_name="mine>Own")
    )
    loaded = portanet.load_model(path, custom_objects={"Own": own})
    assert type(loaded.layers[-1]) is own


def test_a_registered_layer(tmp_path: pathlib.Path) -> None:
    @portanet.saving.register_serializable(package="files")
    class Shift(layers.Layer):
        def __init__(self, by: float, **options: Any) -> None:
            super().__init__(**options)
            self.by = by

        def build(self, input_shape: Any) -> None:
            self.offset = self.add_weight(input_shape[1:], "ones", name="offset")

        def call(self, x: Any) -> Any:
            return x + self.offset.value * self.by

    model = portanet.Sequential([layers.Input((4,)), Shift(2.0), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    loaded = portanet.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    node = description(tmp_path / "model.keras")["config"]["layers"][1]
    assert node["registered_name"] == "files>Shift"


def looped(config: dict[str, Any]) -> dict[str, Any]:
    node = config["config"]["layers"][-2]
    node["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["dense_1", 0, 0]
    return config


def test_graphs_that_are_none(tmp_path: pathlib.Path) -> None:
    path = saved(tmp_path)
    with pytest.raises(LoadError, match="a call needs an output of layer"):
        portanet.load_model(rewritten(path, looped(description(path))))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"{", "config.json is not JSON"),
        (b"\xff\xfe", "config.json is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b"[]", "not a JSON object"),
        (b"{}", "it is no model"),
        (b'{"a": ' * 300 + b"1" + b"}" * 300, "nested more than"),
        (b" " * 2**26, "would take more than"),
        (
            json.dumps({"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 1}}),
            "no model",
        ),
    ],
)
def test_descriptions_that_are_no_models(config: Any, message: str, tmp_path: pathlib.Path) -> None:
    path = rewritten(saved(tmp_path), config.encode() if isinstance(config, str) else config)
    with pytest.raises(LoadError, match=message):
        portanet.load_model(path)


# Damage and malice


def test_closed_files_are_not_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file["kernel"] = X
    with open(path, "rb") as file:
        weights = WeightFile(file, path)
        np.testing.assert_array_equal(weights.read("kernel").values, X)
        weights.close()
        with pytest.raises(LoadError):
            weights.read("kernel")


def hdf5(change: Callable[[Any], None]) -> bytes:
    """The weights of the network in a file that was changed."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for group, shapes in (("layers/dense", [(4, 3), (3,)]), ("layers/dense_1", [(3, 2), (2,)])):
            for i, shape in enumerate(shapes):
                file[f"{group}/vars/{i}"] = np.ones(shape, dtype="float32")
        change(file)
    return buffer.getvalue()


def replaced(file: Any, value: Any, **options: Any) -> None:
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", **({"data": value} if value is not None else {}), **options)


def removed(file: Any) -> None:
    del file["layers/dense/vars/0"]


def linked(file: Any) -> None:
    removed(file)
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")


WEIGHTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "missing": (removed, "1 missing from the file"),
    "more": (lambda file: file.create_dataset("layers/dense/vars/2", data=1.0), "1 only in the file"),
    "shape": (lambda file: replaced(file, np.ones((3, 4), "float32")), "1 of different shapes"),
    "dtype": (lambda file: replaced(file, np.ones((4, 3), "int32")), "1 of different shapes or kinds"),
    "objects": (
        lambda file: replaced(file, np.asarray([b"a"], dtype=object), dtype=h5py.string_dtype()),
        "no array of",
    ),
    "external link": (linked, "1 missing from the file"),
    "external data": (
        lambda file: replaced(file, None, shape=(4, 3), dtype="f4", external=[("/etc/passwd", 0, 48)]),
        "is stored in parts",
    ),
    "compressed": (lambda file: replaced(file, np.ones((4, 3), "f4"), compression="gzip"), "is stored in parts"),
    "not written": (lambda file: replaced(file, None, shape=(2**20, 2**20), dtype="f4"), "is not stored in full"),
    "cycle": (lambda file: file["layers"].__setitem__("again", file["/"]), ""),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_that_are_refused(kind: str, tmp_path: pathlib.Path) -> None:
    change, message = WEIGHTS[kind]
    weights = hdf5(change)
    path = rewritten(saved(tmp_path), weights=weights)
    (tmp_path / "w.weights.h5").write_bytes(weights)
    model = network()
    before = [w.copy() for w in model.get_weights()]
    if not message:
        portanet.load_model(path)
        return
    with pytest.raises(LoadError, match=message):
        portanet.load_model(path)
    with pytest.raises(LoadError, match=message):
        model.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_entries_outside_of_the_folder_are_not_written(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = rewritten(saved(folder), **{"assets/../../escaped": b"x", "/absolute": b"x"})
    portanet.load_model(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "model.keras"]


def test_doubled_entries(tmp_path: pathlib.Path) -> None:
    path = saved(tmp_path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("config.json", "{}")
    with pytest.raises(LoadError, match=r"two entries 'config\.json'"):
        portanet.load_model(path)


@pytest.mark.parametrize("ending", ["keras", "weights.h5"])
def test_damaged_files(ending: str, tmp_path: pathlib.Path) -> None:
    """Files that were truncated or have a changed byte load, or raise a LoadError, and nothing else."""
    model = network()
    path = tmp_path / f"m.{ending}"
    (model.save if ending == "keras" else model.save_weights)(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for number in range(60):
        data = bytearray(whole)
        if number % 3 == 0:
            data = data[: int(rng.integers(8, len(whole)))]
        else:
            data[int(rng.integers(8, len(whole)))] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        with contextlib.suppress(LoadError):
            portanet.load_model(path) if ending == "keras" else model.load_weights(path)


def test_a_file_that_there_is_not(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        portanet.load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("ending", [".safetensors", ".keras", ".weights.h5"])
def test_a_file_that_exists_may_be_kept(ending: str, tmp_path: Any) -> None:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    write = model.save_weights if ending == ".weights.h5" else model.save
    write(filepath=tmp_path / f"m{ending}", overwrite=False)
    write(tmp_path / f"m{ending}")
    with pytest.raises(FileExistsError, match=r"pass overwrite=True\. Received: filepath="):
        write(tmp_path / f"m{ending}", overwrite=False)
    with pytest.raises(ValueError, match="`overwrite`"):
        write(tmp_path / f"m{ending}", overwrite="ask")
    if ending != ".weights.h5":
        with pytest.raises(ValueError, match=r"`zipped` of save_model must be None or True"):
            model.save(tmp_path / f"m{ending}", zipped=False)


def test_models_that_are_not_built(tmp_path: Any) -> None:
    model = portanet.Sequential([layers.Dense(2, name="first")])
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    loaded = portanet.load_model(tmp_path / "m.keras")
    assert (loaded.built, loaded.layers[0].name, loaded.optimizer.name) == (False, "first", "adam")
    assert loaded(np.ones((2, 3))).shape == (2, 2)
