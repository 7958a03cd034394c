"""Arguments for every special function, inside the domain where it is real and finite."""

from __future__ import annotations

from typing import Any

import numpy as np

REAL, POSITIVE, PROBABILITY = (-5.0, 5.0), (0.05, 8.0), (0.02, 0.98)
FREEDOM, COUNT = (0.5, 12.0), (0.2, 5.9)
ARGUMENTS: dict[str, tuple[tuple[float, float], ...]] = {
    "betainccinv": (POSITIVE, POSITIVE, PROBABILITY),
    "betaincinv": (POSITIVE, POSITIVE, PROBABILITY),
    "boxcox": (POSITIVE, (-2.0, 2.0)),
    "boxcox1p": (POSITIVE, (-2.0, 2.0)),
    "cbrt": (POSITIVE,),
    "chdtri": (FREEDOM, PROBABILITY),
    "cosdg": ((-400.0, 400.0),),
    "cosm1": (REAL,),
    "cotdg": ((10.0, 80.0),),
    "ellipk": ((-4.0, 0.9),),
    "ellipkm1": ((0.1, 4.0),),
    "exp1": (POSITIVE,),
    "exp10": ((-2.0, 2.0),),
    "exp2": (REAL,),
    "expi": ((-8.0, 8.0),),
    "expn": ((0.0, 4.0), (0.3, 6.0)),
    "exprel": (REAL,),
    "fdtri": ((2.0, 12.0), (2.0, 12.0), PROBABILITY),
    "gammainccinv": ((0.5, 8.0), PROBABILITY),
    "gammaincinv": ((0.5, 8.0), PROBABILITY),
    "huber": (POSITIVE, REAL),
    "hyp1f1": ((-3.0, 5.0), (0.7, 6.0), (-30.0, 3.0)),
    "inv_boxcox": ((0.1, 3.0), (0.0, 2.0)),
    "inv_boxcox1p": ((0.1, 3.0), (0.0, 2.0)),
    "j0": (REAL,),
    "j1": (REAL,),
    "k0": (POSITIVE,),
    "k0e": (POSITIVE,),
    "k1": (POSITIVE,),
    "k1e": (POSITIVE,),
    "loggamma": (POSITIVE,),
    "lpmv": ((-2.0, 3.0), (0.3, 5.7), (-0.95, 0.95)),
    "pseudo_huber": (POSITIVE, REAL),
    "radian": (POSITIVE, POSITIVE, POSITIVE),
    "sinc": (REAL,),
    "sindg": ((-400.0, 400.0),),
    "spence": ((0.0, 5.0),),
    "stdtrit": ((1.0, 12.0), PROBABILITY),
    "tandg": ((-60.0, 60.0),),
    "y0": (POSITIVE,),
    "y1": (POSITIVE,),
    "zetac": ((-8.0, -0.5),),
    "yn": ((-3.0, 4.9), (0.5, 8.0)),
    "pdtri": (COUNT, PROBABILITY),
    "bdtri": (COUNT, (7.0, 9.0), PROBABILITY),
    "nbdtri": (COUNT, (1.0, 6.0), PROBABILITY),
    "bdtr": (COUNT, (6.0, 9.0), PROBABILITY),
    "bdtrc": (COUNT, (6.0, 9.0), PROBABILITY),
    "beta": (POSITIVE, POSITIVE),
    "betainc": (POSITIVE, POSITIVE, PROBABILITY),
    "betaincc": (POSITIVE, POSITIVE, PROBABILITY),
    "betaln": (POSITIVE, POSITIVE),
    "binom": ((5.1, 9.0), (0.1, 5.0)),
    "chdtr": (FREEDOM, POSITIVE),
    "chdtrc": (FREEDOM, POSITIVE),
    "digamma": (POSITIVE,),
    "entr": (POSITIVE,),
    "erf": (REAL,),
    "erfc": (REAL,),
    "erfcx": ((-2.0, 9.0),),
    "erfinv": ((-0.98, 0.98),),
    "expit": (REAL,),
    "fdtr": (FREEDOM, FREEDOM, POSITIVE),
    "fdtrc": (FREEDOM, FREEDOM, POSITIVE),
    "gamma": (POSITIVE,),
    "gammainc": (POSITIVE, POSITIVE),
    "gammaincc": (POSITIVE, POSITIVE),
    "gammaln": (POSITIVE,),
    "gammasgn": (POSITIVE,),
    "gdtr": (POSITIVE, POSITIVE, POSITIVE),
    "gdtrc": (POSITIVE, POSITIVE, POSITIVE),
    "i0": (REAL,),
    "i0e": (REAL,),
    "i1": (REAL,),
    "i1e": (REAL,),
    "kl_div": (POSITIVE, POSITIVE),
    "log_expit": (REAL,),
    "log_ndtr": (REAL,),
    "logit": (PROBABILITY,),
    "nbdtr": ((0.0, 5.0), COUNT, PROBABILITY),
    "nbdtrc": ((0.0, 5.0), COUNT, PROBABILITY),
    "ndtr": (REAL,),
    "ndtri": (PROBABILITY,),
    "pdtr": (COUNT, POSITIVE),
    "pdtrc": (COUNT, POSITIVE),
    "poch": (POSITIVE, (0.1, 3.0)),
    "polygamma": ((1.0, 3.0), (0.3, 8.0)),
    "psi": (POSITIVE,),
    "rel_entr": (POSITIVE, POSITIVE),
    "rgamma": (POSITIVE,),
    "stdtr": (FREEDOM, REAL),
    "xlog1py": (REAL, POSITIVE),
    "xlogy": (REAL, POSITIVE),
    "zeta": ((1.2, 4.0), (0.2, 8.0)),
}
WHOLE = {
    **dict.fromkeys(("lpmv", "polygamma", "expn", "pdtri", "yn"), (0,)),
    **dict.fromkeys(("bdtr", "bdtrc", "bdtri"), (1,)),
    **dict.fromkeys(("nbdtr", "nbdtrc", "nbdtri"), (0, 1)),
}
"""Positions of operands that SciPy takes as integers."""
SLOW_ON_STRICT = ("bdtri", "betainccinv", "betaincinv", "chdtri", "fdtri", "gammainccinv", "nbdtri", "pdtri", "stdtrit")
"""Quantiles by bisection: `gammaincinv` remains."""
ALONG_AXES = ("logsumexp", "softmax", "log_softmax")


def arguments(name: str, generator: np.random.Generator, shape: tuple[int, ...] = (40,)) -> list[Any]:
    """Random float64 arrays for each operand."""
    drawn = [generator.uniform(low, high, shape) for low, high in ARGUMENTS[name]]
    return [np.round(x) if i in WHOLE.get(name, ()) else x for i, x in enumerate(drawn)]
