"""A model that trains a student on what a teacher predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks, ops
from portanet.backends import Array
from portanet.distillation.losses import DistillationLoss
from portanet.losses.fitting import compiled_loss
from portanet.metrics import Mean
from portanet.models import Model
from portanet.tree import flatten, map_structure

WHOLE = "final_output"


class Distiller(Model):
    """A student that learns from targets and from a teacher; as `keras.distillation.Distiller`.

    The teacher is frozen. The loss is `student_loss_weight` times that of `compile` and, for the rest of 1, the
    weighted sum of the distillation losses; logs have it as `total_loss`, and its parts as `student_loss` and
    `distillation_loss`. Afterwards `student` is a model of its own.

    Args:
        teacher: A model that is trained already.
        student: The model to train; inputs and outputs are those of the teacher.
        distillation_losses: A `DistillationLoss` or a list of them.
        distillation_loss_weights: A number for each; by default 1.
        student_loss_weight: Number from 0 to 1.
        name: Name of the model.
        **kwargs: `trainable`, `dtype` of `Layer`.

    Raises:
        ValueError: The models do not fit each other or a loss; a weight is missing, or not from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from portanet import Sequential, layers
        >>> from portanet.distillation import LogitsDistillation
        >>> teacher, student = (Sequential([layers.Input((2,)), layers.Dense(3)]) for _ in range(2))
        >>> distiller = Distiller(teacher, student, LogitsDistillation())
        >>> distiller.compile("sgd", "mse")
        >>> history = distiller.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0).history
        >>> sorted(history)
        ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str | None = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        for argument, model in (("teacher", teacher), ("student", student)):
            if not isinstance(model, Model):
                raise checks.invalid(argument, model, "a model", self)
        _require_alike(teacher, student, "input")
        _require_alike(teacher, student, "output")
        self.teacher, self.student = teacher, student
        self.student_loss_weight = checks.number("student_loss_weight", student_loss_weight, "[0, 1]", self)
        several = isinstance(distillation_losses, (list, tuple))
        given: Any = [*distillation_losses] if isinstance(distillation_losses, (list, tuple)) else [distillation_losses]
        if not given or not all(isinstance(loss, DistillationLoss) for loss in given):
            expected = "a DistillationLoss, such as LogitsDistillation(), or a list of them"
            raise checks.invalid("distillation_losses", distillation_losses, expected, self)
        self.distillation_losses: list[DistillationLoss] = given
        weights = [1.0] * len(given) if distillation_loss_weights is None or not several else distillation_loss_weights
        if not isinstance(weights, (list, tuple)) or len(weights) != len(given):
            expected = f"a list of {len(given)} numbers, one for each loss"
            raise checks.invalid("distillation_loss_weights", distillation_loss_weights, expected, self)
        self.distillation_loss_weights = [checks.number("distillation_loss_weights", w, of=self) for w in weights]
        for loss in given:
            loss.validate_model_compatibility(teacher, student)
        self._teacher_features = _features(teacher, "teacher", [loss.teacher_layer_name for loss in given])
        self._student_features = _features(student, "student", [loss.student_layer_name for loss in given])
        teacher.trainable = False
        self.student_loss_tracker = Mean("student_loss")
        self.distillation_loss_tracker = Mean("distillation_loss")
        self.total_loss_tracker = Mean("total_loss")

    def compile(  # type: ignore[override]
        self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Choose how the student is trained.

        Args:
            optimizer: Name or object.
            loss: The loss of the student's predictions and the targets: name, object, or a tree of them as the outputs
                are nested.
            metrics: A list of names or objects.
            **kwargs: Other arguments of `Model.compile`.

        Raises:
            ValueError: There is no loss, or a name is not known.
        """
        if loss is None:
            raise checks.invalid(
                "loss", loss, "a loss of the student's predictions, such as 'mse'", "Distiller.compile"
            )
        super().compile(optimizer, loss, metrics=metrics, **kwargs)
        self._student_loss = map_structure(lambda each: None if each is None else compiled_loss(each), self.loss)

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """What the student predicts."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Array:
        """The loss of a batch; sample weights do not count, as in Keras."""
        if y_pred is None:
            y_pred = self(x, training=training)
        of_targets: Any = 0.0
        if self.student_loss_weight > 0 and y is not None:
            values = map_structure(_value, self._student_loss, y, y_pred)
            of_targets = sum(flatten(values))
        of_teacher: Any = 0.0
        if self.student_loss_weight < 1:
            taught = self._of_layers(self._teacher_features, self.teacher, x, None, training=False)
            learned = self._of_layers(self._student_features, self.student, x, y_pred, training)
            for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
                named = loss.teacher_layer_name is not None or loss.student_layer_name is not None
                teacher = taught[loss.teacher_layer_name or WHOLE]
                student = learned[loss.student_layer_name or WHOLE] if named else y_pred
                loss.validate_outputs(teacher, student)
                value = loss.compute_loss(teacher, student)
                if tuple(getattr(value, "shape", ())) != ():
                    raise ValueError(
                        f"Method `compute_loss` of {type(loss).__name__} must return an array of shape (), the mean or "
                        f"sum over the batch. Received: shape {tuple(value.shape)}"
                    )
                of_teacher = of_teacher + weight * value
        weight = self.student_loss_weight
        total: Array = weight * of_targets + (1 - weight) * of_teacher
        trackers = (self.student_loss_tracker, self.distillation_loss_tracker, self.total_loss_tracker)
        for tracker, value in zip(trackers, (of_targets, of_teacher, total), strict=True):
            tracker.update_state(ops.convert_to_tensor(value) if isinstance(value, float) else value)
        return total

    def _of_layers(self, features: Model | None, model: Model, x: Any, known: Any, training: bool) -> Any:
        """The outputs of a model, and those of its layers by name."""
        if features is not None:
            return features(x, training=training)
        return {WHOLE: model(x, training=training) if known is None else known}


def _value(loss: Any, target: Any, predicted: Array) -> Any:
    return 0.0 if loss is None else ops.mean(loss(target, predicted))


def _features(model: Model, role: str, names: Sequence[str | None]) -> Model | None:
    """A model of the outputs of a graph and of those of its layers; None if no layer is named."""
    chosen = [name for name in names if name is not None]
    if not chosen:
        return None
    whole = model.outputs[0] if len(model.outputs) == 1 else model.output
    outputs = {WHOLE: whole, **{name: model.get_layer(name).output for name in chosen}}
    return Model(model.inputs, outputs, name=f"{role}_features")


def _require_alike(teacher: Model, student: Model, kind: str) -> None:
    """Refuse two graphs whose inputs or outputs differ in number, shape or dtype."""
    if not (hasattr(teacher, "inputs") and hasattr(student, "inputs")):
        return
    first, second = ([(tuple(a.shape), a.dtype) for a in getattr(model, f"{kind}s")] for model in (teacher, student))
    fit = len(first) == len(second) and all(
        len(a) == len(b) and dtype == other and all(n == m or None in (n, m) for n, m in zip(a, b, strict=True))
        for (a, dtype), (b, other) in zip(first, second, strict=True)
    )
    if not fit:
        described = [", ".join(f"{shape} of {dtype}" for shape, dtype in each) for each in (first, second)]
        raise ValueError(
            f"Teacher and student must have {kind}s of the same shapes and dtypes. "
            f"Received: {described[0]} of the teacher, {described[1]} of the student"
        )
