"""Targets: functions that create networks for images, small ones where all arguments are good."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from portanet import applications
from tests.applications.test_networks import Tiny
from tests.bad_calls.kinds import kinds_of
from tests.bad_calls.targets import Target
from tests.bad_calls.valid import Make

REQUIRED: dict[str, Make] = {
    "input_shape": lambda: (32, 32, 3),
    "weights": lambda: None,
    "classes": lambda: 2,
    "alpha": lambda: 0.1,
}


def targets() -> Iterator[Target]:
    """One for each signature: most networks share theirs."""
    for create in (applications.MobileNet, applications.MobileNetV2, applications.MobileNetV3Small, Tiny):
        parameters = inspect.signature(create).parameters.values()
        kinds = {p.name: kinds_of(p.name, str(p.annotation)) for p in parameters}
        required = {p.name: REQUIRED[p.name] for p in parameters if p.name in REQUIRED}
        yield Target(f"applications.{create.__name__}", create, kinds, required)
