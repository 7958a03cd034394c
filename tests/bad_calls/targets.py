"""The public calls: what is called with bad arguments, with which parameters, and which arguments it always needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from tests.bad_calls.kinds import kinds_of
from tests.bad_calls.valid import VALID, Make


class Target(NamedTuple):
    """A public call.

    Attributes:
        name: Such as "layers.Dense", or "layers.Dense()" for the call of a layer.
        call: Called with arguments by name.
        kinds: For each parameter, the kinds of values that it takes.
        required: Valid values of the arguments that are always given.
    """

    name: str
    call: Callable[..., Any]
    kinds: dict[str, frozenset[str]]
    required: dict[str, Make]

    @property
    def short(self) -> str:
        """The name alone."""
        return self.name.rpartition(".")[2].removesuffix("()")


FIXED = {
    "GRU": "cell",
    "LSTM": "cell",
    "SimpleRNN": "cell",
    "JordanRNN": "cell",
    **{f"ConvLSTM{rank}D": "cell" for rank in (1, 2, 3)},
    "GroupQueryAttention": "num_heads key_dim value_dim",
    "Perceptron": "activation",
    "InstanceNormalization": "groups",
    "LocallyConnected1D": "dilation_rate groups tiles",
    "LocallyConnected2D": "dilation_rate groups tiles",
}
"""Parameters of base classes that a class sets itself."""


def signature_of(thing: Any) -> dict[str, inspect.Parameter]:
    """Parameters by name, with those that `**options` passes to base classes."""
    result: dict[str, inspect.Parameter] = {}
    functions = [thing]
    if inspect.isclass(thing):
        functions = [base.__dict__["__init__"] for base in thing.__mro__ if "__init__" in base.__dict__]
    without = ("self", *FIXED.get(getattr(thing, "__name__", ""), "").split())
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        for p in parameters:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in without:
                result.setdefault(p.name, p)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return result


def target_of(name: str, thing: Any, call: Callable[..., Any], skip: Iterable[str] = ()) -> Target:
    """The target for a class or function, by its signature.

    Args:
        name: Its name.
        thing: The class or function.
        call: What to call.
        skip: Parameters that are not tried: another target has them.
    """
    parameters = signature_of(thing)
    kinds = {p.name: kinds_of(p.name, str(p.annotation)) for p in parameters.values() if p.name not in set(skip)}
    required = {}
    for p in parameters.values():
        make = valid(name, p.name)
        if make is not None and (p.default is p.empty or f"{name.rpartition('.')[2]}.{p.name}" in VALID):
            required[p.name] = make
        assert make is not None or p.default is not p.empty, f"valid.py has no argument `{p.name}` of {name}"
    return Target(name, call, kinds, required)


def valid(name: str, parameter: str) -> Make | None:
    """A valid argument of a public name."""
    room, _, short = name.rpartition(".")
    for key in (f"{short}.{parameter}", f"{room.rpartition('.')[2]}.{parameter}", parameter):
        if key in VALID:
            return VALID[key]
    return None


def all_targets() -> Iterator[Target]:
    """Every public call."""
    from tests.bad_calls import calls, constructors, models, networks

    for module in (constructors, calls, models, networks):
        yield from module.targets()
