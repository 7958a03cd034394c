"""Losses as functions of `portanet.ops`."""

import numpy as np

from portanet import ops
from portanet.backends import Backend


def test_binary_crossentropy_takes_targets_first(backend: Backend) -> None:
    target, output = backend.from_host(np.asarray([0.0, 1.0])), backend.from_host(np.asarray([0.2, 0.9]))
    result = backend.to_host(ops.binary_crossentropy(target, output))
    np.testing.assert_allclose(result, [-np.log(0.8), -np.log(0.9)])
