"""The kinds of values that a parameter takes, from its annotation, or its name where the annotation is `Any`."""

from __future__ import annotations

import re

KINDS = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "None": "none",
    "Hyperparameter": "float callable",
    "Axis": "ints int none",
    "Axes": "ints int none",
    "Size": "ints int",
    "Thresholds": "float floats none",
    "Method": "str",
    "Array": "array",
    "Operand": "array float int bool",
    "HostArray": "array",
    "Layer": "layer",
    "Model": "layer",
    "LearningRateSchedule": "callable",
    "RNN": "layer",
    "Dense": "layer",
    "Trainer": "layer",
    "Function": "callable",
    "Declared": "callable",
    "Map": "callable",
    "Solve": "callable",
    "DTypePolicy": "",
    "DType": "str none",
    "Callback": "",
    "Optimizer": "",
    "OptimizerMap": "",
    "random.SeedGenerator": "",
    "SymbolicArray": "",
    "Position": "",
    "Order": "bool callable",
    "Source": "mapping str",
    "Backend": "",
    "BackendName": "str",
    "Panels": "none",
    "os.PathLike[str]": "",
    "Path": "str",
    "M": "layer",
    "CloneFunction": "callable",
    "CallFunction": "callable",
}
PATTERNS = {
    r"(Sequence|list|tuple|Iterable)\[(int|int \| None)\b.*": "ints",
    r"(Sequence|list)\[float\]|tuple\[float, .*": "floats",
    r"(Sequence|Iterable|list)\[(str|Mode)\]": "texts",
    r"(Sequence|Iterable|list)\[.*": "objects",
    r"(Mapping|dict)\[.*": "mapping",
    r"Callable\[.*": "callable",
    r"Literal\[.*": "str",
}
BY_NAME = {
    "*activation": "str callable none",
    "transform_activation": "str callable none",
    "*_initializer": "str callable array mapping",
    "initializer": "str callable array mapping",
    "*_regularizer": "str callable none mapping",
    "regularizer": "str callable none mapping",
    "*_constraint": "str callable none",
    "constraint": "str callable none",
    "optimizer": "str",
    "inner_optimizer": "str",
    "loss": "str callable none",
    "loss_weights": "floats mapping float none",
    "*metrics": "texts mapping str callable none",
    "dtype": "str none",
    "device": "none str",
    "padding": "str ints int",
    "cropping": "ints int",
    "size": "ints int",
    "dims": "ints",
    "target_shape": "ints",
    "shape": "ints none",
    "input_shape": "ints",
    "batch_shape": "ints none",
    "output_shape": "ints callable none",
    "factor": "float floats",
    "*_factor": "float floats",
    "verbose": "int str",
    "value": "float array",
    "cell": "layer",
    "identifier": "str callable none",
    "weights": "none array",
    "sparsity": "array none",
    "mask": "array callable none",
    "path": "str",
    "paths": "texts",
    "folder": "str",
    "x": "array",
    "img": "array",
    "preds": "array",
    "data": "array",
    "targets": "array none",
    "x0": "array none",
    "xs": "array none mapping",
    "b": "array mapping float",
    "a": "array float",
    "t": "array",
    "y0": "array mapping",
    "init": "array mapping none",
    "init_val": "array mapping none",
    "initial_guess": "array mapping",
    "y": "array",
    "sample_weight": "array none",
    "stratify": "array none",
    "crosses": "objects none",
    "dataset": "mapping",
    "labels": "array",
    "random_state": "int none",
    "backend": "str none",
    "ax": "none",
    "input_signature": "none",
    "signature": "none",
    "validation_data": "none",
    "inputs": "",
    "input_tensors": "none",
    "input_tensor": "none",
    "outputs": "",
    "callbacks": "none",
    "of": "str",
    "model": "layer",
    "models": "layer objects mapping",
    "history": "layer mapping",
    "functions": "str callable texts mapping",
    "lines": "array mapping",
    "at": "array objects",
    "direction": "array objects none",
    "images": "array",
    "predictions": "array",
    "values": "mapping",
    "window": "str floats none array",
    "scale": "float floats array",
    "offset": "float floats array",
    "axis": "int ints none",
    "axes": "int ints",
    "mean": "float floats array none",
    "variance": "float floats array none",
    "bin_boundaries": "floats array none",
    "value_range": "floats",
    "fill_value": "float floats none",
    "kernel_size": "int ints",
    "sigma": "float floats",
    "tile_grid_size": "int ints",
    "salt": "int ints none",
    "mask_value": "int str none",
    "vocabulary": "texts ints str array none",
    "idf_weights": "floats array none",
    "standardize": "str callable none",
    "split": "str callable none",
    "ngrams": "int ints none",
}
"""The kinds of parameters that are annotated with `Any`."""


def split(annotation: str) -> list[str]:
    """The alternatives of a union: `|` outside brackets."""
    parts, depth = [""], 0
    for letter in annotation:
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def kinds_of(name: str, annotation: str) -> frozenset[str]:
    """The kinds of values that a parameter takes, among those of `values.py`."""
    kinds: set[str] = set()
    for part in split(annotation.replace("typing.", "")):
        if part == "Any":
            known = next((v for k, v in BY_NAME.items() if re.fullmatch(k.replace("*", ".*"), name)), None)
        else:
            by_pattern = next((v for k, v in PATTERNS.items() if re.fullmatch(k, part)), None)
            known = KINDS.get(part, by_pattern)
        assert known is not None, f"kinds.py does not know what `{name}: {annotation}` takes"
        kinds |= set(known.split())
    return frozenset(kinds)
