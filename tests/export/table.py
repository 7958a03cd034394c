"""Write the table docs/export-layers.md: `python -m tests.export.table`."""

from __future__ import annotations

import pathlib

from tests.export.facts import find_facts
from tests.oracles import coverage

TABLE = pathlib.Path(__file__).parents[2] / "docs" / "export-layers.md"
COLUMNS = {"onnx": "ONNX", "dask": "Dask"}
AS = {
    "GRUCell": "GRU",
    "JordanCell": "JordanRNN",
    "LSTMCell": "LSTM",
    "SimpleRNNCell": "SimpleRNN",
    "StackedRNNCells": "RNN",
    "TiedDense": "Autoencoder",  # of the test
}
"""Layers without their own cases in tests/layers, and the layers whose cases use them."""

_HOST = "computes on the host: array libraries have no strings"
_SEQUENCE = "a sequence of other layers"
NO_CASE = {
    "AugMix": _SEQUENCE,
    "HashedCrossing": _HOST,
    "Hashing": _HOST,
    "InputLayer": "computes nothing",
    "IntegerLookup": _HOST,
    "Pipeline": _SEQUENCE,
    "RandAugment": _SEQUENCE,
    "StringLookup": _HOST,
    "TextVectorization": _HOST,
}
"""Layers without a case, and why."""

REASONS: dict[tuple[str, str], str] = {
    ("ContrastLimitedAdaptiveHistogramEqualization", "onnx"): "places in its tables are counted over the batch",
    ("MelSpectrogram", "onnx"): "ndonnx has no Fourier transforms",
    ("Sampling", "onnx"): "draws are of a known number of examples; export the encoder's mean",
}
"""Why a layer does not work in some or all of its cases: what is missing upstream, or what it requires."""

HEAD = """# Layers on ONNX and Dask arrays

Written by `python -m tests.export.table`; do not edit. The cases are those of the tests on every backend
(`tests/layers`). ONNX: exported once with a dynamic batch size, the layer's results are reproduced by onnxruntime for
batches of 1, 2 and 6 examples. Dask: called on Dask arrays, the layer returns Dask arrays lazily (`model.predict(x)` on
Dask arrays works for every layer).

| Layer | ONNX | Dask |
|---|---|---|
"""


def gaps(facts: dict[str, list[dict[str, str | None]]]) -> list[str]:
    """Failures that the tables above do not explain, and explanations that are out of date."""
    result = []
    for name in names():
        cases = facts.get(AS.get(name, name), [])
        if bool(cases) == (name in NO_CASE):
            result.append(f"{name} has no case in tests/layers, or one, and NO_CASE does not say so")
        for column in COLUMNS:
            errors = [str(case[column]) for case in cases if case[column] is not None]
            if bool(errors) != ((name, column) in REASONS):
                result.append(f"{name} on {column}: {errors or 'works, so REASONS is out of date'}")
    return result


def names() -> list[str]:
    """The public layers."""
    return sorted(coverage.blocks(next(room for room in coverage.ROOMS if room.name == "layers")))


def table() -> str:
    """The text of the file."""
    rows = []
    for name in names():
        cells = [NO_CASE.get(name) or REASONS.get((name, column), "yes") for column in COLUMNS]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    unexplained = gaps(find_facts())
    print("\n".join(unexplained))
    if not unexplained:
        TABLE.write_text(table())
