"""Functions of `portanet.ops` in graphs, which are objects of classes in files of Keras: `Mean` for `ops.mean`."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from portanet import ops
from portanet.backends import to_host
from portanet.layers.operation import Operation
from portanet.layers.operation_call import OperationCall
from portanet.layers.ordering import arrays_in_order
from portanet.lookup import snake_case
from portanet.ops.operation import array_parameters, find_operation
from portanet.saving.keras.errors import absent
from portanet.saving.keras.table import same_in_keras

PREFIX = "keras.src.ops."
"""Beginning of the modules of these classes."""
MODULES = {
    "core": [
        "Cast", "ConvertToTensor", "SaturateCast", "Scatter", "ScatterUpdate", "Slice", "SliceUpdate", "StopGradient",
        "Unstack",
    ],
    "einops": ["Rearrange"],
    "math": [
        "CDist", "Erf", "Erfc", "Erfinv", "ExtractSequences", "FFT", "FFT2", "IFFT2", "IRFFT", "ISTFT", "InTopK",
        "Logdet", "Logsumexp", "RFFT", "Rsqrt", "STFT", "SegmentMax", "SegmentMin", "SegmentProd", "SegmentSum", "TopK",
        "ViewAsComplex", "ViewAsReal",
    ],
}  # fmt: skip
"""Classes by module, where the functions here are in no module of the same name."""
NAMED = {
    "AllClose": "allclose",
    "BatchNorm": "batch_normalization",
    "CDist": "cdist",
    "IsIn": "isin",
    "LayerNorm": "layer_normalization",
    "RMSNorm": "rms_normalization",
    "SearchSorted": "searchsorted",
}
"""Functions whose classes are not called by their name."""
CAPITALS = {
    snake_case(name): name
    for name in (
        "CTCDecode", "CTCLoss", "FFT", "FFT2", "HSVToRGB", "IFFT2", "IRFFT", "ISTFT", "PSNR", "RFFT", "RGBToGrayscale",
        "RGBToHSV", "SSIM", "STFT", "SVD",
    )
} | {function: name for name, function in NAMED.items()}  # fmt: skip
"""The classes of functions whose names are not just capitalized."""
CALLED = {
    "affine_transform": ("images", "transform"),
    "array": ("x",),
    "bincount": ("x",),
    "clip": ("x",),
    "convert_to_tensor": ("x",),
    "dot_product_attention": ("query", "key", "value", "bias", "mask", "scale"),
    "get_item": ("x", "key"),
    "isclose": ("x1", "x2", "rtol", "atol"),
    "map_coordinates": ("inputs", "coordinates"),
    "pad": ("x", "constant_values"),
    "perspective_transform": ("images", "start_points", "end_points"),
    "rearrange": ("tensor", "pattern"),
    "scale_and_translate": ("images", "output_shape", "scale", "translation"),
    "slice": ("inputs", "start_indices"),
    "slice_update": ("inputs", "start_indices", "updates"),
    "trapezoid": ("y",),
}
"""The arguments of calls in Keras, where these are not just the arrays; all others belong to the object."""
ONLY_HERE = {"relu": {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}}
"""Arguments that Keras's classes do not have, and their neutral values."""


@dataclass(frozen=True)
class KerasOperation:
    """A function in the description of a graph.

    Attributes:
        function: The function.
        config: The arguments that belong to the object in Keras.
        name: Its name in the graph.
    """

    function: Callable[..., Any]
    config: dict[str, Any]
    name: str

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the function on symbolic arrays, with the arguments of a call in Keras."""
        parameters = inspect.signature(self.function).parameters
        star = next((name for name, p in parameters.items() if p.kind is p.VAR_POSITIONAL), None)
        config = {key: v for key, v in self.config.items() if key in parameters or not same_in_keras(key, v)}
        if star is None:
            given = dict(zip(_called(self.function), args, strict=False))
            if self.function is ops.get_item and isinstance(given.get("key"), list):  # JSON has no tuples
                given["key"] = tuple(given["key"])
            outputs = self.function(**config, **given, **options)
        else:
            before = [config.pop(name) for name in itertools.takewhile(lambda name: name != star, parameters)]
            outputs = self.function(*before, *args, **config, **options)
        arrays = arrays_in_order(outputs)
        if not arrays:
            raise ValueError(f"operation {self.name[:100]!r} does not depend on the inputs")
        layer = arrays[0].node.layer
        layer.name, layer._adopted = self.name, True
        return outputs


def is_operation(module: Any) -> bool:
    """Whether the classes of a module are operations."""
    return isinstance(module, str) and module.startswith(PREFIX)


def operation_in_file(module: Any, name: str, config: dict[str, Any]) -> KerasOperation | None:
    """The function of a class of Keras; None if it is no operation, or there is no such function.

    Args:
        module: The module of the class.
        name: Its name.
        config: The arguments of the object.
    """
    if not is_operation(module):
        return None
    known = NAMED.get(name, snake_case(name))
    function = find_operation(getattr(getattr(ops, known, None), "__name__", known))  # of another name, as `abs`
    if function is None:
        return None
    arguments = {key: value for key, value in config.items() if key != "name"}
    return KerasOperation(function, arguments, str(config.get("name")))


def class_of(function: Callable[..., Any]) -> tuple[str, str] | None:
    """Module and class of a function in Keras; None if there is none."""
    name = function.__name__
    cls = CAPITALS.get(name) or "".join(part.capitalize() for part in name.split("_"))
    for module, classes in MODULES.items():
        if cls in classes:
            return PREFIX + module, cls
    public: tuple[Any, ...] = (ops.numpy, ops.nn, ops.linalg, ops.image)
    found = next((module.__name__ for module in public if name in module.__all__), None)
    return None if found is None or name == "extract_patches_3d" else (PREFIX + found.rpartition(".")[2], cls)


def call_in_keras(operation: OperationCall, arrays: list[Any]) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """The positional and keyword arguments of the call of an operation in Keras, and those of the object.

    Args:
        operation: The operation.
        arrays: The symbolic arrays that it is called on.

    Raises:
        ValueError: Keras does not have an argument.
    """
    of = f"operation '{operation.name}'"
    args, kwargs = operation.arguments(arrays)
    if isinstance(operation.function, Operation):
        return list(args), kwargs, {}
    bound = inspect.signature(operation.function).bind(*args, **kwargs)
    bound.apply_defaults()
    config: dict[str, Any] = dict(bound.arguments)
    if operation.function is ops.get_item:
        index = config["key"] if isinstance(config["key"], tuple) else (config["key"],)
        if any(not isinstance(part, (int, slice, type(None), EllipsisType)) for part in index):
            raise absent(of, operation, "indices in graphs of Keras are integers and slices; for others, use ops.take")
    if isinstance(config.get("newshape"), int):
        config["newshape"] = [config["newshape"]]
    for key, neutral in ONLY_HERE.get(operation.function.__name__, {}).items():
        if (given := config.pop(key)) != neutral:
            raise absent(of, operation, f"Keras's ops.{operation.function.__name__} has no {key}={given!r}")
    called = _called(operation.function)
    values: list[Any] = []
    options: dict[str, Any] = {}
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            options = config.pop(name)
        elif name in called:
            value = config.pop(name)
            if isinstance(value, list) and not arrays_in_order(value):  # Keras takes arrays there
                value = to_host(value)
            values += value if parameter.kind is parameter.VAR_POSITIONAL else [value]
    return values, options, config


def _called(function: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters of a function that are arguments of the call in Keras."""
    return CALLED.get(function.__name__) or tuple(array_parameters(function))
