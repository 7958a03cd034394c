"""Solvers that take NumPy vectors, such as SciPy's, for functions of arrays of any library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff.closures import at_level
from portanet.autodiff.derivatives import jacobian
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.vectors import Vector, on_host_now
from portanet.autodiff.transforms import grad
from portanet.backends import Array, HostArray, backend_class_of, device_of, to_host
from portanet.tree import tree_leaves, tree_map


def on_host(solver: Callable[[HostFunction, HostArray], HostArray]) -> Callable[[Any, Any], Any]:
    """A solver of NumPy vectors as one for trees of arrays of any library and device.

    For `custom_root`, `custom_minimum` and `custom_linear_solve`, whose derivatives do not see the solver.

    Args:
        solver: `solver(f, x0)` returns the solution, a vector like `x0`. `f` is a `HostFunction`: `f(x)` of a NumPy
            vector is a number for functions with a scalar result, else a vector; `f.jac(x)` is the gradient of
            such a number, or the Jacobian matrix. Complex numbers are two elements each, real and imaginary parts.

    Returns:
        A function `solve(f, initial_guess)`.

    Example:
        >>> import numpy as np
        >>> import scipy.optimize
        >>> from portanet.autodiff import custom_root, grad, on_host
        >>> newton = on_host(lambda f, x0: scipy.optimize.root(f, x0, jac=f.jac).x)
        >>> cube_root = lambda a: custom_root(lambda x: x**3 - a, np.asarray(1.0), newton)
        >>> round(float(cube_root(np.asarray(8.0))), 6), round(float(grad(cube_root)(np.asarray(8.0))), 6)
        (2.0, 0.083333)
    """
    checks.function("solver", solver, "on_host")

    def solve(f: Callable[[Any], Any], initial_guess: Any) -> Any:
        function = HostFunction(f, initial_guess)
        return function.tree(solver(function, to_host(on_host_now(function.start))))

    return solve


class HostFunction:
    """A function of a tree of arrays as one of a NumPy vector; see `on_host`.

    Attributes:
        start: The initial guess as a vector on the device.
    """

    def __init__(self, f: Callable[[Any], Any], initial_guess: Any) -> None:
        vector = Vector(initial_guess)
        self.start: Array = vector.flat(initial_guess)
        self._vector = vector

        def flat(x: Array) -> Array:
            out = tree_map(at_level, f(vector.tree(x)))
            leaves = tree_leaves(out)
            scalar = len(leaves) == 1 and not leaves[0].shape
            if scalar and array_namespace(leaves[0]).isdtype(leaves[0].dtype, "real floating"):
                return leaves[0]
            return Vector(out).flat(out)

        self._flat = flat
        self._scalar: bool | None = None

    def tree(self, x: HostArray) -> Any:
        """The tree of a NumPy vector, on the device of the initial guess."""
        return self._vector.tree(self.device_vector(x))

    def device_vector(self, x: HostArray) -> Array:
        """A NumPy vector with the library, dtype and device of the initial guess."""
        if getattr(x, "shape", None) != tuple(self.start.shape):
            raise ValueError(
                f"A solver of on_host must return and pass on vectors of shape {tuple(self.start.shape)}. "
                f"Received: {getattr(x, 'shape', type(x).__name__)}"
            )
        return to_device(x, self.start)

    def __call__(self, x: HostArray) -> Any:
        value = self._flat(self.device_vector(x))
        on_host_now(value)
        return to_host(value) if value.shape else float(value)

    def jac(self, x: HostArray) -> HostArray:
        """The gradient of a scalar function, or the Jacobian matrix."""
        point = self.device_vector(x)
        if self._scalar is None:
            self._scalar = not self._flat(point).shape
        return to_host((grad if self._scalar else jacobian)(self._flat)(point))


def to_device(x: HostArray, like: Array) -> Array:
    """A NumPy array with the library, dtype and device of another array."""
    owner = backend_class_of(like)
    assert owner is not None
    backend = owner(device_of(like))
    return backend.from_host(x.astype(backend.dtype_name(like.dtype)))
