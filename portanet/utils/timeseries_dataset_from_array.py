"""Data sets of windows of time series."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import HostArray, to_host
from portanet.utils.examples import Examples

OF = "timeseries_dataset_from_array"


class Windows(Examples):
    """Batches of windows `data[start + [0, rate, 2 rate, ...]]`, with the targets at their starts.

    Args:
        data: The series.
        targets: The targets; None for none.
        starts: The starts of the windows.
        offsets: The steps of a window from its start.
        batch_size: Number of windows in a batch; None for single windows.
        generator: Shuffles the windows after each epoch; None to leave them in order.
    """

    def __init__(
        self, data: Any, targets: Any, starts: Any, offsets: Any, batch_size: int | None, generator: Any
    ) -> None:
        super().__init__(starts, targets, batch_size, generator)
        self._data, self._offsets = data, offsets

    def _inputs(self, chosen: HostArray) -> Any:
        """The windows that start there."""
        return self._data[chosen[:, None] + self._offsets]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",  # noqa: A002 -- as Keras
) -> Windows:
    """A data set of windows of a time series; as `keras.utils.timeseries_dataset_from_array`, but a `PyDataset`.

    Args:
        data: The series: an array or list whose first axis is time. It is not copied window by window.
        targets: `targets[i]` belongs to the window that starts at `data[i]`; None for windows alone.
        sequence_length: Number of steps of a window.
        sequence_stride: Steps between the starts of windows.
        sampling_rate: Steps between the steps of a window.
        batch_size: Number of windows in a batch; None for single windows.
        shuffle: Whether to shuffle the windows, again after each epoch.
        seed: The seed of that; by default that of `portanet.random`.
        start_index: The first step that is used; as in Keras, `targets` are used from it on, too.
        end_index: The step after the last that is used.
        format: For Keras's scripts, `"tf"` or `"grain"`; it is a `PyDataset` whatever is chosen.

    Returns:
        The data set; batches are `(windows, targets)`, or windows.

    Raises:
        ValueError: There is no window, or an argument is out of its range.

    Example:
        >>> import numpy as np, portanet
        >>> data = portanet.utils.timeseries_dataset_from_array(np.arange(6.0), np.arange(3.0, 6.0), 3)
        >>> x, y = data[0]
        >>> x.tolist(), y.tolist()
        ([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]], [3.0, 4.0, 5.0])
    """
    of = OF
    checks.choice("format", format, ("tf", "grain"), of)
    series = _host("data", data)
    goals = None if targets is None else _host("targets", targets)
    length = checks.positive_int("sequence_length", sequence_length, of)
    stride = checks.positive_int("sequence_stride", sequence_stride, of)
    rate = checks.positive_int("sampling_rate", sampling_rate, of)
    if batch_size is not None:
        checks.positive_int("batch_size", batch_size, of)
    for name, value in (("sequence_stride", stride), ("sampling_rate", rate)):
        if value >= len(series):
            raise checks.invalid(name, value, f"less than the length of the data, {len(series)}", of)
    start = 0 if start_index is None else checks.integer("start_index", start_index, of, least=0)
    end = len(series) if end_index is None else checks.positive_int("end_index", end_index, of)
    if not start < min(end, len(series)) or (end_index is not None and end >= len(series)):
        raise ValueError(
            f"Arguments of {of} must satisfy start_index < end_index < {len(series)}, the length of the data. "
            f"Received: start_index={start_index}, end_index={end_index}"
        )
    series = series[start:end]
    count = len(series) - (length - 1) * rate
    if goals is not None:
        count = min(count, len(goals))
        goals = goals[start:]
        count = min(count, len(goals))
    if count <= 0:
        raise ValueError(
            f"{of} finds no window: the data used have {len(series)} steps, and a window takes "
            f"{(length - 1) * rate + 1}. Received: sequence_length={length}, sampling_rate={rate}"
        )
    starts = np.arange(0, count, stride)
    generator = None
    number = random.get_seed() % 2**32 if seed is None else checks.integer("seed", seed, of, least=0)
    if checks.boolean("shuffle", shuffle, of):
        generator = np.random.RandomState(number)
        generator.shuffle(starts)
    return Windows(series, goals, starts, np.arange(length) * rate, batch_size, generator)


def _host(name: str, value: Any) -> Any:
    """An array on the host, of numbers."""
    host = np.asarray(value) if isinstance(value, (list, tuple)) else to_host(value)
    if host.ndim == 0 or host.dtype.kind not in "biufc":
        raise checks.invalid(name, value, "an array or list of numbers whose first axis is time", OF)
    return host
