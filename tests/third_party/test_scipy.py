"""SciPy, differentiated unmodified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.cluster.vq
import scipy.differentiate
import scipy.fft
import scipy.integrate
import scipy.optimize
import scipy.signal
import scipy.special
import scipy.stats
from scipy.spatial.transform import RigidTransform, Rotation

from portanet.autodiff import TraceError, array_namespace, check_grads, grad, hessian, jvp, value_and_grad
from tests.third_party.gradients import LIBRARIES, assert_gradient, like, made_by, positive, size

stats, special, signal, integrate = scipy.stats, scipy.special, scipy.signal, scipy.integrate

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    # scipy.special
    "logsumexp": lambda x: special.logsumexp(x, axis=1),
    "softmax": lambda x: special.softmax(x, axis=1),
    "log_softmax": lambda x: special.log_softmax(x, axis=1),
    "xlogy": lambda x: special.xlogy(x, x + 1),
    "rel_entr": lambda x: special.rel_entr(x, x**2),
    # scipy.stats
    "gmean": lambda x: stats.gmean(x, axis=1),
    "hmean": lambda x: stats.hmean(x, axis=1),
    "pmean": lambda x: stats.pmean(x, 2.5, axis=1),
    "trim_mean": lambda x: stats.trim_mean(x, 0.2, axis=1),
    "tmean": lambda x: stats.tmean(x, limits=(0.1, 4), axis=1),
    "tvar": lambda x: stats.tvar(x, limits=(0.1, 4), axis=1),
    "moment": lambda x: stats.moment(x, 3, axis=1),
    "skew": lambda x: stats.skew(x, axis=1),
    "kurtosis": lambda x: stats.kurtosis(x, axis=1),
    "variation": lambda x: stats.variation(x, axis=1),
    "sem": lambda x: stats.sem(x, axis=1),
    "gstd": lambda x: stats.gstd(x, axis=1),
    "kstat": lambda x: stats.kstat(x, 3, axis=1),
    "kstatvar": lambda x: stats.kstatvar(x, 2, axis=1),
    "describe": lambda x: stats.describe(x, axis=1).variance,
    "zscore": lambda x: stats.zscore(x, axis=1),
    "gzscore": lambda x: stats.gzscore(x, axis=1),
    "zmap": lambda x: stats.zmap(x, x * 1.5 + x**2, axis=1),
    "lmoment": lambda x: stats.lmoment(x, axis=1),
    "iqr": lambda x: stats.iqr(x, axis=1),
    "quantile": lambda x: stats.quantile(x, like(x, 0.3), axis=1),
    "differential_entropy": lambda x: stats.differential_entropy(x, axis=1, method="vasicek"),
    "circmean": lambda x: stats.circmean(x, axis=1),
    "circvar": lambda x: stats.circvar(x, axis=1),
    "directional_stats": lambda x: stats.directional_stats(x).mean_direction,
    # scipy.integrate and scipy.differentiate
    "trapezoid": lambda x: integrate.trapezoid(x, axis=1),
    "cumulative_trapezoid": lambda x: integrate.cumulative_trapezoid(x, axis=1),
    "cumulative_simpson": lambda x: integrate.cumulative_simpson(x, axis=1),
    "cubature": lambda x: integrate.cubature(
        lambda p: array_namespace(p).sum(p**2, axis=-1), x[0, :2] * 0, x[0, :2]
    ).estimate + 0 * x[0, 0],
    "derivative": lambda x: scipy.differentiate.derivative(lambda z: z**3, x).df,
    # scipy.signal and scipy.fft
    "fftconvolve": lambda x: signal.fftconvolve(x, x[:2, :2]),
    "convolve": lambda x: signal.convolve(x, x, method="fft"),
    "oaconvolve": lambda x: signal.oaconvolve(x, x),
    "resample": lambda x: signal.resample(x, 8, axis=1),
    "hilbert": lambda x: signal.hilbert(x, axis=1),
    "windows": lambda x: signal.windows.gaussian(5, 1.0, xp=array_namespace(x)) * x,
    "rfft": lambda x: scipy.fft.rfft(x, axis=1),
    "fft": lambda x: scipy.fft.fft(x, axis=1),
    # scipy.cluster, scipy.spatial and scipy.optimize
    "whiten": lambda x: scipy.cluster.vq.whiten(x),
    "Rotation.apply": lambda x: Rotation.from_rotvec(x[:, :3]).apply(x[:, 1:4]),
    "Rotation.as_rotvec": lambda x: Rotation.from_quat(x[:, :4]).as_rotvec(),
    "RigidTransform.apply": lambda x: RigidTransform.from_translation(x[:, :3]).apply(x[:, 1:4]),
    "rosen": lambda x: scipy.optimize.rosen(x[0, ...]),
}  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient(name, library):
    assert_gradient(FUNCTIONS[name], made_by(library, positive((4, 5))))


COMPILED: dict[str, Callable[[Any], Any]] = {
    "expit": special.expit,
    "entr": special.entr,
    "gammaln": special.gammaln,
    "simpson": integrate.simpson,
    "dct": scipy.fft.dct,
    "detrend": signal.detrend,
    "ttest_1samp": lambda x: stats.ttest_1samp(x, 0.1, axis=1).statistic,
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", COMPILED)
def test_what_ends_in_compiled_code_is_refused_not_wrong(name, library):
    with pytest.raises(TraceError, match="Conversion to NumPy would cut the derivative"):
        grad(lambda x: size(COMPILED[name](x)))(made_by(library, positive((4, 5))))


def test_the_table_of_the_documentation_is_this_one():
    """docs/autodiff.md names exactly what is tested here."""
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "autodiff.md").read_text()
    missing = [name for name in (*FUNCTIONS, *COMPILED) if f"`{name}`" not in text]
    assert not missing


def test_second_order_and_forward_mode():
    x = positive((2, 3))
    check_grads(lambda x: special.logsumexp(x, axis=1), (x,))
    check_grads(lambda x: stats.skew(x, axis=1), (x,))
    np.testing.assert_allclose(hessian(scipy.optimize.rosen)(x[0]), scipy.optimize.rosen_hess(x[0]))
    np.testing.assert_allclose(grad(scipy.optimize.rosen)(x[0]), scipy.optimize.rosen_der(x[0]))


def test_the_gradient_of_logsumexp_is_softmax():
    x = np.asarray([300.0, 299.0, -1000.0])
    value, slope = value_and_grad(special.logsumexp)(x)
    np.testing.assert_allclose(value, special.logsumexp(x))
    np.testing.assert_allclose(slope, special.softmax(x), atol=1e-15)
    np.testing.assert_allclose(jvp(special.logsumexp, (x,), (np.ones(3),))[1], 1.0)
