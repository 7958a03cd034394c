"""What a backend is: an array library, a device and a default float dtype, and the few things that differ."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, TypeVar, cast

import array_api_compat
import numpy as np

from portanet.backends.machine import host_memory
from portanet.extras import install_command

if TYPE_CHECKING:
    from portanet.backends.graphs import Graphs
    from portanet.backends.link import Link
    from portanet.backends.transfers import Transfers

Array: TypeAlias = Any
"""An array of any library that follows the array API standard; the standard has no common static type."""

HostArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Step = TypeVar("Step", bound=Callable[..., Any])


FLOATS = ("float32", "float64", "float16", "bfloat16")
DTYPES = (
    *FLOATS,
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "complex64", "complex128"),
)


class Plan(Protocol):
    """A pure function as a list of a library's calls; see `Backend.plan`."""

    nbytes: int
    """Bytes of the arrays that it holds."""

    def run(self, inputs: Sequence[Array]) -> Any:
        """The results for inputs, which later runs do not overwrite; NotImplemented while another thread runs it."""


class BackendUnavailableError(ImportError):
    """The chosen backend cannot run here; the message says what is missing and what to type."""


class Backend:
    """An array library on one device, with a default float dtype.

    Everything that portanet computes is written against `xp`, the library's array API namespace; this class holds
    what the standard does not cover. To add a library, subclass it in a separate file and name it in
    `registry.BACKENDS`.

    Example:
        >>> from portanet.backends import get_backend
        >>> backend = get_backend()
        >>> backend.to_host(backend.xp.ones(2)).tolist()
        [1.0, 1.0]
    """

    name: ClassVar[str]
    library: ClassVar[str]
    """Name of the module to import."""
    half_precision: ClassVar[tuple[str, ...]] = ()
    """The floating-point dtypes of 16 bits that the library has."""

    xp: Any
    device: Any
    dtype: Any
    overrides: ClassVar[dict[str, Callable[..., Any]]] = {}
    """Faster versions of functions by their names; see `portanet.backends.overrides.overridable`."""

    float32_matmul_precision: ClassVar[str] = ""
    """As set by `portanet.set_float32_matmul_precision`, for all libraries; empty if it was not."""

    keeps_constants: ClassVar[bool] = False
    """Whether arrays of numbers known on the host, once sent to a device, are kept there for later calls."""

    least_elements: ClassVar[float] = math.inf
    """Size of arrays from which elementwise functions are passed to `map_elements`."""

    attends_in_blocks: ClassVar[bool] = False
    """Whether attention is computed block by block also where all weights have room."""

    spans_devices: ClassVar[bool] = False
    """Whether the device may be several ones, which then compute a batch in parts; see `divided`."""

    process_number: int = 0
    """Which of several processes this is, where the library itself lets them compute together."""

    local_number: ClassVar[int] = 0
    """Which of a job's processes on this machine this is: they take different devices."""

    shares_arrays: ClassVar[bool] = False
    """Whether threads may change the same arrays, on the host, in place."""

    has_float64: bool = True
    """Whether arrays may be of 64-bit floats."""

    def __init__(self, device: Any = None, dtype: str = "float32") -> None:
        reason = self.unavailable()
        if reason is not None:
            raise BackendUnavailableError(f"Backend '{self.name}' cannot be used: {reason}")
        if not isinstance(dtype, str) or dtype not in FLOATS:
            raise ValueError(
                "Argument `dtype` must be the name of the default dtype of parameters and data, one of "
                f"{', '.join(map(repr, FLOATS))}. Received: dtype={dtype!r}"
            )
        self.xp = self.load()
        self.device = self.find_device(device)
        self.asked = device
        self.dtype = self.find_dtype(dtype)
        self.warned: set[str] = set()  # lines that cannot be recorded, which a warning has named
        if Backend.float32_matmul_precision or not self.device_name.startswith("cpu"):
            self.use_float32_matmul_precision(Backend.float32_matmul_precision or "highest")

    def __repr__(self) -> str:
        return f"<portanet backend {self.name} on {self.device_name}, {self.dtype_name(self.dtype)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.device_name, self.dtype_name(self.dtype))

    # Availability

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this backend cannot be used here, with the remedy, or None if it can."""
        if importlib.util.find_spec(cls.library) is None:
            return f"{cls.library} is not installed. Type: {cls.install_command()}"
        return None

    @classmethod
    def install_command(cls) -> str:
        """What to type when the library is missing."""
        return install_command(cls.name)

    @classmethod
    def preferred(cls) -> bool:
        """Whether `"auto"` is this backend here: it reaches a GPU of this machine that NumPy does not."""
        return False

    @classmethod
    def version(cls) -> str:
        """Version of the installed library."""
        return str(importlib.import_module(cls.library).__version__)

    # Namespace, devices and dtypes

    @classmethod
    def load(cls) -> Any:
        """Import the library; return its array API namespace."""
        raise NotImplementedError

    @classmethod
    def devices(cls) -> dict[str, Any]:
        """The library's devices that can be used here, by name; the first is the default."""
        raise NotImplementedError

    @property
    def device_name(self) -> str:
        """Name of this backend's device, such as `"cpu"` or `"cuda:0"`."""
        return next(name for name, device in self.devices().items() if device == self.device)

    def find_device(self, device: Any) -> Any:
        """The library's device object for a name or a device; None is of the default kind.

        Of a kind, such as `"cuda"`, it is the first; in a job, processes of a machine take one after the other.
        """
        known = self.devices()
        kinds = [name.rpartition(":")[0] or name for name in known]
        kind = kinds[0] if device is None else str(device)
        if same := [each for each, its in zip(known.values(), kinds, strict=True) if its == kind]:
            return same[self.local_number % len(same)]
        for name, candidate in known.items():
            if str(device) == name:
                return candidate
            if not hasattr(device, "__dlpack__") and candidate == device:  # an array compares by element
                return candidate
        raise ValueError(
            f"Backend '{self.name}' has no such device here. Known: {', '.join(map(repr, known))}. "
            f"Received: device={device!r}"
        )

    def find_dtype(self, name: str) -> Any:
        """The library's dtype object for a name such as `"float32"`."""
        dtype = getattr(self.xp, name, None) if isinstance(name, str) and name in DTYPES else None
        if dtype is None:
            from portanet.backends.registry import no_dtype  # which imports this module

            raise ValueError(no_dtype(self.name, name, [known for known in DTYPES if hasattr(self.xp, known)]))
        return dtype

    def dtype_name(self, dtype: Any) -> str:
        """The name of a dtype of the library; a known name is returned unchanged.

        Example:
            >>> from portanet.backends import get_backend
            >>> backend = get_backend()
            >>> backend.dtype_name(backend.xp.int32)
            'int32'
        """
        if not isinstance(dtype, str) and not hasattr(dtype, "__dlpack__"):  # an array compares by element
            for name in DTYPES:
                if hasattr(self.xp, name) and getattr(self.xp, name) == dtype:
                    return name
        self.find_dtype(dtype)
        return str(dtype)

    @classmethod
    def device_of(cls, x: Array) -> Any:
        """The device that an array of this library is on."""
        return array_api_compat.device(x)

    @classmethod
    def to_device(cls, x: Array, device: Any, *, stream: Any = None) -> Array:
        """An array of this library on another of its devices."""
        return array_api_compat.to_device(x, device, stream=stream)

    @classmethod
    def lifetime(cls, x: Array) -> Any:
        """An object that takes weak references and lives as long as the array: the array, if it does."""
        return x

    def activate(self) -> None:
        """Make the device the current one of this thread, in libraries that have such a notion."""

    # Host and device

    def from_host(self, x: HostArray) -> Array:
        """Copy a NumPy array to this backend's device, dtype kept."""
        raise NotImplementedError

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        """Copy an array of this library, on whichever device, to a NumPy array; bfloat16 becomes float32."""
        raise NotImplementedError

    @classmethod
    def view_on_host(cls, x: Array) -> HostArray:
        """The same only to be read: without a copy where the library has it on the host."""
        return cls.to_host(x)

    def adopt(self, x: HostArray) -> Array:
        """As `from_host`, of an array that nobody else uses: without a copy where the library can have it as it is."""
        return self.from_host(x)

    @classmethod
    def owns(cls, x: Any) -> bool:
        """Whether `x` is an array of this library."""
        raise NotImplementedError

    @classmethod
    def require_plain(cls, x: Array, what: str = "Data") -> None:
        """Reject an array of this library that is stored or computed with otherwise, such as a sparse one."""

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        """What looking at values of `x` costs: `"free"`, `"waits"` for the device, or `"never"` possible (in a step
        that is being compiled).
        """
        return "free"

    # The machine

    @classmethod
    def map_elements(cls, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        """`function(*args)` for an elementwise function, computed as suits the library; see `elementwise`."""
        return function(*args)

    @classmethod
    def map_each(cls, function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
        """`function(*args)` for the arguments of each call of an elementwise function; see `map_each`."""
        return [function(*args) for args in calls]

    @classmethod
    def map_rows(
        cls, function: Callable[..., Any], arrays: Sequence[Array | None], size: int, total: bool = False
    ) -> Any:
        """`function(*arrays)` where rows do not depend on each other; see `map_rows`."""
        return function(*arrays)

    @classmethod
    def parts(cls, examples: int, numbers: float) -> list[slice]:
        """The parts of a batch in which a model is computed that keeps examples apart, all at once by `map_parts`.

        They follow from the arguments alone, and so do results.

        Args:
            examples: Number of examples.
            numbers: How many numbers of an example a layer sees, on average.
        """
        return [slice(0, examples)]

    @classmethod
    def map_parts(cls, function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        """What `function` gives for each of the parts, computed on all available cores."""
        return [function(part) for part in parts]

    def on_host(
        self,
        function: Callable[[list[HostArray]], Sequence[HostArray]],
        arrays: Sequence[Array],
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> list[Array]:
        """What a function of NumPy arrays returns for arrays of this library, in a step that is being compiled, too.

        Args:
            function: It returns arrays of its own, of the dtypes that it was given, which it only reads; it is called
                once in each step.
            arrays: What it is given.
            shapes: Shapes of what it returns; by default those of what it is given.
        """
        return [self.adopt(np.asarray(x)) for x in function([self.view_on_host(x) for x in arrays])]

    def divided(self, batch: Any) -> Any:
        """A batch in a step, of which each of the devices computes a part, where the device is several ones.

        Args:
            batch: A tree of arrays with the examples as first axis.
        """
        return batch

    @classmethod
    def use_float32_matmul_precision(cls, precision: str) -> None:
        """Compute products of float32 arrays with this precision, in libraries that have a choice."""

    def synchronize(self) -> None:
        """Wait until all computations that have begun are done (for timing; `start` the results before)."""

    def memory(self) -> dict[str, int]:
        """Bytes `used` and `total` of the device's memory; empty where neither library nor system can tell."""
        return host_memory()

    @property
    def records(self) -> bool:
        """Whether `compile` records what a step does, so that it launches as one; see `portanet.backends.graphs`."""
        return False

    def graphs(self) -> Graphs:
        """The library's part in recording a step, where it `records`."""
        raise NotImplementedError

    def transfers(self) -> Transfers | None:
        """What copies batches from the host beside what the device computes; None where `from_host` does as well."""
        return None

    def link(self) -> Link | None:
        """The library's part in adding up arrays of several processes on their devices; None for those of the host."""
        return None

    def compile(self, step: Step, given: tuple[int, ...] = (), kept: tuple[int, ...] = ()) -> Step:
        """A faster version of a pure function of arrays, where the library has one; else the function.

        Args:
            step: The function.
            given: Numbers of the arguments whose arrays may be overwritten: the caller uses the results of the same
                numbers in their place.
            kept: Numbers of other arguments whose arrays are usually those of the call before.
        """
        if not self.records:
            return step
        from portanet.backends.graphs import Recorder  # which imports this module

        return cast(Step, Recorder(step, given, kept, self.graphs(), self.warned))

    @classmethod
    def signature(cls, inputs: Sequence[Any]) -> Hashable | None:
        """What tells apart arrays that need plans of their own (see `plan`); None if there are no plans for them."""
        return None

    @classmethod
    def plan(
        cls,
        function: Callable[[list[Array], list[Array]], Any],
        inputs: Sequence[Array],
        weights: Sequence[Array],
    ) -> Plan | None:
        """A plan for a pure function: the library's calls that it makes, to be repeated with arrays that are kept.

        Args:
            function: The function, of lists of inputs and weights, which gives a tree of arrays.
            inputs: Arrays with the signature of those that the plan will get.
            weights: Arrays that the plan reads where they lie.

        Returns:
            The plan; None if the function does more than a list of calls can repeat.
        """
        return None

    def uncompiled(self, step: Step) -> Step:
        """The function itself; in libraries that compute when values are read, what `start`s its results."""
        return step

    def start(self, tree: Any) -> None:
        """Begin to compute the arrays of a tree, in libraries that otherwise wait until they are read."""
