"""Malicious files: correct checksums, wrong content."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import portanet
from portanet import layers
from portanet.saving import LoadError, load_model
from portanet.saving.archive import open_archive, write_archive


def save(path):
    model = portanet.Sequential(
        [
            layers.Input((2,)),
            layers.Dense(2, "relu", kernel_initializer=portanet.initializers.Constant([[1.0, 2.0], [3.0, 4.0]])),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )
    model.compile(portanet.optimizers.SGD(portanet.schedules.StepDecay(0.1, 5)), "mse", metrics=["mae"])
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    model.save(path)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Document and tensors of a valid file."""
    path = tmp_path_factory.mktemp("good") / "model"
    save(path)
    with open_archive(path) as archive:
        return archive.document, {name: archive.read(name) for name in archive.names}


def load(tmp_path, document, tensors):
    document = {key: value for key, value in document.items() if key not in ("version", "checksums")}
    write_archive(tmp_path / "bad", document, tensors)
    return load_model(tmp_path / "bad")


def with_part(document, part, *keys):
    """The document with one part replaced."""
    changed = copy.deepcopy(document)
    node = changed
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = part
    return changed


LAYER = ("architecture", "config", "layers", 1)
FORBIDDEN = [
    "os.system", "subprocess.Popen", "builtins.eval", "portanet.info.main", "layers.os", "layers.base.np", "layers.",
    "layers.__loader__", "layers.Layer.__init__", "models.saving", "callbacks.checkpoint", "activations.relu",
    "losses.lookup", "../layers.Dense", "layers/Dense", "Custom>Dense", "", "layers.Dense\x00", "datasets.load",
]  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
def test_only_known_classes_are_looked_up(tmp_path, content, name):
    document, tensors = content
    with pytest.raises(LoadError, match=r"names the class .*, which is unknown"):
        load(tmp_path, with_part(document, name, *LAYER, "$object"), tensors)
    with pytest.raises(LoadError, match=r"names the class .*, which is unknown"):
        load(tmp_path, with_part(document, {"$class": name}, *LAYER, "config", "activation"), tensors)
    if name != "activations.relu":
        with pytest.raises(LoadError, match=r"names the function .*, which is unknown"):
            load(tmp_path, with_part(document, {"$function": name}, *LAYER, "config", "activation"), tensors)


DENSE = {"$object": "layers.Dense", "name": "dense", "config": {"units": 1}}


def nested(depth):
    node = {"$object": "layers.Dense", "name": "d", "config": {"units": 1}}
    for _ in range(depth):
        node = {"$object": "layers.TimeDistributed", "name": "t", "config": {"layer": node}}
    return node


ABSURD = {
    "units": (10**12, *LAYER, "config", "units"),
    "more units than int64": (10**30, *LAYER, "config", "units"),
    "input": ({"$tuple": [10**12]}, "architecture", "config", "layers", 0, "config", "shape"),
    "embedding": (
        {"$object": "layers.Embedding", "name": "e", "config": {"input_dim": 10**6, "output_dim": 10**6}},
        *LAYER,
    ),
    "convolution": ({"$object": "layers.Conv1D", "name": "e", "config": {"filters": 9, "kernel_size": 10**10}}, *LAYER),
    "positions": ({"$object": "layers.PositionEmbedding", "name": "e", "config": {"sequence_length": 10**12}}, *LAYER),
    "many layers": ([DENSE] * 200, "architecture", "config", "layers"),
    "a long list": ([0] * 300_000, *LAYER, "config", "units"),
    "nested layers": (nested(150), *LAYER),
    "nested lists": (json.loads("[" * 500 + "]" * 500), *LAYER, "config", "units"),
    "a name that is a path": ("../../etc/passwd", *LAYER, "name"),
    "no name": (None, *LAYER, "name"),
    "an unknown argument": (1, *LAYER, "config", "evil"),
    "an array that is not there": ({"$array": "../../etc/passwd"}, *LAYER, "config", "units"),
    "an array where a number should be": ({"$array": "model/dense/kernel"}, *LAYER, "config", "units"),
    "a mark that means nothing": ({"$eval": "print(1)"}, *LAYER, "config", "units"),
    "a layer before it is made": ({"$same": 0}, *LAYER),
    "keys that cannot be keys": ({"$dict": [[{"$tuple": [[1]]}, 1]]}, *LAYER, "config", "units"),
    "no model": (DENSE, "architecture"),
    "no architecture": (None, "architecture"),
    "no dtype": ({}, "backend"),
    "a dtype there is not": ({"dtype": "float7"}, "backend"),
    "shapes of another kind": ([], "built"),
    "policies of no name": ({"": "float7"}, *LAYER, "policies"),
    "compiled with nothing": ({}, "compile"),
    "compiled with code": ({"$object": "os.system", "config": {"command": "id"}}, "compile", "optimizer"),
    "another optimizer": ("adam", "compile", "optimizer"),
    "trained nothing known": (["../x"], "trained"),
    "trained a number": (3, "trained"),
    "state of another kind": ([1, 2], "optimizer_state"),
    "state without a part": ({}, "optimizer_state"),
    "a position of text": ("abc", "position"),
    "a negative epoch": (-1, "position", "epoch"),
    "an epoch of text": ("0", "position", "epoch"),
    "sums of another kind": ([1], "position", "sums"),
    "callbacks of another kind": ([["EarlyStopping"]], "callbacks"),
    "a learning rate of text": ("fast", "learning_rate"),
    "a negative learning rate": (-1.0, "learning_rate"),
}


@pytest.mark.parametrize("kind", ABSURD)
def test_absurd_descriptions_are_refused(tmp_path, content, kind):
    document, tensors = content
    part, *keys = ABSURD[kind]
    with pytest.raises(LoadError, match="Cannot load ") as caught:
        load(tmp_path, with_part(document, part, *keys), tensors)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    ("part", "key", "message"),
    [
        (["../x"], "trained", "its trained weights are not those of the model"),
        ([3], "trained", "its trained weights are not those of the model"),
        (3, "trained", "its trained weights are not those of the model"),
        ({"dense/kernel": 1}, "trained", "its trained weights are not those of the model"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, part, key, message):
    document, tensors = content
    with pytest.raises(LoadError, match=message):
        load(tmp_path, with_part(document, part, key), tensors)


def test_tensors_must_be_those_of_the_model(tmp_path, content):
    document, tensors = content
    kernel = tensors["model/dense/kernel"]
    for wrong, message in (
        ({k: v for k, v in tensors.items() if k != "model/dense/kernel"}, "1 missing from the file:\n  'dense/kernel'"),
        (tensors | {"model/../../x": kernel}, "1 only in the file:\n  '../../x'"),
        (
            tensors | {"model/dense/kernel": tensors["model/dense/bias"]},
            r"expected float32 \(2, 2\), the file has float32 \(2,\)",
        ),
        (tensors | {"model/dropout/counter": kernel}, r"expected int32 \(\), the file has float32 \(2, 2\)"),
        (tensors | {"optimizer/iterations": kernel}, r"expected int32 \(\), has float32 \(2, 2\)"),
    ):
        with pytest.raises(LoadError, match=message):
            load(tmp_path, document, wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**13) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "dense", "relu", "float64", "layers.Dense", "optimizers.Adam", "metrics.AUC", "x/y"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["$object", "config", "name", "$array", "$tuple", "$dict", "$same", "id", "$float", "units"]),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=400)
@given(data=st.data())
def test_whatever_the_description_says_there_is_one_kind_of_error(tmp_path, content, data):
    document, tensors = content
    keys, node = [], document
    while isinstance(node, (dict, list)) and node and (not keys or data.draw(st.integers(0, 5))):
        keys.append(data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node)))))
        node = node[keys[-1]]
    with contextlib.suppress(LoadError):
        load(tmp_path, with_part(document, data.draw(JSON), *keys), tensors)


SCRIPT = """
    import pathlib, resource, sys
    import portanet, portanet.models, portanet.callbacks
    from portanet.saving import LoadError

    happened = []
    watched = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect", "os.remove",
               "os.rename", "shutil.rmtree", "pickle.find_class")
    sys.addaudithook(lambda event, _: happened.append(event) if event in watched else None)
    now = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[2]), resource.RLIM_INFINITY))
    refused = 0
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        for load in (portanet.load_model, portanet.Sequential([portanet.layers.Input((2,))]).load_weights):
            try:
                load(path)
            except LoadError:
                refused += 1
    print(refused, happened)
"""


def test_memory_is_bounded_and_nothing_is_executed(tmp_path, content):
    """Every bad file of these tests is loaded in a process limited to 400 MB beyond the libraries."""
    from tests.saving.test_safetensors import LIES

    document, tensors = content
    folder = tmp_path / "bad"
    folder.mkdir()
    for i, (data, _) in enumerate(LIES.values()):
        (folder / f"lie{i}").write_bytes(data)
    for i, (part, *keys) in enumerate(ABSURD.values()):
        changed = {k: v for k, v in with_part(document, part, *keys).items() if k not in ("version", "checksums")}
        write_archive(folder / f"absurd{i}", changed, tensors)
    count = len(list(folder.iterdir()))
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(portanet.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), str(400 * 2**20)],
        capture_output=True,
        text=True,
        env=environment | {"OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split("\n")[0] == f"{2 * count} []"
