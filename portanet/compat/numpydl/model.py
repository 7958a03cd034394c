"""`npdl.model`: a stack of layers, trained on mini-batches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any, TextIO

import numpy as np

from portanet import losses
from portanet.autodiff import array_namespace, value_and_grad
from portanet.backends import Array, device_of, get_backend, to_host
from portanet.compat.numpydl import activations, extending, objectives, optimizers
from portanet.compat.numpydl.layers import Dense, Layer, Softmax
from portanet.compat.numpydl.objectives import Objective, SoftmaxCategoricalCrossEntropy
from portanet.compat.numpydl.optimizers import Optimizer
from portanet.compat.numpydl.utils.random import get_rng, to_array
from portanet.fused.products import dense as affine
from portanet.layers.calling import in_call
from portanet.variables import Bound, bind


class Model:
    """A stack of layers.

    Args:
        layers: The layers.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.model.Model()
        >>> model.add(npdl.layers.Dense(n_out=4, n_in=2, activation="relu"))
        >>> model.add(npdl.layers.Softmax(n_out=3))
        >>> model.compile(loss="scce", optimizer=npdl.optimizers.SGD(lr=0.1))
        >>> model.predict(np.ones((5, 2))).shape
        (5, 3)
    """

    def __init__(self, layers: list[Layer] | None = None) -> None:
        self.layers: list[Layer] = []
        for layer in layers or []:
            self.add(layer)
        self.loss: Objective | None = None
        self.optimizer: Optimizer | None = None

    def add(self, layer: Layer) -> None:
        """Append a layer."""
        if not isinstance(layer, Layer):
            raise TypeError(f"A model consists of npdl.layers. Received: {layer!r}")
        self.layers.append(layer)

    def compile(self, loss: Any = "scce", optimizer: Any = "sgd") -> None:
        """Connect the layers and set the loss and the optimizer."""
        if not self.layers:
            raise ValueError("A model needs layers before it is compiled: model.add(layer).")
        self.layers[0].first_layer = True
        previous = None
        for layer in self.layers:
            layer.connect_to(previous)
            previous = layer
        self.loss = objectives.get(loss)
        self.optimizer = optimizers.get(optimizer)
        self._state = [
            v
            for layer in self.layers
            if layer.inner is not None
            for v in layer.inner.named_variables().values()
            if v not in set(layer.trainable_variables().values())
        ]
        value_and_gradient = self._make_value_and_grad()
        compilable = all(layer.compilable() for layer in self.layers) and not self.loss.in_numpy
        self._value_and_grad = get_backend().compile(value_and_gradient) if compilable else value_and_gradient

    def fit(
        self,
        X: Any,
        Y: Any,
        max_iter: int = 100,
        batch_size: int = 64,
        shuffle: bool = True,
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        file: TextIO | None = None,
    ) -> None:
        """Train, and print one line per pass over the data.

        Args:
            X: Inputs; never modified.
            Y: Targets: one-hot vectors, or class indices.
            max_iter: Passes over the data.
            batch_size: Examples per step; the last batch may be smaller.
            shuffle: Whether to shuffle before each pass, with the package's generator.
            validation_split: Fraction of the examples, the last ones, to use for validation.
            validation_data: Inputs and targets for validation, instead.
            file: File to print to; by default standard output.
        """
        _, optimizer = self._compiled()
        x, y = self._data(X, Y)
        validation = None if validation_data is None else self._data(*validation_data)
        count = int(x.shape[0] * validation_split)
        if 0.0 < validation_split < 1.0 and count:
            split = x.shape[0] - count
            validation = x[split:, ...], y[split:, ...]
            x, y = x[:split, ...], y[:split, ...]
        for iteration in range(1, max_iter + 1):
            sums = []
            for x_batch, y_batch, classes in self._batches(x, y, batch_size, shuffle):
                params = [layer.current_params() for layer in self.layers]
                state = [v.value for v in self._state]
                (loss, (outputs, state)), grads = self._value_and_grad(params, state, x_batch, y_batch)
                for variable, value in zip(self._state, state, strict=True):
                    variable.assign(value)
                updated = iter(optimizer.apply([*chain(*params)], [*chain(*grads)]))
                for layer, old in zip(self.layers, params, strict=True):
                    if old:
                        layer.set_params([next(updated) for _ in old])
                sums.append((loss, self._count_correct(outputs, classes)))
            loss, accuracy = self._means(sums, x.shape[0])
            line = f"iter {iteration}, train-[loss {loss:.4f}, acc {accuracy:.4f}]; "
            if validation is not None:
                loss, accuracy = self._score(*validation, batch_size)
                line += f"valid-[loss {loss:.4f}, acc {accuracy:.4f}]; "
            print(line, file=file or sys.stdout)

    def predict(self, X: Any) -> Array:
        """The outputs for inputs; dropout is inactive and running averages are used."""
        x = to_array(X)
        for layer in self.layers:
            x = extending.layer(layer, False)(x) if layer.in_numpy else layer.forward(x, train=False)
        return x

    def accuracy(self, outputs: Any, targets: Any) -> float:
        """The fraction of examples whose largest output is that of the target class."""
        classes = to_host(targets)
        classes = classes if classes.ndim == 1 else np.argmax(classes, axis=-1)
        return float(np.mean(np.argmax(to_host(outputs), axis=-1) == classes))

    def evaluate(self, X: Any, Y: Any, batch_size: int = 64) -> tuple[float, float]:
        """The mean loss and the accuracy over all examples."""
        return self._score(*self._data(X, Y), batch_size)

    # Implementation

    def _compiled(self) -> tuple[Objective, Optimizer]:
        if self.loss is None or self.optimizer is None:
            raise RuntimeError("The model must be compiled first: model.compile(loss, optimizer).")
        return self.loss, self.optimizer

    def _data(self, X: Any, Y: Any) -> tuple[Array, Array]:
        """Inputs and targets on the backend; targets are checked and have the shape of the outputs."""
        loss, _ = self._compiled()
        x = to_array(X)
        shape = self.layers[-1].out_shape or tuple(self.predict(x[:1, ...]).shape)
        like = get_backend().xp.empty((int(x.shape[0]), *shape[1:]), dtype=to_array(0.0).dtype, device=device_of(x))
        return x, loss.targets(like, Y)

    def _batches(self, x: Array, y: Array, size: int, shuffle: bool) -> Iterator[tuple[Array, Array, Array]]:
        """Inputs, targets and class indices, batch by batch."""
        xp = array_namespace(x)
        if shuffle:
            order = get_backend().from_host(get_rng().permutation(int(x.shape[0])).astype("int32"))
            x, y = xp.take(x, order, axis=0), xp.take(y, order, axis=0)
        classes = xp.argmax(y, axis=-1)
        for start in range(0, int(x.shape[0]), size):
            batch = slice(start, min(start + size, int(x.shape[0])))
            yield x[batch, ...], y[batch, ...], classes[batch, ...]

    def _score(self, x: Array, y: Array, batch_size: int) -> tuple[float, float]:
        """The mean loss and the accuracy over all examples."""
        loss, _ = self._compiled()
        sums = []
        for inputs, targets, classes in self._batches(x, y, batch_size, False):
            outputs = self.predict(inputs)
            sums.append((loss.total(outputs, targets), self._count_correct(outputs, classes)))
        return self._means(sums, x.shape[0])

    def _count_correct(self, outputs: Array, classes: Array) -> Array:
        """The number of correct predictions in a batch; stays on the device."""
        xp = get_backend().xp
        return xp.sum(xp.astype(xp.argmax(outputs, axis=-1) == classes, outputs.dtype))

    def _means(self, sums: list[tuple[Array, Array]], count: Any) -> tuple[float, float]:
        """Means from the sums of batches, each fetched in one transfer."""
        xp = get_backend().xp
        loss, correct = (float(np.sum(to_host(xp.stack(list(map(xp.asarray, c)))))) for c in zip(*sums, strict=True))
        return loss / int(count), correct / int(count)

    def _make_value_and_grad(self) -> Any:
        """The summed loss of a batch and its gradient, as a pure function of the parameters and the state."""
        loss, _ = self._compiled()
        last = self.layers[-1]
        fused = (
            type(loss) is SoftmaxCategoricalCrossEntropy
            and type(last) in (Dense, Softmax)
            and type(last.act_layer) is activations.Softmax  # type: ignore[attr-defined]
        )
        crossentropy = losses.CategoricalCrossentropy(from_logits=True)

        def objective(params: list[list[Array]], state: list[Array], x: Array, y: Array) -> tuple[Array, Any]:
            bound: Bound = dict(zip(self._state, state, strict=True))
            for layer, values in zip(self.layers, params, strict=True):
                if not layer.in_numpy:
                    bound |= zip(layer.trainable_variables().values(), values, strict=True)
            with bind(bound) as current, in_call(training=True):
                for layer, values in list(zip(self.layers, params, strict=True))[: -1 if fused else None]:
                    x = layer.apply(x, values, train=True)
                if fused:
                    # The softmax is fused into the loss of the logits: the derivative p - t cannot overflow.
                    dense = last.connected()
                    # The largest logit has the largest probability: enough for the accuracy.
                    outputs = affine(x, dense.kernel.value, dense.bias.value)  # type: ignore[attr-defined]
                    total = array_namespace(outputs).sum(crossentropy.call(y, outputs))
                else:
                    outputs = x
                    total = loss.total(outputs, y)
                return total, (outputs, [current[v] for v in self._state])

        return value_and_grad(objective, has_aux=True)
