"""Settings of the process, which `portanet.config` changes: what Keras keeps beside the backend."""

from __future__ import annotations

import dataclasses

EPSILON = 1e-7
"""The small number of losses, metrics and constraints."""


@dataclasses.dataclass
class Settings:
    """Settings and their initial values.

    Attributes:
        image_data_format: Where channels are, for layers created without `data_format`.
        interactive_logging: Whether `verbose="auto"` may be a progress bar.
    """

    image_data_format: str = "channels_last"
    interactive_logging: bool = True


settings = Settings()
