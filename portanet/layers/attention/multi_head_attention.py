"""Multi-head attention."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.activations import sigmoid
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, device_of, readable
from portanet.fused.attention import attention, dot_product_attention, with_causal
from portanet.fused.products import dense
from portanet.initializers.scaled import with_axes
from portanet.layers.attention.attention import require_mask, require_shapes, without_masked
from portanet.layers.attention.axes import AttentionAxes
from portanet.layers.attention.projection import as_vector, projected, projection, three
from portanet.layers.calling import penalize
from portanet.layers.random_layer import RandomLayer
from portanet.layers.several_inputs import Several
from portanet.masks import masks_of
from portanet.variables import Variable


class MultiHeadAttention(RandomLayer):
    """Multi-head attention (Vaswani et al. 2017); as `keras.layers.MultiHeadAttention`.

    Query, key and value are projected for each head; the heads' outputs are projected together. Masked positions have
    no influence, whatever their values; where all positions are masked, the output is the output bias.

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head's query and key.
        value_dim: Size of each head's value; by default `key_dim`.
        dropout: In training, the fraction of the attention weights to drop.
        use_bias: Whether the projections have biases.
        output_shape: Size of the output's last axis, or sizes of several; by default that of the query.
        attention_axes: Axes along which positions attend to each other, for inputs with more axes, such as images;
            by default all between the first and the last.
        sliding_window: If given, each position attends only to those less than this number away, on either side.
        flash_attention: For Keras's scripts: every backend chooses the faster way itself. As there, True does not go
            with dropout or `return_attention_scores`.
        kernel_initializer: Initial values of the kernels; their fans are features, and heads times sizes.
        bias_initializer: Initial values of the biases.
        kernel_regularizer: Name or function: penalty on the kernels, added to the loss.
        bias_regularizer: Likewise on the biases.
        activity_regularizer: Likewise on the output and on the projections of query, key and value.
        kernel_constraint: Name or function applied to the kernels after each update.
        bias_constraint: Likewise to the biases.
        use_gate: Whether the heads' outputs are multiplied by the sigmoid of another projection of the query.
        seed: Seed of dropout; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: `layer(query, value, key)`, or as a list `layer([query, value, key])`: shapes (batch, target, features) and
    twice (batch, source, features). The key is by default the value, the value by default the query.
    `mask`: boolean mask of the query, shape (batch, target), also used for the value if that is the query; or a list of
    masks of query, value and key, as passed by models. Masked queries attend to nothing.
    Output: shape (batch, target, output size).

    Call arguments: `query_mask`, `value_mask`, `key_mask`: boolean, shapes (batch, target) and twice (batch, source),
    False for positions to ignore, instead of those in `mask`; `attention_mask`: boolean, shape
    (batch, target, source) or (batch, heads, target, source), with 1 where an axis is shared;
    `use_causal_mask`: whether each position attends only to itself and earlier ones; `return_attention_scores`:
    whether to return the weights, shape (batch, heads, target, source), as well.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer, x = layers.MultiHeadAttention(2, 8), np.ones((4, 5, 16), dtype="float32")
        >>> layer(x, x, use_causal_mask=True).shape
        (4, 5, 16)
    """

    independent_examples = True
    several_inputs: Several = Several("query", optional=("value", "key"))
    supports_masking = True
    query_dense, key_dense, value_dense, output_dense = map(projection, ("query", "key", "value", "output"))

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, **options)
        self._activities = regularizers.get(activity_regularizer, "activity_regularizer", self)
        self.num_heads = self.num_key_value_heads = checks.positive_int("num_heads", num_heads, self)
        self.key_dim = checks.positive_int("key_dim", key_dim, self)
        self.value_dim = self.key_dim if value_dim is None else checks.positive_int("value_dim", value_dim, self)
        self.output_sizes, self.attention_axes, self.sliding_window = None, None, None
        if output_shape is not None:
            self.output_sizes = checks.integers("output_shape", output_shape, of=self, least=1)
        if attention_axes is not None:
            self.attention_axes = checks.integers("attention_axes", attention_axes, of=self)
        if sliding_window is not None:
            self.sliding_window = checks.positive_int("sliding_window", sliding_window, self)
        self.flash_attention = flash_attention is not None and checks.boolean("flash_attention", flash_attention, self)
        self.use_gate = checks.boolean("use_gate", use_gate, self)
        self.dropout = checks.rate("dropout", dropout, self)
        if self.flash_attention and self.dropout:
            raise checks.invalid("flash_attention", flash_attention, "None or False with dropout", self)
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)

    def build(self, input_shape: Any) -> None:
        query, value, key = three(self.several_inputs.entries(self, input_shape))
        axes = self._axes([query, value, key])
        self.independent_examples = axes is None  # else the batch is of more than the examples
        if self.dropout:
            super().build(query)
        heads, sizes = self.num_heads, self.output_sizes or (query[-1],)
        self.query_kernel, self.query_bias = self._weights("query", query[-1], (heads, self.key_dim))
        self.key_kernel, self.key_bias = self._weights("key", key[-1], (self.num_key_value_heads, self.key_dim))
        if self.use_gate:
            self.gate_kernel, self.gate_bias = self._weights("gate", query[-1], (heads, self.value_dim))
        self.value_kernel, self.value_bias = self._weights(
            "value", value[-1], (self.num_key_value_heads, self.value_dim)
        )
        self.output_kernel, self.output_bias = self._weights("output", (heads, self.value_dim), sizes)

    def _axes(self, shapes: list[Any]) -> AttentionAxes | None:
        """The axes of attention for shapes of query, value and key; None for shapes (batch, time, features)."""
        if len(shapes[0]) == 3 and self.attention_axes in (None, (1,), (-2,)):
            require_shapes(self, shapes[0], shapes[1], shapes[2], same_size=False)
            return None
        axes = AttentionAxes(self.attention_axes, shapes[0], self)
        if any(len(shape) != len(shapes[0]) for shape in shapes):
            raise ValueError(
                f"Layer '{self.name}' needs query, value and key with the same number of axes. "
                f"Received: shapes {[tuple(shape) for shape in shapes]}"
            )
        flat = [axes.flat_shape(shape) for shape in shapes]
        require_shapes(self, flat[0], flat[1], flat[2], same_size=False)
        query, *others = ([shape[axis] for axis in (0, *axes.free)] for shape in shapes)
        if any(None not in (n, m) and n != m for other in others for n, m in zip(query, other, strict=True)):
            raise ValueError(
                f"Layer '{self.name}' needs query, value and key of the same size on the axes {axes.free}, which are "
                f"not attended along. Received: shapes {[tuple(shape) for shape in shapes]}"
            )
        return axes

    def _weights(self, name: str, inputs: Any, outputs: tuple[int, ...]) -> tuple[Variable, Variable | None]:
        lead = inputs if isinstance(inputs, tuple) else (inputs,)
        axes = range(len(lead) + len(outputs))
        kernel = self.add_weight(
            shape=(*lead, *outputs),
            initializer=with_axes(self.kernel_initializer, axes[: len(lead)], axes[len(lead) :]),
            name=f"{name}_kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if not self.use_bias:
            return kernel, None
        bias = self.add_weight(
            shape=outputs,
            initializer=self.bias_initializer,
            name=f"{name}_bias",
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return kernel, bias

    def call(
        self,
        x: Any,
        value: Array | None = None,
        key: Array | None = None,
        query_mask: Array | None = None,
        value_mask: Array | None = None,
        key_mask: Array | None = None,
        attention_mask: Array | None = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
        mask: Any = None,
    ) -> Any:
        x = self.several_inputs.together(self, x, value=value, key=key)
        scores = checks.boolean("return_attention_scores", return_attention_scores, self)
        if scores and self.flash_attention:
            raise checks.invalid("return_attention_scores", True, "False with flash_attention=True", self)
        masks, axes = (query_mask, value_mask, key_mask), self._axes([array.shape for array in three(x)])
        compute = self._attend if axes is None else partial(self._over_axes, axes)
        out = compute(x, training, mask, masks, attention_mask, use_causal_mask, scores)
        if self._activities is not None:
            penalize(self, self._activities, [*projected(self, *three(x)), out[0] if scores else out])
        return out

    def _attend(
        self,
        x: Any,
        training: bool,
        mask: Any,
        masks: tuple[Array | None, ...],
        attention_mask: Array | None,
        use_causal_mask: bool,
        scores: bool,
    ) -> Any:
        """The result for inputs with three axes."""
        query_mask, source_mask = self._masks(x, mask, masks)
        attention_mask = self._attention_mask(x, attention_mask, training)
        query, value, key = self._without_masked(x, query_mask, source_mask, attention_mask)
        gate = self._heads(query, self.gate_kernel, self.gate_bias) if self.use_gate else None
        q = self._heads(query, self.query_kernel, self.query_bias)
        k = self._repeated(self._heads(key, self.key_kernel, self.key_bias))
        v = self._repeated(self._heads(value, self.value_kernel, self.value_bias))
        allowed = attention_mask
        if source_mask is not None:
            shown = array_namespace(source_mask).reshape(source_mask, (q.shape[0], 1, 1, k.shape[2]))
            allowed = shown if allowed is None else allowed & shown
        if self.sliding_window is not None:
            near = _near(unwrap(q), k.shape[2], self.sliding_window)
            allowed = near if allowed is None else allowed & near
        keep = None
        if training and self.dropout:
            kept = self.bernoulli(1 - self.dropout, (*q.shape[:3], k.shape[2]))
            keep = array_namespace(kept).astype(kept, q.dtype) * (1 / (1 - self.dropout))
        scale, weights = self.key_dim**-0.5, None
        causal = checks.boolean("use_causal_mask", use_causal_mask, self)
        if scores:
            if causal:
                allowed = with_causal(allowed, unwrap(q), k.shape[2])
            out, weights = attention(q, k, v, scale=scale, mask=allowed, keep=keep)
        else:
            out = dot_product_attention(q, k, v, scale, allowed, causal, keep)
        if query_mask is not None:  # masked queries attend to nothing
            attends = array_namespace(query_mask).reshape(query_mask, (q.shape[0], 1, q.shape[2], 1))
            out = array_namespace(out).where(attends, out, 0.0)
            weights = None if weights is None else array_namespace(weights).where(attends, weights, 0.0)
        out = self._output(out if gate is None else out * sigmoid(gate))
        return (out, weights) if scores else out

    def _over_axes(
        self,
        axes: AttentionAxes,
        x: Any,
        training: bool,
        mask: Any,
        masks: tuple[Array | None, ...],
        attention_mask: Any,
        causal: bool,
        scores: bool,
    ) -> Any:
        """The result for inputs with more axes, computed of arrays with three."""
        if any(each is not None for each in (*masks, *masks_of(mask, 3))):
            raise ValueError(
                f"Layer '{self.name}' takes masks of time steps with inputs of shape (batch, time, features) alone; "
                f"pass an attention_mask. Received: a mask for an input of shape {tuple(x[0].shape)}"
            )
        query, _, key = (tuple(array.shape) for array in three(x))
        if hasattr(attention_mask, "shape"):
            attention_mask = axes.flat_mask(attention_mask, query, key, self)
        flat = [axes.flat(array) for array in x]
        result = self._attend(flat, training, None, masks, attention_mask, causal, scores)
        if not scores:
            return axes.restored(result, query)
        return axes.restored(result[0], query), axes.restored_scores(result[1], query, key)

    def _masks(self, x: Any, mask: Any, given: tuple[Array | None, ...]) -> tuple[Array | None, Array | None]:
        """The masks of the query and of the source, True where value and key are; those `given` by name count."""
        query_mask, value_mask, key_mask = (
            own if named is None else named for own, named in zip(masks_of(mask, 3), given, strict=True)
        )
        if len(x) == 1 and value_mask is None:
            value_mask = query_mask
        _, value, key = three(x)
        query_mask, value_mask, key_mask = (
            self._checked_mask(m, array) for m, array in ((query_mask, x[0]), (value_mask, value), (key_mask, key))
        )
        if value_mask is None or key_mask is None:
            return query_mask, key_mask if value_mask is None else value_mask
        return query_mask, value_mask & key_mask

    def _checked_mask(self, mask: Array | None, x: Array) -> Array | None:
        if mask is None:
            return None
        require_mask(self, mask, x)
        mask = unwrap(mask)
        xp = array_namespace(mask)
        return xp.astype(mask, xp.bool)

    def _without_masked(
        self, x: Any, query_mask: Array | None, source_mask: Array | None, attention_mask: Array | None
    ) -> tuple[Array, Array, Array]:
        """Query, value and key with zeros where no attention reads them: 0 times NaN is NaN."""
        if attention_mask is not None and attention_mask.shape[-1] == three(x)[1].shape[1]:
            xp = array_namespace(attention_mask)
            seen = xp.any(attention_mask, axis=tuple(range(attention_mask.ndim))[-3:-1])
            source_mask = seen if source_mask is None else source_mask & seen
        query, value, key = three(x)
        shared = key is value
        if len(x) == 1:  # self-attention of one array: what is masked as a source may still be a query
            return without_masked(query, query_mask), *(without_masked(query, source_mask),) * 2
        value = without_masked(value, source_mask)
        return without_masked(query, query_mask), value, value if shared else without_masked(key, source_mask)

    def _heads(self, x: Array, kernel: Variable, bias: Variable | None) -> Array:
        """The projection, shape (batch, heads, time, size)."""
        w = kernel.value
        self.require_axis(x, -1, w.shape[0])
        xp = array_namespace(x, w)
        batch, time, features = x.shape
        rows = dense(x, xp.reshape(w, (features, -1)), as_vector(bias))
        xp = array_namespace(rows)
        return xp.permute_dims(xp.reshape(rows, (batch, time, *w.shape[1:])), (0, 2, 1, 3))

    def _repeated(self, x: Array) -> Array:
        """Keys or values repeated for the query heads that share them."""
        groups = self.num_heads // self.num_key_value_heads
        if groups == 1:
            return x
        xp = array_namespace(x)
        batch, heads, source, size = x.shape
        x = xp.broadcast_to(xp.expand_dims(x, axis=2), (batch, heads, groups, source, size))
        return xp.reshape(x, (batch, heads * groups, source, size))

    def _output(self, x: Array) -> Array:
        w = self.output_kernel.value
        xp = array_namespace(x, w)
        batch, heads, time, size = x.shape
        joined = xp.reshape(xp.permute_dims(x, (0, 2, 1, 3)), (batch, time, heads * size))
        out = dense(joined, xp.reshape(w, (heads * size, -1)), as_vector(self.output_bias))
        return out if w.ndim == 3 else array_namespace(out).reshape(out, (batch, time, *w.shape[2:]))

    def _attention_mask(self, x: Any, mask: Array | None, training: bool) -> Array | None:
        """The argument `attention_mask` as a boolean mask that broadcasts to (batch, heads, target, source)."""
        if mask is None:
            return None
        if not hasattr(mask, "shape"):
            raise checks.invalid("attention_mask", mask, "a boolean array; convert it with portanet.asarray", self)
        allowed = unwrap(mask)
        xp = array_namespace(allowed)
        if not xp.isdtype(allowed.dtype, "bool"):
            self._refuse_scores(storage(mask), training)
            allowed = allowed != 0
        if allowed.ndim == 3:
            allowed = xp.expand_dims(allowed, axis=1)
        query, value, _ = three(x)
        expected = (query.shape[0], self.num_heads, query.shape[1], value.shape[1])
        if allowed.ndim > 4 or any(n not in (1, m) for n, m in zip(allowed.shape[::-1], expected[::-1], strict=False)):
            raise ValueError(
                f"Argument `attention_mask` of layer '{self.name}' must have shape (batch, target, source) or "
                f"(batch, heads, target, source), here {expected}, or 1 on shared axes. "
                f"Received: {tuple(mask.shape)}"
            )
        return allowed

    def _refuse_scores(self, mask: Array, training: bool) -> None:
        """Reject a mask to add to scores, as PyTorch has: taken for booleans, it would hide what is to be seen."""
        xp = array_namespace(mask)
        if (
            readable(mask, wait=not training)
            and not xp.isdtype(mask.dtype, "unsigned integer")
            and bool(xp.any(mask < 0))
        ):
            raise ValueError(
                f"Argument `attention_mask` of layer '{self.name}' must be True, or 1, where a query may attend, and "
                f"False, or 0, elsewhere; convert a mask that is added to scores with mask == 0. "
                f"Received: negative values of dtype {mask.dtype}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        query, value, key = three(self.several_inputs.entries(self, input_shape))
        self._axes([query, value, key])
        return (*query[:-1], *(self.output_sizes or (query[-1],)))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return masks_of(mask, 1)[0]


def _near(query: Array, length: int, window: int) -> Array:
    """A mask (target, source) of positions that are less than `window` apart."""
    xp, device = array_namespace(query), device_of(query)
    rows = xp.reshape(xp.arange(query.shape[-2], device=device), (query.shape[-2], 1))
    return xp.abs(rows - xp.arange(length, device=device)) < window
