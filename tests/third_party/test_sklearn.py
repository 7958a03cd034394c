"""What scikit-learn returns as a Python number has no derivative; docs/third-party.md lists its functions."""

from __future__ import annotations

import pytest
import sklearn
from sklearn import metrics

from portanet.autodiff import TraceWarning, grad
from tests.third_party.gradients import like, positive


def test_metrics_that_return_a_python_float_are_refused_not_wrong():
    x, y = positive((6, 3)), positive((6, 3), seed=1)
    with (
        sklearn.config_context(array_api_dispatch=True),
        pytest.warns(TraceWarning),
        pytest.raises(TypeError, match=r"must return a 0-d array. Received: float"),
    ):
        grad(lambda x: metrics.mean_squared_error(like(x, y), x))(x)
