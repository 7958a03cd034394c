"""Bad values, by the kinds of values that a parameter takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from portanet import layers

Make = Callable[[], Any]

WRONG_TYPES: dict[str, tuple[Make, str]] = {
    "None": (lambda: None, "none"),
    "True": (lambda: True, "bool"),
    "1.5": (lambda: 1.5, "float"),
    "1j": (lambda: 1j, ""),
    "'text'": (lambda: "no such name", "str"),
    "b'x'": (lambda: b"x", ""),
    "['a']": (lambda: ["a"], "texts"),
    "[None]": (lambda: [None], ""),
    "{'a': 1}": (lambda: {"a": 1}, "mapping"),
    "object": (object, ""),
    "class": (lambda: dict, "callable"),
    "function": (lambda: lambda *args: None, "callable"),
    "generator": (lambda: (letter for letter in "ab"), ""),
    "array": (lambda: portanet.asarray(np.ones((2, 2))), "array"),
}
"""Values with the kind that each is of: bad for parameters of all other kinds."""

WITHIN: dict[str, dict[str, Make]] = {
    "int": {"-1": lambda: -1, "0": lambda: 0, "nan": lambda: math.nan, "'2'": lambda: "2"},
    "float": {"-1.0": lambda: -1.0, "nan": lambda: math.nan, "inf": lambda: math.inf, "'0.5'": lambda: "0.5"},
    "bool": {"0": lambda: 0, "'no'": lambda: "no", "[True]": lambda: [True]},
    "str": {"''": lambda: "", "'text'": lambda: "no such name", "3": lambda: 3},
    "ints": {
        "[]": list,
        "[1] * 7": lambda: [1] * 7,
        "[1.5]": lambda: [1.5],
        "[-1, -1]": lambda: [-1, -1],
        "[True]": lambda: [True],
        "0": lambda: 0,
    },
    "floats": {"[]": list, "[nan]": lambda: [math.nan], "[-1.0]": lambda: [-1.0]},
    "texts": {"[]": list, "[1]": lambda: [1]},
    "mapping": {"{}": dict},
    "callable": {"3": lambda: 3, "class Dense": lambda: layers.Dense},
    "layer": {"3": lambda: 3, "[layer]": lambda: [layers.Dense(2)]},
    "array": {
        "[[1.0]]": lambda: [[1.0, 2.0], [3.0, 4.0]],
        "scalar": lambda: portanet.asarray(1.0),
        "texts": lambda: np.asarray([["a", "b"], ["c", "d"]]),
        "objects": lambda: np.asarray([[object(), None]], dtype=object),
        "complex": lambda: portanet.asarray(np.ones((2, 2), "complex64")),
        "rank 7": lambda: portanet.asarray(np.ones((1,) * 7)),
        "3": lambda: 3,
    },
}
"""Values outside a kind, though of a type that looks like it."""


def bad_values(kinds: frozenset[str]) -> dict[str, Make]:
    """By label: what does not fit any of the kinds."""
    bad = {label: make for label, (make, kind) in WRONG_TYPES.items() if kind not in kinds}
    for kind in sorted(kinds & set(WITHIN)):
        bad |= WITHIN[kind]
    return bad
