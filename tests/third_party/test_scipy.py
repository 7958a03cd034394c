"""SciPy, differentiated unmodified, beyond first derivatives; docs/third-party.md lists its functions."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from portanet.autodiff import check_grads, grad, hessian, jvp, value_and_grad
from tests.third_party.gradients import positive

PAGE = pathlib.Path(__file__).parent.parent.parent / "docs" / "learn" / "autodiff-for-scipy-people.md"


def test_second_order_and_forward_mode():
    x = positive((2, 3))
    check_grads(lambda x: special.logsumexp(x, axis=1), (x,))
    check_grads(lambda x: stats.skew(x, axis=1), (x,))
    np.testing.assert_allclose(hessian(optimize.rosen)(x[0]), optimize.rosen_hess(x[0]))
    np.testing.assert_allclose(grad(optimize.rosen)(x[0]), optimize.rosen_der(x[0]))


def test_the_gradient_of_logsumexp_is_softmax():
    x = np.asarray([300.0, 299.0, -1000.0])
    value, slope = value_and_grad(special.logsumexp)(x)
    np.testing.assert_allclose(value, special.logsumexp(x))
    np.testing.assert_allclose(slope, special.softmax(x), atol=1e-15)
    np.testing.assert_allclose(jvp(special.logsumexp, (x,), (np.ones(3),))[1], 1.0)


def test_the_gradient_of_a_p_value_is_what_the_page_prints() -> None:
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if ">>>" not in code]
    names: dict[str, Any] = {"np": np, "grad": grad}
    exec(code, names)
    assert f"# {names['slope']!r}" in code
