"""einops, by its functions for any library of the standard."""

from __future__ import annotations

import einops
import einops.array_api

from tests.third_party.gradients import Cases

api = einops.array_api
CASES: Cases = {
    "rearrange": lambda x: api.rearrange(x, "(a b) c -> c b a", a=2),
    "reduce": lambda x: api.reduce(x, "(a b) c -> a c", "mean", a=2),
    "reduce (max)": lambda x: api.reduce(x, "a b -> b", "max"),
    "reduce (prod)": lambda x: api.reduce(x, "a b -> b", "prod"),
    "repeat": lambda x: api.repeat(x, "a b -> a (b r)", r=3),
    "pack": lambda x: api.pack([x, x[:, 0]], "a *")[0],
    "unpack": lambda x: api.unpack(x, [(2,), (3,)], "a *"),
    "rearrange (outside of array_api)": lambda x: einops.rearrange(x, "a b -> b a"),
    "einsum (outside of array_api)": lambda x: einops.einsum(x, x, "a b, c b -> a c"),
}
