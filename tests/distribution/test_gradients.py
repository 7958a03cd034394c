"""The sum of gradients begins while the backward pass computes others, where messages travel by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, custom_vjp, value_and_grad
from portanet.distribution.gradients import GradientSum


class Pair:
    """Two processes with the same gradients."""

    rank, size = 0, 2

    def __init__(self, near: bool, events: list[str]) -> None:
        self.near, self.events = near, events

    def texts(self, text: str) -> list[str]:
        return [text] * self.size

    def start_sums(self, arrays: Any) -> Any:
        self.events.append(f"starts {len(arrays)}")
        return lambda: [2 * x for x in arrays]


class Half:
    def __init__(self, processes: Pair) -> None:
        self.processes = processes


@pytest.mark.parametrize("near", [False, True])
def test_buckets_start_as_soon_as_their_gradients_are_there(near: bool) -> None:
    events: list[str] = []

    @custom_vjp
    def hidden(x: Any) -> Any:
        return x, lambda g: (events.append("the first layer"), (g,))[1]

    generator = np.random.default_rng(0)
    params = {name: generator.standard_normal((512, 512)).astype("float32") for name in ("first", "second")}
    params["bias"] = np.ones(512, "float32")
    x = np.ones((2, 512), "float32")

    def loss(params: Any) -> Any:
        out = hidden(x @ params["first"]) @ params["second"] + params["bias"]
        return array_namespace(out).sum(out)

    together = GradientSum(Half(Pair(near, events)), params, list(params))  # type: ignore[arg-type]
    _, grads = value_and_grad(lambda p: loss(together.watched(p)))(params)
    sums, rest = together.finish(grads, {"count": np.ones(2, "float32")})
    layers = ["the first layer"]
    assert events == [*([*layers, "starts 3"] if near else ["starts 2", *layers, "starts 1"]), "starts 1"]
    for name, g in value_and_grad(loss)(params)[1].items():
        np.testing.assert_array_equal(sums[name], 2 * g)
    np.testing.assert_array_equal(rest["count"], [2.0, 2.0])
