"""Which blocks are tested on every backend, and which against an independent library.

`python -m tests.oracles.coverage` writes the table docs/coverage.md; tests/test_coverage.py fails if a block has
neither a test nor a reason below. A test counts for a block if its module names the block: as `layers.Dense`, by an
import from `portanet.layers`, or as a string such as `"Dense"`.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pathlib

TESTS = pathlib.Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "coverage.md"


@dataclasses.dataclass(frozen=True)
class Room:
    """Blocks of one kind, and their test modules (patterns under tests/)."""

    name: str
    title: str
    matrix: tuple[str, ...]
    oracles: tuple[str, ...]


ROOMS = (
    Room(
        "layers",
        "Layers",
        ("layers/test_*.py",),
        (
            "oracles/test_small_layers.py",
            "oracles/test_recurrent.py",
            "oracles/test_attention*.py",
            "oracles/test_augmentation.py",
            "oracles/test_convolution*.py",
            "oracles/test_pooling*.py",
            "oracles/test_normalization*.py",
            "oracles/test_activation_layers.py",
            "oracles/test_regularization.py",
            "oracles/test_conv_lstm.py",
            "oracles/test_einsum_dense.py",
            "oracles/test_spectrograms.py",
            "oracles/test_image_sizes.py",
            "oracles/test_training.py",
        ),
    ),
    Room("activations", "Activations", ("activations/test_*.py",), ("oracles/test_activation*.py",)),
    Room("initializers", "Initialisers", ("initializers/test_*.py",), ("oracles/test_initializers.py",)),
    Room(
        "losses",
        "Losses",
        ("losses/test_*.py", "oracles/test_loss_functions.py"),
        ("oracles/test_losses.py", "oracles/test_loss_functions.py"),
    ),
    Room(
        "metrics",
        "Metrics",
        ("metrics/test_*.py", "oracles/test_loss_functions.py"),
        ("oracles/test_metrics.py", "oracles/test_loss_functions.py"),
    ),
    Room(
        "optimizers",
        "Optimizers",
        ("optimizers/test_*.py",),
        ("oracles/test_optimizers.py", "oracles/test_mixed_precision.py"),
    ),
    Room("schedules", "Schedules", ("schedules/test_*.py",), ("oracles/test_schedules.py",)),
    Room("regularizers", "Regularisers", ("test_regularizers.py",), ("oracles/test_regularization.py",)),
    Room("constraints", "Constraints", ("test_constraints.py",), ("oracles/test_regularization.py",)),
)

HELPERS = {
    "layers": {
        *("Layer", "Input", "InputSpec", "RandomLayer", "RecurrentCell", "Wrapper"),
        *("add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"),
    },
    "initializers": {"Initializer", "fans"},
    "losses": {"Loss", "FunctionLoss", "class_weights"},
    "metrics": {"Metric", "FunctionMetric", "MeanMetric"},
    "optimizers": {"Optimizer", "OptimizerMap", "Result", "Root", "schedules"},
    "schedules": {"LearningRateSchedule", "Hyperparameter", "plot"},
    "regularizers": {"Regularizer"},
    "constraints": {"Constraint"},
}
"""Public names that are not blocks: parts of blocks, and functions that look them up or describe them."""

NO_MATRIX: dict[str, str] = {
    "layers.JordanCell": "as layers.JordanRNN, which runs it",
}
"""Blocks that need not be tested on every backend, and why."""

_STRINGS = "Keras's needs TensorFlow; values computed with it, in `layers/test_lookups.py`"
_DOCUMENTS = "no counterpart; its values are those of the documents, in "
NO_ORACLE: dict[str, str] = {
    "layers.ContractiveRegularization": "no counterpart; against the Jacobian, in `layers/test_regularization.py`",
    "layers.Discretization": "Keras's needs TensorFlow; quantiles, in `layers/test_preprocessing.py`",
    "layers.Elliot": f"{_DOCUMENTS}`layers/test_activation.py`",
    "layers.HashedCrossing": _STRINGS,
    "layers.Hashing": _STRINGS,
    "layers.InputLayer": "it computes nothing",
    "layers.IntegerLookup": _STRINGS,
    "layers.JordanCell": "as layers.JordanRNN, which runs it",
    "layers.JordanRNN": "no counterpart; against its formula, in `layers/test_recurrent.py`",
    "layers.PositionEmbedding": "no counterpart in Keras itself; adds a weight, see `layers/test_attention.py`",
    "layers.RandomGrayscale": "random: at a fixed factor by its formula, in `layers/test_color_augmentation.py`",
    "layers.RandomInvert": "random: at a fixed factor by its formula, in `layers/test_color_augmentation.py`",
    "layers.RandomPosterization": "random: at a fixed factor by its formula, in `layers/test_color_augmentation.py`",
    "layers.Pipeline": "it computes nothing itself",
    "layers.AugMix": "random: against chains of its layers, in `layers/test_sequences_of_augmentations.py`",
    "layers.RandAugment": "random: against its layers, in `layers/test_sequences_of_augmentations.py`",
    "layers.RandomElasticTransform": "random: smooth shifts, in `layers/test_mixed_images.py`",
    "layers.RandomCrop": "random: against slices of the image, in `layers/test_augmentation.py`",
    "layers.RandomFlip": "random: against NumPy's flip, in `layers/test_augmentation.py`",
    "layers.ReversibleEmbedding": "its scores against Keras, in `layers/test_reversible_embedding.py`",
    "layers.RotaryEmbedding": "no counterpart in Keras itself; against its formula, in `layers/test_attention.py`",
    "layers.Sampling": "random: its mean, spread and slopes, in `layers/test_sampling.py`",
    "layers.SpatialDropout2D": "as SpatialDropout1D, with another shape of mask",
    "layers.SpatialDropout3D": "as SpatialDropout1D, with another shape of mask",
    "layers.StringLookup": _STRINGS,
    "layers.TextVectorization": _STRINGS,
    "activations.elliot": f"{_DOCUMENTS}`activations/test_activations.py`",
    "activations.maxout": "as layers.Maxout",
    "activations.scaled_tanh": f"{_DOCUMENTS}`activations/test_activations.py`",
    "activations.sign": f"{_DOCUMENTS}`activations/test_activations.py`",
    "activations.step": f"{_DOCUMENTS}`activations/test_activations.py`",
    "activations.symmetric_elliot": f"{_DOCUMENTS}`activations/test_activations.py`",
    "activations.tanh_linear": f"{_DOCUMENTS}`activations/test_activations.py`",
    "initializers.FanIn": "no counterpart; its spread, in `initializers/test_initializers.py`",
    "initializers.lsuv": "no counterpart; the variance that it is for, in `initializers/test_lsuv.py`",
    "initializers.SVD": "no counterpart; its orthonormal columns, in `initializers/test_initializers.py`",
    "initializers.Sparse": "no counterpart in Keras; its zeros and spread, in `initializers/test_initializers.py`",
    "losses.Contrastive": "no counterpart; finite differences and values, in `losses/test_losses.py`",
    "losses.HellingerDistance": f"{_DOCUMENTS}`losses/test_losses.py`",
    "losses.Triplet": "the mining of triplets; the loss of one is compared as losses.triplet",
    "metrics.Sum": "NumPy's sum, in `metrics/test_metrics.py`",
    "optimizers.ESGD": "no counterpart; its update by hand, in `optimizers/test_options.py`",
    "optimizers.MultiOptimizer": "against its optimizers alone, in `optimizers/test_multi_optimizer.py`",
    "optimizers.Lookahead": "no counterpart; its update by hand, in `optimizers/test_options.py`",
    "optimizers.bisect": "SciPy's, in `optimizers/test_roots.py`",
    "optimizers.newton": "SciPy's, in `optimizers/test_roots.py`",
    "optimizers.descend": "against `update` step by step, in `optimizers/test_descend.py`",
    "optimizers.minimize": "known minima, in `optimizers/test_minimize.py`",
    "schedules.Constant": "it is a number",
    "schedules.PowerDecay": "no counterpart; its formula, in `schedules/test_schedules.py`",
    "schedules.Product": "built of others; in `schedules/test_schedules.py`",
    "schedules.Sequential": "built of others; in `schedules/test_schedules.py`",
    "regularizers.contractive": "no counterpart; against the Jacobian, in `test_regularizers.py`",
}
"""Blocks without a counterpart in other libraries, and what they are tested against instead."""


def blocks(room: Room) -> list[str]:
    """The public blocks of one kind."""
    module = importlib.import_module(f"portanet.{room.name}")
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__
    ]
    skipped = HELPERS.get(room.name, set()) | {"get", "serialize", "deserialize"}
    callables = {name for name in names if callable(getattr(module, name)) and not name.startswith("_")}
    callables -= {name for name in names if getattr(getattr(module, name), "__name__", name) != name}  # other names
    return sorted(callables - skipped, key=lambda name: (name.lower(), name))


def modules(patterns: tuple[str, ...]) -> list[pathlib.Path]:
    """The test modules that match."""
    return sorted(path for pattern in patterns for path in TESTS.glob(pattern))


def named_in(path: pathlib.Path, room: str) -> set[str]:
    """Names of blocks of one kind in a test module."""
    tree = ast.parse(path.read_text())
    result: set[str] = set()
    for node in ast.walk(tree):
        owner = getattr(node, "value", None) if isinstance(node, ast.Attribute) else None
        # `module` is the name in tests for a package of either library, to create the same block from both.
        if isinstance(node, ast.Attribute) and getattr(owner, "attr", getattr(owner, "id", "")) in (room, "module"):
            result.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"portanet.{room}"):
            result |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            result.add(node.value.partition(",")[0])
    return result


def on_every_backend(path: pathlib.Path) -> bool:
    """Whether a module has tests that take the fixture `backend` or `xp`."""
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    return any(argument.arg in ("backend", "xp") for function in functions for argument in function.args.args)


@dataclasses.dataclass(frozen=True)
class Row:
    """The tests of one block, or reasons why there are none."""

    block: str
    matrix: str
    oracle: str

    @property
    def gaps(self) -> list[str]:
        """What has neither a test nor a reason."""
        kinds = {"a test on every backend": self.matrix, "an oracle": self.oracle}
        return [f"{self.block} has neither {kind} nor a reason" for kind, result in kinds.items() if not result]


def rows(room: Room) -> list[Row]:
    """One row for each block of one kind."""
    matrix = {path: named_in(path, room.name) for path in modules(room.matrix) if on_every_backend(path)}
    for names in matrix.values():
        if names & {room.name.upper(), "__all__"}:  # tests that iterate over all blocks of the kind
            names.update(blocks(room))
    oracles = {path: named_in(path, room.name) for path in modules(room.oracles)}
    result = []
    for name in blocks(room):
        block = f"{room.name}.{name}"
        cells = []
        for tests, reasons in ((matrix, NO_MATRIX), (oracles, NO_ORACLE)):
            places = [path.relative_to(TESTS).as_posix() for path, names in tests.items() if name in names]
            cells.append(", ".join(f"`{place}`" for place in places) or reasons.get(block, ""))
        result.append(Row(block, *cells))
    return result


def stale_reasons() -> list[str]:
    """Reasons for blocks that do not exist, or that do have the test."""
    stale = []
    known = {row.block: row for room in ROOMS for row in rows(room)}
    for kind, reasons in (("matrix", NO_MATRIX), ("oracle", NO_ORACLE)):
        for block, reason in reasons.items():
            if block not in known:
                stale.append(f"{block} does not exist; drop its reason ({kind})")
            elif getattr(known[block], kind) != reason:
                stale.append(f"{block} has a test; drop its reason ({kind})")
    return stale


def table() -> str:
    """The page docs/coverage.md."""
    lines = [
        "# What is tested, and against what",
        "",
        "Written by `python -m tests.oracles.coverage`; do not edit. Every block has a test that runs on every",
        "backend, and one that compares it with Keras, PyTorch, SciPy or scikit-learn; or a reason why not.",
        "Paths are under `tests/`.",
    ]
    for room in ROOMS:
        result = rows(room)
        lines += [
            "",
            f"## {room.title} ({len(result)})",
            "",
            "| Block | On every backend | Against an oracle |",
            "|---|---|---|",
        ]
        lines += [f"| `{row.block.partition('.')[2]}` | {row.matrix} | {row.oracle} |" for row in result]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table())
