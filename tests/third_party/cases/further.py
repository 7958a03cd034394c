"""Functions and arguments that users name, beside those in the other files."""

from __future__ import annotations

import numpy as np
from scipy import fft, integrate, linalg, optimize, signal, special, stats
from scipy.optimize import elementwise
from scipy.spatial import distance
from scipy.spatial.transform import Rotation, RotationSpline
from sklearn import compose, covariance, cross_decomposition, metrics, neighbors, preprocessing
from sklearn.metrics import cluster, pairwise
from sklearn.utils import extmath

from tests.third_party.gradients import Cases, integers, like, namespace

STATS: Cases = {
    "entropy along rows": lambda x: stats.entropy(x, axis=1),
    "f_oneway (welch)": lambda x: stats.f_oneway(x[0, :], x[1, :], x[2, :], equal_var=False).pvalue,
    "f_oneway of vectors": lambda x: stats.f_oneway(x[0, :], x[1, :], x[2, :]).pvalue,
    "pearsonr of vectors, interval": lambda x: tuple(stats.pearsonr(x[0, :], x[1, :] ** 2).confidence_interval()),
    "hmean with weights": lambda x: stats.hmean(x, weights=x + 1),
    "pmean with weights": lambda x: stats.pmean(x, 2.5, weights=x + 1, axis=1),
    "power_divergence (cressie-read)": lambda x: (
        stats.power_divergence(x, x * 0 + namespace(x).mean(x, axis=0, keepdims=True), lambda_="cressie-read").statistic
    ),
    "levene (mean)": lambda x: stats.levene(x[0, :], x[1, :], center="mean").statistic,
    "levene (trimmed)": lambda x: stats.levene(x[0, :], x[1, :], center="trimmed").statistic,
    "fligner (mean)": lambda x: stats.fligner(x[0, :], x[1, :], center="mean").statistic,
    "differential_entropy (ebrahimi)": lambda x: stats.differential_entropy(x, method="ebrahimi", axis=1),
    "tmean within limits": lambda x: stats.tmean(x, (0.6, 2.0)),
    "tvar within limits": lambda x: stats.tvar(x, (0.6, 2.0), axis=None),
    "tsem within limits": lambda x: stats.tsem(x, (0.6, None), axis=None),
    "combine_pvalues with weights": lambda x: (
        stats.combine_pvalues(x[0, :] / 9, method="stouffer", weights=x[1, :]).pvalue
    ),
    "ttest_1samp (omit NaN)": lambda x: stats.ttest_1samp(x, 1.0, axis=1, nan_policy="omit").pvalue,
    "pearsonr of rows": lambda x: stats.pearsonr(x, x**2 + x[:1, :], axis=1).statistic,
    "skewtest (less)": lambda x: stats.skewtest(tall(x), axis=0, alternative="less").pvalue,
    "kurtosistest (greater)": lambda x: stats.kurtosistest(tall(x), axis=0, alternative="greater").pvalue,
    "boxcox_llf of rows": lambda x: stats.boxcox_llf(0.3, x, axis=1),
    "bartlett of rows": lambda x: stats.bartlett(x, x**2, axis=1).pvalue,
    "ttest_ind of all": lambda x: stats.ttest_ind(x, x**2, axis=None).statistic,
    "gaussian_kde": lambda x: stats.gaussian_kde(x[0, :])(x[1, :]),
    "ecdf": lambda x: stats.ecdf(x[0, :]).cdf.quantiles,
    "beta.pdf": lambda x: stats.beta.pdf(x / 9, 2.0, 3.0),
    "t.sf": lambda x: stats.t.sf(x, 5.0),
    "poisson.logpmf": lambda x: stats.poisson.logpmf(2, x),
    "mstats.gmean": lambda x: stats.mstats.gmean(x),
    "dunnett": lambda x: stats.dunnett(x[0, :], x[1, :], control=x[2, :]).statistic,
    "quantile of weights": lambda x: stats.quantile(x, like(x, [0.2, 0.7]), axis=1, method="median_unbiased"),
}
SIGNAL: Cases = {
    "envelope with residual": lambda x: signal.envelope(x[0, :], (1, None), residual="all"),
    "ZoomFFT": lambda x: signal.ZoomFFT(5, [0.1, 0.5], 4)(x),
    "ShortTimeFFT.stft": lambda x: signal.ShortTimeFFT(np.ones(3), 1, 1.0).stft(x[0, :]),
    "zoom_fft": lambda x: signal.zoom_fft(x, [0.1, 0.5], 4),
    "lfilter with b alone": lambda x: signal.lfilter(x[0, :2], like(x, [1.0]), x[1, :]),
    "choose_conv_method": lambda x: signal.convolve(x, x, method=signal.choose_conv_method(x, x)),
    "fftconvolve along an axis": lambda x: signal.fftconvolve(x, x**2, mode="same", axes=1),
    "resample to more": lambda x: signal.resample(x, 8, axis=1),
    "hilbert along an axis": lambda x: signal.hilbert(x, N=6, axis=0),
    "sosfreqz": lambda x: signal.sosfreqz(sections(x), worN=4)[1],
    "dlti.freqresp": lambda x: signal.dfreqresp((x[0, :2], x[1, :3], 0.1), w=[0.5])[1],
    "place_poles": lambda x: signal.place_poles(x[:2, :2], x[:2, 2:4], np.asarray([-1.0, -2.0])).gain_matrix,
}
REST: Cases = {
    "scipy.fft.fft2 with norm": lambda x: fft.fft2(x, norm="ortho"),
    "scipy.fft.irfftn with s": lambda x: fft.irfftn(x + 1j * x**2, s=(4, 6)),
    "scipy.special.softmax along columns": lambda x: special.softmax(x, axis=0),
    "scipy.special.log_softmax of all": lambda x: special.log_softmax(x),
    "scipy.special.xlogy of zeros": lambda x: special.xlogy(x - x, x) + special.xlogy(x, 2.0),
    "scipy.special.rel_entr broadcast": lambda x: special.rel_entr(x, x[:1, :]),
    "scipy.special.expit of products": lambda x: special.expit(x @ x.T),
    "scipy.special.gammaln of integers": lambda x: special.gammaln(integers(x, [3, 4])) * x[:2, 0],
    "scipy.special.betaincinv of a": lambda x: special.betaincinv(x, like(x, 2.0), like(x, 0.3)),
    "scipy.special.softplus of rows": lambda x: special.softplus(x[0, :]),
    "scipy.special.perm": lambda x: special.perm(x + 3, x),
    "scipy.special.agm": lambda x: special.agm(x, 1.0),
    "scipy.special.lambertw": lambda x: special.lambertw(x),
    "scipy.special.wofz": lambda x: special.wofz(x),
    "scipy.integrate.cumulative_trapezoid from 0": lambda x: integrate.cumulative_trapezoid(x, dx=0.5, initial=0),
    "scipy.integrate.simpson over points": lambda x: integrate.simpson(x[0, :], x=x[1, :]),
    "scipy.integrate.cubature of a parameter": lambda x: (
        integrate.cubature(
            lambda p, a: namespace(p).exp(-p * a[0, 0]), like(x, [0.0]), like(x, [1.0]), args=(x,)
        ).estimate
    ),
    "scipy.integrate.tanhsinh to infinity": lambda x: (
        integrate.tanhsinh(lambda t, a: namespace(a).exp(-a * t), x * 0, x * 0 + like(x, np.inf), args=(x,)).integral
    ),
    "scipy.optimize.elementwise.find_root of two": lambda x: (
        elementwise.find_root(lambda z, a, b: z**3 + b * z - a, (x * 0, x + 1), args=(x, x**2)).x
    ),
    "scipy.optimize.approx_fprime": lambda x: optimize.approx_fprime(x[0, :], lambda z: (z**2).sum()),
    "scipy.optimize.linear_sum_assignment": lambda x: x[optimize.linear_sum_assignment(x)],
    "scipy.optimize.isotonic_regression": lambda x: optimize.isotonic_regression(x[0, :]).x,
    "scipy.linalg.block_diag of three": lambda x: linalg.block_diag(x[:2, :2], x[:1, :], x[:, :1]),
    "scipy.linalg.polar": lambda x: linalg.polar(x[:, :4])[0],
    "scipy.linalg.khatri_rao": lambda x: linalg.khatri_rao(x, x**2),
    "scipy.linalg.cho_solve": lambda x: linalg.cho_solve((x[:3, :3], True), x[:3, 0]),
    "scipy.linalg.companion": lambda x: linalg.companion(x[0, :]),
    "scipy.linalg.circulant": lambda x: linalg.circulant(x[0, :]),
    "scipy.spatial.distance.cosine": lambda x: distance.cosine(x[0, :], x[1, :]),
    "scipy.spatial.distance.mahalanobis": lambda x: distance.mahalanobis(x[0, :], x[1, :], np.eye(5)),
    "scipy.spatial.distance.directed_hausdorff": lambda x: distance.directed_hausdorff(x, x**2)[0],
    "scipy.spatial.transform.RotationSpline": lambda x: RotationSpline(np.arange(4.0), Rotation.from_rotvec(x[:, :3]))(
        0.5
    ).as_quat(),
    "scipy.spatial.transform.Rotation.from_rotvec, once": lambda x: Rotation.from_rotvec(x[0, :3]).as_matrix(),
    "scipy.spatial.transform.Rotation.as_quat, canonical": lambda x: Rotation.from_rotvec(x[:, :3] * 3).as_quat(
        canonical=True, scalar_first=True
    ),
    "scipy.spatial.transform.Rotation.as_euler in degrees": lambda x: Rotation.from_rotvec(x[:, :3]).as_euler(
        "ZXZ", degrees=True
    ),
    "sklearn.metrics.mean_squared_error with weights, raw": lambda x: metrics.mean_squared_error(
        x, x**2, sample_weight=x[:, 0], multioutput="raw_values"
    ),
    "sklearn.metrics.r2_score with weights, raw": lambda x: metrics.r2_score(
        x, x**2, sample_weight=x[:, 0], multioutput="raw_values"
    ),
    "sklearn.metrics.pairwise.pairwise_distances (sqeuclidean)": lambda x: pairwise.pairwise_distances(
        x, metric="sqeuclidean"
    ),
    "sklearn.metrics.pairwise.pairwise_kernels (laplacian)": lambda x: pairwise.pairwise_kernels(
        x, x**2, metric="laplacian"
    ),
    "sklearn.metrics.pairwise.rbf_kernel of gamma": lambda x: pairwise.rbf_kernel(x, x**2, gamma=0.3),
    "sklearn.metrics.dcg_score": lambda x: metrics.dcg_score(x, x**2),
    "sklearn.metrics.hinge_loss": lambda x: metrics.hinge_loss([0, 1, 1, 0], x[:, 0]),
    "sklearn.metrics.cluster.entropy": lambda x: cluster.entropy(x[0, :]),
    "sklearn.preprocessing.Normalizer (max)": lambda x: preprocessing.Normalizer("max").fit_transform(x),
    "sklearn.preprocessing.MinMaxScaler to a range": lambda x: preprocessing.MinMaxScaler(
        (-1, 2), clip=True
    ).fit_transform(x),
    "sklearn.preprocessing.FunctionTransformer": lambda x: preprocessing.FunctionTransformer(
        lambda v: namespace(v).log(v)
    ).fit_transform(x),
    "sklearn.preprocessing.quantile_transform": lambda x: preprocessing.quantile_transform(x, n_quantiles=3),
    "sklearn.utils.extmath.randomized_range_finder": lambda x: extmath.randomized_range_finder(
        x, size=2, n_iter=1, random_state=0
    ),
    "sklearn.utils.extmath.weighted_mode": lambda x: extmath.weighted_mode(x[0, :], x[1, :])[1],
    "sklearn.utils.extmath.softmax": lambda x: extmath.softmax(x),
    "sklearn.covariance.empirical_covariance": lambda x: covariance.empirical_covariance(x),
    "sklearn.covariance.ledoit_wolf": lambda x: covariance.ledoit_wolf(x)[0],
    "sklearn.cross_decomposition.PLSRegression": lambda x: (
        cross_decomposition.PLSRegression(1).fit(x, x[:, :1] ** 2).coef_
    ),
    "sklearn.neighbors.KernelDensity": lambda x: neighbors.KernelDensity().fit(x).score_samples(x**2),
    "sklearn.compose.ColumnTransformer": lambda x: compose.ColumnTransformer(
        [("s", preprocessing.StandardScaler(), [0, 1])]
    ).fit_transform(x),
}


def tall(x):
    """Enough rows for a test of normality."""
    xp = namespace(x)
    return xp.concat([x, x**2, xp.sin(x)])


def sections(x):
    xp = namespace(x)
    return xp.concat([x[:1, :3], like(x, [[1.0]]), x[1:2, :2] / 9], axis=1)


CASES: Cases = {
    **{f"scipy.stats.{name}": f for name, f in STATS.items()},
    **{f"scipy.signal.{name}": f for name, f in SIGNAL.items()},
    **REST,
}
