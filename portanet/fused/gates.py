"""Gates: a choice between two arrays, element by element."""

from __future__ import annotations

from portanet.autodiff import array_namespace
from portanet.backends import Array


def gate(g: Array, new: Array, old: Array) -> Array:
    """`new` where the gate is open (1), `old` where it is closed (0), interpolated between: `g * new + (1 - g) * old`.

    Used by memory cells, highway networks and interpolated weightings.

    Example:
        >>> import numpy as np
        >>> gate(np.asarray([0.0, 1.0, 0.5]), np.asarray([10.0, 11.0, 12.0]), np.asarray([8.0, 9.0, 3.0]))
        array([ 8. , 11. ,  7.5])
    """
    xp = array_namespace(g, new, old)
    return xp.add(xp.multiply(g, new), xp.multiply(1 - g, old))
