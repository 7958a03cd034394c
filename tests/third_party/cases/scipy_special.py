"""scipy.special, which looks for functions of the namespace, then of its library, then converts to NumPy."""

from __future__ import annotations

from scipy import special

from tests.third_party.gradients import Cases, each

ONE = (
    "cbrt", "cosdg", "cosm1", "cotdg", "ellipkm1", "entr", "erf", "erfc", "erfcx", "exp1", "exp10", "exp2",
    "expi", "expit", "exprel", "gamma", "gammaln", "i0", "i0e", "i1", "i1e", "j0", "j1", "k0", "k0e", "k1", "k1e",
    "log_ndtr", "loggamma", "ndtr", "psi", "rgamma", "sinc", "sindg", "spence", "tandg", "y0", "y1", "zetac",
    "log_softmax", "logsumexp", "log1p", "expm1", "dawsn", "digamma", "erfi", "fresnel",
    "log_expit", "softplus",
)  # fmt: skip
UNIT = ("ellipk", "erfinv", "erfcinv", "logit", "ndtri")
"""Functions of (0, 1)."""
TWO = (
    "betaln", "beta", "boxcox", "boxcox1p", "binom", "chdtr", "chdtrc", "gammainc", "gammaincc", "huber",
    "inv_boxcox", "inv_boxcox1p", "kl_div", "poch", "pseudo_huber", "rel_entr", "stdtr", "xlog1py", "xlogy", "zeta",
    "owens_t",
)  # fmt: skip

CASES: Cases = {
    **each(special, lambda f, x: f(x), ONE),
    **each(special, lambda f, x: f(x / 4), UNIT),
    **each(special, lambda f, x: f(x + 1, x / 5), TWO),
    "ndtri_exp": lambda x: special.ndtri_exp(-x),
    "bdtri": lambda x: special.bdtri(1.0 + 0 * x, 4.0 + 0 * x, x / 5),
    "nbdtri": lambda x: special.nbdtri(1.0 + 0 * x, 4.0 + 0 * x, x / 5),
    "pdtri": lambda x: special.pdtri(1.0 + 0 * x, x / 5),
    "yn": lambda x: special.yn(2, x),
    "lpmv": lambda x: special.lpmv(1, 2.5, x / 5),
    "betainc": lambda x: special.betainc(2.0 + 0 * x, 3.0 + 0 * x, x / 5),
    "fdtr": lambda x: special.fdtr(2.0 + 0 * x, 3.0 + 0 * x, x),
    "fdtrc": lambda x: special.fdtrc(2.0 + 0 * x, 3.0 + 0 * x, x),
    "gdtr": lambda x: special.gdtr(x, x + 1, x / 5),
    "hyp1f1": lambda x: special.hyp1f1(1.5, 2.5, x),
    "jv": lambda x: special.jv(2.5, x),
    "logsumexp with weights": lambda x: special.logsumexp(x, axis=1, b=x),
    "multigammaln": lambda x: special.multigammaln(x + 1, 2),
    "polygamma": lambda x: special.polygamma(1, x),
    "softmax": lambda x: special.softmax(x, axis=1),
    "radian": lambda x: special.radian(x, x, x),
}  # fmt: skip
