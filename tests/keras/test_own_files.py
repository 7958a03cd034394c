"""Layers that write and read their part of a file by methods of their own, in both directions and without Keras."""

from __future__ import annotations

import io
import pathlib
import zipfile
from typing import Any

import numpy as np
import pytest

import portanet
from tests.keras.test_files import data, require_equal, set_values

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*Skipping variable loading")
DIRECTIONS = [(keras, portanet), (portanet, keras), (portanet, portanet)]


def classes(library: Any) -> dict[str, Any]:
    """A layer of the library with more state and a file, and one that is built by what it says of itself."""

    class Words(library.layers.Dense):  # type: ignore[misc]
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(units, **options)
            self.table, self.words = np.zeros(units, "float32"), ["a"]

        def save_own_variables(self, store: Any) -> None:
            super().save_own_variables(store)
            store["table"] = self.table

        def load_own_variables(self, store: Any) -> None:
            self.table = np.array(store["table"])
            super().load_own_variables({name: store[name] for name in ("0", "1")})

        def save_assets(self, dir_path: str) -> None:
            folder = pathlib.Path(dir_path, "text")
            folder.mkdir(parents=True)
            (folder / "words.txt").write_text(" ".join(self.words))

        def load_assets(self, dir_path: str) -> None:
            self.words = pathlib.Path(dir_path, "text", "words.txt").read_text().split()

    class Wide(library.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int = 3, **options: Any) -> None:
            super().__init__(**options)
            self.units, self.size = units, 2

        def build(self, input_shape: Any) -> None:
            self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
            self.first = self.add_weight(shape=(input_shape[-1], self.size), name="first")
            self.second = self.add_weight(shape=(self.size, self.units), name="second")

        def call(self, x: Any) -> Any:
            return x @ self.first @ self.second

        def get_config(self) -> dict[str, Any]:
            return dict(units=self.units, **super().get_config())

        def get_build_config(self) -> dict[str, Any]:
            return {"input_shape": [None, 4], "size": self.size}

        def build_from_config(self, config: dict[str, Any]) -> None:
            self.size = config["size"]
            self.build(config["input_shape"])
            self.built = True

    return {"Words": Words, "Wide": Wide}


def made(library: Any) -> Any:
    own = classes(library)
    wide = own["Wide"](3)
    wide.size = 5
    model = library.Sequential([library.layers.Input((3,)), own["Words"](4), wide, library.layers.Dense(2)])
    set_values(model.weights)
    model.layers[0].table, model.layers[0].words = np.arange(4.0, dtype="float32"), ["some", "words"]
    return model


@pytest.mark.parametrize(("library", "other"), DIRECTIONS)
def test_files(library: Any, other: Any, tmp_path: pathlib.Path) -> None:
    model = made(library)
    model.save(tmp_path / "m.keras")
    loaded = other.saving.load_model(tmp_path / "m.keras", custom_objects=classes(other))
    require_equal(model, loaded, data([(3,)], False))
    words = loaded.layers[0]
    assert (words.table.tolist(), words.words, loaded.layers[1].size) == ([0, 1, 2, 3], ["some", "words"], 5)
    set_values([weight for weight in model.weights if weight.shape])
    model.layers[0].table = model.layers[0].table * 2
    model.save_weights(tmp_path / "m.weights.h5")
    loaded.load_weights(tmp_path / "m.weights.h5")
    require_equal(model, loaded, data([(3,)], False))
    assert loaded.layers[0].table.tolist() == [0, 2, 4, 6]


def test_parts_and_differences(tmp_path: pathlib.Path) -> None:
    """A pattern chooses a layer with its own arrays or leaves it out; other weights are compared as always."""
    model, other = made(portanet), made(portanet)
    model.layers[0].table = np.ones(4, "float32")
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5", pattern="^dense")
    assert other.layers[0].table[3] == 3
    other.load_weights(tmp_path / "m.weights.h5", pattern="words")
    assert other.layers[0].table[3] == 1
    stack = portanet.Sequential([portanet.layers.Input((3,)), classes(portanet)["Words"](4), portanet.layers.Dense(3)])
    with pytest.raises(portanet.saving.LoadError, match="only in the file"):
        stack.load_weights(tmp_path / "m.weights.h5")
    assert stack.layers[0].table[3] == 0


def test_files_that_lead_out_of_the_folder(tmp_path: pathlib.Path) -> None:
    made(portanet).save(tmp_path / "m.keras")
    for name in ("../x.txt", "/x.txt", "a/../../x.txt", "a\\x.txt"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(tmp_path / "m.keras") as good, zipfile.ZipFile(buffer, "w") as bad:
            for entry in good.namelist():
                bad.writestr(entry, good.read(entry))
            bad.writestr(f"assets/layers/words/{name}", "x")
        (tmp_path / "bad.keras").write_bytes(buffer.getvalue())
        with pytest.raises(portanet.saving.LoadError, match="forbidden name"):
            portanet.load_model(tmp_path / "bad.keras", custom_objects=classes(portanet))
    assert not list(tmp_path.rglob("x.txt"))


class Hungry(portanet.layers.Layer):
    """It reads an array and a file that it does not write, and writes what it is told to."""

    stored: Any = 1.0

    def call(self, x: Any) -> Any:
        return x

    def save_own_variables(self, store: Any) -> None:
        store["written"] = self.stored

    def load_own_variables(self, store: Any) -> None:
        store["read"]

    def load_assets(self, dir_path: str) -> None:
        (pathlib.Path(dir_path) / "words.txt").read_text()


def test_what_layers_miss_in_a_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = portanet.Sequential([portanet.layers.Input((3,)), Hungry(name="hungry")])
    model.save(tmp_path / "m.keras")
    with pytest.raises(portanet.saving.LoadError, match=r"'hungry' cannot load its arrays, \['written'\]: 'read'"):
        portanet.load_model(tmp_path / "m.keras", custom_objects={"Hungry": Hungry})
    monkeypatch.setattr(Hungry, "load_own_variables", lambda self, store: None)
    with pytest.raises(portanet.saving.LoadError, match=r"'hungry' cannot load its files: .*words.txt"):
        portanet.load_model(tmp_path / "m.keras", custom_objects={"Hungry": Hungry})
    for stored in ("text", None, object()):
        model.layers[0].stored = stored
        with pytest.raises(TypeError, match="'hungry' must put arrays of numbers"):
            model.save(tmp_path / "n.keras")
    assert not (tmp_path / "n.keras").exists()
