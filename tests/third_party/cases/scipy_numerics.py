"""scipy.integrate, differentiate, optimize, linalg, cluster and constants."""

from __future__ import annotations

import numpy as np
from scipy import cluster, constants, differentiate, integrate, linalg, optimize, stats
from scipy.optimize import elementwise

from tests.third_party.gradients import Cases, like, namespace

CASES: Cases = {
    "integrate.trapezoid": lambda x: integrate.trapezoid(x, axis=1),
    "integrate.trapezoid over points": lambda x: integrate.trapezoid(x, namespace(x).cumulative_sum(x, axis=1), axis=1),
    "integrate.cumulative_trapezoid": lambda x: integrate.cumulative_trapezoid(x, axis=1),
    "integrate.cumulative_simpson": lambda x: integrate.cumulative_simpson(x, axis=1),
    "integrate.simpson": lambda x: integrate.simpson(x, axis=1),
    "integrate.romb": lambda x: integrate.romb(x, axis=1),
    "integrate.cubature": lambda x: integrate.cubature(
        lambda p: namespace(p).sum(p**2, axis=-1), x[0, :2] * 0, x[0, :2]
    ).estimate + 0 * x[0, 0],
    "integrate.tanhsinh": lambda x: integrate.tanhsinh(lambda t: t**2 + 1, x * 0, x).integral,
    "integrate.tanhsinh of a parameter": lambda x: integrate.tanhsinh(
        lambda t, a: namespace(a).exp(-a * t), x * 0, x * 0 + 1, args=(x,)
    ).integral,
    "integrate.nsum": lambda x: integrate.nsum(lambda k, a: a / k**3, x * 0 + 1, x * 0 + 20, args=(x,)).sum,
    "integrate.qmc_quad": lambda x: integrate.qmc_quad(
        lambda p: namespace(p).sum(p**2, axis=0), x[0, :2] * 0, x[0, :2], n_points=8, n_estimates=2, qrng=halton()
    ).integral,
    "integrate.fixed_quad": lambda x: integrate.fixed_quad(lambda t: t**2, 0.0, x[0, 0])[0],
    "integrate.quad_vec": lambda x: integrate.quad_vec(lambda t: t * x, 0.0, 1.0)[0],
    "integrate.solve_ivp": lambda x: integrate.solve_ivp(lambda t, y: -y, (0, 1), x[0, :]).y,
    "differentiate.derivative": lambda x: differentiate.derivative(lambda z: z**3, x).df,
    "differentiate.derivative of a parameter": lambda x: differentiate.derivative(
        lambda z, a: namespace(z).sin(a * z), x * 0 + 1, args=(x,)
    ).df,
    "differentiate.jacobian": lambda x: differentiate.jacobian(lambda z: z**3, x[0, :]).df,
    "differentiate.hessian": lambda x: differentiate.hessian(lambda z: namespace(z).sum(z**3, axis=0), x[0, :]).ddf,
    "optimize.rosen": lambda x: optimize.rosen(x[0, ...]),
    "optimize.rosen_der": lambda x: optimize.rosen_der(x[0, ...]),
    "optimize.rosen_hess": lambda x: optimize.rosen_hess(x[0, ...]),
    "optimize.rosen_hess_prod": lambda x: optimize.rosen_hess_prod(x[0, ...], x[1, ...]),
    "optimize.elementwise.find_root": lambda x: elementwise.find_root(
        lambda z, a: z**3 - a, (x * 0, x + 1), args=(x,)
    ).x,
    "optimize.elementwise.find_minimum": lambda x: elementwise.find_minimum(
        lambda z, a: (z**2 - a) ** 2, (x * 0 + 0.1, x**0.5 + 0.1, x + 2), args=(x,)
    ).x,
    "optimize.elementwise.bracket_root": lambda x: elementwise.bracket_root(
        lambda z, a: z**3 - a, x * 0, x * 0 + 0.1, args=(x,)
    ).f_bracket,
    "optimize.elementwise.bracket_minimum": lambda x: elementwise.bracket_minimum(
        lambda z, a: (z - a) ** 2, x * 0, args=(x,)
    ).f_bracket,
    "optimize.minimize": lambda x: optimize.minimize(lambda z: ((z - x[0, :]) ** 2).sum(), np.zeros(5)).x,
    "linalg.orthogonal_procrustes": lambda x: linalg.orthogonal_procrustes(x[:, :3], x[:, 2:5] ** 2),
    "linalg.block_diag": lambda x: linalg.block_diag(x, x[:2, :2]),
    "linalg.fiedler": lambda x: linalg.fiedler(x[0, :]),
    "linalg.toeplitz": lambda x: linalg.toeplitz(x[0, :]),
    "linalg.inv": lambda x: linalg.inv(square(x)),
    "linalg.solve": lambda x: linalg.solve(square(x), x[:, 0]),
    "linalg.det": lambda x: linalg.det(square(x)),
    "linalg.expm": lambda x: linalg.expm(square(x) / 9),
    "linalg.logm": lambda x: linalg.logm(square(x)),
    "linalg.sqrtm": lambda x: linalg.sqrtm(square(x)),
    "linalg.norm": lambda x: linalg.norm(x),
    "linalg.lstsq": lambda x: linalg.lstsq(x[:, :2], x[:, 3])[0],
    "linalg.eigh": lambda x: linalg.eigh(square(x) + square(x).T)[0],
    "linalg.svd": lambda x: linalg.svd(x, full_matrices=False)[1],
    "linalg.cholesky": lambda x: linalg.cholesky(x @ x.T + like(x, np.eye(4))),
    "linalg.qr": lambda x: linalg.qr(square(x))[1],
    "linalg.solve_triangular": lambda x: linalg.solve_triangular(square(x), x[:, 0]),
    "linalg.pinv": lambda x: linalg.pinv(x),
    "cluster.vq.whiten": lambda x: cluster.vq.whiten(x),
    "cluster.vq.vq": lambda x: cluster.vq.vq(x, x[:2, :] ** 2)[1],
    "cluster.vq.kmeans": lambda x: cluster.vq.kmeans(x, x[:2, :] + 0.1)[0],
    "cluster.vq.kmeans2": lambda x: cluster.vq.kmeans2(x, x[:2, :] + 0.1, minit="matrix")[0],
    "cluster.hierarchy.linkage": lambda x: cluster.hierarchy.linkage(x)[:, 2],
    "cluster.hierarchy.cophenet": lambda x: cluster.hierarchy.cophenet(cluster.hierarchy.linkage(x)),
    "constants.convert_temperature": lambda x: constants.convert_temperature(x, "C", "F"),
    "constants.lambda2nu": lambda x: constants.lambda2nu(x) / 1e8,
    "constants.nu2lambda": lambda x: constants.nu2lambda(x) / 1e8,
}  # fmt: skip


def halton():
    return stats.qmc.Halton(2, rng=1)


def square(x):
    """A matrix with a dominant diagonal."""
    return x[:, :4] + 9 * like(x, np.eye(4))
