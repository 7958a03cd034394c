"""Special functions: values against SciPy, derivatives against differences, PyTorch and JAX."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import TraceError, array_namespace, check_grads, grad, jvp, lift, show, special, vjp, vmap
from portanet.autodiff.rules.declare import RULES
from portanet.backends import Backend
from portanet.backends.overrides import OVERRIDABLE
from tests.autodiff.special_cases import ALONG_AXES, ARGUMENTS, SLOW_ON_STRICT, WHOLE, arguments
from tests.support import asarray, assert_close, to_numpy

scipy_special = pytest.importorskip("scipy.special")
TOLERANCE = {"float64": 5e-13, "float32": 4e-5}
# Results at the edge of what is defined, where SciPy's own backends differ.
UNDEFINED = {
    ("gammaln", (-math.inf,)),
    ("digamma", (-math.inf,)),
    ("psi", (-math.inf,)),
    ("i0", (math.inf,)),
    ("i0", (-math.inf,)),
    ("i1", (math.inf,)),
    ("i1", (-math.inf,)),
    ("gamma", (-math.inf,)),
}
EDGES = (0.0, -0.0, 0.5, 1.0, 2.0, -0.5, -1.0, 40.0, -40.0, math.inf, -math.inf, math.nan)
ELEMENTS_WITH_EDGES = [
    *("digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "expit", "gammainc", "gammaincc", "gammaln", "gammasgn"),
    *("i0", "i0e", "i1", "i1e", "kl_div", "log_expit", "log_ndtr", "logit", "ndtr", "ndtri", "rel_entr", "stdtr"),
    *("xlog1py", "xlogy"),
    *("cbrt", "exp2", "exp10", "exp1", "j0", "j1", "k0", "k0e", "k1", "k1e", "exprel", "expi", "spence", "y0", "y1"),
]


def reference(name: str, hosts: list[Any]) -> Any:
    """SciPy's values in float64."""
    whole = WHOLE.get(name, ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that n is not a whole number
        return getattr(scipy_special, name)(
            *(x.astype("int64" if i in whole else "float64") for i, x in enumerate(hosts))
        )


def test_every_function_has_arguments() -> None:
    assert {*ARGUMENTS, *ALONG_AXES, "multigammaln"} == set(special.__all__)
    special_rules = {name.removeprefix("special.") for name in RULES if name.startswith("special.")}
    assert special_rules - {"expn_of_any_order", "legendre_factor"} <= set(ARGUMENTS), (
        "the rules of these functions are checked here"
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_values(backend: Backend, name: str, dtype: str) -> None:
    if backend.name == "strict" and name in SLOW_ON_STRICT and (name, dtype) != ("betaincinv", "float64"):
        pytest.skip("slow")
    hosts = [x.astype(dtype) for x in arguments(name, np.random.default_rng(3), (4, 5, 2))]
    expected = reference(name, hosts)
    rtol = TOLERANCE[dtype]
    result = getattr(special, name)(*(asarray(x, dtype) for x in hosts))
    assert_close(result, expected, rtol=rtol, atol=rtol, dtype=dtype)


@pytest.mark.parametrize("name", ELEMENTS_WITH_EDGES)
def test_edges(backend: Backend, name: str) -> None:
    points = [p for p in itertools.product(EDGES, repeat=len(ARGUMENTS[name])) if (name, p) not in UNDEFINED]
    if name in ("gammainc", "gammaincc", "stdtr"):  # SciPy's results for negative parameters follow no limit
        points = [p for p in points if not (p[0] < 0 or (p[0] == 0 and math.copysign(1, p[0]) < 0))]
    hosts = [np.asarray([p[i] for p in points]) for i in range(len(ARGUMENTS[name]))]
    expected = reference(name, hosts)
    with np.errstate(all="ignore"):
        result = to_numpy(getattr(special, name)(*(asarray(x, "float64") for x in hosts)))
    for point, got, want in zip(points, result, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15, err_msg=f"{name}{point}")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_derivatives(backend: Backend, name: str) -> None:
    quick = (
        backend.name == "numpy"
        or (backend.name == "torch" and name not in ("hyp1f1", "lpmv"))
        or name in ("erf", "gammainc", "i1", "stdtr", "xlogy", "zeta")
    )
    if not quick or (backend.name == "strict" and name in ("gammainc", "stdtr")):
        pytest.skip("an operation takes much longer here; the rules are the same")
    hosts = arguments(name, np.random.default_rng(5), (2,))
    counts = {key: {0} for key in ("polygamma", "expn", "pdtr", "pdtrc", "pdtri", "yn")}
    fixed = {0, 1} if "bdtr" in name or name in ("hyp1f1", "lpmv") else counts.get(name, set())
    free = [asarray(x, "float64") for i, x in enumerate(hosts) if i not in fixed]
    constants = [asarray(x, "float64") for i, x in enumerate(hosts) if i in fixed]
    check_grads(lambda *xs: getattr(special, name)(*constants, *xs), tuple(free), directions=1)


@pytest.mark.parametrize("name", ALONG_AXES)
def test_functions_along_axes(backend: Backend, name: str) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4)) * 3
    for axis in (None, 0, -1, (0, 1)):
        result = getattr(special, name)(asarray(x, "float64"), axis=axis)
        assert_close(result, getattr(scipy_special, name)(x, axis=axis), dtype="float64")
    check_grads(lambda x: getattr(special, name)(x, axis=1), (asarray(x, "float64"),), directions=1)


def test_logsumexp_of_infinities_and_large_values(backend: Backend) -> None:
    x = [[1000.0, 1000.0], [-math.inf, -math.inf], [math.inf, 0.0]]
    result = special.logsumexp(asarray(x, "float64"), axis=1, keepdims=True)
    assert_close(result, [[1000 + math.log(2)], [-math.inf], [math.inf]], dtype="float64")


# Definitions, which run where a library lacks the function


GRIDS = {
    "betainc": ((1e-2, 300.0), (1e-2, 300.0), (1e-6, 1 - 1e-6)),
    "betaincc": ((1e-2, 300.0), (1e-2, 300.0), (1e-6, 1 - 1e-6)),
    "digamma": ((1e-4, 1e6),),
    "gammainc": ((1e-2, 3e3), (0.3, 2.0)),
    "gammaincc": ((1e-2, 3e3), (0.3, 2.0)),
    "gammaln": ((1e-4, 1e6),),
    "i0e": ((1e-6, 1e5),),
    "i1e": ((1e-6, 1e5),),
    "ndtri": ((1e-300, 0.5),),
    "erfcx": ((1e-6, 1e8),),
    "erfinv": ((1e-10, 0.999),),
    "stdtr": ((0.3, 300.0), (1e-3, 10.0)),
    "zeta": ((1.01, 40.0), (1e-2, 1e4)),
    "cbrt": ((1e-9, 1e9),),
    "expi": ((1e-9, 700.0),),
    "spence": ((1e-9, 1e9),),
    "exp1": ((1e-12, 100.0),),
    "k0e": ((1e-13, 1e4),),
    "k1e": ((1e-13, 1e4),),
    "gammaincinv": ((0.1, 1e3), (1e-3, 0.999)),
    "gammainccinv": ((0.1, 1e3), (1e-3, 0.999)),
    "betaincinv": ((0.3, 100.0), (0.3, 100.0), (1e-3, 0.999)),
    "stdtrit": ((0.5, 100.0), (1e-3, 0.999)),
}


@pytest.mark.parametrize("name", GRIDS)
def test_definitions_are_accurate_over_magnitudes(name: str) -> None:
    """In units of the last place, mostly; the relative error of tails grows with the size of their exponents."""
    generator = np.random.default_rng(11)
    count = 100 if "inv" in name or name == "stdtrit" else 2000
    hosts = [np.exp(generator.uniform(math.log(low), math.log(high), count)) for low, high in GRIDS[name]]
    if name in ("gammainc", "gammaincc"):  # near the mean, where both tails count
        hosts[1] = hosts[0] * hosts[1] ** np.minimum(1, 6 / np.sqrt(hosts[0]))
    getattr(special, name)  # imports its module
    result = OVERRIDABLE[name].definition(*hosts)
    expected = getattr(scipy_special, name)(*hosts)
    result, expected = (x[np.abs(expected) > 1e-290] for x in (result, expected))
    error = np.abs(result - expected) / (np.abs(expected) + (name in ("gammaln", "digamma")))
    assert np.quantile(error, 0.5) < 1.5e-15
    assert np.max(error) < 4e-13


def test_large_parameters_against_mpmath() -> None:
    """Where SciPy's own results have lost digits."""
    mpmath = pytest.importorskip("mpmath")
    special.gammainc(1.0, np.asarray(1.0))  # imports its module
    with mpmath.workdps(40):
        a, x = 803822.5869367158, 798712.6365970927
        density = lambda t: mpmath.exp((a - 1) * mpmath.log(t) - t - mpmath.loggamma(a))
        expected = float(mpmath.quad(density, [x - 6000, x - 3000, x - 1000, x - 300, x]))
        np.testing.assert_allclose(
            OVERRIDABLE["gammainc"].definition(np.asarray(a), np.asarray(x)), expected, rtol=3e-13
        )
        a, b = 984222.2714353378, 0.1355264729036052
        expected = float(mpmath.log(mpmath.beta(a, b)))
    np.testing.assert_allclose(special.betaln(np.asarray(a), np.asarray(b)), expected, rtol=1e-13)


@pytest.mark.parametrize("a", [0.03, 0.7, 4.0, 60.0, 400.0])
def test_derivatives_by_parameters_against_mpmath(a: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(30):
        for factor in (0.2, 0.9, 1.1, 2.0):
            x = a * factor
            expected = float(mpmath.diff(lambda t, x=x: mpmath.gammainc(t, 0, x, regularized=True), a))
            result = grad(special.gammainc)(np.asarray(a), np.asarray(x))
            np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-40)
        for b, x in ((0.5, 0.3), (3.0, 0.1), (40.0, 0.6), (0.5, 0.995)):
            for argnum in (0, 1):
                function = lambda s, t, x=x: mpmath.betainc(s, t, 0, x, regularized=True)
                expected = float(mpmath.diff(function, (a, b), (1 - argnum, argnum)))
                result = grad(special.betainc, argnums=argnum)(np.asarray(a), np.asarray(b), np.asarray(x))
                np.testing.assert_allclose(result, expected, rtol=1e-11, atol=1e-100)


# Other libraries' derivatives

PEERS = {
    "torch": "digamma entr erf erfc erfinv expit gammaln i0 i0e i1 i1e log_ndtr logit ndtr ndtri xlog1py xlogy",
    "jax": "betaln digamma entr erf erfc erfinv expit gammainc gammaincc gammaln i0 i0e i1 i1e kl_div log_ndtr logit "
    "ndtr ndtri rel_entr xlog1py xlogy",
}


@pytest.mark.parametrize(("library", "name"), [(library, n) for library, names in PEERS.items() for n in names.split()])
def test_gradients_against(library: str, name: str) -> None:
    pytest.importorskip(library)
    hosts = arguments(name, np.random.default_rng(9), (12,))
    mine = vjp(getattr(special, name), *hosts)[1](np.ones(12))
    for i, (got, want) in enumerate(zip(mine, PEER_GRADIENTS[library](name, hosts), strict=True)):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9, err_msg=f"operand {i}")


def torch_gradients(name: str, hosts: list[Any]) -> list[Any]:
    import torch

    leaves = [torch.tensor(x, requires_grad=True) for x in hosts]
    getattr(torch.special, name)(*leaves).sum().backward()
    return [x.grad.numpy() for x in leaves]


def jax_gradients(name: str, hosts: list[Any]) -> list[Any]:
    import jax

    with jax.enable_x64(True):
        function = lambda *xs: getattr(jax.scipy.special, name)(*xs).sum()
        return list(jax.grad(function, tuple(range(len(hosts))))(*map(jax.numpy.asarray, hosts)))


PEER_GRADIENTS = {"torch": torch_gradients, "jax": jax_gradients}


# Calls


@pytest.mark.parametrize("name", ["erf", "gammaln", "gammainc", "polygamma", "stdtr", "xlogy"])
def test_batches(backend: Backend, name: str) -> None:
    """Values and gradients of examples, and operands that all examples share, at two levels."""
    if backend.name == "jax" and name in ("gammainc", "stdtr"):
        pytest.skip("JAX compiles every operation of an integral, which takes minutes")
    function = getattr(special, name)
    xs = [asarray(x, "float64") for x in arguments(name, np.random.default_rng(2), (3,))]
    last = len(xs) - 1
    assert_close(vmap(function)(*xs), function(*xs), rtol=1e-12, dtype="float64")
    together = grad(lambda *xs: array_namespace(*xs).sum(function(*xs)), argnums=last)(*xs)
    assert_close(vmap(grad(function, argnums=last))(*xs), together, rtol=1e-9, dtype="float64")
    if last:
        table = vmap(vmap(function, (0, None)), (None, 0))(*xs)
        xp = array_namespace(*xs)
        expected = function(xp.expand_dims(xs[0], axis=0), xp.expand_dims(xs[1], axis=1))
        assert_close(table, expected, rtol=1e-12, dtype="float64")


def test_the_namespace_of_a_traced_array_has_them(xp: Any) -> None:
    x = lift(asarray([0.5]))
    namespace = array_namespace(x)
    assert hasattr(namespace, "special")
    assert not hasattr(namespace.special, "lambertw")
    assert dir(namespace.special) == sorted(special.__all__)
    assert_close(namespace.special.erf(x)._value, special.erf(asarray([0.5])))
    assert "special.erf(v0)" in str(show(special.erf, asarray([0.5])))


def test_numbers_integers_and_shapes(xp: Any) -> None:
    x = asarray([[1.0], [2.0]])
    assert_close(special.xlogy(2.0, x), [[0.0], [2 * math.log(2)]], atol=1e-6)
    assert_close(special.gammainc(asarray([1, 2, 3], "int32"), x), scipy_special.gammainc([1, 2, 3], [[1.0], [2.0]]))
    assert_close(special.xlogy(y=x, x=2.0), [[0.0], [2 * math.log(2)]], atol=1e-6)
    assert special.gammaln(asarray([3, 4], "int64")).shape == (2,)
    assert special.betainc(1.0, 2.0, asarray(np.zeros((0, 3)))).shape == (0, 3)
    first, second = vjp(special.betaln, asarray([1.0, 2.0]), asarray([[3.0]]))[1](asarray([[1.0, 1.0]]))
    assert first.shape == (2,)
    assert second.shape == (1, 1)


def double(x: Any) -> Any:
    return asarray(np.asarray(x), "float64")


def test_what_no_distribution_has(xp: Any) -> None:
    """Binomial distributions outside of their values, beside SciPy."""
    k, n, p = np.asarray([-1.0, 0.0, 2.0, 3.0, 4.0, 3.0, 3.0, 3.0]), 3, np.asarray([0.3] * 5 + [1.5, -0.1, math.nan])
    for name in ("bdtr", "bdtrc"):
        expected = getattr(scipy_special, name)(k, n, p)
        assert_close(getattr(special, name)(double(k), 3.0, double(p)), expected, rtol=1e-12, dtype="float64")
    delta, r = np.asarray([0.0, math.nan, 0.5]), np.asarray([1.0, 1.0, math.nan])
    assert_close(special.pseudo_huber(double(delta), double(r)), [0.0, math.nan, math.nan], dtype="float64")


def test_digits_of_quantiles_near_0(backend: Backend) -> None:
    """Beside SciPy."""
    if backend.name == "strict":
        pytest.skip("slow")
    p = np.asarray([0.01, 0.1, 0.5, 0.999])
    expected = scipy_special.fdtri(0.3, 2.5, p)
    assert_close(special.fdtri(0.3, 2.5, double(p)), expected, rtol=1e-9, dtype="float64")
    slope = vjp(lambda p: special.fdtri(0.3, 2.5, p), double(p))[1](double(np.ones(4)))[0]
    step = 1e-6 * p
    central = (scipy_special.fdtri(0.3, 2.5, p + step) - scipy_special.fdtri(0.3, 2.5, p - step)) / (2 * step)
    assert_close(slope, central, rtol=1e-6, dtype="float64")


def test_half_precision_is_computed_in_single(xp: Any) -> None:
    if not hasattr(xp, "float16"):
        pytest.skip("no float16")
    x = asarray([0.5, 2.0], "float16")
    assert special.gammaln(x).dtype == x.dtype
    gradient = grad(lambda x: array_namespace(x).sum(special.gammaln(x)))(x)
    assert_close(gradient, scipy_special.digamma([0.5, 2.0]), rtol=3e-3, dtype="float16")


def test_bad_arguments_are_refused(xp: Any) -> None:
    x = asarray([1.5])
    with pytest.raises(TypeError, match=r"One argument of special.erf must be an array.*Received: 1.0"):
        special.erf(1.0)
    with pytest.raises(TypeError, match=r"Argument `y` of special.xlogy must be an array of real numbers.*'a'"):
        special.xlogy(x, "a")
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        special.xlogy(x)
    with pytest.raises(TypeError, match=r"Argument `x` of special.erf must be real"):
        special.erf(xp.astype(x, xp.complex64))


def test_a_parameter_without_derivative_is_refused_not_constant(xp: Any) -> None:
    x = asarray([1.5])
    for f in (lambda n: special.polygamma(n, x), lambda n: special.polygamma(n, n)):
        with pytest.raises(TraceError, match=r"special\.polygamma has no derivative by its argument `n`"):
            vjp(f, asarray([1.0]))[1](asarray([1.0]))
        with pytest.raises(TraceError, match=r"special\.polygamma has no derivative by its argument `n`"):
            jvp(f, (asarray([1.0]),), (asarray([1.0]),))


def test_bessel_functions_of_the_second_kind_over_magnitudes() -> None:
    x = np.geomspace(1e-8, 1e4, 2000)
    for name in ("y0", "y1"):
        getattr(special, name)  # imports its module
        result, expected = OVERRIDABLE[name].definition(x), getattr(scipy_special, name)(x)
        np.testing.assert_allclose(result, expected, rtol=4e-13, atol=1e-14)


def test_zetac_on_the_whole_axis(xp: Any) -> None:
    x = np.asarray([*np.linspace(-60.3, 60.0, 101), -1000.0, -2.0, 0.0, 1.0, math.inf, -math.inf, math.nan])
    np.testing.assert_allclose(to_numpy(special.zetac(asarray(x, "float64"))), scipy_special.zetac(x), rtol=1e-12)
    check_grads(special.zetac, (asarray([-2.0, -3.5, 0.5, 3.0], "float64"),), directions=1)
    assert_close(grad(special.zetac)(asarray(-2.0, "float64")), -0.030448457058393270780, dtype="float64")


def test_zeta_of_one_argument_is_riemanns(xp: Any) -> None:
    x = np.asarray([-2.5, -0.05, 0.0, 0.5, 1.0, 3.0])
    np.testing.assert_allclose(to_numpy(special.zeta(asarray(x, "float64"))), scipy_special.zeta(x), rtol=1e-12)
    check_grads(special.zeta, (asarray(3.0, "float64"),), directions=1)


def test_multigammaln(xp: Any) -> None:
    x = np.asarray([2.6, 5.0, 30.0])
    for d in (1, 2, 5):
        assert_close(special.multigammaln(asarray(x, "float64"), d), scipy_special.multigammaln(x, d), dtype="float64")
    check_grads(lambda x: special.multigammaln(x, 3), (asarray(x, "float64"),), directions=1)
    with pytest.raises(ValueError, match=r"Argument `d` of special.multigammaln must be a positive integer\..*: d=0"):
        special.multigammaln(asarray(x), 0)
    assert_close(special.multigammaln(asarray(x), np.int64(2)), special.multigammaln(asarray(x), 2))
    with pytest.raises(TypeError, match=r"Argument `a` of special.multigammaln must be an array of real numbers"):
        special.multigammaln(None, 2)


def test_derivatives_of_spence_at_1(xp: Any) -> None:
    """A removable singularity: -1, 1/2, -2/3."""
    one, slopes = asarray(1.0, "float64"), []
    f = special.spence
    for _ in range(3):
        f = grad(f)
        slopes.append(float(to_numpy(f(one))))
    np.testing.assert_allclose(slopes, [-1.0, 0.5, -2 / 3], rtol=1e-12)
    np.testing.assert_allclose(to_numpy(grad(special.spence)(asarray(1e-200, "float64"))), math.log(1e-200))


def test_derivatives_at_0_to_third_order(xp: Any) -> None:
    """i1(x) / x is a power series there: no derivative is cut."""
    third = grad(grad(grad(special.i1)))(asarray(0.0, "float64"))
    assert_close(third, 0.375, dtype="float64")
    assert_close(grad(grad(grad(special.j1)))(asarray(0.0, "float64")), -0.375, dtype="float64")


def test_entropies_at_0(xp: Any) -> None:
    """As the limits: no NaN where the product is 0."""
    zero, one = asarray([0.0], "float64"), asarray([1.0], "float64")
    with np.errstate(divide="ignore"):
        check_entropies_at_0(zero, one)


def check_entropies_at_0(zero: Any, one: Any) -> None:
    assert_close(vjp(special.xlogy, zero, zero)[1](one)[1], [0.0], dtype="float64")
    assert_close(vjp(special.rel_entr, zero, one)[1](one)[1], [0.0], dtype="float64")
    assert_close(vjp(special.entr, zero)[1](one)[0], [math.inf], dtype="float64")
