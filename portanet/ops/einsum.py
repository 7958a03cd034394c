"""Sums of products by subscripts, as products of matrices; and rearrangement of axes by names."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.operation import operation


def contract(subscripts: str, operands: Sequence[Array]) -> Array:
    """The sum of products of arrays by subscripts; see `portanet.ops.einsum`."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands) or not re.fullmatch(r"[A-Za-z.,]*(->[A-Za-z.]*)?", text):
        raise checks.invalid("subscripts", subscripts, f"a term for each of {len(operands)} operands", "einsum")
    free = iter(letter for letter in reversed(string.ascii_letters) if letter not in text)
    extra = max((len(x.shape) - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True)
                 if "..." in term), default=0)  # fmt: skip
    ellipsis = "".join(next(free) for _ in range(extra))
    terms = [_spelled(term, ellipsis, len(x.shape), subscripts) for term, x in zip(terms, operands, strict=True)]
    if arrow:
        result = output.replace("...", ellipsis)
    else:
        letters = "".join(terms)
        result = ellipsis + "".join(sorted(c for c in set(letters) - set(ellipsis) if letters.count(c) == 1))
    if len(set(result)) < len(result) or not set(result) <= set("".join(terms)):
        raise checks.invalid("subscripts", subscripts, "different letters of the operands in the result", "einsum")
    term, x = _diagonal(terms[0], operands[0])
    for i, (other, y) in enumerate(zip(terms[1:], operands[1:], strict=True), 2):
        other, y = _diagonal(other, y)
        needed = set(result).union(*terms[i:])
        term, x = _pair(term, x, other, y, needed)
    return _reordered(term, x, result)


def _spelled(term: str, ellipsis: str, rank: int, subscripts: str) -> str:
    """A term with letters in place of `...`."""
    count = rank - len(term.replace("...", ""))
    if count < 0 or (count > 0 and "..." not in term):
        raise checks.invalid("subscripts", subscripts, f"a letter for each of {rank} axes in {term!r}", "einsum")
    return term.replace("...", ellipsis[len(ellipsis) - count :])


def _diagonal(term: str, x: Array) -> tuple[str, Array]:
    """The diagonal where a letter appears twice."""
    xp = array_namespace(x)
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first, second = term.index(letter), term.rindex(letter)
            x = xp.linalg.diagonal(xp.moveaxis(x, (first, second), (-2, -1)))
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return term, x


def _reordered(term: str, x: Array, result: str) -> Array:
    """The sum over axes that are not in the result, the others in its order."""
    xp = array_namespace(x)
    summed = tuple(i for i, letter in enumerate(term) if letter not in result)
    x = xp.sum(x, axis=summed, dtype=x.dtype) if summed else x
    kept = [letter for letter in term if letter in result]
    return xp.permute_dims(x, tuple(kept.index(letter) for letter in result))


def _pair(a: str, x: Array, b: str, y: Array, needed: set[str]) -> tuple[str, Array]:
    """The product of two arrays, summed over letters that are not needed, as one product of matrices."""
    xp = array_namespace(x, y)
    single_a, single_b = ({c for c in t if c not in other and c not in needed} for t, other in ((a, b), (b, a)))
    kept_a, kept_b = ("".join(c for c in t if c not in single) for t, single in ((a, single_a), (b, single_b)))
    x, y = _reordered(a, x, kept_a), _reordered(b, y, kept_b)
    sizes: dict[str, int] = {}
    for term, z in ((kept_a, x), (kept_b, y)):
        for letter, n in zip(term, z.shape, strict=True):
            if 1 not in (n, sizes.get(letter, n)) and sizes.get(letter, n) != n:
                raise ValueError(f"Sizes of axis {letter!r} in einsum must be equal. Received: {sizes[letter]} and {n}")
            sizes[letter] = max(n, sizes.get(letter, n))
    batch = [c for c in kept_a if c in kept_b and c in needed]
    inner = [c for c in kept_a if c in kept_b and c not in needed]
    left, right = [c for c in kept_a if c not in kept_b], [c for c in kept_b if c not in kept_a]

    def matrices(term: str, z: Array, first: list[str], second: list[str]) -> Array:
        shape = [sizes[c] for c in (*batch, *first, *second)]
        z = xp.permute_dims(z, tuple(term.index(c) for c in (*batch, *first, *second)))
        z = xp.broadcast_to(z, tuple(shape))
        rows, columns = (math.prod(sizes[c] for c in group) for group in (first, second))
        return xp.reshape(z, (*(sizes[c] for c in batch), rows, columns))

    product = xp.matmul(matrices(kept_a, x, left, inner), matrices(kept_b, y, inner, right))
    letters = [*batch, *left, *right]
    return "".join(letters), xp.reshape(product, tuple(sizes[c] for c in letters))


@operation
def rearrange(tensor: Array, pattern: str, **axes_lengths: Any) -> Array:
    """Axes in another order, joined and split, by names, as in `einops`.

    Args:
        tensor: Array.
        pattern: Names of its axes and of those of the result: `"b h w c -> b (h w) c"`; those in parentheses are one
            axis. `...` stands for axes that stay together, `1` for an axis of size 1.
        axes_lengths: Sizes of axes that are split.

    Example:
        >>> from portanet import ops
        >>> ops.shape(rearrange(ops.ones((2, 12, 3)), "b (h w) c -> b c h w", h=3))
        (2, 3, 3, 4)
    """
    sides = pattern.split("->") if isinstance(pattern, str) else ()
    if len(sides) != 2:
        raise checks.invalid("pattern", pattern, "two sides, such as 'b h w c -> b (h w) c'", "rearrange")
    left, right = map(_groups, sides)
    if ["..."] in left:
        place, rest = left.index(["..."]), len(tensor.shape) - len(left) + 1
        names = [f"...{i}" for i in range(rest)]
        left[place : place + 1] = [[name] for name in names]
        right = [group for g in right for group in ([[n] for n in names] if g == ["..."] else [_filled(g, names)])]
    if len(left) != len(tensor.shape):
        raise checks.invalid("pattern", pattern, f"a name for each of {len(tensor.shape)} axes", "rearrange")
    sizes = {name: checks.positive_int(name, n, "rearrange") for name, n in axes_lengths.items()}
    for group, n in zip(left, tensor.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1 or n % known or (not unknown and n != known):
            raise checks.invalid("axes_lengths", axes_lengths, f"sizes of {group} that make {n}", "rearrange")
        sizes |= dict.fromkeys(unknown, n // known)
    order = [name for group in left for name in group]
    target = [name for group in right for name in group]
    if sorted(order) != sorted(target):
        raise checks.invalid("pattern", pattern, "the same names on both sides", "rearrange")
    xp = array_namespace(tensor)
    x = xp.reshape(tensor, tuple(sizes[name] for name in order))
    x = xp.permute_dims(x, tuple(order.index(name) for name in target))
    return xp.reshape(x, tuple(math.prod(sizes[name] for name in group) for group in right))


def _groups(side: str) -> list[list[str]]:
    """The names of each axis; none for an axis of size 1."""
    tokens = re.findall(r"\([^()]*\)|[^\s()]+", side)
    return [[n for n in token.strip("()").split() if n != "1"] for token in tokens]


def _filled(group: list[str], names: list[str]) -> list[str]:
    return [name for n in group for name in (names if n == "..." else [n])]
