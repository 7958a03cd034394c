"""A picture of schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portanet.schedules.base import LearningRateSchedule


def plot(schedules: LearningRateSchedule | Mapping[str, LearningRateSchedule], steps: int, ax: Any = None) -> Any:
    """Draw schedules over the first steps.

    Args:
        schedules: A schedule, or several by the name to show.
        steps: How many steps.
        ax: The matplotlib axes to draw on; by default a new figure's.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed; the message says what to type.
    """
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("schedules.plot needs matplotlib. Type: pip install 'portanet[plot]'") from error
        _, ax = plt.subplots()
    named = schedules if isinstance(schedules, Mapping) else {type(schedules).__name__: schedules}
    for name, schedule in named.items():
        ax.plot(range(steps), [schedule(step) for step in range(steps)], label=name)
    ax.set_xlabel("step")
    ax.set_ylabel("value")
    ax.legend()
    return ax
