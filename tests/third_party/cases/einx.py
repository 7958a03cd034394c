"""einx, which looks up functions in the namespace of its arrays."""

from __future__ import annotations

import einx

from tests.third_party.gradients import Cases, integers

CASES: Cases = {
    "rearrange": lambda x: einx.rearrange("(a b) c -> c b a", x, a=2),
    "sum": lambda x: einx.sum("a [b]", x),
    "mean": lambda x: einx.mean("[a] b", x),
    "std": lambda x: einx.std("a [b]", x),
    "logsumexp": lambda x: einx.logsumexp("a [b]", x),
    "softmax": lambda x: einx.softmax("a [b]", x),
    "add": lambda x: einx.add("a b, b -> a b", x, x[0, :]),
    "where": lambda x: einx.where("a b, a b, b -> a b", x > 1, x, x[0, :]),
    "flip": lambda x: einx.flip("a [b]", x) * x,
    "sort": lambda x: einx.sort("a [b]", x),
    "get_at": lambda x: einx.get_at("[a] b, c -> c b", x, integers(x, [0, 2])),
    "dot": lambda x: einx.dot("a [b], c [b] -> a c", x, x),
}
