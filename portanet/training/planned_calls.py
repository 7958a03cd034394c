"""Plans for calls of models in inference: the library's calls are repeated, and none of Python's; see `Backend.plan`.

A call has a plan if it is sure to do the same each time, for all values. So it is a call of a graph or a `Sequential`
whose layers are all portanet's own, with attributes that are values, portanet's functions, or containers of these; a
user's class or function could look at anything. It must not assign to variables, add losses or give masks. Then its
results follow from the inputs, the arrays of the variables, and the attributes that are compared before every run.

The first call of a signature (structure, shapes and dtypes) runs as ordinary Python, and so does the second, which
records the plan, if the weights are those of the first: while a model is trained between calls, no plan pays. The
third runs both ways, and is a last check: a plan with other bits is dropped.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from portanet.backends.base import Plan
from portanet.backends.programs import outline, replaced
from portanet.configurable import overrides
from portanet.layers import Layer
from portanet.layers.calling import calling, in_call
from portanet.masks import remembered
from portanet.training.attributes import Attributes, UnplannableError
from portanet.training.step import Division
from portanet.tree import KINDS, LEAF, tree_leaves, tree_map
from portanet.variables import are_bound, bind, collect_losses, computing_in

MOST_SIGNATURES = 16
"""Signatures that a model remembers; of more, the least recently used is dropped."""
MOST_BYTES = 2**26
"""Bytes of the arrays that all plans in this process hold, weights included; of more, those of the least recently used
are dropped.
"""

_EAGER = object()


class _Planned:
    """A plan, and what it took for granted."""

    def __init__(self, plan: Plan, attributes: Attributes) -> None:
        self.plan: Plan | None = plan
        """None if it was dropped."""
        self.attributes = attributes
        self.checked = False
        """Whether the results of another call were those of ordinary Python."""
        self.latest = next(_turns)


_turns = itertools.count()
_all: weakref.WeakSet[_Planned] = weakref.WeakSet()
_lock = threading.Lock()


def _renew_lock() -> None:
    """In a fork, nobody is left who would release it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def undisturbed(x: Any) -> bool:
    """Whether a call from here is an outermost one, with the values of the variables, and with inputs without masks."""
    masks = remembered.get()
    return (
        calling.get() is None
        and not are_bound()
        and computing_in.get() is None
        and (masks is None or masks.find(x) is None)
    )


class Calls:
    """The plans of a model, by the signature of calls."""

    def __init__(self, model: PlannedCalls) -> None:
        self.signature = model.backend.signature  # type: ignore[attr-defined]
        self.known: OrderedDict[Hashable, Any] = OrderedDict()
        """By signature: a plan, `_EAGER`, or what the weights of the first call were."""
        self.variables = model.variables
        self.direct: dict[Hashable, bool] = {}
        """Whether a prediction takes data of a signature as they are."""

    def release(self) -> None:
        """Drop the plans, which hold the weights."""
        with _lock:
            self.known.clear()
            self.direct.clear()

    def key(self, x: Any, training: bool | None) -> Hashable | None:
        """What tells calls apart that need plans of their own; None where there are none."""
        if KINDS[type(x)] == LEAF:
            signature = self.signature((x,))
            return None if signature is None else (signature, training)
        leaves: list[Any] = []
        structure = outline(x, leaves)
        signature = self.signature(leaves)
        return None if signature is None else (signature, structure, training)

    def call(self, model: PlannedCalls, x: Any, training: bool | None, eager: Callable[[], Any]) -> Any:
        """The results for inputs: by a plan, or what `eager` gives."""
        key = self.key(x, training)
        known = None if key is None else self.known.get(key)
        if key is None or known is _EAGER or not model._built:
            return eager()
        if type(known) is _Planned and known.plan is not None and known.attributes.same():
            return self._run(key, known, x, eager)
        weights = hash(tuple([id(variable._value) for variable in self.variables]))
        if known == weights:  # those of the call before
            try:
                self._keep(key, self._record(model, x, training))
            except Exception:  # whatever it is, ordinary Python computes
                self._keep(key, _EAGER)
        else:
            if type(known) is _Planned and known.plan is not None:
                self.release()  # other plans are for the former weights or attributes, too
            self._keep(key, weights)
        return eager()

    def _record(self, model: PlannedCalls, x: Any, training: bool | None) -> Any:
        if len(Division(model).parts(tree_leaves(x)[0])) > 1:
            raise UnplannableError("a batch that predictions divide")
        attributes = Attributes(model)
        variables = attributes.variables

        def function(inputs: list[Any], weights: list[Any]) -> Any:
            arrays = replaced(x, iter(inputs))
            with (
                in_call(training),
                bind(dict(zip(variables, weights, strict=True))) as bound,
                collect_losses() as added,
            ):
                results = Layer.__call__(model, arrays, training=training)
                assigned = any(bound[v] is not weight for v, weight in zip(variables, weights, strict=True))
                if added or assigned or remembered.get():
                    raise UnplannableError("more than results")
            return results

        plan = model.backend.plan(function, tree_leaves(x), [v._value for v in variables])  # type: ignore[attr-defined]
        if plan is None or not attributes.same():  # a call may set attributes
            return _EAGER
        planned = _Planned(plan, attributes)
        with _lock:
            _all.add(planned)
            living = sorted(_all, key=lambda each: each.latest)
            total = sum(each.plan.nbytes for each in living if each.plan is not None)
            for each in living:
                if total > MOST_BYTES and each.plan is not None:
                    total -= each.plan.nbytes
                    each.plan = None
        return planned

    def _keep(self, key: Hashable, what: Any) -> None:
        with _lock:
            self.direct.pop(key, None)
            self.known[key] = what
            self.known.move_to_end(key)
            while len(self.known) > MOST_SIGNATURES:
                dropped, _ = self.known.popitem(last=False)
                self.direct.pop(dropped, None)

    def _run(self, key: Hashable, planned: _Planned, x: Any, eager: Callable[[], Any]) -> Any:
        plan = planned.plan
        try:
            results = NotImplemented if plan is None else plan.run((x,) if KINDS[type(x)] == LEAF else tree_leaves(x))
        except Exception:  # ordinary Python computes, or tells what is wrong
            results = NotImplemented
        if results is NotImplemented:
            return eager()
        if planned.checked:
            planned.latest = next(_turns)
            return results
        expected = eager()
        planned.checked = _same_bits(planned.attributes.backend.to_host, results, expected)
        if not planned.checked:
            self._keep(key, _EAGER)
        return expected

    def predict(self, x: Any, check_finite: bool) -> Any:
        """The results, on the host, for data that have a plan and need no checks but for NaN; else NotImplemented."""
        key = self.key(x, False)
        planned = self.known.get(key) if self.direct.get(key) and undisturbed(x) else None
        if type(planned) is not _Planned or not planned.checked or not planned.attributes.same():
            return NotImplemented
        backend = planned.attributes.backend
        if check_finite and not all(_is_finite(backend.xp, leaf) for leaf in tree_leaves(x)):
            return NotImplemented
        results = self._run(key, planned, x, lambda: NotImplemented)
        return results if results is NotImplemented else tree_map(backend.to_host, results)

    def note_direct(self, model: PlannedCalls, x: Any, unchanged: Callable[[], bool]) -> None:
        """Note whether data like these, which were predicted from, need no checks and no conversion."""
        key = self.key(x, False)
        if key is None or key in self.direct or type(self.known.get(key)) is not _Planned:
            return
        parts = [part for part in model.flatten_layers() if not isinstance(part, PlannedCalls)]
        self.direct[key] = not any(overrides(type(part), Layer, "check_data") for part in parts) and unchanged()


def _is_finite(xp: Any, x: Any) -> bool:
    return not xp.isdtype(x.dtype, "real floating") or bool(xp.all(xp.isfinite(x)))


def _same_bits(to_host: Callable[[Any], Any], results: Any, expected: Any) -> bool:
    first, second = (list(map(to_host, tree_leaves(tree))) for tree in (results, expected))
    return len(first) == len(second) and all(
        (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes()) for x, y in zip(first, second, strict=True)
    )


class PlannedCalls(Layer):
    """A layer whose calls in inference may have plans."""

    run_eagerly = False
    jit_compile: Any = "auto"
    _calls: Calls | None = None

    @property
    def _plans(self) -> bool:
        """Whether there may be plans, as steps are compiled where the library can."""
        return not self.run_eagerly and self.jit_compile is not False

    def planned(self, x: Any, training: bool | None, eager: Callable[[], Any]) -> Any:
        """The results of a call that is not in training: by a plan, or what `eager` gives."""
        if not self._plans or not undisturbed(x):
            return eager()
        calls = self._calls
        if calls is None:
            if not self._built:
                return eager()
            calls = self._calls = Calls(self)
        return calls.call(self, x, training, eager)

    def planned_prediction(self, x: Any, check_finite: bool = False) -> Any:
        """The results of a prediction for data that have a plan and need no other checks; NotImplemented for others."""
        calls = self._calls if self._plans else None
        return NotImplemented if calls is None else calls.predict(x, check_finite)

    def note_direct(self, x: Any, unchanged: Callable[[], bool]) -> None:
        """Note what predictions from data like these need; see `planned_prediction`.

        Args:
            x: Data that was predicted from.
            unchanged: Tells whether they were taken as they are.
        """
        calls = None if self.has_custom_step("predict") else self._calls  # type: ignore[attr-defined]
        if calls is not None:
            calls.note_direct(self, x, unchanged)
