"""Settings, under the names of `keras.config`.

What has no counterpart here and cannot change results is accepted: attention chooses its algorithm itself, and errors
show their whole traceback.
"""

from __future__ import annotations

from portanet import checks
from portanet.backends import get_backend, make_backend
from portanet.backends import set_backend as _set_backend
from portanet.backends.base import FLOATS
from portanet.mixed_precision import dtype_policy, set_dtype_policy
from portanet.settings import EPSILON, settings

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]


def backend() -> str:
    """The name of the backend in use.

    Example:
        >>> import portanet
        >>> with portanet.use_backend("numpy"):
        ...     backend()
        'numpy'
    """
    return get_backend().name


def set_backend(backend: str) -> None:
    """Choose the backend by name; `portanet.set_backend` takes a device and a dtype, too.

    Args:
        backend: Its name, such as `"torch"`.

    Example:
        >>> import portanet
        >>> with portanet.use_backend("numpy"):
        ...     set_backend("numpy")
        ...     backend()
        'numpy'
    """
    _set_backend(make_backend(backend))


def floatx() -> str:
    """The name of the default floating-point dtype, that of the backend in use.

    Example:
        >>> floatx()
        'float32'
    """
    current = get_backend()
    return current.dtype_name(current.dtype)


def set_floatx(value: str) -> None:
    """Set the default floating-point dtype of the backend in use.

    Args:
        value: `"float16"`, `"bfloat16"`, `"float32"` or `"float64"`.

    Example:
        >>> import portanet
        >>> with portanet.use_backend("numpy"):
        ...     set_floatx("float64")
        ...     floatx()
        'float64'
    """
    checks.choice("value", value, FLOATS, "set_floatx")
    current = get_backend()
    _set_backend(make_backend(current.name, current.device, value))


def epsilon() -> float:
    """The small number that keeps logarithms and quotients finite in losses, metrics and constraints.

    Example:
        >>> epsilon()
        1e-07
    """
    return EPSILON


def set_epsilon(value: float) -> None:
    """Accepts the number in use alone: losses are exact to it in every dtype.

    Args:
        value: The number.

    Raises:
        ValueError: It is another number.

    Example:
        >>> set_epsilon(1e-7)
    """
    if value != EPSILON:
        raise ValueError(
            f"Argument `value` of set_epsilon must be {EPSILON}, which losses and metrics use; pass another number to "
            f"functions of your own, and `epsilon` to layers and optimizers. Received: value={value!r}"
        )


def image_data_format() -> str:
    """Where channels are, for layers created without `data_format`.

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Choose where channels are, for layers created from now on without `data_format`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> set_image_data_format("channels_last")
    """
    known = ("channels_last", "channels_first")
    settings.image_data_format = checks.choice("data_format", data_format, known, "set_image_data_format")


def max_epochs() -> int | None:
    """The limit on the number of the last epoch in `fit`; None for no limit.

    Example:
        >>> max_epochs() is None
        True
    """
    return settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the number of the last epoch in every call of `fit`, which then warns: for trial runs of a script.

    Args:
        max_epochs: The limit; None for no limit.

    Example:
        >>> set_max_epochs(2)
        >>> max_epochs()
        2
        >>> set_max_epochs(None)
    """
    limit = None if max_epochs is None else checks.positive_int("max_epochs", max_epochs, "set_max_epochs")
    settings.max_epochs = limit


def max_steps_per_epoch() -> int | None:
    """The limit on the batches of an epoch, an evaluation or a prediction; None for no limit.

    Example:
        >>> max_steps_per_epoch() is None
        True
    """
    return settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the batches of every epoch, evaluation and prediction, which then warn: for trial runs of a script.

    Args:
        max_steps_per_epoch: The limit; None for no limit. As with `steps_per_epoch`, the next epoch goes on in the
            data, and arrays without a `batch_size` are divided into that number of batches.

    Example:
        >>> set_max_steps_per_epoch(10)
        >>> max_steps_per_epoch()
        10
        >>> set_max_steps_per_epoch(None)
    """
    limit, name = max_steps_per_epoch, "max_steps_per_epoch"
    settings.max_steps_per_epoch = None if limit is None else checks.positive_int(name, limit, f"set_{name}")


def enable_interactive_logging() -> None:
    """Let `verbose="auto"` show a progress bar on a terminal, as initially.

    Example:
        >>> enable_interactive_logging()
    """
    settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Let `verbose="auto"` print one line per epoch.

    Example:
        >>> disable_interactive_logging()
        >>> is_interactive_logging_enabled()
        False
        >>> enable_interactive_logging()
    """
    settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether `verbose="auto"` may show a progress bar.

    Example:
        >>> is_interactive_logging_enabled()
        True
    """
    return settings.interactive_logging


def enable_flash_attention() -> None:
    """Accepted: attention chooses its algorithm itself; results are the same.

    Example:
        >>> enable_flash_attention()
    """


def disable_flash_attention() -> None:
    """Accepted: attention chooses its algorithm itself; results are the same.

    Example:
        >>> disable_flash_attention()
    """


def is_flash_attention_enabled() -> None:
    """None: attention chooses its algorithm itself.

    Example:
        >>> is_flash_attention_enabled() is None
        True
    """


def enable_traceback_filtering() -> None:
    """Accepted: errors show their whole traceback.

    Example:
        >>> enable_traceback_filtering()
    """


def disable_traceback_filtering() -> None:
    """Accepted: errors show their whole traceback.

    Example:
        >>> disable_traceback_filtering()
    """


def is_traceback_filtering_enabled() -> bool:
    """False: errors show their whole traceback.

    Example:
        >>> is_traceback_filtering_enabled()
        False
    """
    return False


def is_nnx_enabled() -> bool:
    """False: layers are not modules of Flax.

    Example:
        >>> is_nnx_enabled()
        False
    """
    return False
