"""Which functions a call enters."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import Any


def profile(function: Callable[[], Any], note: Callable[[Any, str, Any], None]) -> None:
    """Call `function`, and `note` at each event in it and in threads that it starts; see `sys.setprofile`.

    No garbage is collected meanwhile: the finalizers of what other tests left are calls, too.
    """
    gc.disable()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        gc.enable()
