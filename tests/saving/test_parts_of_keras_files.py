"""Where files of Keras have what: the order of groups, masks that are operations, arguments of calls, term by term."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from portanet import Model, Sequential, layers, ops
from portanet.saving.errors import LoadError
from portanet.saving.keras import container, graph, masks, variables
from portanet.saving.keras.operations import KerasOperation, class_of, operation_in_file


class Parts(layers.Layer):
    """Its attributes are not set in the order of their names."""

    def __init__(self) -> None:
        super().__init__()
        self._first = layers.Dense(1)
        self.second = layers.Dense(1)
        self.a = [layers.Dense(1), 3, layers.Dense(2), layers.Flatten(), [layers.Dense(3)], {"k": layers.Dense(4)}]
        self.third = self.second


class Whole(Model):
    def __init__(self) -> None:
        super().__init__()
        self.z, self.b = layers.Dense(1), layers.Dense(2)


def test_the_order_of_groups() -> None:
    part, whole = Parts(), Whole()
    in_lists = ["a/dense", "a/dense_1", "a/flatten", "a/container/dense", "a/container_1/dense"]
    assert list(variables.layers_in_file(part)) == ["", *in_lists, "second", "_first"]
    assert [path for path, _ in variables._visit(part, "", set(), in_file=False)] == [
        *("", "_first", "second"),
        *in_lists,
    ]
    assert list(variables.layers_in_file(whole)) == ["", "b", "layers/dense"]  # z is there by its place in `layers`
    stack = Sequential([layers.Input((2,)), layers.Dense(1), layers.Dense(1)])
    stack.extra = layers.Dense(1)
    assert list(variables.layers_in_file(stack))[:3] == ["", "layers/dense", "layers/dense_1"]


def test_names_of_arrays() -> None:
    assert variables.array_name("", 0) == "vars/0"
    assert variables.array_name("layers/dense", 1) == "layers/dense/vars/1"
    assert [variables._joined(*pair) for pair in (("a", "b"), ("", "b"), ("a", ""), ("", ""))] == ["a/b", "b", "a", ""]
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    names = ["layers/dense/vars/0", "other/vars/0", "optimizer/vars/0", "metrics/m/vars/0", "x/idf_weights"]
    names += ["_metrics/m/vars/0", "_loss_tracker/vars/0", "layers/d/seed_generator/vars/0", "layers/dense/vars/7"]
    found = variables.in_file(model, SimpleNamespace(names=names))  # type: ignore[arg-type]
    kernel = next(path for path in model.named_variables() if path.endswith("kernel"))
    extra = ("other/vars/0", "layers/dense/vars/7")
    assert found == {kernel: "layers/dense/vars/0", **{name: name for name in extra}}


def array(layer: str, index: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [layer, 0, index]}}


def entry(
    kind: str, name: str, *args: Any, config: Any = None, mask: Any = None, module: Any = "keras.src.ops.x"
) -> Any:
    call = {"args": list(args), "kwargs": {"mask": mask, "training": False} if mask is not None else {}}
    return {"class_name": kind, "name": name, "module": module, "config": config or {}, "inbound_nodes": [call]}


EMBEDDING = entry("Embedding", "e", array("in"), module="keras.layers")
MASKING = entry("Masking", "m", array("in"), config={"mask_value": 2.0}, module="keras.layers")
USER = entry("LSTM", "l", array("e"), mask=array("mask"), module="keras.layers")


@pytest.mark.parametrize(
    ("maker", "mask", "is_mask"),
    [
        (EMBEDDING, entry("NotEqual", "mask", array("in"), 0), True),
        (EMBEDDING, entry("NotEqual", "mask", array("in"), 1), False),
        (EMBEDDING, entry("NotEqual", "mask", array("other"), 0), False),
        (EMBEDDING, entry("NotEqual", "mask", array("in", 1), 0), False),
        (EMBEDDING, entry("NotEqual", "mask", array("in"), array("in")), False),
        (EMBEDDING, entry("NotEqual", "mask", [array("in"), array("in")], 0), False),
        (EMBEDDING, entry("NotEqual", "mask", array("in"), 0, 0), False),
        (EMBEDDING, entry("NotEqual", "mask"), False),
        (EMBEDDING, entry("Equal", "mask", array("in"), 0), False),
        (EMBEDDING, entry("NotEqual", "mask", array("in"), 0, module="mine"), False),
        (MASKING, entry("NotEqual", "mask", array("in"), 2.0), True),
        (MASKING, entry("NotEqual", "mask", array("in"), 0), False),
        (entry("Dense", "e", array("in")), entry("NotEqual", "mask", array("in"), 0), False),
    ],
)
def test_what_is_a_mask(maker: Any, mask: Any, is_mask: bool) -> None:
    left = masks.without_masks([maker, mask, USER])
    assert [each["name"] for each in left] == ([maker["name"], "l"] if is_mask else [maker["name"], "mask", "l"])
    options = USER["inbound_nodes"][0]["kwargs"]
    assert left[-1]["inbound_nodes"][0]["kwargs"] == ({"training": False} if is_mask else options)
    assert left[0] == maker


def test_masks_of_masks_and_masks_that_are_used_otherwise() -> None:
    compared, joined = entry("NotEqual", "n", array("in"), 0), entry("Any", "mask", array("n"))
    assert [each["name"] for each in masks.without_masks([joined, EMBEDDING, compared, USER])] == ["e", "l"]
    assert len(masks.without_masks([EMBEDDING, compared, entry("Any", "mask", array("n"), 1), USER])) == 4
    unrelated = masks.without_masks([EMBEDDING, compared, entry("Any", "mask", array("e")), USER])
    assert [each["name"] for each in unrelated] == ["e", "mask", "l"]
    other = entry("Cast", "c", array("n"))
    assert [each["name"] for each in masks.without_masks([EMBEDDING, compared, USER, other])] == ["e", "n", "l", "c"]


def test_calls_as_in_keras() -> None:
    calls: list[Any] = []
    layer: Any = lambda *args, **options: calls.append((args, options))
    graph._called(layer, [1, None, 2, None, None], {"mask": None, "training": True, "scale": 0})
    assert calls == [((1, None, 2), {"scale": 0})]
    x, y, z = (layers.Input((2, 3)) for _ in range(3))
    node = lambda layer, *args, **options: SimpleNamespace(layer=layer, args=args, options=options)
    attention, rnn, both = layers.MultiHeadAttention(1, 2), layers.LSTM(2), layers.Bidirectional(layers.LSTM(2))
    as_in = lambda *a, **o: graph._as_in_keras(node(*a, **o))  # type: ignore[arg-type]
    assert as_in(attention, [x, y], z, mask=None, scale=1) == ([x, y, z], {"scale": 1})
    assert as_in(attention, x) == ([x], {})
    assert as_in(layers.Add(), [x, y]) == ([[x, y]], {})
    for layer in (rnn, both):
        assert as_in(layer, [x, y, z], 1) == ([x, 1], {"initial_state": [y, z]})
        assert as_in(layer, [x], training=None) == ([x], {})
        assert as_in(layer, x) == ([x], {})


def test_operations_by_class() -> None:
    assert class_of(ops.mean) == ("keras.src.ops.numpy", "Mean")
    assert class_of(ops.cdist) == ("keras.src.ops.math", "CDist")
    assert class_of(ops.logsumexp) == ("keras.src.ops.math", "Logsumexp")
    assert class_of(ops.rearrange) == ("keras.src.ops.einops", "Rearrange")
    assert class_of(ops.layer_normalization) == ("keras.src.ops.nn", "LayerNorm")
    assert class_of(ops.scan) is None
    found = operation_in_file("keras.src.ops.numpy", "Mean", {"axis": 1, "name": "m"})
    assert found == KerasOperation(ops.mean, {"axis": 1}, "m")
    assert operation_in_file("keras.layers", "Mean", {}) is None
    assert operation_in_file(None, "Mean", {}) is None
    assert operation_in_file("keras.src.ops.numpy", "Nothing", {}) is None
    with pytest.raises(ValueError, match="operation 'm' does not depend on the inputs"):
        KerasOperation(ops.mean, {"axis": 0}, "m")(np.ones(3))


def keras_file(entries: dict[str, bytes]) -> bytes:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"config.json": b"{}"}, "has no model.weights.h5"),
        ({"model.weights.h5": b""}, "has no config.json"),
        ({"config.json": b"[]", "model.weights.h5": b""}, "is not a JSON object"),
        ({"config.json": b"{", "model.weights.h5": b""}, "is not JSON"),
        ({"config.json": b"{}", "model.weights.h5": bytes(container.FLOOR + 1)}, f"more than {container.FLOOR} bytes"),
        ({"config.json": b"{}", "model.weights.h5": bytes(container.FLOOR), "assets/a/b": b"1", "assets/d/": b""}, ""),
    ],
)
def test_containers(entries: dict[str, bytes], message: str, tmp_path: Any) -> None:
    (tmp_path / "m.keras").write_bytes(keras_file(entries))
    if message:
        with pytest.raises(LoadError, match=f"m.keras: .*{message}"):
            container.read_container(tmp_path / "m.keras")
    else:
        read = container.read_container(tmp_path / "m.keras")
        assert (read.config, len(read.weights), read.assets) == ({}, container.FLOOR, {"a/b": b"1"})
