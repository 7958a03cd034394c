"""Functions that SciPy lists as array API functions, beside those in the other files."""

from __future__ import annotations

from scipy import interpolate, ndimage, signal, special
from scipy.cluster import hierarchy
from scipy.spatial import distance
from scipy.spatial.transform import Rotation
from scipy.stats import cramervonmises_2samp

from tests.third_party.gradients import Cases, integers, like, namespace

CASES: Cases = {
    "scipy.signal.butter": lambda x: signal.butter(2, x[0, 0] / 4),
    "scipy.signal.butter to zeros and poles": lambda x: signal.butter(
        2, x[0, :2] / like(x, [4, 2]), "band", output="zpk"
    ),
    "scipy.signal.butter to sections": lambda x: signal.butter(3, x[0, 0] / 4, output="sos"),
    "scipy.signal.bessel": lambda x: signal.bessel(2, x[0, 0] / 4),
    "scipy.signal.cheby1": lambda x: signal.cheby1(2, 1.0, x[0, 0] / 4),
    "scipy.signal.cheby2": lambda x: signal.cheby2(2, 20.0, x[0, 0] / 4),
    "scipy.signal.ellip": lambda x: signal.ellip(2, 1.0, 20.0, x[0, 0] / 4),
    "scipy.signal.iirfilter": lambda x: signal.iirfilter(2, x[0, 0], analog=True, btype="low"),
    "scipy.signal.iirnotch": lambda x: signal.iirnotch(x[0, 0] / 4, 30.0),
    "scipy.signal.iirpeak": lambda x: signal.iirpeak(x[0, 0] / 4, 30.0),
    "scipy.signal.gammatone": lambda x: signal.gammatone(x[0, 0] / 4, "iir"),
    "scipy.signal.tf2sos": lambda x: signal.tf2sos(x[0, :3], x[1, :3]),
    "scipy.signal.firwin2": lambda x: signal.firwin2(5, like(x, [0.0, 0.3, 0.6, 0.8, 1.0]), x[0, :]),
    "scipy.signal.unique_roots": lambda x: signal.unique_roots(x[0, :])[0],
    "scipy.signal.residue": lambda x: signal.residue(x[0, :2], x[1, :3])[0],
    "scipy.signal.invres": lambda x: signal.invres(x[0, :2], x[1, :2], x[2, :1])[0],
    "scipy.signal.cont2discrete": lambda x: signal.cont2discrete((x[:2, :2], x[:2, :1], x[:1, :2], x[:1, :1]), 0.1)[0],
    "scipy.signal.medfilt2d": lambda x: signal.medfilt2d(x, 3),
    "scipy.interpolate.CubicHermiteSpline": lambda x: interpolate.CubicHermiteSpline(
        like(x, [0.0, 1.0, 2.0, 3.0]), x, x
    )(like(x, 1.5)),
    "scipy.interpolate.BPoly": lambda x: interpolate.BPoly(x, like(x, range(6)))(like(x, 1.5)),
    "scipy.interpolate.make_lsq_spline": lambda x: (
        interpolate.make_lsq_spline(like(x, range(5)), x[0, :], like(x, [0, 0, 2, 4, 4]), k=1).c
    ),
    "scipy.ndimage.gaussian_laplace": lambda x: ndimage.gaussian_laplace(x, 1.0),
    "scipy.ndimage.maximum_filter": lambda x: ndimage.maximum_filter(x, 3),
    "scipy.ndimage.fourier_gaussian": lambda x: ndimage.fourier_gaussian(x, 1.0),
    "scipy.ndimage.variance": lambda x: ndimage.variance(x),
    "scipy.ndimage.grey_opening": lambda x: ndimage.grey_opening(x, 3),
    "scipy.cluster.hierarchy.ward": lambda x: hierarchy.ward(x),
    "scipy.cluster.hierarchy.maxdists": lambda x: hierarchy.maxdists(hierarchy.single(x)),
    "scipy.spatial.transform.Rotation.approx_equal": lambda x: Rotation.from_quat(x[:, :4]).approx_equal(
        Rotation.from_quat(x[:, 1:])
    ),
    "scipy.special.bdtr": lambda x: special.bdtr(like(x, 2.0), integers(x, 5), x / 9),
    "scipy.special.bdtrc": lambda x: special.bdtrc(like(x, 2.0), integers(x, 5), x / 9),
    "scipy.special.nbdtr": lambda x: special.nbdtr(integers(x, 2), integers(x, 5), x / 9),
    "scipy.special.betaincc": lambda x: special.betaincc(x, x + 1, x / 9),
    "scipy.special.expn": lambda x: special.expn(integers(x, 2), x),
    "scipy.special.gammasgn": lambda x: special.gammasgn(x),
    "scipy.special.gdtrc": lambda x: special.gdtrc(x, x + 1, x),
    "scipy.special.pdtr": lambda x: special.pdtr(like(x, 2.0), x),
    "scipy.special.pdtrc": lambda x: special.pdtrc(like(x, 2.0), x),
    "scipy.stats.cramervonmises_2samp": lambda x: (
        cramervonmises_2samp(x[0, :], x[1, :] + namespace(x).sum(x)).statistic
    ),
    "scipy.special.stdtrit": lambda x: special.stdtrit(x, x / 5),
    "scipy.special.chdtri": lambda x: special.chdtri(x, x / 5),
    "scipy.special.fdtri": lambda x: special.fdtri(x, x + 1, x / 5),
    "scipy.special.betaincinv": lambda x: special.betaincinv(x, x + 1, x / 5),
    "scipy.special.gammaincinv": lambda x: special.gammaincinv(x, x / 5),
    "scipy.special.nbdtrc": lambda x: special.nbdtrc(integers(x, 2), integers(x, 5), x / 9),
    "scipy.special.logsumexp with signs": lambda x: special.logsumexp(x, b=x - 1, axis=1, return_sign=True),
    "scipy.special.voigt_profile": lambda x: special.voigt_profile(x, 1.0, 1.0),
    "scipy.special.comb": lambda x: special.comb(x + 3, x),
    "scipy.special.diric": lambda x: special.diric(x, 3),
    "scipy.special.ellipe": lambda x: special.ellipe(x / 9),
    "scipy.special.eval_legendre": lambda x: special.eval_legendre(2, x / 9),
    "scipy.special.hyp2f1": lambda x: special.hyp2f1(1.0, 2.0, 3.0, x / 9),
    "scipy.signal.chirp": lambda x: signal.chirp(x[0, :], 1.0, 2.0, 3.0),
    "scipy.signal.sawtooth": lambda x: signal.sawtooth(x),
    "scipy.signal.gausspulse": lambda x: signal.gausspulse(x, 2),
    "scipy.signal.tf2ss": lambda x: signal.tf2ss(x[0, :3], x[1, :3])[0],
    "scipy.signal.kaiser_beta": lambda x: signal.kaiser_beta(x[0, 0] * 30),
    "scipy.signal.impulse": lambda x: signal.impulse((x[0, :2], x[1, :3]))[1],
    "scipy.signal.coherence": lambda x: signal.coherence(x[0, :], x[1, :], nperseg=2)[1],
    "scipy.signal.spectrogram": lambda x: signal.spectrogram(x[0, :], nperseg=2)[2],
    "scipy.ndimage.gaussian_gradient_magnitude": lambda x: ndimage.gaussian_gradient_magnitude(x, 1.0),
    "scipy.spatial.distance.squareform": lambda x: distance.squareform(x[0, :3]),
}
