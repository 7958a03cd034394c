"""What a student's outputs and features are compared with: those of a teacher."""

from __future__ import annotations

from typing import Any

from portanet import checks, losses, ops
from portanet.backends import Array
from portanet.configurable import Configurable
from portanet.losses import KLDivergence
from portanet.models import Model
from portanet.tree import assert_same_structure, flatten, map_structure


class DistillationLoss(Configurable):
    """The loss between what a teacher and a student compute; as `keras.distillation.DistillationLoss`.

    Subclasses implement `compute_loss`. They are in files if they are registered, see
    `portanet.saving.register_serializable`.

    Example:
        >>> import portanet
        >>> class Distance(DistillationLoss):
        ...     def compute_loss(self, teacher_outputs, student_outputs, **options):
        ...         return portanet.ops.mean(abs(teacher_outputs - student_outputs))
        >>> float(Distance().compute_loss(portanet.asarray([1.0, 2.0]), portanet.asarray([1.0, 4.0])))
        1.0
    """

    teacher_layer_name: str | None = None
    student_layer_name: str | None = None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Array:
        """The loss of a batch.

        Args:
            teacher_outputs: What the teacher, or a layer of it, returned: an array or a tree of them.
            student_outputs: The same of the student.
            **kwargs: For subclasses.

        Returns:
            An array of shape ().
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement compute_loss(teacher, student).")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse outputs that cannot be compared.

        Args:
            teacher_outputs: As for `compute_loss`.
            student_outputs: Likewise.

        Raises:
            ValueError: They are nested in different ways.
        """
        assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Model, student: Model) -> None:
        """Refuse models that cannot be compared; by default none.

        Args:
            teacher: The teacher.
            student: The student.

        Raises:
            ValueError: The models do not fit the loss.
        """


class _OfOutputs(DistillationLoss):
    """A loss for each output; None for outputs that are not compared."""

    loss: Any

    def _take(self, loss: Any) -> None:
        self.loss = map_structure(
            lambda each: None if each is None else losses.get(each, "loss", type(self).__name__), loss
        )
        if all(each is None for each in flatten(self.loss)):
            raise checks.invalid("loss", loss, "a loss, or a list or dict with at least one", type(self))

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        super().validate_outputs(teacher_outputs, student_outputs)
        assert_same_structure(self.loss, teacher_outputs)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Array:
        values = flatten(map_structure(self._value, self.loss, teacher_outputs, student_outputs))
        total: Array = sum(values[1:], values[0])
        return total

    def _value(self, loss: Any, teacher: Array, student: Array) -> Any:
        return 0.0 if loss is None else ops.mean(loss(teacher, student))


class FeatureDistillation(_OfOutputs):
    """A loss between layers of teacher and student; as `keras.distillation.FeatureDistillation`.

    Args:
        loss: Name or object, or a tree of them as the outputs of the layer are nested; None for those that are not
            compared.
        teacher_layer_name: Name of the layer; None for the outputs of the model.
        student_layer_name: Likewise.

    Raises:
        ValueError: There is no loss, or it is not known.

    Example:
        >>> import portanet
        >>> loss = FeatureDistillation("mse")
        >>> float(loss.compute_loss(portanet.asarray([[1.0, 2.0]]), portanet.asarray([[1.0, 4.0]])))
        2.0
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None
    ) -> None:
        self._take(loss)
        self.teacher_layer_name = _name("teacher_layer_name", teacher_layer_name, self)
        self.student_layer_name = _name("student_layer_name", student_layer_name, self)

    def validate_model_compatibility(self, teacher: Model, student: Model) -> None:
        named = {"teacher": (teacher, self.teacher_layer_name), "student": (student, self.student_layer_name)}
        if all(name is None for _, name in named.values()):
            return
        for role, (model, name) in named.items():
            if not hasattr(model, "inputs"):
                raise ValueError(
                    f"Features of layers are those of graphs: models with an Input. Leave out the names of layers to "
                    f"compare outputs. Received: {role} '{model.name}' ({type(model).__name__}), which is no graph"
                )
            if name is not None:
                model.get_layer(name)


class LogitsDistillation(_OfOutputs):
    """A loss between the outputs of teacher and student, divided by a temperature first; as
    `keras.distillation.LogitsDistillation`.

    The Kullback-Leibler divergence is that of their softmax, times the square of the temperature; other losses are
    computed as they are.

    Args:
        temperature: A positive number; a higher one makes more of what the teacher finds unlikely.
        loss: Name or object, or a tree of them as the outputs are nested; None for those that are not compared.

    Raises:
        ValueError: The temperature is not positive; there is no loss, or it is not known.

    Source: G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015.

    Example:
        >>> import portanet
        >>> loss = LogitsDistillation(temperature=2.0)
        >>> round(float(loss.compute_loss(portanet.asarray([[1.0, 2.0]]), portanet.asarray([[1.0, 4.0]]))), 4)
        0.4195
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        self.temperature = checks.number("temperature", temperature, "(0, inf)", type(self))
        self._take(loss)

    def _value(self, loss: Any, teacher: Array, student: Array) -> Any:
        if loss is None:
            return 0.0
        teacher, student = teacher / self.temperature, student / self.temperature
        if not isinstance(loss, KLDivergence):
            return super()._value(loss, teacher, student)
        return super()._value(loss, ops.softmax(teacher), ops.softmax(student)) * self.temperature**2


def _name(argument: str, name: str | None, of: DistillationLoss) -> str | None:
    return None if name is None else checks.text(argument, name, type(of))
