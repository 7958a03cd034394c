"""The reverse sweep: from the cotangents of results to those of the inputs, freeing the record on the way."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from portanet.autodiff.namespace import lift
from portanet.autodiff.traced import Node, TracedArray, TraceError


def _consumed(_: Any) -> Any:
    raise TraceError(
        "This pullback was called before, and freed what it had recorded as it went. To call it more than once, pass "
        "retain=True to every call but the last."
    )


def pull_back(seeds: Iterable[tuple[Node, Any]], retain: bool = False) -> dict[Node, Any]:
    """Pull cotangents back to the inputs of a trace.

    Nodes are visited from the newest to the oldest, so that each is complete when its turn comes; a node is freed once
    its cotangent has been passed on, unless `retain`. No recursion: a chain may have any length.

    Returns:
        The cotangent of each input node that was reached.
    """
    pending: dict[Node, Any] = {}
    queue: list[tuple[int, Node]] = []
    inputs: dict[Node, Any] = {}

    seeds = list(seeds)
    # Inside another trace, cotangents stay in its namespace: an array-api-strict array refuses `plain * traced`.
    nested = any(type(g) is TracedArray for _, g in seeds)

    def add(node: Node, g: Any) -> None:
        if nested:
            g = lift(g)
        elif type(g) is TracedArray and g._trace is None:
            g = g._value
        if node in pending:
            pending[node] = pending[node] + g
        else:
            pending[node] = g
            heappush(queue, (-node.serial, node))

    for node, g in seeds:
        add(node, g)
    while queue:
        node = heappop(queue)[1]
        g = pending.pop(node)
        pull = node.pull
        parents: Any = node.parents
        if pull is None:
            inputs[node] = g
            continue
        grads = pull(g)
        if not retain:
            node.pull, node.parents = _consumed, None
        if type(parents) is Node:
            if grads is not None:
                add(parents, grads)
        else:
            for parent, grad in zip(parents, grads, strict=True):
                if grad is not None:
                    add(parent, grad)
    return inputs
