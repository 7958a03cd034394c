"""Find the recorded operation with a wrong derivative."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Literal

from portanet.autodiff.boundary import pulled
from portanet.autodiff.debugging.recording import Recording, record_run
from portanet.autodiff.traced import Node, unwrap
from portanet.autodiff.tracing import Parts
from portanet.backends import raw_namespace
from portanet.tree import tree_map

STEP = 1e-6
TOLERANCE = 1e-4


def wrong_rule(
    f: Callable[..., Any], args: tuple[Any, ...], v: tuple[Any, ...], mode: Literal["forward", "reverse"]
) -> str | None:
    """The first operation inside `f` whose rule disagrees with finite differences, or None if unknown.

    The function runs at `args` and slightly to both sides along `v`. Differences give the tangent of every intermediate
    value. In forward mode the first operation whose own tangent differs is at fault; in reverse mode each pullback
    must satisfy `g . tangent of the result = sum of pulled g . tangents of the operands`.
    """
    forward = v if mode == "forward" else None
    run = record_run(f, args, forward)
    low, high = (
        record_run(f, tree_map(lambda x, t, step=step: x + step * t, args, v), forward) for step in (-STEP, STEP)
    )
    names = [(step.name, tuple(step.result.shape)) for step in run.steps]
    if any([(s.name, tuple(s.result.shape)) for s in other.steps] != names for other in (low, high)):
        return None  # control flow differs between the points
    tangents = [(unwrap(b.result) - unwrap(a.result)) / (2 * STEP) for a, b in zip(low.steps, high.steps, strict=True)]
    index = _first_wrong_push(run, tangents) if mode == "forward" else _first_wrong_pull(run, tangents)
    if index is None:
        return None
    step = run.steps[index]
    return f"`{step.name}` (operation v{index} of show(f, ...), result of shape {tuple(step.result.shape)})"


def _first_wrong_push(run: Recording, tangents: list[Any]) -> int | None:
    for i, step in enumerate(run.steps):
        tangent = unwrap(step.result._link)
        raw = raw_namespace(tangent)
        error = raw.sum(raw.abs(tangent - tangents[i]))
        if float(error) > TOLERANCE * (1.0 + float(raw.sum(raw.abs(tangents[i])))):
            return i
    return None


def _first_wrong_pull(run: Recording, tangents: list[Any]) -> int | None:
    draw = random.Random(1)
    for i, step in enumerate(run.steps):
        if not step.operands:
            continue
        raw = raw_namespace(tangents[i])
        g = raw.ones_like(tangents[i]) * draw.uniform(0.5, 1.5) + tangents[i]
        grads = _pull(step.result._link, g)
        terms = [g * tangents[i]] + [
            -(unwrap(grad) * tangents[operand])
            for grad, operand in zip(grads, step.operands, strict=True)
            if grad is not None
        ]
        error = sum(_real(raw, raw.sum(term)) for term in terms)
        if abs(error) > TOLERANCE * (1.0 + sum(_real(raw, raw.sum(raw.abs(term))) for term in terms)):
            return i
    return None


def _real(raw: Any, x: Any) -> float:
    return float(raw.real(x) if raw.isdtype(x.dtype, "complex floating") else x)


def _pull(node: Node, g: Any) -> tuple[Any, ...]:
    """The cotangents of the operands; a part of a tuple of results first becomes a cotangent of the tuple."""
    grads = pulled(node, g)
    if isinstance(grads, Parts):
        assert type(node.parents) is Node
        return _pull(node.parents, grads)
    return tuple(grads) if isinstance(node.parents, tuple) else (grads,)
