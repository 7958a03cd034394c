"""compile, fit, evaluate and predict for anything that is a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portanet import random
from portanet.backends import Array, get_backend, use_backend
from portanet.callbacks import Callback, CallbackList
from portanet.training import lazily, loops, step
from portanet.training.compiled import Compiled
from portanet.training.data.examples import Examples
from portanet.training.data.intake import as_tree, find_source, gives_batches
from portanet.training.data.sources import Order, Source
from portanet.training.history import History
from portanet.training.position import Position
from portanet.training.run import TrainingRun
from portanet.tree import tree_leaves


class Trainer(Compiled):
    """A layer that can be trained; `Model` builds on it."""

    history: History | None = None
    """The record of the last run of `fit`, also of one that was interrupted."""
    stop_training = False
    """Set by a callback to end training after the present batch."""
    batch: Any = None
    """While `fit` runs, the latest batch, `(x, y, sample_weight)` on the device, for callbacks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.position = Position()
        self.callbacks = CallbackList((), self, {})
        """Those of the latest call of `fit`."""

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Iterable[Callback] = (),
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Order = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int | Position = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Iterable[int] = 1,
        check_finite: bool = True,
        prefetch: int = 2,
    ) -> History:
        """Train for some epochs.

        Args:
            x: Inputs, the batch axis first, never changed: NumPy, lists, pandas, any DLPack or array API array; a
                list or dict of them for models with several inputs; or a memory map or the like, which is read batch
                by batch. Or what gives batches `(x, y)` or `(x, y, sample_weight)`: a generator, a DataLoader, a
                `portanet.utils.PyDataset`.
            y: Targets, likewise; left out where `x` gives batches.
            batch_size: Examples in a step, by default 32; the last batch may be smaller.
            epochs: Number of the last epoch; training goes from `initial_epoch` to it.
            verbose: 0 for silence, 1 for a bar, 2 for a line for each epoch, "auto" for what suits the output.
            callbacks: What to call at the moments of training; see `portanet.callbacks`.
            validation_split: Fraction of the examples, the last ones, to keep for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on, or what gives batches.
            shuffle: Whether to shuffle the examples (or the numbered batches) in each epoch, by the seed; or a function
                `(epoch, count) -> their numbers` in the order in which they are to come, such as a curriculum, which
                may leave some out or repeat them.
            class_weight: Weights of examples by the number of their class; models with one output only.
            sample_weight: Weight of each example in the loss, shape (examples,); for several outputs one array for
                all, or a list or dict.
            initial_epoch: Where to start counting; or the position of an earlier run, such as `model.position` of a
                model that was loaded, to go on from exactly there, seed and callbacks included.
            steps_per_epoch: Batches in an epoch, if that is not one pass; the next epoch goes on in the data.
            validation_steps: Batches in a validation, if not all.
            validation_batch_size: Examples in a batch of validation; by default `batch_size`.
            validation_freq: Validate every so many epochs, or in the epochs listed, counted from 1.
            check_finite: Whether to refuse NaN and infinity in the data.
            prefetch: Batches to prepare in advance, in a thread, where they are not on the device from the start.

        Returns:
            The history: `history.history["loss"][epoch]` and so on. It is `model.history` as well, also after an
            interrupt by Ctrl-C.

        Raises:
            RuntimeError: The model was not compiled.
            ValueError: The data does not fit the model, the loss or each other. Errors in a step carry a note that
                names epoch, batch, layer and shapes.
        """
        self.require_compiled()
        if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1:
            raise ValueError(f"Argument `epochs` must be a positive integer. Received: epochs={epochs!r}")
        with use_backend(self.backend) as backend:
            source = find_source(x, y, sample_weight, backend, batch_size, shuffle, steps_per_epoch, check_finite)
            held_out: Source | None = None
            if validation_data is not None:
                given = gives_batches(validation_data)
                val_x, val_y, weight = (validation_data, None, None) if given else (*validation_data, None)[:3]
                size = validation_batch_size or (None if given else batch_size)
                held_out = find_source(
                    val_x, val_y, weight, backend, size, False, validation_steps, check_finite, prefix="val_"
                )
            elif validation_split:
                if not isinstance(source, Examples):
                    raise ValueError(
                        "Argument `validation_split` needs arrays; pass `validation_data` beside what gives batches. "
                        f"Received: x of type {type(x).__name__}"
                    )
                source, held_out = source.split(validation_split, validation_batch_size, validation_steps)
            feed = self.feed(source, check_finite, prefetch, class_weight)
            validation = None if held_out is None else self.feed(held_out, check_finite, prefetch, prefix="val_")
            params = {"epochs": epochs, "steps": source.steps, "batch_size": batch_size or 32, "verbose": verbose}
            self.callbacks = listeners = CallbackList(callbacks, self, params)
            self.position = initial_epoch if isinstance(initial_epoch, Position) else Position(initial_epoch)
            self.stop_training = False
            run = TrainingRun(self)
            try:
                listeners.call("on_train_begin", {})
                self._take_up(self.position)
                self.history = History(params, self.position)
                loops.train(run, feed, validation, epochs, _validates(validation_freq), listeners)
            finally:
                listeners.call("on_train_end", {})
                self.batch = None
            return self.history

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Iterable[Callback] = (),
        return_dict: bool = False,
        check_finite: bool = True,
        prefetch: int = 2,
    ) -> Any:
        """The loss and metrics on data.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            batch_size: Examples computed at once.
            verbose: As for `fit`.
            sample_weight: Weight of each example.
            steps: Batches to take, if not all.
            callbacks: What to call.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
            check_finite: Whether to refuse NaN and infinity in the data.
            prefetch: As for `fit`.
        """
        self.require_compiled()
        with use_backend(self.backend) as backend:
            source = find_source(x, y, sample_weight, backend, batch_size, False, steps, check_finite)
            feed = self.feed(source, check_finite, prefetch)
            listeners = CallbackList(callbacks, self, {"epochs": 1, "steps": source.steps, "verbose": verbose})
            logs = loops.evaluate(self, feed, listeners)
        return logs if return_dict else _bare(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = 0,
        steps: int | None = None,
        callbacks: Iterable[Callback] = (),
        check_finite: bool = True,
        prefetch: int = 2,
    ) -> Any:
        """The model's results for inputs, computed batch by batch.

        Args:
            x: Inputs, as for `fit`; of what gives batches, targets are left aside. Or Dask arrays, of which other
                axes than the first are joined.
            batch_size: Examples computed at once.
            verbose: As for `fit`.
            steps: Batches to take, if not all.
            callbacks: What to call; `on_predict_batch_end` gets the results as `logs["outputs"]`.
            check_finite: Whether to refuse NaN and infinity in the data.
            prefetch: As for `fit`.

        Returns:
            A NumPy array with one row for each example; a list or dict of them for models with several outputs. For
            Dask arrays the results are Dask arrays too, and nothing is computed yet; `verbose`, `steps` and
            `callbacks` do not apply.
        """
        if lazily.is_lazy(x):
            return lazily.predict(self, x, batch_size, check_finite)
        with use_backend(self.backend) as backend:
            source = find_source(x, None, None, backend, batch_size, False, steps, check_finite)
            feed = self.feed(source, check_finite, prefetch, only_inputs=True)
            listeners = CallbackList(callbacks, self, {"epochs": 1, "steps": source.steps, "verbose": verbose})
            found = loops.predict(self, feed, listeners)
        return found

    def train_on_batch(
        self,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on one batch; the loss and metrics of that batch, before the step.

        It asks the device for the loss every time. A loop around `portanet.training.TrainingRun` does not.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            sample_weight: Weight of each example.
            class_weight: Weights by class number.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
        """
        self.require_compiled()
        with use_backend(self.backend):
            batch = self._one_batch(x, y, sample_weight, class_weight)
            run = TrainingRun(self)
            run.take_over_learning_rate()
            totals = self.totals()
            totals.add(run(*batch))
            logs = totals.logs()
        return logs if return_dict else _bare(logs)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics on one batch.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            sample_weight: Weight of each example.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
        """
        return self.evaluate(x, y, _whole(x), 0, sample_weight, return_dict=return_dict, check_finite=False)

    def loss_and_gradients(self, x: Any, y: Any, sample_weight: Any = None) -> tuple[Array, dict[str, Array]]:
        """The loss on one batch in training, penalties of weights included, and its gradients; nothing changes.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            sample_weight: Weight of each example.

        Returns:
            The loss, an array of shape (), and by path the gradient with respect to each weight that is trained.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> from portanet import layers
            >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
            >>> model.compile("sgd", "mse")
            >>> loss, gradients = model.loss_and_gradients(np.ones((4, 2)), np.ones((4, 1)))
            >>> float(loss), gradients["dense/bias"].tolist()
            (1.0, [-2.0])
        """
        self.require_compiled()
        with use_backend(self.backend):
            inputs, targets, weight = self._one_batch(x, y, sample_weight, None)
            objective, trained = self.find_objective(), self.trainable_paths()
            gradients = self.compiled_step(("gradients", *trained), lambda: step.gradient_step(self, objective))
            state = self.named_values()
            params = {path: state.pop(path) for path in trained}
            weights = objective.arrange(weight, "sample_weight")
            found: tuple[Array, dict[str, Array]] = gradients(
                params, state, inputs, objective.arrange(targets), weights
            )
        return found

    def predict_on_batch(self, x: Any) -> Any:
        """The model's results for one batch, as NumPy arrays."""
        return self.predict(x, _whole(x), check_finite=False)

    def _take_up(self, place: Position) -> None:
        """Take over the seed of an earlier run and what its callbacks knew, if `place` is from one."""
        if place.seed is None:
            place.seed = random.get_seed()
        elif place.seed != random.get_seed():
            random.set_seed(place.seed)
        self.callbacks.set_states(place.callbacks)
        place.callbacks = []

    def _one_batch(self, x: Any, y: Any, weight: Any, class_weight: Mapping[int, float] | None) -> tuple[Any, ...]:
        source = find_source(x, y, weight, get_backend(), _whole(x), False, None, False)
        return next(self.feed(source, False, 0, class_weight).batches())


def _bare(logs: dict[str, Any]) -> Any:
    """The values of logs in a list; the value, if it is the only one."""
    values = list(logs.values())
    return values if len(values) > 1 else values[0]


def _whole(x: Any) -> int:
    """The number of examples in a batch of the user's."""
    leaf = tree_leaves(as_tree(x))[0]
    return int(leaf.shape[0]) if hasattr(leaf, "shape") else len(leaf)


def _validates(frequency: int | Iterable[int]) -> Callable[[int], bool]:
    """Whether an epoch, by its number from 0, ends with a validation."""
    if isinstance(frequency, int) and not isinstance(frequency, bool) and frequency >= 1:
        return lambda epoch: (epoch + 1) % frequency == 0
    if not isinstance(frequency, (list, tuple, set, frozenset, range)):
        raise ValueError(
            "Argument `validation_freq` must be a positive integer or a list of epochs, counted from 1. "
            f"Received: validation_freq={frequency!r}"
        )
    return lambda epoch: epoch + 1 in frequency
