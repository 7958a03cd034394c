"""L2 pooling."""

from __future__ import annotations

from portanet.backends import Array
from portanet.fused.pooling import l2_pool
from portanet.fused.windows import Window
from portanet.layers.pooling.base_pooling import Pooling


class _L2Pooling(Pooling):
    def pool(self, x: Array, windows: Window) -> Array:
        return l2_pool(x, windows)


class L2Pooling1D(_L2Pooling):
    """The Euclidean norm of each window of steps (Goodfellow et al. 2016, 9.3).

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `AveragePooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.L2Pooling1D(2)(np.asarray([[[3.0], [4.0]]])).tolist()
        [[[5.0]]]
    """

    rank = 1


class L2Pooling2D(_L2Pooling):
    """The Euclidean norm of each window of an image (Goodfellow et al. 2016, 9.3); its derivative at 0 is 0.

    Args:
        pool_size: Height and width of the window, or one number for both.
        **options: The other arguments of `AveragePooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.L2Pooling2D()(np.full((1, 2, 2, 1), 3.0)).ravel()
        array([6.])
    """

    rank = 2


class L2Pooling3D(_L2Pooling):
    """The Euclidean norm of each window of a volume.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `AveragePooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.L2Pooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 3, 4, 3)
    """

    rank = 3
