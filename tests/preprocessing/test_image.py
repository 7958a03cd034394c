"""Images resized and cropped; `tests/keras/test_data.py` compares them with Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.preprocessing.image import smart_resize
from tests.support import asarray, assert_close


def test_the_middle_of_an_image(xp: Any) -> None:
    image = np.arange(8.0, dtype="float32").reshape(2, 4, 1)
    assert_close(smart_resize(asarray(image), (2, 2)), image[:, 1:3])
    assert_close(smart_resize(asarray(image[None]), (2, 2)), image[None, :, 1:3])
    result = smart_resize(image, (2, 2))
    assert isinstance(result, np.ndarray)
    np.testing.assert_array_equal(result, image[:, 1:3])


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="size"):
        smart_resize(np.zeros((2, 4, 1)), (2,))
    with pytest.raises(ValueError, match="interpolation"):
        smart_resize(np.zeros((2, 4, 1)), (2, 2), "cubic")
