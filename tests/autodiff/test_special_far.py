"""Derivatives of special functions far from 0 and at infinity, where terms of theirs cancel or overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, special
from portanet.backends import Backend
from tests.support import asarray, to_numpy

# Derivatives of the first, the second and the third order, by mpmath
FAR = [
    ("log_ndtr", -5000.0, [5000.000199999984, -0.9999999600000096]),
    ("log_ndtr", -1e6, [1000000.000001, -0.999999999999]),
    ("log_ndtr", 3.0, [0.0044378390421256638, -0.013333211541740806, 0.035680136876570471]),
    ("log_ndtr", 60.0, [0.0, 0.0, 0.0]),
    ("log_ndtr", math.inf, [0.0, 0.0, 0.0]),
    ("erfcx", 7.5, [-0.0097737711523623288, 0.0025408188403184337, -0.00098280200467280945]),
    ("erfcx", 9.0, [-0.0068401344155682593, 0.0014930285953207016, -0.00048602294650040751]),
    ("erfcx", 300.0, [-6.2686686738802135e-6, 4.1790428000878571e-8, -4.1789499371131401e-10]),
    ("erfcx", 1e6, [-5.6418958354691e-13, 1.1283791670921274e-18, -3.385137501269612e-24]),
    ("erfcx", math.inf, [0.0, 0.0, 0.0]),
    ("zetac", -0.0001, [-0.9187379275786387, -2.0057561047574175, -6.0023120564246385]),
    ("zetac", -0.05, [-0.8256561382343158, -1.7337924690073836, -4.9410711276082125]),
    ("zetac", -0.3, [-0.50897266969182568, -0.91514430611302944, -2.1063529642964821]),
    ("log_ndtr", -12.0, [12.082214175254284, -0.99332927366415414, 0.0010686026960367542]),
    ("log_ndtr", -1e9, [1e9, -1.0, 2e-27]),
    ("log_ndtr", -math.inf, [math.inf, -1.0, 0.0]),
    ("zetac", -250.5, [-6.8918601768270445e293, 2.9777418297315564e294]),
    ("zetac", -400.0, [math.inf]),
    ("rgamma", -1000.0, [math.inf]),
    ("rgamma", math.inf, [0.0, 0.0, 0.0]),
    ("rgamma", -math.inf, [0.0, 0.0, 0.0]),
    ("gamma", 0.0, [-math.inf, math.inf, -math.inf]),
    ("gamma", 1000.0, [math.inf, math.inf]),
    ("ellipk", -math.inf, [0.0, 0.0, 0.0]),
    ("ellipkm1", math.inf, [0.0, 0.0, 0.0]),
    ("ellipk", 1.0, [math.inf, math.inf, math.inf]),
    ("ellipkm1", 0.0, [-math.inf, math.inf, -math.inf]),
    ("logit", 1e-300, [1e300, -math.inf, math.inf]),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "x", "expected"), FAR)
def test_derivatives_where_terms_would_cancel(backend: Backend, name: str, x: float, expected: list[float]) -> None:
    if backend.name == "dpnp" and name not in ("rgamma", "logit"):
        pytest.skip("an operation takes much longer here; the rules are the same")
    f = getattr(special, name)
    for order, value in enumerate(expected):
        f = grad(f)
        tolerance = (1e-12, 1e-9, 1e-6)[order]
        np.testing.assert_allclose(float(f(asarray(x, "float64"))), value, rtol=tolerance)


SCALED = {
    "i0e": {
        10.0: [-0.0065706557789730886, 0.0010150434195006253, -0.00026189878920944916],
        25.0: [-0.0016206602281439364, 9.8275923516161907e-5, -9.9346935363444e-6],
        1000.0: [-6.3101989626271155e-6, 9.4676683256014869e-9, -2.3675099972830331e-11],
        1000000.0: [-1.9947121500246404e-10, 2.9920689730551389e-16, -7.4801743026846955e-22],
        1000000000000.0: [-1.9947114020079114e-19, 2.9920671030126151e-31, -7.4801677575334079e-43],
    },
    "i1e": {
        10.0: [-0.0055556123594724633, 0.00075314463029117618, -0.00016705328377802876],
        25.0: [-0.0015223843046277745, 8.8341229979817507e-5, -8.5283279425266535e-6],
        1000.0: [-6.300731294301514e-6, 9.4439932256286566e-9, -2.3592216355258613e-11],
        1000000.0: [-1.9947091579556674e-10, 2.9920614928808362e-16, -7.4801481220680909e-22],
        1000000000000.0: [-1.9947114020049193e-19, 2.992067103005135e-31, -7.4801677575072273e-43],
    },
    "k0e": {
        10.0: [-0.019134636159190085, 0.0028073847411987043, -0.00068709831359935784],
        25.0: [-0.0049407249664885637, 0.00029364324870628258, -2.9091958462565094e-5],
        1000.0: [-1.9809212205993365e-5, 2.970640097347964e-8, -7.4247472967775273e-11],
        1000000.0: [-6.2665683366156969e-10, 9.399850154963944e-16, -2.3499619512515263e-21],
        1000000000000.0: [-6.2665706865751513e-19, 9.399856029860377e-31, -2.3499640074645068e-42],
    },
    "k1e": {
        10.0: [-0.02194202090038879, 0.0034944830547980622, -0.00092272355107980167],
        25.0: [-0.0052343682151948463, 0.00032273520716884767, -3.3127726294199233e-5],
        1000.0: [-1.9838918606966845e-5, 2.9780648446447415e-8, -7.4507274318526253e-11],
        1000000.0: [-6.2665777364658518e-10, 9.3998736545834565e-16, -2.3499701761162995e-21],
        1000000000000.0: [-6.2665706865845511e-19, 9.3998560298838766e-31, -2.3499640074727316e-42],
    },
}


def of_each(f: Any) -> Any:
    """The derivative of a function of elements."""
    return grad(lambda x: array_namespace(x).sum(f(x)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SCALED)
def test_scaled_bessel_functions(backend: Backend, name: str, dtype: str) -> None:
    if backend.name == "dpnp" and name != "k0e":
        pytest.skip("an operation takes much longer here; the rules are the same")
    points = np.asarray(list(SCALED[name]))
    x = asarray(np.concatenate([points, -points]) if name[0] == "i" else points, dtype)
    expected = np.asarray(list(SCALED[name].values()))
    expected[np.abs(expected) < float(np.finfo(dtype).tiny)] = 0.0
    f = getattr(special, name)
    for order, tolerances in enumerate([(1e-13, 1e-6), (1e-12, 3e-5), (1e-11, 1e-3)]):
        f = of_each(f)
        tolerance = tolerances[dtype == "float32"]
        out = to_numpy(f(x))
        right, left = out[: len(points)], out[len(points) :]
        np.testing.assert_allclose(right, expected[:, order], rtol=tolerance, atol=np.finfo(dtype).tiny)
        if name[0] == "i":
            np.testing.assert_array_equal(left, (-1) ** (order + (name == "i0e")) * right)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1e8, 1.0, [-1e-8, 1e-16, -2e-24]),
        (1e12, 0.5, [-5.00000000000125e-13, 5.0000000000025e-25, -1.00000000000075e-36]),
        (30.0, 1e-3, [-3.3894485988114424e-5, 1.1487262750293884e-6, -7.785607935546688e-8]),
    ],
)
def test_betaln_of_numbers_far_apart(xp: Any, a: float, b: float, expected: list[float]) -> None:
    f = special.betaln
    for value in expected:
        f = grad(f)
        np.testing.assert_allclose(float(f(asarray(a, "float64"), asarray(b, "float64"))), value, rtol=1e-12)


def test_student_by_many_degrees_of_freedom(xp: Any) -> None:
    slope = grad(special.stdtr)(asarray(1e4, "float64"), asarray(0.5, "float64"))
    np.testing.assert_allclose(float(slope), 5.5008505219627332e-10, rtol=1e-10)
