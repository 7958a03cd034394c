"""Plots of schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portanet import checks
from portanet.drawing import legend, new_axes, whole_numbers
from portanet.schedules.base import LearningRateSchedule


def plot(schedules: LearningRateSchedule | Mapping[str, LearningRateSchedule], steps: int, ax: Any = None) -> Any:
    """Plot schedules over the first steps.

    Args:
        schedules: A schedule, or several by label.
        steps: Number of steps.
        ax: The matplotlib axes to plot on; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> from portanet.schedules import ExponentialDecay
        >>> ax = plot(ExponentialDecay(0.1, 10, 0.5), 30)
        >>> ax.get_xlabel()
        'step'
    """
    checks.positive_int("steps", steps, "plot")
    named = schedules if isinstance(schedules, Mapping) else {type(schedules).__name__: schedules}
    for schedule in named.values():
        checks.function("schedules", schedule, "plot")
    ax = new_axes(ax, "plot")
    for name, schedule in named.items():
        ax.plot(range(steps), [schedule(step) for step in range(steps)], label=name)
    ax.set_xlabel("step")
    ax.set_ylabel("value")
    whole_numbers(ax.xaxis)
    legend(ax)
    return ax
