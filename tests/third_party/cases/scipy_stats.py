"""scipy.stats: statistics, tests, transformations and resampling."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tests.third_party.gradients import Cases, like, namespace

CASES: Cases = {
    # Summaries
    "gmean": lambda x: stats.gmean(x, axis=1),
    "hmean": lambda x: stats.hmean(x, axis=1),
    "pmean": lambda x: stats.pmean(x, 2.5, axis=1),
    "gmean with weights": lambda x: stats.gmean(x, axis=1, weights=x**2),
    "trim_mean": lambda x: stats.trim_mean(x, 0.2, axis=1),
    "tmean": lambda x: stats.tmean(x, limits=(0.1, 4), axis=1),
    "tvar": lambda x: stats.tvar(x, limits=(0.1, 4), axis=1),
    "tstd": lambda x: stats.tstd(x, limits=(0.1, 4), axis=1),
    "tsem": lambda x: stats.tsem(x, limits=(0.1, 4), axis=1),
    "tmin": lambda x: stats.tmin(x, lowerlimit=0.1, axis=1),
    "tmax": lambda x: stats.tmax(x, upperlimit=4, axis=1),
    "moment": lambda x: stats.moment(x, 3, axis=1),
    "skew": lambda x: stats.skew(x, axis=1),
    "skew without bias": lambda x: stats.skew(x, axis=1, bias=False),
    "kurtosis": lambda x: stats.kurtosis(x, axis=1),
    "kurtosis without bias": lambda x: stats.kurtosis(x, axis=1, bias=False),
    "variation": lambda x: stats.variation(x, axis=1),
    "sem": lambda x: stats.sem(x, axis=1),
    "gstd": lambda x: stats.gstd(x, axis=1),
    "kstat": lambda x: stats.kstat(x, 3, axis=1),
    "kstatvar": lambda x: stats.kstatvar(x, 2, axis=1),
    "describe": lambda x: stats.describe(x, axis=1)[2:],
    "mode": lambda x: stats.mode(x, axis=1).mode,
    "lmoment": lambda x: stats.lmoment(x, axis=1),
    "iqr": lambda x: stats.iqr(x, axis=1),
    "quantile": lambda x: stats.quantile(x, like(x, 0.3), axis=1),
    "quantile (harrell-davis)": lambda x: stats.quantile(x, like(x, 0.3), axis=1, method="harrell-davis"),
    "median_abs_deviation": lambda x: stats.median_abs_deviation(x, axis=1),
    "expectile": lambda x: stats.expectile(x[0, :], 0.3),
    "entropy": lambda x: stats.entropy(x, axis=1),
    "entropy relative to another": lambda x: stats.entropy(x, x**2, axis=1),
    "differential_entropy": lambda x: stats.differential_entropy(x, axis=1),
    "differential_entropy (vasicek)": lambda x: stats.differential_entropy(x, axis=1, method="vasicek"),
    "differential_entropy (van es)": lambda x: stats.differential_entropy(x, axis=1, method="van es"),
    "differential_entropy (correa)": lambda x: stats.differential_entropy(x, axis=1, method="correa"),
    "circmean": lambda x: stats.circmean(x, axis=1),
    "circvar": lambda x: stats.circvar(x, axis=1),
    "circstd": lambda x: stats.circstd(x, axis=1),
    "directional_stats": lambda x: stats.directional_stats(x).mean_direction,
    "boxcox_llf": lambda x: stats.boxcox_llf(0.3, x[0, :]),
    "yeojohnson_llf": lambda x: stats.yeojohnson_llf(0.3, x[0, :]),
    "bayes_mvs": lambda x: stats.bayes_mvs(x[0, :])[0].statistic,
    "wasserstein_distance": lambda x: stats.wasserstein_distance(x[0, :], x[1, :]),
    "energy_distance": lambda x: stats.energy_distance(x[0, :], x[1, :]),
    "skew (omit NaN)": lambda x: stats.skew(x, axis=1, nan_policy="omit"),
    "gmean, keepdims": lambda x: stats.gmean(x, axis=0, keepdims=True),
    "tmean of all": lambda x: stats.tmean(x),
    "moment about a center": lambda x: stats.moment(x, 2, axis=1, center=0.5),
    "variation (ddof)": lambda x: stats.variation(x, axis=1, ddof=1),
    "kstat (fourth)": lambda x: stats.kstat(x, 4, axis=1),
    "lmoment, standardized": lambda x: stats.lmoment(x, order=[1, 2, 3, 4], axis=1, standardize=True),
    "iqr with scale": lambda x: stats.iqr(x, axis=1, scale="normal", rng=(20, 80)),
    "quantile (weibull)": lambda x: stats.quantile(x, like(x, [0.2, 0.7]), axis=1, method="weibull"),
    "median_abs_deviation with scale": lambda x: stats.median_abs_deviation(x, axis=1, scale="normal"),
    "entropy with base": lambda x: stats.entropy(x, base=2.0, axis=0),
    "circmean in degrees": lambda x: stats.circmean(x * 50, high=360, low=0, axis=1),
    "directional_stats, length": lambda x: stats.directional_stats(x).mean_resultant_length,
    "percentileofscore": lambda x: stats.percentileofscore(x[0, :], x[1, 0]),
    "scoreatpercentile": lambda x: stats.scoreatpercentile(x[0, :], 30),
    "wasserstein_distance_nd": lambda x: stats.wasserstein_distance_nd(x[:2, :], x[2:, :]),
    # Transformations
    "zscore (omit NaN)": lambda x: stats.zscore(x, axis=1, nan_policy="omit"),
    "zscore": lambda x: stats.zscore(x, axis=1),
    "gzscore": lambda x: stats.gzscore(x, axis=1),
    "zmap": lambda x: stats.zmap(x, x * 1.5 + x**2, axis=1),
    "sigmaclip": lambda x: stats.sigmaclip(x, 1.5, 1.5).clipped,
    "trimboth": lambda x: stats.trimboth(x, 0.2, axis=1),
    "trim1": lambda x: stats.trim1(x[0, :], 0.2),
    "rankdata": lambda x: stats.rankdata(x, axis=1),
    "boxcox": lambda x: stats.boxcox(x[0, :], lmbda=0.3),
    "yeojohnson": lambda x: stats.yeojohnson(x[0, :], lmbda=0.3),
    "obrientransform": lambda x: stats.obrientransform(x[0, :], x[1, :]),
    "false_discovery_control (by)": lambda x: stats.false_discovery_control(x / 5, axis=1, method="by"),
    "boxcox_normmax": lambda x: stats.boxcox_normmax(x[0, :]),
    "false_discovery_control": lambda x: stats.false_discovery_control(x / 5, axis=1),
    "binned_statistic": lambda x: stats.binned_statistic(x[0, :], x[1, :], bins=2).statistic,
    # Hypothesis tests: (statistic, p-value)
    "skewtest": lambda x: tuple(stats.skewtest(wide(x), axis=1)),
    "kurtosistest": lambda x: tuple(stats.kurtosistest(wide(x), axis=1)),
    "normaltest": lambda x: tuple(stats.normaltest(wide(x), axis=1)),
    "jarque_bera": lambda x: tuple(stats.jarque_bera(wide(x), axis=1)),
    "ttest_1samp": lambda x: tuple(stats.ttest_1samp(x, 0.1, axis=1)),
    "ttest_1samp, statistic": lambda x: stats.ttest_1samp(x, 0.1, axis=1).statistic,
    "ttest_ind": lambda x: tuple(stats.ttest_ind(x, x**2, axis=1)),
    "ttest_ind (welch)": lambda x: tuple(stats.ttest_ind(x, x**2, axis=1, equal_var=False)),
    "ttest_ind (trimmed)": lambda x: tuple(stats.ttest_ind(x, x**2, axis=1, trim=0.2)),
    "ttest_rel": lambda x: tuple(stats.ttest_rel(x, x**2, axis=1)),
    "ttest_ind_from_stats": lambda x: tuple(stats.ttest_ind_from_stats(x[0, :], x[1, :], 9, x[2, :], x[3, :], 8)),
    "f_oneway": lambda x: tuple(stats.f_oneway(x, x**2, x**3 / 3, axis=1)),
    "alexandergovern": lambda x: pair(stats.alexandergovern(x, x**2, x**3 / 3, axis=1)),
    "bartlett": lambda x: tuple(stats.bartlett(x, x**2, axis=1)),
    "levene": lambda x: tuple(stats.levene(x, x**2, axis=1)),
    "fligner": lambda x: tuple(stats.fligner(x, x**2, axis=1)),
    "mood": lambda x: tuple(stats.mood(x, x**2, axis=1)),
    "ansari": lambda x: tuple(stats.ansari(x, x**2, axis=1)),
    "chisquare": lambda x: tuple(stats.chisquare(x, axis=1)),
    "power_divergence": lambda x: tuple(stats.power_divergence(x, axis=1, lambda_=0.5)),
    "friedmanchisquare": lambda x: tuple(stats.friedmanchisquare(x, x**2, x**3 / 3, axis=1)),
    "kruskal": lambda x: tuple(stats.kruskal(x, x**2, axis=1)),
    "mannwhitneyu": lambda x: tuple(stats.mannwhitneyu(x, x**2, axis=1)),
    "wilcoxon": lambda x: pair(stats.wilcoxon(x - 1.0, axis=1)),
    "brunnermunzel": lambda x: tuple(stats.brunnermunzel(x, x**2, axis=1)),
    "ranksums": lambda x: tuple(stats.ranksums(x, x**2, axis=1)),
    "epps_singleton_2samp": lambda x: tuple(stats.epps_singleton_2samp(x, x**2 / 3, axis=1)),
    "cramervonmises": lambda x: pair(stats.cramervonmises(x, normal_cdf, axis=1)),
    "ks_1samp": lambda x: pair(stats.ks_1samp(x, normal_cdf, axis=1)),
    "ks_2samp": lambda x: pair(stats.ks_2samp(x[0, :], x[1, :])),
    "shapiro": lambda x: stats.shapiro(x[0, :]).statistic,
    "anderson": lambda x: stats.anderson(x[0, :], method="interpolate").statistic,
    "combine_pvalues": lambda x: tuple(stats.combine_pvalues(x / 5, axis=1)),
    "combine_pvalues (stouffer)": lambda x: tuple(stats.combine_pvalues(x / 5, axis=1, method="stouffer")),
    "combine_pvalues (tippett)": lambda x: tuple(stats.combine_pvalues(x / 5, axis=1, method="tippett")),
    "ttest_1samp, confidence interval": lambda x: tuple(stats.ttest_1samp(x, 0.1, axis=1).confidence_interval()),
    "ttest_ind, confidence interval": lambda x: tuple(stats.ttest_ind(x, x**2, axis=1).confidence_interval(0.9)),
    "ttest_rel (less)": lambda x: tuple(stats.ttest_rel(x, x**2, axis=1, alternative="less")),
    "chisquare with frequencies": lambda x: tuple(
        stats.chisquare(x, x * 0 + namespace(x).mean(x, axis=1, keepdims=True), axis=1)
    ),
    "power_divergence (freeman-tukey)": lambda x: tuple(stats.power_divergence(x, axis=1, lambda_="freeman-tukey")),
    "combine_pvalues (pearson)": lambda x: tuple(stats.combine_pvalues(x / 5, axis=1, method="pearson")),
    "combine_pvalues (mudholkar_george)": lambda x: tuple(
        stats.combine_pvalues(x / 5, axis=1, method="mudholkar_george")
    ),
    "chi2_contingency": lambda x: stats.chi2_contingency(x).statistic,
    "tukey_hsd": lambda x: stats.tukey_hsd(x[0, :], x[1, :]).statistic,
    "median_test": lambda x: stats.median_test(x[0, :], x[1, :]).statistic,
    "bws_test": lambda x: stats.bws_test(x[0, :], x[1, :]).statistic,
    "kstest": lambda x: stats.kstest(x[0, :], x[1, :]).statistic,
    # Association
    "pearsonr, confidence interval": lambda x: tuple(
        stats.pearsonr(x, x**2 + like(x, ODD), axis=1).confidence_interval()
    ),
    "pearsonr (greater)": lambda x: tuple(stats.pearsonr(x[0, :], x[1, :], alternative="greater")),
    "spearmanr": lambda x: stats.spearmanr(x[0, :], x[1, :]).statistic,
    "weightedtau": lambda x: stats.weightedtau(x[0, :], x[1, :]).statistic,
    "siegelslopes": lambda x: stats.siegelslopes(x[0, :], x[1, :])[:2],
    "pearsonr": lambda x: stats.pearsonr(x, x**2 + like(x, ODD), axis=1).statistic,
    "pearsonr, p-value": lambda x: stats.pearsonr(x, x**2 + like(x, ODD), axis=1).pvalue,
    "spearmanrho": lambda x: stats.spearmanrho(x, x**2 + like(x, ODD), axis=1).statistic,
    "chatterjeexi": lambda x: stats.chatterjeexi(x, x**2 + like(x, ODD), axis=1).statistic,
    "linregress": lambda x: stats.linregress(x[0, :], x[1, :])[:2],
    "kendalltau": lambda x: stats.kendalltau(x[0, :], x[1, :]).statistic,
    "theilslopes": lambda x: stats.theilslopes(x[0, :], x[1, :])[:2],
    "pointbiserialr": lambda x: stats.pointbiserialr(like(x, np.arange(5)) > 2, x[0, :]).statistic,
    # Resampling
    "bootstrap": lambda x: stats.bootstrap((x,), mean, axis=1, n_resamples=9, rng=rng(), method="basic").standard_error,
    "permutation_test": lambda x: stats.permutation_test(
        (x, x**2), difference, axis=1, n_resamples=9, rng=rng(), vectorized=True
    ).statistic,
    "monte_carlo_test": lambda x: stats.monte_carlo_test(
        x, lambda size: like(x, rng().normal(size=size)), mean, axis=1, n_resamples=9, vectorized=True
    ).statistic,
    "qmc.scale": lambda x: stats.qmc.scale(x / 5, 1.0, 3.0),
    # Distributions
    "norm.logpdf": lambda x: stats.norm.logpdf(x),
    "norm.cdf": lambda x: stats.norm.cdf(x),
    "multivariate_normal.logpdf": lambda x: stats.multivariate_normal.logpdf(x, np.zeros(5)),
    "expon.logpdf": lambda x: stats.expon.logpdf(x),
    "gamma.logpdf": lambda x: stats.gamma.logpdf(x, 2.0),
    "Normal.cdf": lambda x: stats.Normal().cdf(x),
    "Uniform.logcdf": lambda x: stats.Uniform(a=0.0, b=9.0).logcdf(x),
    "Normal.logpdf": lambda x: stats.Normal().logpdf(x),
}  # fmt: skip

ODD = np.arange(20.0).reshape(4, 5) % 3


def wide(x):
    """More observations than some tests need at least."""
    return namespace(x).concat((x, x**2, x**3, x + 0.3), axis=1)


def mean(x, axis):
    return namespace(x).mean(x, axis=axis)


def difference(x, y, axis):
    return mean(x, axis) - mean(y, axis)


def normal_cdf(x):
    return 1 / (1 + namespace(x).exp(-1.7 * x))


def pair(result):
    return result.statistic, result.pvalue


def rng():
    return np.random.default_rng(1)
