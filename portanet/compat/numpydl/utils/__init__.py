"""`npdl.utils`: labels, the random generator and the dtype."""

from portanet.compat.numpydl.utils import data, random
from portanet.compat.numpydl.utils.data import one_hot, unhot
from portanet.compat.numpydl.utils.random import get_dtype, get_rng, set_dtype, set_rng, set_seed

__all__ = ["data", "get_dtype", "get_rng", "one_hot", "random", "set_dtype", "set_rng", "set_seed", "unhot"]
