"""The state of random draws that a layer, a model or a loop keeps."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import unwrap
from portanet.backends import Array, asarray
from portanet.configurable import Configurable
from portanet.random.seeds import get_seed, next_unowned, stream_key
from portanet.variables import Variable, in_compiled_step


class SeedGenerator(Configurable):
    """A seed and a counter of draws, for the argument `seed` of the functions of `portanet.random`; as in Keras.

    Kept in an attribute of a layer, its counter is part of the layer's state: each step draws anew, compiled ones too,
    and a saved model goes on with it.

    Args:
        seed: The seed; by default derived from `portanet.random.get_seed()`.
        name: Name of the counter.
        **kwargs: `backend`, which Keras takes, must be left out.

    Example:
        >>> import portanet
        >>> generator = portanet.random.SeedGenerator(7)
        >>> first, second = (portanet.random.normal((2,), seed=generator) for _ in range(2))
        >>> bool((first == second).any())
        False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(f"SeedGenerator takes `seed` and `name`. Received: {', '.join(map(repr, kwargs))}")
        self.name = "seed_generator" if name is None else checks.text("name", name, type(self))
        self.seed = stream_key(get_seed(), "seed_generator", next_unowned()) if seed is None else _seed(seed)
        self.key = stream_key("seed_generator", self.seed)
        self.state = Variable(0, name="seed_generator_state", counter=True)

    def next(self, ordered: bool = True) -> Array:
        """The number of this draw, an int32 array of shape (); each call counts one more.

        Args:
            ordered: Has no effect: draws are always counted in order.
        """
        step: Array = unwrap(self.state.value)
        self.state.assign(step + 1)
        return step

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal generator."""
        return {"seed": self.seed, "name": self.name}


def draw_of(seed: int | SeedGenerator | None) -> tuple[int, Array]:
    """The stream and the number of a draw: the next of a generator, the only one of a number, a new one for None."""
    if isinstance(seed, SeedGenerator):
        return seed.key, seed.next()
    if seed is None:
        if in_compiled_step():
            raise ValueError(
                "A compiled step draws the same numbers each time unless a generator counts: keep a "
                "portanet.random.SeedGenerator in an attribute of the layer or model, and pass it. Received: seed=None"
            )
        return stream_key(get_seed(), "random", next_unowned()), asarray(0, "int32")
    return stream_key("seed", _seed(seed)), asarray(0, "int32")


def _seed(seed: Any) -> int:
    return checks.integer("seed", seed, least=0)
