"""The reverse sweep: from the cotangents of results to those of the inputs, freeing the record on the way."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Any

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
    pending: dict[int, tuple[Node, Any]] = {}
    queue: list[int] = []
    inputs: dict[Node, Any] = {}
    for node, g in seeds:
        serial = -node.serial
        if serial in pending:
            g = pending[serial][1] + g
        else:
            queue.append(serial)
        pending[serial] = (node, g)
    heapify(queue)
    while queue:
        node, g = pending.pop(heappop(queue))
        pull = node.pull
        if pull is None:
            inputs[node] = g
            continue
        parents: Any = node.parents
        grads: Any = pull(g)
        if not retain:
            node.pull, node.parents = _consumed, None
        if type(parents) is Node:
            parents, grads = (parents,), (grads,)
        for parent, grad in zip(parents, grads, strict=True):
            if grad is None:
                continue
            if type(grad) is TracedArray and grad._trace is None:
                grad = grad._value
            serial = -parent.serial
            known = pending.get(serial)
            if known is None:
                heappush(queue, serial)
                pending[serial] = (parent, grad)
            else:
                pending[serial] = (parent, known[1] + grad)
    return inputs
