"""Solvers inside `jax.jit`: those that read no values work, the others say what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    TraceError,
    cg,
    custom_linear_solve,
    custom_root,
    fixed_point,
    gmres,
    grad,
    odeint,
    on_host,
    quadrature,
    scan,
    while_loop,
)
from portanet.optimizers import minimize

jax = pytest.importorskip("jax")
jnp = jax.numpy


def ones() -> Any:
    return jnp.ones(2)


READING = {
    "cg": lambda a: cg(lambda x: a * x, ones()),
    "gmres": lambda a: gmres(lambda x: a * x, ones()),
    "fixed_point": lambda a: fixed_point(lambda x: jnp.cos(a * x), jnp.asarray(1.0)),
    "quadrature": lambda a: quadrature(lambda x: a * x, 0.0, 1.0),
    "quadrature, limit": lambda a: quadrature(lambda x: x, 0.0, a),
    "odeint": lambda a: odeint(lambda y, t: -a * y, ones(), jnp.asarray([0.0, 1.0])),
    "odeint, times": lambda a: odeint(lambda y, t: -y, ones(), jnp.stack([a * 0, a])),
    "odeint, scipy": lambda a: odeint(lambda y, t: -a * y, ones(), jnp.asarray([0.0, 1.0]), method="Radau"),
    "while_loop": lambda a: while_loop(lambda x: x < a, lambda x: x + 1, jnp.asarray(0.0)),
    "on_host": lambda a: custom_root(lambda x: x - a, jnp.asarray(0.0), on_host(lambda f, x: x - f(x))),
}


@pytest.mark.parametrize("name", READING)
def test_solvers_that_read_values(name):
    with pytest.raises(TraceError, match=r"reads values on the host.*Call it outside of compiled functions"):
        jax.jit(READING[name])(jnp.asarray(2.0))


def test_minimize():
    with pytest.raises(TraceError, match=r"minimize reads values on the host"):
        jax.jit(lambda a: minimize(lambda x: (x - a) ** 2, jnp.asarray(0.0)).x)(jnp.asarray(2.0))


def test_solvers_that_read_none():
    a = jnp.asarray(2.0)
    root = lambda a: custom_root(lambda x: x - a * a, jnp.asarray(1.0), lambda f, x: x - f(x))
    solved = lambda a: custom_linear_solve(lambda x: a * x, ones(), lambda f, y: y / a)
    np.testing.assert_allclose([jax.jit(root)(a), jax.jit(grad(root))(a)], 4.0)
    np.testing.assert_allclose(jax.jit(solved)(a), [0.5, 0.5])
    np.testing.assert_allclose(jax.jit(lambda a: quadrature(lambda x: a * x, 0.0, 1.0, n=4))(a), 1.0, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(lambda a: scan(lambda c, _: (c * a, None), a, length=3)[0])(a), 16.0)
