"""Differential equations on the host, by the methods of `scipy.integrate`."""

from __future__ import annotations

from collections.abc import Callable

from portanet.autodiff.solvers.vectors import ConvergenceError
from portanet.backends import HostArray
from portanet.extras import install_command

METHODS = ("RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA")


def integrate(
    rates: Callable[[float, HostArray], HostArray],
    y: HostArray,
    times: list[float],
    method: str,
    rtol: float,
    atol: float,
    max_steps: int,
) -> list[HostArray]:
    """The solution at each of the times, of which the first and the last differ."""
    try:
        from scipy import integrate as methods
    except ImportError:
        raise ImportError(
            f'odeint needs SciPy for method={method!r}. Type: {install_command("scipy")}; or use method="dopri5".'
        ) from None
    solver = getattr(methods, method)(rates, times[0], y, times[-1], rtol=rtol, atol=atol)
    sign = 1.0 if times[-1] > times[0] else -1.0
    outputs = [y for t in times if t == times[0]]
    for _ in range(max_steps):
        before = solver.t
        message = solver.step()
        if solver.status == "failed" or solver.t == before:  # LSODA repeats such steps forever
            reason = message or "the step size became too small, as where a solution grows without bound."
            raise _stopped(reason, method, times, before)
        between = None
        while len(outputs) < len(times) and sign * (times[len(outputs)] - solver.t) <= 0:
            end = times[len(outputs)]
            if end != solver.t and between is None:
                between = solver.dense_output()
            outputs.append(solver.y.copy() if between is None or end == solver.t else between(end))
        if solver.status == "finished":
            return outputs
    raise _stopped(f"the limit of {max_steps} steps was reached.", method, times, solver.t)


def _stopped(reason: str, method: str, times: list[float], t: float) -> ConvergenceError:
    return ConvergenceError(
        f"odeint did not reach the end: {reason} Raise `max_steps`, `rtol` or `atol`, use another method, or end "
        f"before the solution becomes infinite. Received: time {t:.6g} of {times[-1]:.6g}, method={method!r}"
    )
