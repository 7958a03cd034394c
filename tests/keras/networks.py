"""Every network of `applications` against Keras's: structure, and values with the same weights.

`python -m tests.keras.networks [NAME...]` compares, for minutes; `--write` also writes what Keras has to
tests/data/keras_networks.json, which tests/applications/test_networks.py reads.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

import portanet
from tests.applications.structures import TABLE, VARIANTS, create, layer_names, shapes, structure

NOT_ON_TORCH = ("NASNetMobile",)
"""What Keras refuses to create on PyTorch; the table has the structure of its `NASNet` there."""


def all_cases() -> list[str]:
    """The names of all networks, and of variants."""
    return [name for name in portanet.applications.__all__ if name[0].isupper()] + list(VARIANTS)


def create_pair(case: str, **options: Any) -> tuple[Any, Any]:
    """The same network here and in Keras, with the same weights, moderate ones."""
    keras.backend.clear_session()
    ours, theirs = create(portanet.applications, case, **options), create(keras.applications, case, **options)
    rng = np.random.default_rng(0)
    variables = [weight for weight in theirs.weights if "seed_generator" not in weight.path]
    for variable in variables:
        if "variance" in variable.path:  # smaller ones let the deepest networks amplify rounding without bound
            variable.assign(rng.uniform(1.0, 3.0, variable.shape))
        elif "float" in variable.dtype and len(variable.shape) == 1:
            variable.assign(keras.ops.convert_to_numpy(variable) + 0.1 * rng.standard_normal(variable.shape))
    ours.set_weights([keras.ops.convert_to_numpy(variable) for variable in variables])
    return ours, theirs


def differences(ours: Any, theirs: Any) -> list[str]:
    """How two networks differ in structure."""
    pairs = {"layers": (layer_names(ours), layer_names(theirs)), "weights": (shapes(ours), shapes(theirs))}
    first = [
        f"{what} {i}: {mine}, in Keras {other}"
        for what, (own, others) in pairs.items()
        for i, (mine, other) in enumerate(zip(own, others, strict=False))
        if mine != other
    ][:3]
    return [] if structure(ours) == structure(theirs) else [*first, f"{structure(ours)} {structure(theirs)}"]


def deviation(ours: Any, theirs: Any) -> float:
    """The largest difference of outputs, relative to the largest output."""
    x = np.random.default_rng(1).uniform(0, 2, (2, *ours.input_shape[1:])).astype("float32")
    mine, expected = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    assert np.isfinite(expected).all()
    return float(np.abs(mine - expected).max() / np.abs(expected).max())


if __name__ == "__main__":
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    chosen = [argument for argument in sys.argv[1:] if not argument.startswith("-")] or all_cases()
    failed = False
    for case in chosen:
        if case in NOT_ON_TORCH:
            continue
        pair = create_pair(case)
        problems, error = differences(*pair), deviation(*pair)
        failed |= bool(problems) or error > 1e-5
        print(case, f"{error:.0e}", *problems, sep="; ", flush=True)
        table[case] = structure(pair[1])
    if "--write" in sys.argv:
        lines = ",\n".join(f"{json.dumps(case)}: {json.dumps(table[case])}" for case in sorted(table))
        TABLE.write_text(f"{{\n{lines}\n}}\n")
    sys.exit(failed)
