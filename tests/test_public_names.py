"""No public name is lost, and calls that worked still mean the same: tests/data/public_names.txt lists names with
arguments, one per line.

`python -m tests.test_public_names` adds new names, and new arguments of old names. Names that were removed or changed
on purpose stay in the list, with the reason in `CHANGED`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

LISTED = pathlib.Path(__file__).parent / "data" / "public_names.txt"
ROOMS = """
    activations autodiff backends callbacks constraints datasets estimators export initializers layers losses metrics
    backend config dtype_policies tree plot
    mixed_precision models ops optimizers preprocessing random regularizers saving schedules training utils wrappers
    compat.numpydl compat.numpydl.activations compat.numpydl.initializations compat.numpydl.layers
    compat.numpydl.model compat.numpydl.objectives compat.numpydl.optimizers compat.numpydl.utils random.streams
    autodiff.linalg autodiff.special applications applications.imagenet_utils
"""
MODULES = ["portanet", *(f"portanet.{name}" for name in ROOMS.split())]
METHODS = {  # that users call or override: Keras's, and those named in docs/
    "portanet.callbacks.Callback": (
        "get_state note on_epoch_begin on_epoch_end on_predict_batch_begin on_predict_batch_end on_predict_begin "
        "on_predict_end on_test_batch_begin on_test_batch_end on_test_begin on_test_end on_train_batch_begin "
        "on_train_batch_end on_train_begin on_train_end set_model set_params set_state"
    ),
    "portanet.layers.Layer": (
        "add_loss add_variable add_weight build build_from_config call compute_dtype dtype get_build_config losses "
        "load_own_variables non_trainable_variables path save_own_variables stateless_call "
        "compute_mask compute_output_shape count_params dtype_policy "
        "from_config get_config get_weights input non_trainable_weights output set_weights to trainable "
        "trainable_weights variable_dtype variables weights"
    ),
    "portanet.losses.Loss": "call from_config get_config",
    "portanet.metrics.Metric": (
        "add_variable add_weight from_config get_config reset_state result statistics update_state"
    ),
    "portanet.models.Model": (
        "backend compile evaluate export fit from_config get_compile_config get_config get_layer inputs layers "
        "load_weights metrics metrics_names output_shape outputs predict predict_on_batch save save_weights summary "
        "test_on_batch train_on_batch"
    ),
    "portanet.models.Sequential": "add pop",
    "portanet.optimizers.Optimizer": "exclude_from_weight_decay from_config get_config init step update",
    "portanet.schedules.LearningRateSchedule": "value",
    "portanet.training.TrainingRun": "finish",
}
LOW_LEVEL = "was a draw of a layer's stream, and left the name to Keras's function"
REORDERED = """
    losses.BinaryCrossentropy losses.BinaryFocalCrossentropy losses.CategoricalCrossentropy
    losses.CategoricalFocalCrossentropy losses.CosineSimilarity losses.SparseCategoricalCrossentropy
    callbacks.CallbackList models.Model.summary models.plot_model utils.plot_model
    callbacks.BackupAndRestore callbacks.TensorBoard layers.Conv3DTranspose layers.MultiHeadAttention layers.RNN
    layers.Flatten layers.IntegerLookup layers.GRU layers.GRUCell layers.LSTM layers.LSTMCell
    layers.BatchNormalization losses.Loss losses.ctc layers.Bidirectional layers.RandomPosterization
    layers.MaxPool1D layers.MaxPool2D layers.MaxPool3D layers.MaxPooling1D layers.MaxPooling2D layers.MaxPooling3D
    metrics.AUC metrics.BinaryAccuracy metrics.BinaryCrossentropy metrics.CategoricalCrossentropy
    metrics.FalseNegatives metrics.FalsePositives metrics.IoU metrics.MeanIoU metrics.Metric
    metrics.SparseCategoricalCrossentropy metrics.TrueNegatives metrics.TruePositives models.Model.compile
    models.Model.load_weights ops.binary_crossentropy ops.crossentropy ops.sigmoid_crossentropy
    ops.one_hot ops.softmax_crossentropy saving.load_weights schedules.CosineDecay
    Sequential models.Sequential
"""
ORDER = "has arguments in the order of Keras, in which a call by position means the same"
FILES = """
    load_model models.Model.export models.Model.save models.Model.save_weights models.load_model models.save_model
    saving.load_model saving.save_model saving.save_weights
"""
FILEPATH = "names the file `filepath`, as Keras does"
CHANGED = {
    "portanet.models.Model.summary": ORDER,
    "portanet.models.Model.test_on_batch": "needs no targets for a model with a loss of its own",
    "portanet.models.Model.train_on_batch": "needs no targets for a model with a loss of its own",
    "portanet.backends.kernel": "was the seam by which a backend offered a faster version of a function",
    "portanet.random.bernoulli": LOW_LEVEL,
    "portanet.random.bits": LOW_LEVEL,
    "portanet.random.choice": LOW_LEVEL,
    "portanet.random.integers": LOW_LEVEL,
    "portanet.random.normal": LOW_LEVEL,
    "portanet.random.permutation": LOW_LEVEL,
    "portanet.random.truncated_normal": LOW_LEVEL,
    "portanet.random.uniform": LOW_LEVEL,
    "portanet.layers.Layer.add_loss": "names its argument as Keras does",
    "portanet.layers.Layer.compute_mask": "names its argument as Keras does",
    "portanet.layers.Layer.add_weight": "names weights itself, as Keras does, and asks for no shape",
    "portanet.Optimizer": "has `loss_scale_factor` where Keras has it",
    "portanet.optimizers.Optimizer": "has `loss_scale_factor` where Keras has it",
    "portanet.mixed_precision.require_numbers": "is a check of losses alone",
    "portanet.Input": "takes `batch_shape` in place of `shape`, as in Keras",
    "portanet.layers.Input": "takes `batch_shape` in place of `shape`, as in Keras",
    **{f"portanet.{name}": FILEPATH for name in FILES.split()},
    **{f"portanet.{name}": ORDER for name in REORDERED.split()},
}


def names_of(module: Any) -> list[str]:
    """`__all__`, or the names defined in a module without it."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    here = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return sorted(name for name in here if not name.startswith("_"))


def arguments(value: Any) -> str | None:
    """The signature of a class or function in Python's syntax, without annotations; None for other objects.

    A default whose repr cannot be evaluated (an object, a function) is shown as `...`.
    """
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return None
    try:
        signature = inspect.signature(value)
    except ValueError:  # a class whose base is written in C
        return None
    plain = [plainly(parameter) for parameter in signature.parameters.values()]
    text = str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return text.replace("Ellipsis", "...")


def plainly(parameter: inspect.Parameter) -> inspect.Parameter:
    parameter = parameter.replace(annotation=inspect.Parameter.empty)
    if parameter.default is inspect.Parameter.empty:
        return parameter
    try:
        ast.parse(repr(parameter.default), mode="eval")
    except SyntaxError:
        return parameter.replace(default=...)
    return parameter


def described() -> Iterator[str]:
    """A line for each current public name."""
    for place in MODULES:
        module = importlib.import_module(place)
        for name in names_of(module):
            value = getattr(module, name)
            yield f"{place}.{name}{arguments(value) or ''}"
            for method in METHODS.get(f"{place}.{name}", "").split():
                yield f"{place}.{name}.{method}{arguments(getattr(value, method)) or ''}"


def parameters(text: str) -> ast.arguments:
    function = ast.parse(f"def f{text}: pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.args


def defaults(args: ast.arguments) -> dict[str, str]:
    """Names of all parameters that can be passed by position or name, with defaults (empty if there is none)."""
    positional = [argument.arg for argument in args.posonlyargs + args.args]
    values = [""] * (len(positional) - len(args.defaults)) + [ast.unparse(value) for value in args.defaults]
    by_name = ["" if value is None else ast.unparse(value) for value in args.kw_defaults]
    return dict(zip(positional, values, strict=True)) | {
        argument.arg: value for argument, value in zip(args.kwonlyargs, by_name, strict=True)
    }


def differences(old: str, new: str) -> list[str]:
    """Why calls valid for `old` would fail or mean something else with `new`."""
    before, after = parameters(old), parameters(new)
    place = [argument.arg for argument in before.posonlyargs + before.args]
    now = [argument.arg for argument in after.posonlyargs + after.args]
    wrong = [] if now[: len(place)] == place else [f"by position {place}, now {now}"]
    by_name = {argument.arg for argument in before.args + before.kwonlyargs}
    lost = by_name - {argument.arg for argument in after.args + after.kwonlyargs}
    wrong += [f"by name no longer: {sorted(lost)}"] if lost else []
    values, values_now = defaults(before), defaults(after)
    wrong += [
        f"default of {name}: {value or 'none'}, now {values_now[name] or 'none'}"
        for name, value in values.items()
        if name in values_now and value != values_now[name]
    ]
    wrong += [f"needed: {name}" for name, value in values_now.items() if name not in values and not value]
    wrong += ["*args"] if before.vararg and not after.vararg else []
    return wrong + (["**options"] if before.kwarg and not after.kwarg else [])


@pytest.mark.parametrize("place", MODULES)
def test_public_names_are_there_with_their_arguments(place: str) -> None:
    if place in ("portanet.estimators", "portanet.wrappers"):
        pytest.importorskip("sklearn")
    lines = [line for line in LISTED.read_text().splitlines() if home(line) == place]
    assert lines
    complaints = {line.partition("(")[0]: complaint(line, place) for line in lines}
    assert {name: text for name, text in complaints.items() if text and name not in CHANGED} == {}
    assert {name for name, text in complaints.items() if not text and name in CHANGED} == set()


def test_the_list_has_every_public_name() -> None:
    pytest.importorskip("sklearn")
    lines = LISTED.read_text().splitlines()
    assert set(updated(lines)) - set(lines) == set(), "Type: python -m tests.test_public_names"


def complaint(line: str, place: str) -> str:
    """The problem with a name of the list; empty if there is none."""
    name, bracket, rest = line.partition("(")
    value: Any = importlib.import_module(place)
    try:
        for part in name.removeprefix(f"{place}.").split("."):
            value = getattr(value, part)
    except AttributeError:
        return "is gone"
    return "; ".join(differences(bracket + rest, arguments(value) or "()")) if bracket else ""


def updated(lines: list[str]) -> list[str]:
    """The list updated to the current names; lines that no longer hold are kept unchanged."""
    listed = {line.partition("(")[0]: line for line in lines}
    for line in described():
        name = line.partition("(")[0]
        if name not in listed or not complaint(listed[name], home(line)):
            listed[name] = line
    return sorted(listed.values())


def home(line: str) -> str:
    """The module of a line of the list."""
    name = line.partition("(")[0]
    return max((place for place in MODULES if name.startswith(place + ".")), key=len)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("(a, b=1)", "(a, b=1, c=2, *, d=3)", ""),
        ("(a, *, b=1)", "(a, b=1)", ""),
        ("(a, /, b)", "(a, b, **options)", ""),
        ("(a, b)", "(b, a)", "by position"),
        ("(a, b=1)", "(a, *, b=1)", "by position"),
        ("(a, b=1)", "(a)", "by name no longer: ['b']"),
        ("(a, *, b=1)", "(a)", "by name no longer: ['b']"),
        ("(a)", "(a, /)", "by name no longer: ['a']"),
        ("(a=1)", "(a=2)", "default of a: 1, now 2"),
        ("(a=1)", "(a)", "default of a: 1, now none"),
        ("(a)", "(a, b)", "needed: b"),
        ("(a)", "(a, *, b)", "needed: b"),
        ("(*args)", "()", "*args"),
        ("(**options)", "(a=1)", "**options"),
    ],
)
def test_what_would_break_a_call_is_noticed(old: str, new: str, expected: str) -> None:
    assert expected in "; ".join(differences(old, new))
    assert bool(expected) == bool(differences(old, new))


if __name__ == "__main__":
    LISTED.write_text("\n".join(updated(LISTED.read_text().splitlines())) + "\n")
