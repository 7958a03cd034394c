"""Public names and arguments of Keras that do not exist here, with the reasons; read by `keras_names`.

Patterns are those of `fnmatch`; one that matches nothing absent must go.
"""

QUANTIZED = "quantization is not supported"
SHARDED = "processes share batches, not weights; Keras shards with JAX and PyTorch"
FOREIGN = "needs the library that it wraps"
LOOP = "cells run whole sequences at once; a cell's `call` or `step` is what a subclass writes"

ABSENT: dict[str, str] = {
    "quantizers.*": QUANTIZED,
    "Quantizer": QUANTIZED,
    "dtype_policies.*Quantized*": QUANTIZED,
    "dtype_policies.AWQ*": QUANTIZED,
    "dtype_policies.GPTQ*": QUANTIZED,
    "dtype_policies.Int4*": QUANTIZED,
    "*.quantiz*": QUANTIZED,
    "*.get_quantization_layer_structure": QUANTIZED,
    "distribution.LayoutMap": SHARDED,
    "distribution.ModelParallel": SHARDED,
    "distribution.TensorLayout": SHARDED,
    "distribution.distribute_tensor": SHARDED,
    "legacy.*": "formats of Keras before version 3",
    "optimizers.legacy.*": "raise an error in Keras 3, too",
    "utils.legacy.*": "formats of Keras before version 3",
    "layers.MaxNumBoundingBoxes": "images are augmented, with labels and masks, but no bounding boxes",
    "layers.FlaxLayer": FOREIGN,
    "layers.JaxLayer": FOREIGN,
    "layers.TFSMLayer": FOREIGN,
    "layers.TorchModuleWrapper": FOREIGN,
    "export.ExportArchive": "writes a TensorFlow SavedModel; `Model.export` writes ONNX",
    "config.enable_unsafe_deserialization": "nothing in a file is ever executed",
    "StatelessScope": "`portanet.variables.bind` makes pure functions of layers",
    "SymbolicScope": "shapes are inferred without a scope",
    "RematScope": "`portanet.autodiff.checkpoint` computes again what it does not keep",
    "*.add_metric": "raises an error in Keras 3, too; `Model.add_loss`, `compile` and attributes hold metrics",
    "*.rematerialized_call": "`portanet.autodiff.checkpoint` computes again what it does not keep",
    "*.symbolic_call": "layers are called on symbolic arrays as on others",
    "utils.audio_dataset_from_directory": "no library that reads audio files is among the extras",
    "utils.bounding_boxes.*": "images are augmented, with labels and masks, but no bounding boxes",
    "utils.model_to_dot": "`plot_model(model).dot` is the graph in the DOT language",
    "visualization.*": "drawing images is left to libraries for plots",
    "layers.RNN.inner_loop": LOOP,
    "callbacks.OrbaxCheckpoint": "needs Orbax, a library for JAX; `ModelCheckpoint` works everywhere",
}
"""Names, by path below `keras`; methods and properties by class."""

LORA = "low-rank adaptation is not supported"
OTHER_SIDE = "an argument of the class that Keras derives it from, which the constructor sets itself"

OPTIONS = "by name, among the options of all recurrent layers"
STATES = "the sequence comes first in a list with the states; in calls of the layer, both are arguments"
DEVICES = "there is one device"

ARGUMENTS: dict[str, str] = {
    "*add_weight(aggregation)": DEVICES,
    "Variable(layout)": DEVICES,
    "*add_weight(overwrite_with_gradient)": "for quantized training",
    "*.compute_mask(previous_mask)": "named `mask`",
    "Input(sparse)": "arrays are dense",
    "Input(ragged)": "arrays are dense",
    "layers.Input(sparse)": "arrays are dense",
    "layers.Input*(ragged)": "arrays are dense",
    "layers.InputLayer(sparse)": "arrays are dense",
    "*(bounding_box_format)": "images are augmented, with labels and masks, but no bounding boxes",
    "layers.*(factor)": "an argument of the class that Keras derives it from, which the layer does not use",
    "Model.export(verbose)": "nothing is shown",
    "Sequential.export(verbose)": "nothing is shown",
    "Input(tensor)": "graphs begin at an `Input`; `clone_model(input_tensors=...)` puts a model on other arrays",
    "layers.Input(tensor)": "graphs begin at an `Input`; `clone_model(input_tensors=...)` puts a model on other arrays",
    "layers.InputLayer(input_tensor)": "graphs begin at an `Input`",
    "*(max_shard_size)": "a file holds all weights",
    "Sequential.call(inputs)": "named `x`",
    "Sequential.compute_output_spec(*)": "takes any arguments, as `Layer.compute_output_spec`",
    "*(lora_rank)": LORA,
    "*(lora_alpha)": LORA,
    "*(quantization_config)": QUANTIZED,
    "layers.*(pool_dimensions)": OTHER_SIDE,
    "layers.StringLookup(vocabulary_dtype)": OTHER_SIDE,
    "layers.StringLookup(oov_method)": "tokens have Keras's default hash",
    "layers.EinsumDense(gptq_*)": QUANTIZED,
    "layers.GRU(*)": OPTIONS,
    "layers.LSTM(*)": OPTIONS,
    "layers.SimpleRNN(*)": OPTIONS,
    "callbacks.ReduceLROnPlateau(baseline)": "an argument of the class that Keras derives it from, which it ignores",
    "*Optimizer(name)": "by name, since `gradient_noise` stands before it",
    "*LossScaleOptimizer(*)": "an argument of the inner optimizer",
    "*.from_config(custom_objects)": "classes of one's own are registered, or in a `custom_object_scope`",
    "layers.RNN.*(*sequences*)": STATES,
    "layers.RNN.*(initial_state*)": STATES,
    "layers.RNN.compute_mask(_)": "named `inputs`",
    "layers.*(pool_mode)": OTHER_SIDE,
    "layers.*(rank)": OTHER_SIDE,
}
"""Arguments, as `path(argument)`."""

ELSEWHERE = "Keras's layers run in TensorFlow's pipelines, too; here they run on the backend in use"
INSIDE = "a step of Keras's own computation, which is divided otherwise here"
DRAWN = "layers draw by `bernoulli`, `normal` and their kin, from a stream of their own whose counter files hold"
BOXES = "images are augmented, with labels and masks, but no bounding boxes"

ATTRIBUTES: dict[str, str] = {
    "*lora*": LORA,
    "*gptq*": QUANTIZED,
    "*.quantization_config": QUANTIZED,
    "*.variable_serialization_spec": QUANTIZED,
    "*.overwrite_with_gradient": "for quantized training",
    "*bounding_box*": BOXES,
    "*_bbox": BOXES,
    "layers.*.backend": ELSEWHERE,
    "layers.*.convert_weight": ELSEWHERE,
    "layers.*.generator": DRAWN,
    "layers.*.seed_generator": DRAWN,
    "layers.*.pool_mode": "the class says it",
    "layers.*.inner_loop": LOOP,
    "layers.*Cell.implementation": "backends choose how to compute",
    "layers.*.height_axis": "images have their channels last while they are changed",
    "layers.*.width_axis": "images have their channels last while they are changed",
    "layers.*.channel_axis": "images have their channels last while they are changed",
    "layers.*.get_transformed_x_y": INSIDE,
    "layers.*.get_elastic_transform_params": INSIDE,
    "layers.*Lookup.*_state": "`adapt` counts and sets the vocabulary",
    "layers.TextVectorization.*_state": "`adapt` counts and sets the vocabulary",
    "layers.Discretization.*_state": "`adapt` finds the boundaries",
    "layers.*.*_assets": "vocabularies are in the configuration",
    "callbacks.*.monitor_op": "`improves(value, reference)` compares, with `min_delta`",
    "callbacks.ProgbarLogger.*": "the bar is drawn by the class's own means",
    "callbacks.CSVLogger.*": "the class opens the file and writes rows by its own means",
    "callbacks.TensorBoard.summary": "a module of TensorFlow",
    "layers.*.factor": "the layer takes none",
    "layers.Discretization.summary": "`adapt` finds the boundaries",
    "layers.LayerNormalization.rms_scaling": "no longer accepted by Keras; `RMSNormalization` is the layer",
    "random.SeedGenerator.backend": ELSEWHERE,
    "utils.CustomObjectScope.backup": INSIDE,
    "utils.FeatureSpace.*": "`get_inputs()` and `get_encoded_features()` return the graph",
    "metrics.F*Score.axis": INSIDE,
    "optimizers.Muon.*": INSIDE,
    "KerasTensor.r*": "arrays are dense",
    "layers.InputLayer.ragged": "arrays are dense",
    "layers.InputLayer.sparse": "arrays are dense",
}
"""Attributes of objects, as `losses.Huber.name`; see `tests/keras/instances.py`."""
