"""Functions of `ops` in graphs as files: written by Keras and loaded here, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend, get_backend, to_host
from portanet.saving import LoadError, deserialize_keras_object, serialize_keras_object
from portanet.saving.keras.operations import class_of
from portanet.tree import tree_leaves, tree_map
from tests.ops.cases import CASES, Case

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore:(?s).*eprecated"
)

WITHOUT_ARRAYS = {
    "arange", "bartlett", "blackman", "eye", "full", "geomspace", "hamming", "hanning", "identity", "kaiser",
    "linspace", "logspace", "ones", "tri", "zeros",
}  # fmt: skip
NUMBERS = {"ndim", "shape", "size"}
"""Functions whose results are numbers here while a graph is built."""
COMPLEX = {"angle", "conj", "conjugate", "imag", "real", "view_as_real"}
"""Inputs of graphs are real here."""
OF_KERAS = {
    "adaptive_average_pool", "adaptive_max_pool", "affine_transform", "conv_transpose", "extract_patches_3d",
    "histogram", "perspective_transform",
}  # fmt: skip
"""Functions that Keras cannot call, save or load on symbolic arrays with the arguments of the first case."""
NAMES = sorted(set(CASES) - WITHOUT_ARRAYS - NUMBERS - COMPLEX - OF_KERAS)


def graph(library: Any, name: str, case: Case) -> tuple[Any, list[Any]]:
    """A model of one call, and its data."""
    inputs, data = [], []

    def symbolic(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        data.append(x.astype("float32") if x.dtype == "float64" else x)
        inputs.append(library.layers.Input(batch_shape=x.shape, dtype=str(data[-1].dtype)))
        return inputs[-1]

    args, kwargs = tree_map(symbolic, case)
    function = getattr(library.ops, name, None) or getattr(library.ops.image, name)
    y = function(*args, **kwargs)
    leaves = tree_leaves(list(y) if isinstance(y, tuple) else y)
    return library.Model(inputs if len(inputs) > 1 else inputs[0], leaves), data


def outputs(model: Any, data: list[Any]) -> list[Any]:
    given = [x if isinstance(model, keras.Model) else get_backend().from_host(x) for x in data]
    y = model(given if len(given) > 1 else given[0])
    return [to_host(leaf.detach() if hasattr(leaf, "detach") else leaf) for leaf in tree_leaves(y)]


def require_equal(one: Any, other: Any, data: list[Any]) -> None:
    results = outputs(one, data), outputs(other, data)
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_function(name: str) -> None:
    case = next(c for c in CASES[name] if all(np.ndim(x) for x in tree_leaves(c) if isinstance(x, np.ndarray)))
    theirs, data = graph(keras, name, case)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
    require_equal(theirs, deserialize_keras_object(config), data)
    ours, data = graph(portanet, name, case)
    config = json.loads(json.dumps(serialize_keras_object(ours)))
    require_equal(ours, keras.saving.deserialize_keras_object(config), data)


def test_every_class_of_keras_is_known_by_its_function() -> None:
    import inspect

    from keras.src import ops as theirs
    from keras.src.ops.operation import Operation

    from portanet.ops.operation import OPERATIONS

    known = {class_of(function) for function in OPERATIONS.values()}
    classes = {
        (module.__name__, name)
        for module in (getattr(theirs, n) for n in ("core", "einops", "image", "linalg", "math", "nn", "numpy"))
        for name, cls in vars(module).items()
        if inspect.isclass(cls) and issubclass(cls, Operation) and cls.__module__ == module.__name__
    }
    unknown = {f"{module.rpartition('.')[2]}.{name}" for module, name in classes - known}
    assert unknown - ABSENT == set()


ABSENT = {
    "core.AssociativeScan", "core.Cond", "core.ForiLoop", "core.Map", "core.Scan", "core.Switch", "core.VectorizedMap",
    "core.WhileLoop", "image.AffineTransform", "image.ElasticTransform", "image.PerspectiveTransform",
    "image.SobelEdges", "linalg.JVP", "math.SegmentReduction", "numpy.Abs", "numpy.BitwiseNot", "numpy.Conj",
    "numpy.LeftShift", "numpy.RightShift",
}  # fmt: skip
"""Calls of functions, which files do not hold; what is not here; base classes and other names of known classes."""


def operators(library: Any) -> Any:
    """Operators, indices, constants, shared results and several outputs of one function."""
    L, ops = library.layers, library.ops
    x = L.Input((4, 3))
    y = (1 - x) / 2.0
    z = ops.concatenate([y[:, 0], ops.mean(y, axis=1)], axis=-1)
    z = ops.where(z > 0.5, z, ops.zeros_like(z)) + np.arange(6, dtype="float32")
    z = L.Dense(6)(z) + ops.sum(y[..., None, 1:3], axis=(1, 2))[:, :1]
    first, second = ops.split(ops.reshape(z, (-1, 6, 1)), 2, axis=1)
    product = first @ ops.transpose(second, (0, 2, 1))
    return library.Model(x, {"product": L.Dense(2)(product), "power": -(abs(L.Flatten()(second)) ** 2) % 3})


def test_operators(backend: Backend, tmp_path: Any) -> None:
    from tests.keras.test_files import outputs as predictions
    from tests.keras.test_files import set_values

    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    for library, other in ((keras, portanet), (portanet, keras)):
        model = operators(library)
        set_values(model.weights)
        model.save(tmp_path / "m.keras")
        loaded = other.saving.load_model(tmp_path / "m.keras")
        for a, b in zip(predictions(model, x), predictions(loaded, x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def indexed(x: Any) -> Any:
    return x[np.asarray([0, 1])]


def bounded(x: Any) -> Any:
    return portanet.ops.relu(x, max_value=2.0)


def weighted(x: Any) -> Any:
    return portanet.ops.trapezoid(x, x=x)


@pytest.mark.parametrize(
    ("function", "message"),
    [(indexed, "use ops.take"), (bounded, "has no max_value=2.0"), (weighted, "a symbolic array where Keras takes")],
)
def test_what_keras_lacks(function: Callable[[Any], Any], message: str) -> None:
    x = portanet.layers.Input((3,), batch_size=2)
    with pytest.raises(ValueError, match=f"Cannot save operation.*{message}"):
        serialize_keras_object(portanet.Model(x, function(x)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_name": "Popen"}, "names the class 'Popen'"),
        ({"module": "keras.src.ops.os", "class_name": "System"}, "names the class 'System'"),
        ({"config": {"name": "mean", "axis": 7}}, "model 'functional' cannot be created: .*axis"),
        ({"config": {"name": "mean", "power": 2}}, "model 'functional' cannot be created: .*power"),
        ({"class_name": "Zeros", "config": {"name": "mean", "shape": [2]}}, "cannot be created"),
    ],
)
def test_operations_that_are_refused(change: dict[str, Any], message: str) -> None:
    x = portanet.layers.Input((3,), name="x")
    config = serialize_keras_object(portanet.Model(x, portanet.ops.mean(x, axis=1), name="functional"))
    config["config"]["layers"][1] |= change
    with pytest.raises(LoadError, match=message):
        deserialize_keras_object(config)
