"""What every model can do beside computing: train, and tell what it is made of."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from portanet import export, saving
from portanet.training import Trainer


class Model(Trainer):
    """A layer that can be trained, evaluated, described and saved."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the model to one file, which `portanet.load_model(path)` reads on every backend.

        It holds the architecture (class names and configurations), the weights, and all that training goes on from: how
        the model was compiled, the optimizer's state, random counters, `model.position` and what callbacks know. It is
        written whole or not at all: a reader never finds half of it, whenever the process or the machine stops.

        Args:
            path: The file, such as `"model.safetensors"`; what was there is replaced.

        Raises:
            ValueError: The model is made of a function of your own that is not registered; see
                `portanet.saving.register_serializable`.
        """
        saving.save_model(self, path)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Save the weights alone, running statistics included: a safetensors file with names such as `dense/kernel`.

        Args:
            path: The file, such as `"weights.safetensors"`; what was there is replaced.
        """
        saving.save_weights(self, path)

    def load_weights(
        self,
        path: str | os.PathLike[str],
        strict: bool = True,
        pattern: str | Iterable[str] | None = None,
        skip_mismatch: bool = False,
    ) -> saving.Comparison:
        """Load weights by their names, from a file of weights or a saved model; floats take on the model's dtype.

        Args:
            path: The file; any safetensors file with the right names will do.
            strict: Whether what is missing from the file, or in it alone, is an error.
            pattern: Regular expression, or several; only weights in whose names one is found are loaded, and only those
                of the file are looked at: `"^encoder/"` to transfer an encoder.
            skip_mismatch: Whether weights of other shapes are left as they are rather than an error.

        Returns:
            What was loaded (`matching`), and the names that were `missing`, `unexpected` or `mismatched`.

        Raises:
            portanet.saving.LoadError: The file is damaged or does not fit: all misfits are listed, and nothing is
                changed.

        Example:
            >>> import pathlib, tempfile, portanet
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
            >>> model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(2)])
            >>> model.save_weights(path)
            >>> model.load_weights(path).matching
            ['dense/kernel', 'dense/bias']
        """
        return saving.load_weights(self, path, strict, pattern, skip_mismatch)

    def export(self, path: str | os.PathLike[str], format: str = "onnx", input_signature: Any = None) -> None:  # noqa: A002
        """Write the model for inference by other programs: an ONNX file, for batches of any size.

        The model is called on ndonnx arrays, which write down what it computes. docs/export.md lists the layers that
        can be exported. Inputs and outputs are named after those of a graph or the keys of a dict; a single one is
        called `input` or `output`.

        Args:
            path: The file, such as `"model.onnx"`; it is written whole or not at all.
            format: `"onnx"`.
            input_signature: For each input an array of the shape and dtype that it has, or a
                `portanet.export.Entrance`, in the structure of what the model is called on; by default the inputs of a
                graph, else what the model was built for, in its dtype.

        Raises:
            BackendUnavailableError: The libraries of the extra `onnx` are not installed.
            ValueError: The model is not built, a size other than the batch's is not known, or a layer cannot be
                exported.
        """
        if format != "onnx":
            raise ValueError(f"Argument `format` must be 'onnx'. Received: format={format!r}")
        if not self.built:
            raise ValueError(
                f"Model '{self.name}' is not built yet: give it an Input, call it on data, or fit it, then export it. "
                "Received: a model without weights"
            )
        if input_signature is None:
            known = getattr(self, "input", None)  # where data enters a graph
            input_signature = export.Entrance(self._input_shape(), self.compute_dtype) if known is None else known
        export.export_onnx(self, path, input_signature)

    def summary(self, print_fn: Any = print) -> None:
        """Print the layers with the shapes of their results and their numbers of parameters.

        Args:
            print_fn: What to call with the text.

        Raises:
            ValueError: The model is not built, so shapes are not known.
        """
        if not self.built:
            raise ValueError(
                f"Model '{self.name}' is not built yet: give it an Input, call it on data, or fit it, then ask again."
            )
        shape = self._input_shape()
        rows = []
        for layer in self.sublayers().values():
            shape = layer.compute_output_shape(shape)
            rows.append((f"{layer.name} ({type(layer).__name__})", str(tuple(shape)), f"{layer.count_params():,}"))
        head = ("Layer (type)", "Output shape", "Parameters")
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(3)]
        line = "  ".join("-" * w for w in widths)
        text = [f"Model '{self.name}' on {self.backend.name}", line]
        text += [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in [head, *rows]]
        text.insert(3, line)
        trained = sum(v.size for v in self.trainable_weights)
        size = sum(v.nbytes for v in self.weights)
        text += [line, f"{self.count_params():,} parameters ({size / 1024:,.1f} KiB), {trained:,} of them trained"]
        print_fn("\n".join(text))
