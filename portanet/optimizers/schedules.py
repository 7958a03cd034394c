"""`portanet.schedules` under the path of Keras."""

from portanet.schedules import *  # noqa: F403
from portanet.schedules import __all__ as __all__
