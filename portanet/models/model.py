"""What every model can do beside computing: train, and tell what it is made of."""

from __future__ import annotations

from typing import Any

from portanet.training import Trainer


class Model(Trainer):
    """A layer that can be trained, evaluated and described."""

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
