"""Calls of layers: training or inference, masks, the kind of arrays, and the layer of an error, by its name."""

from __future__ import annotations

import contextlib
import inspect
import warnings
import weakref
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from portanet.autodiff import unwrap
from portanet.backends import (
    Array,
    ForwardBackend,
    forward_backend_of,
    get_backend,
    is_dtype,
    is_of,
    raw_namespace,
    require_plain,
)
from portanet.configurable import is_of_user, overrides
from portanet.layers.foreign import foreign_array, from_host, is_data, library_name
from portanet.layers.several_inputs import mask_fits
from portanet.layers.symbolic import SymbolicArray, record
from portanet.lookup import snake_case
from portanet.masks import Masks, masks_of, remember, remembered
from portanet.mixed_precision import at_least_float32
from portanet.ops.conversion import on_host
from portanet.tree import tree_leaves, tree_map
from portanet.variables import Variable, add_loss, bind

if TYPE_CHECKING:
    from portanet.layers.base import Layer

Guest = type[ForwardBackend] | None
Elsewhere = Callable[["Layer", tuple[Any, ...], dict[str, Any]], Any]


class Caller(NamedTuple):
    """The calling layer: whether it is in training (None: nobody said so), whether its `call` passes masks on, and
    whether the outputs of layers in it have their penalties.
    """

    training: bool | None
    passes_masks: bool
    penalizes: bool = True


def callers(passes_masks: bool, penalizes: bool = True) -> dict[bool | None, Caller]:
    """The calling layer, by whether it is in training."""
    return {training: Caller(training, passes_masks, penalizes) for training in (None, False, True)}


calling: ContextVar[Caller | None] = ContextVar("portanet_calling_layer", default=None)
"""The calling layer; None outside of calls."""


def remember_output(layer: Layer, x: Any, out: Any, mask: Any) -> None:
    """Keep the mask of a layer's output, unless layers in it did."""
    masks = remembered.get()
    if masks is None or any(masks.find(leaf) is None for leaf in tree_leaves(out)):
        out_mask = output_mask(layer, x, out, mask)
        if out_mask is not None:
            remember(out, out_mask)


def output_mask(layer: Layer, x: Any, out: Any, mask: Any) -> Any:
    """The mask of a layer's output, given the input's; a list of masks for several outputs."""
    if layer._own_mask:
        return layer.compute_mask(x, mask)
    if isinstance(mask, (list, tuple)) and layer.supports_masking:  # as in Keras: the outputs' masks, in order
        outs = out if isinstance(out, (list, tuple)) else [out]
        pairs = zip(masks_of(mask, len(outs)), outs, strict=True)
        masks = [own if mask_fits(own, part) else None for own, part in pairs]
        return masks if outs is out else masks[0]
    if mask is None or not mask_fits(mask, out):
        return None
    if not layer.supports_masking:
        warnings.warn(
            f"Layer '{layer.name}' ({layer._kind}) drops the mask of its input: later layers and the loss "
            f"count masked steps. {layer._mask_remedy}",
            stacklevel=2,
        )
        return None
    return mask


def note_call(cls: Any, base: type) -> None:
    """Note, in a class of layers, what its `call` takes.

    Args:
        cls: The class.
        base: `Layer`.
    """
    parameters = inspect.signature(cls.call).parameters
    cls._takes_training = "training" in parameters
    several = cls.several_inputs if is_of_user(cls, "call") else None
    cls._takes_apart = tuple(parameters) if several is not None and several.takes_apart(parameters) else None
    cls._takes_mask = "mask" in parameters or any(name.endswith("_mask") for name in cls._takes_apart or ())
    cls._takes_one_array = next((p.annotation for p in [*parameters.values()][1:]), None) in ("Array", Array)
    cls.gives_mask = "return_mask" in parameters
    cls._own_mask = overrides(cls, base, "compute_mask")
    cls._computes = overrides(cls, base, "call")
    cls._tells_specs = overrides(cls, base, "compute_output_spec")
    cls._passes_masks = cls.__dict__.get("_passes_masks", cls.call.__module__.startswith("portanet."))
    default = parameters["training"].default if cls._takes_training else None
    cls._training_default = default if isinstance(default, bool) else None
    cls._callers = callers(cls._passes_masks, cls.__dict__.get("_penalizes", True))
    cls.independent_examples = cls.__dict__.get("independent_examples", False)


def call_apart(layer: Layer, x: list[Any], options: dict[str, Any]) -> Any:
    """The result of a `call` of a user's class that takes several arrays one by one."""
    args, named = layer.several_inputs.apart(x, options.pop("mask", None), layer._takes_apart)  # type: ignore[union-attr, arg-type]
    return layer.call(*args, **{**named, **options})


def call_with_mask(layer: Layer, x: Any, *further: Any, mask: Any, **options: Any) -> tuple[Any, Any]:
    """Call a layer with the masks of its inputs; return the output and its mask, a list for several outputs."""
    if layer.gives_mask:
        out, mask = layer(x, *further, mask=mask, return_mask=True, **options)
        return out, mask
    if layer._passes_masks:
        out = layer(x, *further, mask=mask if layer._masks_steps else None, **options)
        return out, None if mask is None and not layer._own_mask else output_mask(layer, x, out, mask)
    masks = Masks()
    token = remembered.set(masks)
    try:
        out = layer(x, *further, mask=mask, **options)
    finally:
        remembered.reset(token)
    own = masks.find(out)
    return out, output_mask(layer, x, out, mask) if own is None else own


@contextlib.contextmanager
def in_call(training: bool | None) -> Iterator[None]:
    """Treat layers called inside a `with` block as parts of an outer call: their inputs are not inspected."""
    token, masks_token = calling.set(Caller(training, True)), remembered.set(None)
    try:
        yield
    finally:
        calling.reset(token)
        remembered.reset(masks_token)


def input_by_name(layer: Layer, options: dict[str, Any]) -> Any:
    """The input that was passed by keyword: as `inputs`, or under its name in `call`, such as `query`."""
    names = ("inputs", *inspect.signature(layer.call).parameters)[:2]
    if layer.several_inputs is not None:
        names += layer.several_inputs.names[:1]
    value = next((options.pop(name) for name in names if options.get(name) is not None), None)
    return value.value if type(value) is Variable else value


OF_CALLS = ("_nodes", "_added_losses")
"""Attributes of a layer that hold its calls in graphs, and what its latest call added."""
_layers_with_losses: dict[int, weakref.ref[Layer]] = {}
"""Layers whose latest call added losses outside of any step; by identity, for a quick look whether there are any."""


def note_loss(layer: Layer, loss: Array) -> None:
    """Add a loss to those of the step; outside of any, keep it until the next call."""
    if not add_loss(loss):
        layer._added_losses = [*layer._added_losses, loss]
        _layers_with_losses[id(layer)] = weakref.ref(layer)


def penalize(layer: Layer, regularizer: Any, activities: Any) -> None:
    """Add the penalties on a tree of arrays, divided by the number of examples, to the losses of a layer."""
    for leaf in tree_leaves(activities):
        layer.add_loss(regularizer(at_least_float32(leaf)) / max(1, leaf.shape[0]))


def _forget_losses(layer: Layer) -> None:
    """Drop the losses of the previous call."""
    parts = set(layer.flatten_layers())
    for key, part in [(key, reference()) for key, reference in _layers_with_losses.items()]:
        if part is None or part in parts:
            del _layers_with_losses[key]
            if part is not None:
                part._added_losses = ()


def inspect_input(layer: Layer, x: Any, further: Any, options: dict[str, Any]) -> tuple[Elsewhere | None, Guest]:
    """Determine the kind of input; reject arrays of another library than the weights, unless these can be converted.

    Args:
        layer: The layer.
        x: Its input, a tree of arrays.
        further: Other positional arguments, and the mask.
        options: Arguments by name.

    Returns:
        What is called in place of the layer, for symbolic arrays and for those of NumPy; and the library of `x` if it
        is forward-only, so that the weights have to be converted to its constants.

    Raises:
        TypeError: An input is no array, or the arrays or the weights are of several libraries.
    """
    if _layers_with_losses:
        _forget_losses(layer)
    leaves = tree_leaves(x)
    beside = [leaf for leaf in tree_leaves((further, options)) if hasattr(leaf, "shape")] if further or options else []
    if SymbolicArray in map(type, leaves) or (options and SymbolicArray in map(type, tree_leaves(options))):
        return record, None
    variable = layer.first_variable()
    if beside and any(is_data(leaf, variable) for leaf in beside):
        return call_from_host, None
    guest = None
    for leaf in leaves or [x]:
        plain = unwrap(leaf)
        dtype = getattr(plain, "dtype", None)
        key = type(dtype), dtype
        if key not in _dtypes or not hasattr(plain, "shape"):
            if _require_array(layer, x, leaf, plain):
                continue
            _dtypes.add(key)
        if plain.shape == ():
            raise ValueError(
                f"Layer '{layer.name}' needs inputs with a batch axis: x[None] for a single example. "
                "Received: an array of shape ()"
            )
        if raw_namespace(plain) is (get_backend() if variable is None else variable.backend).xp:
            continue
        if is_data(leaf, variable):
            return call_from_host, None
        library = forward_backend_of(plain)
        if variable is not None and is_of(plain, variable.backend.xp):
            continue
        if variable is not None and (library is None or not library.takes(plain, variable.backend.xp)):
            raise foreign_array(f"Layer '{layer.name}' was built on backend", variable.backend.name, plain)
        guest = library or guest
    if guest is None and (options or (variable is None and len(leaves) > 1)):
        _require_one_library(layer, leaves, options)
    return None, guest


def call_from_host(layer: Layer, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a layer with NumPy's arrays among the arguments as arrays of the backend in use."""
    double = layer.compute_dtype == "float64"
    args, options = tree_map(lambda leaf: from_host(leaf, double) if on_host(leaf) else leaf, (args, options))
    return layer(*args, **options)


def _require_one_library(layer: Layer, leaves: list[Any], options: dict[str, Any]) -> None:
    """Reject an array of another library than the first, among inputs and arguments by name."""
    xp = raw_namespace(unwrap(leaves[0]))
    named = [(name, leaf) for name, value in options.items() for leaf in tree_leaves(value)]
    for name, leaf in [("", leaf) for leaf in leaves] + named:
        plain = unwrap(leaf)
        if not hasattr(plain, "dtype") or not hasattr(plain, "shape") or forward_backend_of(plain) is not None:
            continue
        if not is_of(plain, xp) and not layer.takes_strings():  # strings are in NumPy's arrays
            what = (
                f"Argument `{name}` of layer '{layer.name}' must be" if name else f"Layer '{layer.name}' got at first"
            )
            raise foreign_array(f"{what} an array of", library_name(unwrap(leaves[0])), plain)


def _require_array(layer: Layer, x: Any, leaf: Any, plain: Any) -> bool:
    """Reject a leaf of the input `x` that is no array of numbers.

    Returns:
        Whether it is one of strings, in a NumPy array, which the layer passes to others that take them.
    """
    if not hasattr(plain, "dtype") or not hasattr(plain, "shape"):
        alone = leaf is x or not any(hasattr(other, "shape") for other in tree_leaves(x))
        received = type(x).__name__ if alone else f"{type(leaf).__name__} among arrays"
        raise TypeError(
            f"Layer '{layer.name}' computes with arrays; convert lists and numbers with portanet.asarray(x). "
            f"Received: {received}"
        )
    if is_dtype(raw_namespace(plain), plain.dtype):
        return False
    if not layer.takes_strings():
        raise TypeError(
            f"Layer '{layer.name}' computes with numbers; encode text and categories as numbers first. "
            f"Received: an array of dtype {plain.dtype}"
        )
    return True


_dtypes: set[tuple[type, Any]] = set()
"""Dtypes of numbers seen: NumPy has others."""


@contextlib.contextmanager
def weights_as_constants(layer: Layer, guest: type[ForwardBackend], training: bool | None) -> Iterator[None]:
    """Bind the weights to constants of a forward-only library inside a `with` block."""
    if training:
        raise ValueError(
            f"Layer '{layer.name}' computes forward only on arrays of {guest.library}; call it with training=False. "
            "Received: training=True"
        )
    with in_call(training=False), bind({v: guest.constant(v.value) for v in layer.variables}):
        yield


def locate(error: Exception, layer: Layer, x: Any) -> None:
    """Add a note to a propagating error: the path of the layer where it occurred, and the input of that layer.

    Raises:
        TypeError: The reason is that an input is no plain array, such as a sparse tensor.
    """
    for leaf in tree_leaves(x):
        require_plain(unwrap(leaf), f"Inputs of layer '{layer.name}'")
    notes, start = getattr(error, "__notes__", []), "In layer '"
    if notes and notes[0].startswith(start):
        notes[0] = notes[0].replace(start, f"{start}{layer.name}/", 1)
        return
    arrays = [leaf for leaf in tree_leaves(x) if hasattr(leaf, "shape")]
    given = [f"{str(array.dtype).rpartition('.')[2]} {tuple(array.shape)}" for array in arrays]
    error.add_note(f"{start}{layer.name}' ({type(layer).__name__}), given {', '.join(given) or type(x).__name__}")


def _same_name(name: str) -> ValueError:
    return ValueError(f"Two layers of one model have the same name; give one another name. Received: name={name!r}")


class NamedLayers(dict[str, "Layer"]):
    """The layers of a model or layer by unique name, in order; adding one takes constant time.

    Attributes:
        names: The names by layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[Layer, str] = {}
        self._next: dict[str, int] = {}

    def add(self, layer: Layer, attribute: bool = False) -> None:
        """Append a layer under its name, made unique unless the user chose it.

        The first call for a layer fixes its own name; it may have another in a second model. Names that the user chose
        may be equal among attributes, such as a network and its clone: then that here is another.
        """
        name = layer.name
        if name in self:
            if layer._named and not attribute:
                raise _same_name(name)
            stem = name if layer._named else snake_case(layer._kind)
            number = self._next.get(stem, 1)  # entries are never removed, so smaller numbers stay taken
            while f"{stem}_{number}" in self:
                number += 1
            self._next[stem] = number + 1
            name = f"{stem}_{number}"
        if not layer._adopted:
            layer.name, layer._adopted = layer.name if layer._named else name, True
        self[name], self.names[layer] = layer, name

    def sorted_as(self, layers: Collection[Layer]) -> NamedLayers:
        """The same names in another order; those that are not among `layers`, which differ in name, come last."""
        result = NamedLayers()
        for layer in layers:
            if layer._named and self.names.get(layer, layer.name) != layer.name:
                raise _same_name(layer.name)
        for layer in dict.fromkeys([*layers, *self.names]):
            if layer in self.names:
                result[self.names[layer]], result.names[layer] = layer, self.names[layer]
        return result
