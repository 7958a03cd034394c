"""Special functions on arrays of any backend, with derivatives of every order.

Names, arguments and values at the edges are those of `scipy.special`. `xp.special` of a traced array's namespace has
the same functions, where SciPy finds them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portanet.autodiff.special.bessel_functions import i0, i0e, i1, i1e, j0, j1, k0, k0e, k1, k1e, y0, y1, yn
    from portanet.autodiff.special.beta_functions import beta, betaln, binom, poch
    from portanet.autodiff.special.distributions import (
        bdtr,
        bdtrc,
        chdtr,
        chdtrc,
        fdtr,
        fdtrc,
        gdtr,
        gdtrc,
        nbdtr,
        nbdtrc,
        pdtr,
        pdtrc,
        stdtr,
    )
    from portanet.autodiff.special.elementary import (
        boxcox,
        boxcox1p,
        cbrt,
        cosdg,
        cosm1,
        cotdg,
        exp2,
        exp10,
        exprel,
        huber,
        inv_boxcox,
        inv_boxcox1p,
        pseudo_huber,
        radian,
        sinc,
        sindg,
        tandg,
    )
    from portanet.autodiff.special.entropy import entr, kl_div, rel_entr, xlog1py, xlogy
    from portanet.autodiff.special.error_functions import erf, erfc, erfcx, erfinv, log_ndtr, ndtr, ndtri
    from portanet.autodiff.special.gamma_functions import (
        digamma,
        gamma,
        gammaln,
        gammasgn,
        loggamma,
        multigammaln,
        polygamma,
        psi,
        rgamma,
    )
    from portanet.autodiff.special.hypergeometric import hyp1f1
    from portanet.autodiff.special.incomplete import betainc, betaincc, gammainc, gammaincc
    from portanet.autodiff.special.integrals import ellipk, ellipkm1, exp1, expi, expn, spence
    from portanet.autodiff.special.inverses import (
        bdtri,
        betainccinv,
        betaincinv,
        chdtri,
        fdtri,
        gammainccinv,
        gammaincinv,
        nbdtri,
        pdtri,
        stdtrit,
    )
    from portanet.autodiff.special.legendre_functions import lpmv
    from portanet.autodiff.special.logistic import expit, log_expit, logit
    from portanet.autodiff.special.softmax_functions import log_softmax, logsumexp, softmax
    from portanet.autodiff.special.zeta_functions import zeta, zetac

MODULES = {
    "beta_functions": "beta betaln binom poch",
    "bessel_functions": "i0 i0e i1 i1e k0 k0e k1 k1e j0 j1 y0 y1 yn",
    "distributions": "stdtr chdtr chdtrc fdtr fdtrc gdtr gdtrc pdtr pdtrc bdtr bdtrc nbdtr nbdtrc",
    "elementary": (
        "cbrt exp2 exp10 exprel cosm1 sinc sindg cosdg tandg cotdg radian boxcox boxcox1p inv_boxcox inv_boxcox1p "
        "huber pseudo_huber"
    ),
    "entropy": "entr rel_entr kl_div xlogy xlog1py",
    "error_functions": "erf erfc erfcx erfinv ndtr ndtri log_ndtr",
    "gamma_functions": ("gammaln gammasgn gamma rgamma digamma psi polygamma loggamma multigammaln"),
    "hypergeometric": "hyp1f1",
    "incomplete": "gammainc gammaincc betainc betaincc",
    "integrals": "exp1 expi expn expn_of_any_order spence ellipkm1 ellipk",
    "inverses": "gammaincinv gammainccinv betaincinv betainccinv stdtrit chdtri fdtri pdtri bdtri nbdtri",
    "legendre_functions": "legendre_factor lpmv",
    "logistic": "expit logit log_expit",
    "softmax_functions": "logsumexp softmax log_softmax",
    "zeta_functions": "zeta zetac",
}
"""Module and the functions in it."""

_MODULE_OF = {name: module for module, names in MODULES.items() for name in names.split()}

__all__ = [
    "bdtr",
    "bdtrc",
    "bdtri",
    "beta",
    "betainc",
    "betaincc",
    "betainccinv",
    "betaincinv",
    "betaln",
    "binom",
    "boxcox",
    "boxcox1p",
    "cbrt",
    "chdtr",
    "chdtrc",
    "chdtri",
    "cosdg",
    "cosm1",
    "cotdg",
    "digamma",
    "ellipk",
    "ellipkm1",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp1",
    "exp2",
    "exp10",
    "expi",
    "expit",
    "expn",
    "exprel",
    "fdtr",
    "fdtrc",
    "fdtri",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammainccinv",
    "gammaincinv",
    "gammaln",
    "gammasgn",
    "gdtr",
    "gdtrc",
    "huber",
    "hyp1f1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "inv_boxcox",
    "inv_boxcox1p",
    "j0",
    "j1",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kl_div",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "lpmv",
    "multigammaln",
    "nbdtr",
    "nbdtrc",
    "nbdtri",
    "ndtr",
    "ndtri",
    "pdtr",
    "pdtrc",
    "pdtri",
    "poch",
    "polygamma",
    "pseudo_huber",
    "psi",
    "radian",
    "rel_entr",
    "rgamma",
    "sinc",
    "sindg",
    "softmax",
    "spence",
    "stdtr",
    "stdtrit",
    "tandg",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yn",
    "zeta",
    "zetac",
]


def __getattr__(name: str) -> Any:
    """Import a family of functions on first access."""
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"portanet.autodiff.special.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'portanet.autodiff.special' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
