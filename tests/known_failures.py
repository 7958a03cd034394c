"""Tests that fail on a backend for a cause in its library: by backend, cause and pattern of the test's id."""

from __future__ import annotations

import fnmatch

import pytest

KNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "mlx": {
        "MLX has no complex128 (ml-explore/mlx#48)": (
            "tests/backends/test_conversion.py::test_floats_take_the_default_dtype_and_others_keep_theirs*complex128*",
            *(
                f"tests/ops/test_batched_operands.py::test_each_argument(mlx-{name})"
                for name in (
                    *("angle", "conj", "conjugate", "fft", "fft2", "ifft2", "imag", "irfft", "istft", "polar", "real"),
                    *("view_as_complex", "view_as_real"),
                )
            ),
            "tests/ops/test_operation.py::test_dtypes_of_operands(*-complex128)",
            "tests/ops/test_operation.py::test_python_numbers_are_not_rounded_to_the_default_dtype(mlx)",
            "tests/autodiff/batching/test_rare_arguments.py::test_rare_arguments(mlx-fftn of the last axes)",
            "tests/autodiff/batching/test_every_function.py::test_*(mlx-astype-complex)",
            "tests/autodiff/batching/test_every_function.py::test_values_of_the_namespace_*(mlx-full*-dtype)",
            "tests/autodiff/batching/test_every_function.py::test_values_of_the_namespace_*(mlx-linspace-dtype)",
            "tests/autodiff/batching/test_every_function.py::test_values_of_the_namespace_*(mlx-linalg.trace-dtype)",
            "tests/autodiff/linalg/test_special_matrices.py::test_functions_of_hermitian_matrices(mlx)",
            "tests/autodiff/linalg/test_special_matrices.py::test_roots_and_logarithms_that_do_not_exist(mlx)",
            "tests/autodiff/linalg/test_special_matrices.py::test_roots_of_singular_matrices(mlx)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(*-complex128)",
            "tests/autodiff/solvers/test_implicit.py::test_complex_roots_and_functions_that_are_not_holomorphic(mlx)",
            "tests/autodiff/solvers/test_linear.py::TestBoth::test_complex(*)",
            "tests/autodiff/solvers/test_ode.py::test_complex_rotation(mlx)",
            "tests/autodiff/solvers/test_verify.py::test_symmetric_and_hermitian_operators_pass(mlx)",
            "tests/autodiff/test_linearize.py::test_complex_arguments(mlx)",
            "tests/autodiff/test_nearest_rotation.py::test_unitary_matrices(mlx)",
            "tests/autodiff/test_rare_uses.py::test_texts_of_traced_numbers(mlx)",
            "tests/autodiff/test_rules.py::test_*(mlx-astype-complex)",
            "tests/autodiff/test_rules.py::test_values_are_the_librarys(mlx-linalg.trace-dtype)",
            "tests/autodiff/test_rules.py::test_first_order(mlx-full*-dtype)",
            "tests/autodiff/test_rules.py::test_first_order(mlx-linspace-dtype)",
            "tests/autodiff/test_rules.py::test_first_order(mlx-linalg.trace-dtype)",
            "tests/autodiff/test_sparse.py::test_complex_values(mlx)",
            *(
                f"tests/keras/test_ops.py::test_*(mlx-{name}-0)"
                for name in ("fft", "fft2", "ifft2", "irfft", "istft", "polar", "view_as_complex")
            ),
        ),
        "MLX has no complex128, so that transforms, and what goes through complex numbers, are in single precision": (
            "tests/layers/test_spectrograms.py::test_matrix*",
            "tests/autodiff/linalg/test_special_matrices.py::test_empty_stacks_and_single_numbers(mlx-shape3-cosm)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-cosm-float64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-sinm-float64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-tanm-float64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-solve_circulant-float64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_derivatives(mlx-cosm)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_derivatives(mlx-sinm)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_derivatives(mlx-tanm)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_derivatives(mlx-solve_circulant)",
            "tests/autodiff/test_rules.py::test_values_are_the_librarys(mlx-fft.rfftn-s=*)",
            "tests/autodiff/test_rules.py::test_first_order(mlx-fft.*)",
            "tests/autodiff/test_rules.py::test_*_order(mlx-linalg.eig)",
            "tests/autodiff/test_rules.py::test_*_order(mlx-linalg.eigvals)",
        ),
        "MLX decomposes real matrices alone": (
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-cho_*-complex64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-fractional_matrix_power-complex64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-logm*-complex64)",
            "tests/autodiff/linalg/test_values_and_derivatives.py::test_values(mlx-sqrtm*-complex64)",
            "tests/autodiff/test_rules.py::test_single_precision_stays_single(mlx-linalg.cholesky*complex)",
            "tests/autodiff/test_rules.py::test_single_precision_stays_single(mlx-linalg.*det-complex)",
            "tests/autodiff/test_rules.py::test_single_precision_stays_single(mlx-linalg.qr*complex)",
        ),
        "MLX computes what a thread has asked for in this thread alone: its results are read there": (
            "tests/autodiff/test_safety.py::test_threads_inside_a_trace(mlx)",
            "tests/autodiff/test_safety.py::test_threads_that_differentiate_at_once(mlx)",
        ),
        "the signs of eigenvectors are those of the library": ("tests/keras/test_ops.py::test_*(mlx-eigh-0)",),
        "MLX finds singular matrices when it computes, with an error of its own": (
            "tests/autodiff/solvers/test_implicit.py::test_a_singular_derivative_is_an_error(mlx)",
        ),
    },
}


def known_failure(item: pytest.Item) -> str | None:
    """The cause for which a test is known to fail on its backend; None if it is not."""
    call = getattr(item, "callspec", None)
    known = KNOWN.get(call.params.get("backend", "") if call else "", {})
    test = item.nodeid.replace("[", "(").replace("]", ")")  # which have a meaning in patterns
    return next((cause for cause, names in known.items() if any(fnmatch.fnmatch(test, name) for name in names)), None)
