"""The function that records itself, for any function of any library with a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from portanet.autodiff import dispatch
from portanet.autodiff.dispatch import Rule, broadcasting, of_first, unary, viewing
from portanet.autodiff.views import Put, View

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace


def recorder(raw: Callable[..., Any], rule: Rule, xp: Namespace, put: Put | None = None) -> Callable[..., Any]:
    """Wrap a library's function `raw`, with its rule, as a function that records itself; `put` is that of a `View`."""
    operands = 0 if rule.variadic else len(rule.pulls)
    if operands == 1 and not rule.elementwise and not xp.batched:
        return of_first(raw, rule, xp, put)
    kinds: Any = dispatch
    if xp.batched:  # operands may belong to a trace and to a batch inside it
        from portanet.autodiff.batching import recording as kinds
    if operands == 1 and rule.elementwise:
        op = unary(raw, rule, xp)
    elif operands == 2 and rule.elementwise:
        op = kinds.binary(raw, rule, xp)
    else:
        op = kinds.general(raw, broadcasting(rule) if rule.elementwise else rule, xp)
    return op if put is None else viewing(op, View(rule.name, op, put))
