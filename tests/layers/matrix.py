"""The test that every layer passes, on every backend: `check_layer(make, input_shape, ...)`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import portanet
from portanet.autodiff import array_namespace, lift, value_and_grad
from portanet.backends import Array, device_of, get_backend, use_backend
from portanet.layers import Layer
from portanet.mixed_precision import set_global_policy
from portanet.random.streams import part_of_batch
from portanet.training.step import keeps_examples_apart
from portanet.tree import tree_items, tree_leaves, tree_map
from portanet.variables import bind, collect_losses
from tests.layers.batched import check_batched
from tests.saving.through import from_file
from tests.support import no_float64

Make = Callable[[], Layer]
Inputs = Callable[[np.random.Generator], Any]

instead: Callable[[Case], Any] | None = None
"""Called by `check_layer` with its case in place of the checks, so that other tests get the cases of all layers."""


def check_layer(
    make: Make,
    input_shape: Any,
    output_shape: Any = None,
    weights: dict[str, tuple[int, ...]] | None = None,
    *,
    inputs: Inputs | None = None,
    training: bool = False,
    output_dtype: str = "float32",
    gradient: bool = True,
    trains: bool = True,
    unchanged: Sequence[str] = (),
    rtol: float = 1e-4,
    atol: float = 1e-5,
) -> None:
    """Check a layer on the current backend (take the fixture `backend` or `xp`).

    Checks the shape of the result, and that `compute_output_shape` predicts it, with the batch size known and unknown;
    names and shapes of the weights; that float32 stays float32 (on array-api-strict, in every intermediate array), and
    that with the policy mixed_float16 the result is float16, weights and their gradients float32 and all values finite
    (not on JAX, which would compile everything again); that the results are those of the NumPy backend for the same
    seed; that the layer restored from its config computes the same with the same weights, as does a deep copy; the
    gradients with respect to inputs and weights, along a random direction, in float64, against finite differences; and
    that a (compiled) step along the negative gradient changes the weights and lowers the loss.

    Args:
        make: Creates the layer, not yet built, such as `lambda: layers.Dense(4)`.
        input_shape: Shape of the input with the batch axis; a list of shapes for layers that take several arrays.
        output_shape: Shape of the result, or a list of shapes.
        weights: Shapes of the weights by path, such as `{"kernel": (3, 4), "bias": (4,)}`; `{}` for none; None to skip
            the check.
        inputs: Draws inputs in place of standard normal ones: a function of a NumPy generator that returns NumPy
            arrays (int32 for integers) in the structure of `input_shape`.
        training: The mode in which results and gradients are compared; the gradient step always uses training mode.
        output_dtype: Dtype of the result for float32 inputs.
        gradient: Whether the layer has derivatives to check.
        trains: Whether a gradient step should lower the loss, for layers with weights.
        unchanged: Paths of trainable weights that one step may leave unchanged (their gradient is 0).
        rtol: Relative tolerance of the comparison with NumPy, in float32.
        atol: Absolute tolerance of the same.
    """
    case = Case(make, input_shape, inputs, training, gradient)
    if instead is not None:
        instead(case)
        return
    _check_result(case, output_shape, output_dtype)
    if hasattr(get_backend().xp, "float16") and get_backend().name != "jax":
        _check_half_precision(case, output_dtype, gradient)
    if weights is not None:
        _check_weights(case, weights)
    _check_against_numpy(case, rtol, atol)
    _check_config(case)
    _check_copy(case)
    _check_empty_batch(case)
    if get_backend().name == "numpy":
        _check_parts(case)
        _check_plan(case)
        _check_scales(case)
        check_batched(case)
    if gradient:
        _check_gradients(case)
        if trains:
            _check_training(case, unchanged)


class Case:
    """A layer to check, with its inputs on the host."""

    def __init__(self, make: Make, input_shape: Any, inputs: Inputs | None, training: bool, gradient: bool) -> None:
        generator = np.random.default_rng(7)
        self.make, self.input_shape, self.training, self.gradient = make, input_shape, training, gradient
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        drawn = [generator.standard_normal(shape) for shape in shapes]
        self.host = (drawn if isinstance(input_shape, list) else drawn[0]) if inputs is None else inputs(generator)

    def inputs(self) -> Any:
        """The inputs on the current backend; floats in its dtype."""
        return tree_map(portanet.asarray, self.host)

    def built(self, layer: Layer | None = None) -> Layer:
        """The layer, built on the current backend, from the same seed each time."""
        portanet.random.set_seed(3)
        layer = layer or self.make()
        layer.build(self.input_shape)
        assert layer.built, f"{type(layer).__name__}.build must call super().build or be called through Layer"
        return layer

    def result(self, layer: Layer) -> Any:
        return layer(self.inputs(), training=self.training)


def _shapes(tree: Any) -> list[tuple[int, ...]]:
    return [tuple(leaf.shape) for leaf in tree_leaves(tree)]


def _as_shapes(shape: Any) -> list[tuple[int | None, ...]]:
    """One shape or several, as a list."""
    several = isinstance(shape, list) or (isinstance(shape, tuple) and any(isinstance(n, (tuple, list)) for n in shape))
    return [tuple(each) for each in shape] if several else [tuple(shape)]


def _check_result(case: Case, output_shape: Any, output_dtype: str) -> None:
    backend = get_backend()
    with no_float64():
        layer = case.built()
        result = case.result(layer)
    actual = _shapes(result)
    if output_shape is not None:
        assert actual == _as_shapes(output_shape), f"expected shape {output_shape}, got {actual}"
    told = _as_shapes(layer.compute_output_shape(case.input_shape))
    assert told == actual, f"compute_output_shape says {told}, the result has {actual}"
    open_batch = _each_shape(lambda shape: (None, *shape[1:]), case.input_shape)
    told = _as_shapes(layer.compute_output_shape(open_batch))
    assert [len(s) for s in told] == [len(s) for s in actual], f"compute_output_shape({open_batch}) gives {told}"
    assert all(t is None or t == n for s, f in zip(told, actual, strict=True) for t, n in zip(s, f, strict=True))
    for leaf in tree_leaves(result):
        assert backend.owns(leaf), f"expected an array of {backend.name}, got {type(leaf)}"
        assert device_of(leaf) == backend.device
    first = tree_leaves(result)[0]
    assert backend.dtype_name(first.dtype) == output_dtype, f"float32 in, {first.dtype} out"


def _check_half_precision(case: Case, output_dtype: str, gradient: bool) -> None:
    backend = get_backend()
    xp = backend.xp
    set_global_policy("mixed_float16")
    try:
        layer = case.built()
        actual = [leaf for leaf in tree_leaves(case.result(layer)) if _is_float(leaf)]
        probe = Probe(case, case.training, lambda xp, y, c: xp.mean(xp.astype(y, xp.float32) * c))
        slopes = probe.value_and_slopes(0)(*probe.points)[1] if gradient and probe.points[0] else {}
    finally:
        set_global_policy(None)
    if output_dtype == "float32":
        assert all(leaf.dtype == xp.float16 for leaf in actual), f"mixed_float16 gives {[x.dtype for x in actual]}"
    for path, slope in slopes.items():
        assert slope.dtype == xp.float32, f"gradient of {path} has dtype {slope.dtype} under mixed_float16"
        assert bool(xp.all(xp.isfinite(slope))), f"gradient of {path} is not finite under mixed_float16"
    for path, variable in layer.named_variables().items():
        assert not _is_float(variable.value) or variable.dtype == xp.float32, f"{path} has dtype {variable.dtype}"
    assert all(bool(xp.all(xp.isfinite(leaf))) for leaf in actual), "not finite under mixed_float16"


def _each_shape(change: Callable[[Any], Any], shape: Any) -> Any:
    """Apply a function to one shape or to each of a list."""
    return [change(each) for each in shape] if isinstance(shape, list) else change(shape)


def _check_weights(case: Case, weights: dict[str, tuple[int, ...]]) -> None:
    layer = case.built()
    actual = {path: v.shape for path, v in layer.named_variables().items() if not v.counter}
    assert actual == weights, f"expected weights {weights}, got {actual}"
    assert layer.count_params() == sum(int(np.prod(shape)) for shape in weights.values())


def _check_against_numpy(case: Case, rtol: float, atol: float) -> None:
    backend = get_backend()
    layer = case.built()
    actual = [backend.to_host(leaf) for leaf in tree_leaves(case.result(layer))]
    drawn = layer.get_weights()
    with use_backend("numpy"):
        twin = case.built()
        expected = [np.asarray(leaf) for leaf in tree_leaves(case.result(twin))]
        for ours, theirs in zip(drawn, twin.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg="weights differ from NumPy's")
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg="results differ from NumPy's")


def _check_config(case: Case) -> None:
    backend = get_backend()
    layer = case.built()
    twin = case.built(from_file(layer))
    assert twin.name == layer.name
    assert list(twin.named_variables()) == list(layer.named_variables())
    twin.set_weights(layer.get_weights())
    for ours, theirs in zip(tree_leaves(case.result(layer)), tree_leaves(case.result(twin)), strict=True):
        np.testing.assert_array_equal(backend.to_host(ours), backend.to_host(theirs), err_msg="lost in get_config()")


def _check_copy(case: Case) -> None:
    backend = get_backend()
    layer = case.built()
    twin = copy.deepcopy(layer)
    assert not set(layer.variables) & set(twin.variables)
    for ours, theirs in zip(tree_leaves(case.result(layer)), tree_leaves(case.result(twin)), strict=True):
        np.testing.assert_array_equal(backend.to_host(ours), backend.to_host(theirs), err_msg="lost in a copy")


def _check_empty_batch(case: Case) -> None:
    """An empty batch gives an empty result, without division by zero."""
    layer, x = case.built(), case.inputs()
    expected = [(0, *leaf.shape[1:]) for leaf in tree_leaves(layer(x, training=False))]
    actual = layer(tree_map(lambda leaf: leaf[:0, ...], x), training=False)
    assert _shapes(actual) == expected


def _check_parts(case: Case) -> None:
    """A layer with independent examples computes the same for parts of a batch, also in training."""
    layer = case.built()
    if not keeps_examples_apart(layer):
        return
    x = tree_map(lambda leaf: portanet.asarray(np.take(leaf, np.arange(5) % len(leaf), axis=0)), case.host)

    def result(part: slice) -> list[Any]:
        with bind({v: v.value for v in layer.variables}), part_of_batch(part):
            return tree_leaves(layer(tree_map(lambda leaf: leaf[part], x), training=True))

    with collect_losses() as added:
        whole, *parts = (result(part) for part in (slice(0, 5), slice(0, 2), slice(2, 5)))
    assert not added, "it adds to the loss, and says that examples are kept apart"
    for expected, *actual in zip(whole, *parts, strict=True):
        np.testing.assert_allclose(np.concatenate(actual), expected, rtol=1e-5, atol=1e-6, err_msg="examples meet")


def _check_plan(case: Case) -> None:
    """A plan for calls of the layer, if it gets one, has the bits of ordinary Python."""
    x, layer = case.inputs(), case.built()
    start = tree_map(lambda leaf: portanet.Input(leaf.shape[1:], dtype=str(leaf.dtype)), x)
    model = portanet.Model(start, layer(start))
    for number in range(5):
        given = tree_map(lambda leaf, by=1 + number / 4: leaf * leaf.dtype.type(by) if _is_float(leaf) else leaf, x)
        results = tree_leaves(model(given))
        if has_plan(model):
            expected = tree_leaves(Layer.__call__(model, given))
            for a, b in zip(results, expected, strict=True):
                assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def has_plan(model: Any) -> bool:
    """Whether calls of a model have a plan, with results that were compared with those of ordinary Python."""
    known = [] if model._calls is None else model._calls.known.values()
    return any(getattr(each, "checked", False) for each in known)


def _check_scales(case: Case) -> None:
    """An example's result does not depend on the others, however much larger these are; they may overflow."""
    same, two = (tree_map(lambda leaf: np.take(leaf, [0, 0], axis=0), case.host) for _ in range(2))
    for leaf in tree_leaves(two):
        if np.issubdtype(leaf.dtype, np.floating):
            leaf[1] *= 1e4
    with np.errstate(over="ignore"):
        expected, actual = (case.built()(tree_map(portanet.asarray, x), training=False) for x in (same, two))
    for alone, beside in zip(tree_leaves(expected), tree_leaves(actual), strict=True):
        np.testing.assert_allclose(beside[0], alone[0], rtol=1e-5, atol=1e-6, err_msg="a large example spoils another")


def _check_gradients(case: Case) -> None:
    probe = Probe(case, case.training, lambda xp, y, c: xp.sum(y * c))
    if not probe.points[0] and not probe.points[1]:
        return
    backend = get_backend()
    with no_float64():
        slopes = backend.compile(probe.value_and_slopes((0, 1)))(*probe.points)[1]
    for path, slope in tree_items(slopes):
        assert str(slope.dtype).endswith("float32"), f"gradient of {path} has dtype {slope.dtype}"
    with use_backend(backend.name, backend.device, "float64") as exact:
        probe = Probe(case, case.training, lambda xp, y, c: xp.sum(y * c))
        value = exact.compile(probe.value)
        actual = exact.compile(probe.value_and_slopes((0, 1)))(*probe.points)[1]
        for place, name in enumerate(("weights", "inputs")):
            if probe.points[place]:
                _check_direction(value, probe.points, place, actual[place], name)


def _check_direction(value: Callable[..., Any], points: list[Any], place: int, slopes: Any, name: str) -> None:
    """Compare a derivative along a random direction with finite differences of the fourth order."""
    generator = np.random.default_rng(13)
    point = {path: portanet.to_host(v) for path, v in points[place].items()}
    direction = {path: generator.standard_normal(v.shape) for path, v in point.items()}
    along = sum(float(np.sum(portanet.to_host(slopes[path]) * direction[path])) for path in point)

    def at(step: float) -> float:
        moved = {path: portanet.asarray(v + step * direction[path]) for path, v in point.items()}
        return float(portanet.to_host(value(*points[:place], moved, *points[place + 1 :])))

    h = 1e-4
    expected = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    scale = max(1.0, *(float(np.abs(portanet.to_host(s)).max(initial=0.0)) for s in slopes.values()))
    assert abs(along - expected) < 1e-6 * scale, f"derivative by the {name}: {along}, by finite differences {expected}"


def _check_training(case: Case, unchanged: Sequence[str]) -> None:
    probe = Probe(case, True, mean_square)
    params, *rest = probe.points
    if not params:
        return
    loss = get_backend().compile(probe.value_and_slopes(0))
    value, slopes = loss(params, *rest)
    for path, slope in slopes.items():
        moves = bool(np.any(portanet.to_host(slope) != 0))
        assert moves or path in unchanged, f"training does not change weight '{path}'"
    lower = []
    for rate in (1e-1, 1e-2, 1e-3, 1e-4):
        stepped = {
            p: portanet.asarray(portanet.to_host(v) - rate * portanet.to_host(slopes[p])) for p, v in params.items()
        }
        lower.append(float(portanet.to_host(loss(stepped, *rest)[0])))
    before = float(portanet.to_host(value))
    assert min(lower) < before, f"no step down the gradient lowers the loss {before}: {lower}"


def _as_float(y: Array, like: Array) -> Array:
    return array_namespace(y).astype(y, like.dtype)


class Probe:
    """A layer as a pure function `value(weights, inputs, others, state)`, a number that depends on all output elements.

    All four are dicts of arrays: trained weights by path, floating-point inputs and other inputs by position, and
    state by path; `points` are those of the layer as built.
    """

    def __init__(self, case: Case, training: bool, term: Callable[[Any, Array, Array], Array]) -> None:
        self.layer, self.training, self.term = case.built(), training, term
        self.several_inputs = isinstance(case.input_shape, list)
        self.variables = self.layer.named_variables()
        trained = set(self.layer.trainable_paths())
        inputs = case.inputs()
        places = {f"{i:02}": x for i, x in enumerate(inputs if self.several_inputs else [inputs])}
        self.points: list[dict[str, Array]] = [
            {p: v.value for p, v in self.variables.items() if p in trained},
            {p: x for p, x in places.items() if _is_float(x)},
            {p: x for p, x in places.items() if not _is_float(x)},
            {p: v.value for p, v in self.variables.items() if p not in trained},
        ]
        generator = np.random.default_rng(11)
        shapes = _as_shapes(self.layer.compute_output_shape(case.input_shape))
        self.constants = [portanet.asarray(generator.standard_normal(shape)) for shape in shapes]

    def value(self, weights: Any, inputs: Any, others: Any, state: Any) -> Array:
        x = [each for _, each in sorted((*inputs.items(), *others.items()))]
        with bind({self.variables[p]: v for p, v in (*weights.items(), *state.items())}):
            result = self.layer(x if self.several_inputs else x[0], training=self.training)
        pairs = zip(tree_leaves(result), self.constants, strict=True)
        terms = [self.term(array_namespace(y, c), y if _is_float(y) else _as_float(y, c), c) for y, c in pairs]
        return sum(terms[1:], terms[0])

    def value_and_slopes(self, places: Any) -> Callable[..., Any]:
        """`value` with its gradient by weights (0), inputs (1) or both; as in the training step, state is not an
        argument of the differentiated function.
        """

        def both(weights: Any, inputs: Any, others: Any, state: Any) -> Any:
            lifted = {place: lift(x) for place, x in others.items()}
            return value_and_grad(lambda w, x: self.value(w, x, lifted, state), places)(weights, inputs)

        return both


def mean_square(xp: Any, y: Array, c: Array) -> Array:
    """A loss in place of the weighted sum of `Probe`: the distance of the results from a target."""
    return xp.mean((y - c) ** 2)


def _is_float(x: Array) -> bool:
    return bool(array_namespace(x).isdtype(x.dtype, "real floating"))
