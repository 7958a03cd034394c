import re
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import (
    GradientError,
    array_namespace,
    check_grads,
    checkpoint,
    custom_vjp,
    detect_anomaly,
    grad,
    hessian,
    jvp,
    vjp,
    vmap,
)
from portanet.backends import Backend, get_backend
from tests.support import asarray, assert_close


def line_of(function: Any, text: str) -> str:
    """File and line of a function where its source contains a text."""
    import inspect

    lines, first = inspect.getsourcelines(function)
    (number,) = [first + i for i, line in enumerate(lines) if text in line]
    return f"{__file__}:{number}"


def logs(x: Any) -> Any:
    xp = array_namespace(x)
    y = x * 2.0 - 2.0
    z = xp.log(y)  # the culprit
    return xp.sum(xp.exp(z) + 1.0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_first_result(xp: Any) -> None:
    message = re.escape(
        "The result of `log` is not finite: 2 of 3 elements (1 NaN, 1 infinite), the first at index (1,). "
        f"It was called at {line_of(logs, 'culprit')}"
    )
    x = asarray([2.0, 0.0, 1.0])
    with detect_anomaly():
        with pytest.raises(FloatingPointError, match=message + "$"):
            grad(logs)(x)
        with pytest.raises(FloatingPointError, match=message):
            jvp(logs, (x,), (x,))
        with pytest.raises(FloatingPointError, match=message):
            hessian(logs)(x)
        assert_close(grad(logs)(asarray([2.0])), [2.0])
    grad(logs)(x)  # outside of the context


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinities_may_be_allowed(xp: Any) -> None:
    def f(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.sum(xp.exp(xp.where(x > 1.0, x, -xp.inf)))

    with detect_anomaly(nan_only=True):
        assert_close(grad(f)(asarray([0.0, 2.0])), [0.0, np.exp(2.0)])
        with pytest.raises(FloatingPointError, match=r"The result of `log` is not finite: 1 of 2 elements \(1 NaN, 0"):
            grad(lambda x: array_namespace(x).sum(array_namespace(x).log(x)))(asarray([0.0, -1.0]))
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"`where` is not finite: 1 of 2 .*index \(0,\)"):
        grad(f)(asarray([0.0, 2.0]))


def safe_only_forward(x: Any) -> Any:
    xp = array_namespace(x)
    root = xp.sqrt(x)  # of 0, where the slope is infinite
    return xp.sum(root * 0.0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_first_cotangent(xp: Any) -> None:
    message = re.escape(
        "The cotangent that `sqrt` passes to its operand is not finite: 1 of 2 elements (1 NaN, 0 infinite), the first "
        f"at index (1,). It was called at {line_of(safe_only_forward, 'slope')}"
    )
    x = asarray([4.0, 0.0])
    with detect_anomaly(), pytest.raises(FloatingPointError, match=message):
        grad(safe_only_forward)(x)
    with detect_anomaly():
        _, pullback = vjp(safe_only_forward, x)
    with pytest.raises(FloatingPointError, match=message):  # the recording is still guarded
        pullback(asarray(1.0))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_first_tangent(xp: Any) -> None:
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"The tangent of the result of `sqrt` .*\(1,\)"):
        jvp(safe_only_forward, (asarray([4.0, 0.0]),), (asarray([1.0, 0.0]),))


def test_operands_are_numbered(xp: Any) -> None:
    @custom_vjp
    def product(x: Any, y: Any) -> Any:
        xp = array_namespace(x)
        return x * y, lambda g: (g * y, g * x * xp.nan)

    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"`product` passes to its operand 1 .* index \(\)"):
        grad(product, (0, 1))(asarray(2.0), asarray(3.0))


def test_arguments(xp: Any) -> None:
    with detect_anomaly():
        with pytest.raises(FloatingPointError, match=r"An argument of the differentiated function .*index \(1, 0\)"):
            grad(lambda x: array_namespace(x).sum(x))(asarray([[1.0], [np.nan]]))
        with pytest.raises(FloatingPointError, match="The tangent of an argument of the differentiated function is"):
            jvp(lambda x: x * 1.0, (asarray(1.0),), (asarray(np.inf),))


def test_operations_with_several_results(xp: Any) -> None:
    @custom_vjp
    def both(x: Any) -> Any:
        xp = array_namespace(x)
        return (x * 2.0, x * 3.0), lambda g: (g[1] * xp.inf,)

    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"The cotangent that `both` passes to its operand"):
        grad(lambda x: array_namespace(x).sum(array_namespace(x).exp(both(x)[1])))(asarray([1.0]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_checkpoints(xp: Any) -> None:
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"The result of `log` is not finite"):
        grad(checkpoint(logs))(asarray([0.0]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_training_names_the_line_in_the_layer_and_that_of_the_call(backend: Backend) -> None:
    class Reciprocal(layers.Layer):
        def call(self, x: Any) -> Any:
            return 1.0 / (x * 0.0)  # infinite

    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2), Reciprocal()])
    model.compile("sgd", "mse")
    with detect_anomaly():
        if get_backend().name == "jax":
            with pytest.raises(
                RuntimeError, match="detect_anomaly reads values, and a function that is being compiled"
            ):
                model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0)
        else:
            with pytest.raises(FloatingPointError, match=rf"`divide` is not finite: .*{re.escape(__file__)}"):
                model.fit(np.ones((4, 2)), np.ones((4, 2)), verbose=0)
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"portanet/.*\.py:\d+, in a call at .*test_anomaly"):
        grad(lambda x: array_namespace(x).sum(portanet.activations.get("softplus")(x)))(
            asarray([np.finfo("f").max]) * 3
        )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_batches(xp: Any) -> None:
    def f(x: Any) -> Any:
        return array_namespace(x).sum(array_namespace(x).log(x))

    x = asarray([[1.0, 2.0], [3.0, 0.0]])
    for g in (vmap(grad(f)), grad(lambda x: array_namespace(x).sum(vmap(f)(x)))):
        with detect_anomaly(), pytest.raises(FloatingPointError, match=r"`log` is not finite: 1 of 4 .*index \(1, 1\)"):
            g(x)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_check_grads_names_the_operation(xp: Any) -> None:
    with pytest.raises(GradientError, match=r"The function is not finite.*The result of `log` is not finite: 1 of 1"):
        check_grads(logs, (asarray([0.0]),))
    with pytest.raises(GradientError, match=r"The forward-mode derivative .* of `log` is not finite: 1 of 1"):
        check_grads(logs, (asarray([1.0]),))
    with pytest.raises(GradientError, match=r"derivative of the function is not finite.*The \w+ .*`sqrt`"):
        check_grads(lambda x: x * array_namespace(x).sqrt(x), (asarray([0.0]),), modes=("reverse",))


def test_a_wrong_argument() -> None:
    with pytest.raises(ValueError, match="`nan_only` of detect_anomaly"), detect_anomaly(nan_only=3):  # type: ignore[arg-type]
        pass
