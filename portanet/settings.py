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
        max_epochs: Limit on the number of the last epoch in `fit`.
        max_steps_per_epoch: Limit on the batches of an epoch, an evaluation or a prediction.
    """

    image_data_format: str = "channels_last"
    interactive_logging: bool = True
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


settings = Settings()
