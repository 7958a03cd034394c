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
    "callbacks.OrbaxCheckpoint": "needs Orbax, a library for JAX; `ModelCheckpoint` works everywhere",
}
"""Names, by path below `keras`; methods and properties by class."""

LORA = "low-rank adaptation is not supported"
OTHER_SIDE = "an argument of the class that Keras derives it from, which the constructor sets itself"

ARGUMENTS: dict[str, str] = {
    "*(lora_rank)": LORA,
    "*(lora_alpha)": LORA,
    "*(quantization_config)": QUANTIZED,
    "layers.*(pool_dimensions)": OTHER_SIDE,
    "layers.*(pool_mode)": OTHER_SIDE,
    "layers.*(rank)": OTHER_SIDE,
}
"""Arguments, as `path(argument)`."""
