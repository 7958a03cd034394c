"""Public names and arguments of Keras that do not exist here, with the reasons; read by `keras_names`.

Patterns are those of `fnmatch`; one that matches nothing absent must go.
"""

QUANTIZED = "quantization is not supported"
SHARDED = "one device; Keras shards with JAX and PyTorch"
FOREIGN = "needs the library that it wraps"

ABSENT: dict[str, str] = {
    "quantizers.*": QUANTIZED,
    "Quantizer": QUANTIZED,
    "dtype_policies.*Quantized*": QUANTIZED,
    "dtype_policies.AWQ*": QUANTIZED,
    "dtype_policies.GPTQ*": QUANTIZED,
    "dtype_policies.Int4*": QUANTIZED,
    "*.quantiz*": QUANTIZED,
    "*.get_quantization_layer_structure": QUANTIZED,
    "distribution.*": SHARDED,
    "legacy.*": "formats of Keras before version 3",
    "optimizers.legacy.*": "raise an error in Keras 3, too",
    "utils.legacy.*": "formats of Keras before version 3",
    "layers.FlaxLayer": FOREIGN,
    "layers.JaxLayer": FOREIGN,
    "layers.TFSMLayer": FOREIGN,
    "layers.TorchModuleWrapper": FOREIGN,
    "export.ExportArchive": "writes a TensorFlow SavedModel; `Model.export` writes ONNX",
    "utils.get_source_inputs": "`Model.inputs` are the inputs of a graph",
    "config.enable_unsafe_deserialization": "nothing in a file is ever executed",
    "config.*max_epochs": "pass `epochs`",
    "config.*max_steps_per_epoch": "pass `steps_per_epoch`",
    "StatelessScope": "`portanet.variables.bind` makes pure functions of layers",
    "SymbolicScope": "shapes are inferred without a scope",
    "RematScope": "`portanet.autodiff.checkpoint` computes again what it does not keep",
    "*.add_metric": "raises an error in Keras 3, too; `Model.add_loss`, `compile` and attributes hold metrics",
    "*.rematerialized_call": "`portanet.autodiff.checkpoint` computes again what it does not keep",
    "*.symbolic_call": "layers are called on symbolic arrays as on others",
    "*.compute_output_spec": "calling a layer on symbolic arrays tells shape and dtype",
    "callbacks.CallbackList.*": "`fit` makes it, and calls every hook by its name: `call('on_epoch_end', ...)`",
    "callbacks.OrbaxCheckpoint": "needs Orbax, a library for JAX; `ModelCheckpoint` works everywhere",
}
"""Names, by path below `keras`; methods and properties by class."""

LORA = "low-rank adaptation is not supported"
OTHER_SIDE = "an argument of the class that Keras derives it from, which the constructor sets itself"

DEVICES = "there is one device"

ARGUMENTS: dict[str, str] = {
    "*add_weight(aggregation)": DEVICES,
    "*add_weight(overwrite_with_gradient)": "for quantized training",
    "*.compute_mask(inputs)": "named `x` and `mask`, as in the layers of Keras that implement it",
    "*.compute_mask(previous_mask)": "named `mask`",
    "layers.BatchNormalization(synchronized)": DEVICES,
    "Input(sparse)": "arrays are dense",
    "Input(ragged)": "arrays are dense",
    "layers.Input(sparse)": "arrays are dense",
    "layers.Input*(ragged)": "arrays are dense",
    "layers.InputLayer(sparse)": "arrays are dense",
    "*(bounding_box_format)": "images alone are augmented",
    "Model.export(verbose)": "nothing is shown",
    "Sequential.export(verbose)": "nothing is shown",
    "*(lora_rank)": LORA,
    "*(lora_alpha)": LORA,
    "*(quantization_config)": QUANTIZED,
    "layers.*(pool_dimensions)": OTHER_SIDE,
    "layers.*(pool_mode)": OTHER_SIDE,
    "layers.*(rank)": OTHER_SIDE,
}
"""Arguments, as `path(argument)`."""
