"""Calls that a generator of bad values takes for bad, and that have a meaning; and calls that are not made."""

from __future__ import annotations

import re

NUMBERS = (
    "gain|value|mean|fill_value|mask_value|carry_bias|alpha|threshold|default_value|negative_slope|margin|baseline|"
    "initial_value_threshold|min_delta|beta_2_decay|order"
)

ACCEPTED: list[tuple[str, str, str, str]] = [
    # Owner, parameter, values (patterns), and what they mean
    (".*", "axis|axes|shared_axes|sequence_axis", r"-1|0|\[-1, -1\]", "axes are counted from either end"),
    ("layers.PReLU", "shared_axes", r"\[\]|\[1\] \* 7", "no axis; an axis named twice is shared once"),
    (".*", "seed|key|low|minval|n", "0|-1(.0)?", "any integer names a stream, a bound may be negative"),
    (
        ".*",
        "name|filename|filepath|log_dir|backup_dir|monitor|oov_token|filters|split",
        "'text'|''",
        "any text will do",
    ),
    (r".*\.get", "name|of", ".*", "only shown in messages"),
    (r"(losses|metrics)\..*", "y_true|y_pred|values|sample_weight|mask", ".*", "lists and numbers become arrays"),
    ("utils.CustomObjectScope", "custom_objects", "{}", "none"),
    ("mixed_precision.DTypePolicyMap", "policy_map", "{}", "no exceptions"),
    (".*", "verbose", "True|0", "as in Keras, booleans are 0 and 1"),
    (".*", "patience|cooldown|start_from_epoch|histogram_freq|warmup_steps|degree|num_regressors", "0", "none"),
    (".*", "class_id|ignore_class|blank|target_class_ids", r"-1|0|\[1\] \* 7", "a class number; -1 ignores a label"),
    (
        ".*",
        "save_freq|update_freq|learning_rate|weight_decay|gradient_noise|schedule|.*padding|cropping",
        "0|3",
        "numbers",
    ),
    (
        ".*",
        "gain|value|mean|fill_value|mask_value|carry_bias|alpha|threshold|default_value|negative_slope|margin|baseline"
        "|init_values|initial_value_threshold|min_delta|beta_2_decay|order",
        r"3|-1\.0|inf",
        "any number",
    ),
    ("callbacks.EarlyStopping", "baseline", "nan", "as None"),
    ("constraints.*", "max_value", "inf", "no bound"),
    (
        "schedules.*",
        "initial_learning_rate|learning_rate|alpha|maximum|initial|final|end_learning_rate|schedule|start",
        r"-1\.0",
        "schedules of other hyperparameters may be negative; `fit` refuses negative learning rates",
    ),
    ("layers.Random.*", r"(\w+_)?factor", r"-1\.0", "as in Keras, the sign gives a direction"),
    ("layers.RandomColorJitter", r"\w+_factor", "None", "left as it is"),
    ("layers.AugMix", "chain_depth", "0", "no augmentation"),
    ("layers.RandAugment", "num_ops", "0", "no augmentation"),
    (r"layers\.(LSTM|GRU)", "implementation", "0", "as in Keras"),
    ("layers.GroupNormalization", "groups", "-1", "as in Keras, as many groups as channels"),
    ("initializers.get", "identifier", ".*", "an array of values"),
    (".*", "input_shape", r"None|\[None\]|\[\]|\[1\] \* 7", "a shape; None as without"),
    (".*", "shape|noise_shape|output_shape", r"\[None\]|\[\]|\[1\] \* 7", "a shape"),
    ("layers.Normalization", "axis", r"\[1\] \* 7|\[\]", "an axis named twice is kept once; none as None"),
    (r"layers.(CategoryEncoding|Discretization|Rescaling)\(\)", "x", r"\[.*\]", "lists of numbers are data"),
    ("layers.Rescaling", "scale|offset", r"-1\.0|3|0|\[-1\.0\]|scalar", "any numbers"),
    (
        r"layers\.\w*(Lookup|Hashing)",
        "mask_value|mask_token|oov_token|num_oov_indices|salt|vocabulary",
        ".*",
        "any value; none",
    ),
    ("layers.BatchNormalization", "renorm_clipping", "{}", "no limits"),
    ("layers.TextVectorization", "ngrams", r"\[1\] \* 7", "each length, once more"),
    ("layers.RandomZoom", "width_factor", "None", "that of the height"),
    ("layers.*", ".*initializer", "scalar", "the value of every element"),
    ("layers.Discretization", "bin_boundaries", r"\[-1\.0\]|\[\]", "any boundaries, also none: one bin"),
    ("layers.Lambda", "mask|arguments|output_shape", "scalar|rank 7|complex|texts|objects|{}|.*class.*", "passed on"),
    (".*", "thresholds|quantities|log", r"\[\]", "none"),
    ("optimizers.AdamW", "weight_decay", "None", "none"),
    ("optimizers.OptimizerMap", "optimizer_map", "{}", "none"),
    ("optimizers.Ftrl", "learning_rate_power", "-1.0", "a power that is not positive"),
    ("optimizers.Muon", "exclude_layers", r"\[\]|generator", "any iterable of strings; none"),
    ("optimizers.Muon", "muon_[abc]|ns_steps", "-1.0|0", "any coefficients; no iteration"),
    ("callbacks.RemoteMonitor", "field|headers", "'text'|{}", "any name; no further headers"),
    ("activations.*", "x", "scalar|rank 7|complex", "computed elementwise"),
    ("activations.linear", "x", ".*", "returned unchanged"),
    ("ops.*|losses.triplet", ".*", "scalar|rank 7|complex", "computed as the standard does"),
    (
        "ops.*",
        ".*",
        r"array|True|1\.5|1j|3|0|-1|-1\.0|nan|inf|\[\[1\.0\]\]|\[True\]|\[\]|\[1\] \* 7|\[-1, -1\]|scalar",
        "as in Keras, numbers and lists are data",
    ),
    (
        "(utils|preprocessing).timeseries.*",
        "targets|start_index",
        r"\[\[1.0\]\]|complex|rank 7|0",
        "targets of any shape, from the first on",
    ),
    (
        "utils.*|preprocessing.*",
        "x|sequences|img",
        r"\[\[1.0\]\]|array|scalar|True|3|rank 7",
        "lists and arrays are data",
    ),
    ("utils.pad_sequences", "dtype", "class", "what NumPy takes for a dtype"),
    ("initializers.Constant", "value", "True|scalar", "a number"),
    ("losses.class_weights", "class_weight", "{}", "all weights are 1"),
    (r"layers\..*\(\)", "x", "rank 7|complex", "any number of axes; elements are moved, not computed with"),
    (r".*\(\)", "sample_weight", "scalar", "as in Keras, one weight for all"),
    (
        r"(losses|metrics)\.(Function.*|MeanMetricWrapper|Mean|Sum)\(\)",
        "y_true|y_pred|values",
        "scalar|rank 7",
        "passed to the function",
    ),
    ("optimizers.(minimize|bisect|newton)", "max_iterations", "0", "the start is evaluated"),
    ("optimizers.bisect", "b", "scalar", "an end like the other"),
    (".*", "log", "generator", "any iterable of strings"),
    ("schedules.plot", "schedules", "{}", "nothing to plot"),
    ("plot.*", "x|y|lines|labels|predictions|images|weights", r"\[\[1.0\]\]", "lists are data"),
    ("plot.(loss_.*)", "at", r"\[\[1.0\]\]|scalar|rank 7|True|1.5|3", "weights of any shape"),
    ("plot.(images|attention|confusion_matrix|gates)", "titles|queries|keys|names|steps", "array|'text'", "as names"),
    ("optimizers.descend", "x0|steps", r"\[-1\.0\]|0", "a function of one number; the start"),
    ("Model.compile", "loss_weights", r"\[None\]|-1.0|\[-1.0\]", "as in Keras; None is 1"),
    ("Model.fit", "initial_epoch", "0", "the first epoch"),
    ("Model.*", "prefetch", "0", "no thread"),
    ("Model.fit", "validation_freq", r"\[1\] \* 7", "the epochs"),
    ("asarray|to_host", "x", ".*", "numbers and lists are data; `to_host` copies what NumPy takes"),
    ("autodiff.*", "argnums", "0|-1|\\[-1, -1\\]|\\[1\\] \\* 7", "positions"),
    (
        "autodiff.(scan|fori_loop|while_loop)",
        "init.*|xs",
        r"True|1.5|1j|3|{}|\[None\]|\[\[1.0\]\]|scalar|complex|rank 7",
        "a state",
    ),
    ("autodiff.fori_loop", "lower|upper", "0|-1", "any range"),
    ("autodiff.*", "x0|y0|b|initial_guess", "scalar|complex|rank 7", "unknowns of any shape"),
    ("autodiff.quadrature", "a|b", "scalar|3|-1.0", "a number"),
    ("autodiff.fixed_point", "memory", "0", "plain iteration"),
    (r"saving\.register_serializable", "package|name", "'text'", "any text will do"),
    ("Sequential", "layers", r"None|\[\]", "layers may be added later"),
    ("estimators.*", "random_state|batch_size", "0|3", "numbers"),
    ("wrappers.*", "model_kwargs|fit_kwargs", r"\{\}", "no arguments"),
    ("Model.compile", "loss_weights|(weighted_)?metrics", r"\[None\]|{}|\[\]", "none"),
    ("Model.get_layer", "index", "0|-1", "layers are counted from either end"),
    (r"Model\.save.*|saving\..*", "filepath|path", "'text'", "the name of a file"),
    ("callbacks.TensorBoard", "embeddings_freq|profile_batch", r"0|\(\)|\[\]", "none"),
    ("callbacks.TensorBoard", "embeddings_metadata", "''|'text'|{}", "nothing is written of it, with a warning"),
    (".*load_weights", "pattern", "generator|''", "patterns that match"),
    ("Model.*", "class_weight", "{}", "all weights are 1"),
    ("load_model", "custom_objects", "{}", "none"),
    ("estimators.*", "hidden_layer_sizes|batch_size", r"\[\]|\[1\] \* 7|None", "no hidden layer; seven; batches of 32"),
    ("Model.summary", "print_fn", ".*class.*", "any callable object, such as `str`"),
    ("metrics.get", "loss|y_pred_shape", ".*", "only `compile` passes it"),
]

UNCHECKED: list[tuple[str, str, str, str]] = [
    ("Model.summary", "print_fn", "class Dense", "an error of the user's function"),
    ("datasets.NpyShards", "paths", ".*a.*|generator", "there is no such file: FileNotFoundError"),
    ("estimators.*", "learning_rate", "function", "an error of the user's function"),
    (r"layers\.(MaxUnpooling.*|.*Attention)\(\)", "x", "scalar|rank 7", "shapes of several inputs"),
    ("optimizers.(minimize|newton)", "x0", "scalar|rank 7", "errors of the user's function"),
    (
        "activations.*|ops.*|losses.(ctc|triplet)|regularizers.*|random.*",
        ".*",
        "texts|objects|complex|rank 7|scalar",
        "functions of arrays leave dtypes to the library, which refuses them: a check would cost every step",
    ),
    ("losses.class_weights", "y", ".*", "the message is about `class_weight` of `fit`"),
]


def reason(table: list[tuple[str, str, str, str]], owner: str, parameter: str, label: str) -> str | None:
    """Why a call is in a table; None if it is not."""
    for row in table:
        if all(re.fullmatch(pattern, text) for pattern, text in zip(row, (owner, parameter, label), strict=False)):
            return row[3]
    return None
