"""scikit-learn under `array_api_dispatch`, differentiated unmodified."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sklearn
import sklearn.decomposition
import sklearn.linear_model
import sklearn.metrics as metrics
import sklearn.metrics.pairwise as pairwise
import sklearn.preprocessing as preprocessing

from portanet.autodiff import TraceWarning, grad
from tests.third_party.gradients import LIBRARIES, assert_gradient, like, made_by, positive

Y = positive((6, 3), seed=1)
RAW = {"multioutput": "raw_values"}  # with the default, scikit-learn returns float(...), which has no derivative

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "mean_squared_error": lambda x: metrics.mean_squared_error(like(x, Y), x, **RAW),
    "mean_absolute_error": lambda x: metrics.mean_absolute_error(like(x, Y), x, **RAW),
    "mean_squared_log_error": lambda x: metrics.mean_squared_log_error(like(x, Y), x, **RAW),
    "mean_absolute_percentage_error": lambda x: metrics.mean_absolute_percentage_error(like(x, Y), x, **RAW),
    "r2_score": lambda x: metrics.r2_score(like(x, Y), x, **RAW),
    "explained_variance_score": lambda x: metrics.explained_variance_score(like(x, Y), x, **RAW),
    "cosine_similarity": lambda x: pairwise.cosine_similarity(x, like(x, Y)),
    "cosine_distances": lambda x: pairwise.cosine_distances(x, like(x, Y)),
    "euclidean_distances": lambda x: pairwise.euclidean_distances(x, like(x, Y)),
    "paired_cosine_distances": lambda x: pairwise.paired_cosine_distances(x, like(x, Y)),
    "paired_euclidean_distances": lambda x: pairwise.paired_euclidean_distances(x, like(x, Y)),
    "linear_kernel": lambda x: pairwise.linear_kernel(x, like(x, Y)),
    "polynomial_kernel": lambda x: pairwise.polynomial_kernel(x, like(x, Y)),
    "rbf_kernel": lambda x: pairwise.rbf_kernel(x, like(x, Y)),
    "sigmoid_kernel": lambda x: pairwise.sigmoid_kernel(x, like(x, Y)),
    "laplacian_kernel": lambda x: pairwise.laplacian_kernel(x, like(x, Y)),
    "additive_chi2_kernel": lambda x: pairwise.additive_chi2_kernel(x, like(x, Y)),
    "normalize": lambda x: preprocessing.normalize(x)[:, :2],
    "PolynomialFeatures": lambda x: preprocessing.PolynomialFeatures(2).fit_transform(x),
    "PCA": lambda x: sklearn.decomposition.PCA(2, svd_solver="full").fit_transform(x) ** 2,
    "Ridge": lambda x: sklearn.linear_model.Ridge(solver="svd").fit(x, like(x, Y[:, 0])).coef_,
}


@pytest.fixture(autouse=True)
def dispatch():
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient(name, library):
    assert_gradient(FUNCTIONS[name], made_by(library, positive((6, 3))))


def test_metrics_that_return_a_python_float_are_refused_not_wrong():
    x = positive((6, 3))
    with pytest.warns(TraceWarning), pytest.raises(TypeError, match=r"must return a 0-d array. Received: float"):
        grad(lambda x: metrics.mean_squared_error(like(x, Y), x))(x)


def test_the_table_of_the_documentation_is_this_one():
    text = (Path(__file__).parents[2] / "docs" / "autodiff.md").read_text()
    assert not [name for name in FUNCTIONS if f"`{name}`" not in text]
