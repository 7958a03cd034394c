"""scikit-learn under `array_api_dispatch`: metrics, kernels, preprocessing and estimators."""

from __future__ import annotations

import numpy as np
from sklearn import (
    decomposition,
    discriminant_analysis,
    kernel_approximation,
    linear_model,
    metrics,
    mixture,
    naive_bayes,
    preprocessing,
)
from sklearn.metrics import pairwise
from sklearn.utils import extmath

from tests.third_party.gradients import Cases, each, integers, like, namespace

RAW = {"multioutput": "raw_values"}  # with the default, scikit-learn returns float(...), which has no derivative
Y = np.abs(np.random.default_rng(1).normal(size=(4, 5))) + 0.5
LABELS = [0, 1, 1, 0]


def labels(x):
    return integers(x, LABELS)


def gaussians(x, kind):
    """A mixture of two, after three steps from fixed means."""
    means = like(x, [[0.6, 0.7, 0.8], [1.2, 1.3, 1.1]])
    model = mixture.GaussianMixture(
        2, covariance_type=kind, means_init=means, init_params="random", random_state=0, reg_covar=0.1, max_iter=3
    )
    return model.fit(tall(x)[:, :3])


def probabilities(x):
    xp = namespace(x)
    e = xp.exp(x[:, :2])
    return e / xp.sum(e, axis=1, keepdims=True)


def tall(x):
    """More rows than columns."""
    return x.T


def fitted(model, *attributes):
    """A case: the model is fitted, and these attributes are what is differentiated."""
    return lambda x: tuple(getattr(model().fit(tall(x)), name) for name in attributes)


REGRESSION: Cases = {
    **each(metrics, lambda f, x: f(like(x, Y), x, **RAW), (
        "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "mean_squared_log_error",
        "root_mean_squared_log_error", "mean_absolute_percentage_error", "mean_pinball_loss", "median_absolute_error",
        "r2_score", "explained_variance_score", "d2_pinball_score", "d2_absolute_error_score",
    )),
    "mean_squared_error with weights": lambda x: metrics.mean_squared_error(
        like(x, Y), x, sample_weight=like(x, [1.0, 2.0, 3.0, 4.0]), **RAW
    ),
    "mean_squared_error, as a number": lambda x: metrics.mean_squared_error(like(x, Y), x),
    "r2_score, as a number": lambda x: metrics.r2_score(like(x, Y), x),
    "max_error": lambda x: metrics.max_error(like(x, Y[0]), x[0, :]),
    "mean_tweedie_deviance": lambda x: metrics.mean_tweedie_deviance(like(x, Y[0]), x[0, :], power=1.5),
    "mean_poisson_deviance": lambda x: metrics.mean_poisson_deviance(like(x, Y[0]), x[0, :]),
    "mean_gamma_deviance": lambda x: metrics.mean_gamma_deviance(like(x, Y[0]), x[0, :]),
    "d2_tweedie_score": lambda x: metrics.d2_tweedie_score(like(x, Y[0]), x[0, :], power=1.5),
    "accuracy_score": lambda x: metrics.accuracy_score(labels(x), labels(x)),
    "log_loss": lambda x: metrics.log_loss(labels(x), probabilities(x)),
    "brier_score_loss": lambda x: metrics.brier_score_loss(labels(x), probabilities(x)[:, 1]),
    "d2_log_loss_score": lambda x: metrics.d2_log_loss_score(labels(x), probabilities(x)),
    "roc_auc_score": lambda x: metrics.roc_auc_score(labels(x), x[:, 0]),
    "roc_curve": lambda x: metrics.roc_curve(labels(x), x[:, 0])[2][1:],
    "precision_recall_curve": lambda x: metrics.precision_recall_curve(labels(x), x[:, 0])[2],
    "silhouette_score": lambda x: metrics.silhouette_score(x, labels(x)),
    "silhouette_samples": lambda x: metrics.silhouette_samples(x, labels(x)),
    "calinski_harabasz_score": lambda x: metrics.calinski_harabasz_score(x, labels(x)),
    "davies_bouldin_score": lambda x: metrics.davies_bouldin_score(x, labels(x)),
}  # fmt: skip

PAIRWISE: Cases = {
    **each(pairwise, lambda f, x: f(x, like(x, Y)), (
        "cosine_similarity", "cosine_distances", "euclidean_distances", "nan_euclidean_distances",
        "manhattan_distances", "paired_cosine_distances", "paired_euclidean_distances", "paired_manhattan_distances",
        "linear_kernel", "polynomial_kernel", "rbf_kernel", "sigmoid_kernel", "laplacian_kernel",
        "additive_chi2_kernel", "chi2_kernel",
    )),
    "euclidean_distances of one array": lambda x: pairwise.euclidean_distances(x, squared=True),
    "haversine_distances": lambda x: pairwise.haversine_distances(x[:, :2], like(x, Y[:, :2])),
    "pairwise_distances": lambda x: pairwise.pairwise_distances(x, like(x, Y)),
    "pairwise_distances (l1)": lambda x: pairwise.pairwise_distances(x, like(x, Y), metric="l1"),
    "pairwise_kernels": lambda x: pairwise.pairwise_kernels(x, like(x, Y), metric="rbf"),
    "paired_distances": lambda x: pairwise.paired_distances(x, like(x, Y)),
    "pairwise_distances_argmin_min": lambda x: pairwise.pairwise_distances_argmin_min(x, like(x, Y))[1],
}  # fmt: skip

PREPROCESSING: Cases = {
    "normalize": lambda x: preprocessing.normalize(x)[:, :2],
    "normalize (l1)": lambda x: preprocessing.normalize(x, norm="l1")[:, :2],
    "normalize (max)": lambda x: preprocessing.normalize(x, norm="max"),
    "binarize": lambda x: preprocessing.binarize(x, threshold=1.0),
    "scale": lambda x: preprocessing.scale(x),
    "maxabs_scale": lambda x: preprocessing.maxabs_scale(x),
    "minmax_scale": lambda x: preprocessing.minmax_scale(x),
    "robust_scale": lambda x: preprocessing.robust_scale(x),
    "power_transform": lambda x: preprocessing.power_transform(tall(x)),
    "add_dummy_feature": lambda x: preprocessing.add_dummy_feature(x),
    **each(preprocessing, lambda f, x: f().fit_transform(x), (
        "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "PolynomialFeatures", "SplineTransformer",
    )),
    "StandardScaler.inverse_transform": lambda x: preprocessing.StandardScaler().fit(x).inverse_transform(x**2),
    "MinMaxScaler.inverse_transform": lambda x: preprocessing.MinMaxScaler().fit(x).inverse_transform(x**2),
    "StandardScaler without standard deviation": lambda x: preprocessing.StandardScaler(
        with_std=False
    ).fit_transform(x),
    "Normalizer": lambda x: preprocessing.Normalizer().fit_transform(x)[:, :2],
    "Binarizer": lambda x: preprocessing.Binarizer(threshold=1.0).fit_transform(x),
    "KernelCenterer": lambda x: preprocessing.KernelCenterer().fit_transform(x @ x.T),
    "LabelBinarizer": lambda x: preprocessing.LabelBinarizer().fit_transform(labels(x)),
    "LabelEncoder": lambda x: preprocessing.LabelEncoder().fit_transform(labels(x)),
}  # fmt: skip

ESTIMATORS: Cases = {
    "decomposition.PCA": lambda x: decomposition.PCA(2, svd_solver="full").fit_transform(tall(x)) ** 2,
    "decomposition.PCA (covariance_eigh)": lambda x: decomposition.PCA(
        2, svd_solver="covariance_eigh"
    ).fit_transform(tall(x)) ** 2,
    "decomposition.PCA, whitened": lambda x: decomposition.PCA(
        2, svd_solver="full", whiten=True
    ).fit_transform(tall(x)) ** 2,
    "decomposition.PCA.explained_variance_": fitted(
        lambda: decomposition.PCA(2, svd_solver="full"), "explained_variance_", "noise_variance_"
    ),
    "decomposition.PCA.score_samples": lambda x: decomposition.PCA(2, svd_solver="full").fit(tall(x)).score_samples(
        tall(x)
    ),
    "decomposition.PCA.inverse_transform": lambda x: reconstructed(tall(x)),
    "decomposition.PCA.get_covariance": lambda x: decomposition.PCA(2, svd_solver="full").fit(tall(x)).get_covariance(),
    "decomposition.IncrementalPCA": lambda x: decomposition.IncrementalPCA(2).fit_transform(tall(x)) ** 2,
    "decomposition.TruncatedSVD": lambda x: decomposition.TruncatedSVD(2, algorithm="arpack").fit_transform(x) ** 2,
    "linear_model.Ridge": lambda x: linear_model.Ridge(solver="svd").fit(tall(x), like(x, Y[0])).coef_,
    "linear_model.Ridge.predict": lambda x: linear_model.Ridge(solver="svd").fit(x, like(x, Y[:, 0])).predict(x**2),
    "linear_model.Ridge.intercept_": lambda x: linear_model.Ridge(solver="svd").fit(x, x[:, 0] ** 2).intercept_,
    "linear_model.RidgeCV": lambda x: linear_model.RidgeCV(alphas=[0.5]).fit(x, like(x, Y[:, 0])).coef_,
    "linear_model.RidgeClassifier": lambda x: linear_model.RidgeClassifier(solver="svd").fit(x, labels(x)).coef_,
    "linear_model.LinearRegression": lambda x: linear_model.LinearRegression().fit(tall(x)[:, :2], x[2, :]).coef_,
    "linear_model.LogisticRegression": lambda x: linear_model.LogisticRegression().fit(x, labels(x)).coef_,
    "linear_model.PoissonRegressor": lambda x: linear_model.PoissonRegressor().fit(x, like(x, Y[:, 0])).coef_,
    "discriminant_analysis.LinearDiscriminantAnalysis": lambda x: (
        discriminant_analysis.LinearDiscriminantAnalysis().fit(x.T[:, :2], five(x)).decision_function(x.T[:, :2])
    ),
    "naive_bayes.GaussianNB": lambda x: naive_bayes.GaussianNB().fit(x, labels(x)).predict_log_proba(x),
    "naive_bayes.GaussianNB.theta_": lambda x: naive_bayes.GaussianNB().fit(x, labels(x)).theta_,
    "mixture.GaussianMixture (full)": lambda x: gaussians(x, "full").means_,
    "mixture.GaussianMixture (tied)": lambda x: gaussians(x, "tied").means_,
    "mixture.GaussianMixture (diag)": lambda x: gaussians(x, "diag").means_,
    "mixture.GaussianMixture (spherical)": lambda x: gaussians(x, "spherical").means_,
    "mixture.GaussianMixture.score_samples": lambda x: gaussians(x, "full").score_samples(tall(x)[:, :3]),
    "kernel_approximation.Nystroem": lambda x: kernel_approximation.Nystroem(
        n_components=3, random_state=0
    ).fit_transform(x),
}  # fmt: skip


def reconstructed(x):
    pca = decomposition.PCA(2, svd_solver="full").fit(x)
    return pca.inverse_transform(pca.transform(x))


def five(x):
    return integers(x, [0, 1, 1, 0, 1])


TOOLS: Cases = {
    "row_norms": extmath.row_norms,
    "squared_norm": extmath.squared_norm,
    "fast_logdet": lambda x: extmath.fast_logdet(xtx(x)),
    "safe_sparse_dot": lambda x: extmath.safe_sparse_dot(x, x.T),
    "randomized_svd": lambda x: extmath.randomized_svd(x, 2, random_state=0)[1],
    "svd_flip": lambda x: extmath.svd_flip(x, x.T)[0],
}


def xtx(x):
    return x @ x.T


CASES: Cases = {
    **{f"metrics.{name}": f for name, f in REGRESSION.items()},
    **{f"metrics.pairwise.{name}": f for name, f in PAIRWISE.items()},
    **{f"preprocessing.{name}": f for name, f in PREPROCESSING.items()},
    **{f"utils.extmath.{name}": f for name, f in TOOLS.items()},
    **ESTIMATORS,
}
