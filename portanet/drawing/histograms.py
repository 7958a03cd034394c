"""Histograms, one in a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portanet.drawing.figures import COLOURS


def histograms(axes: Sequence[Any], records: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw the histogram of each record.

    Args:
        axes: A panel for each.
        records: By title, `counts` and `edges` of the histogram, and `mean` and `std` for its caption.
    """
    for ax, (title, record) in zip(axes, records.items(), strict=True):
        ax.stairs(record["counts"], record["edges"], fill=True, color=COLOURS[0])
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel(f"mean {record['mean']:.2g}, std {record['std']:.2g}", fontsize="small")
        ax.set_yticks([])
        for side in ("left", "right", "top"):
            ax.spines[side].set_visible(False)
