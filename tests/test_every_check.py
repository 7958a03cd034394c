"""Each check of an argument, and of what a layer was built for, refuses by itself."""

from __future__ import annotations

import io
import pathlib
import re
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import (
    applications,
    datasets,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    saving,
    tree,
    utils,
)
from portanet.autodiff import linalg, linearize, vmap
from portanet.compat import numpydl as npdl
from portanet.preprocessing import MaxAbsScaler, StandardScaler
from portanet.random import streams

X, ROW = np.ones((2, 3), "float32"), np.ones(3, "float32")
SERIES, IMAGES = np.ones((2, 6, 3), "float32"), np.ones((2, 6, 6, 3), "float32")


def built() -> portanet.Sequential:
    return portanet.Sequential([layers.Input((3,)), layers.Dense(1)])


def frozen() -> Any:
    config = utils.Config(a=1)
    config.freeze()
    return config


def mel(**changed: Any) -> Any:
    arguments = {"num_mel_bins": 3, "num_spectrogram_bins": 9, "sampling_rate": 100, "lower_edge_hertz": 1.0}
    return layers.MelSpectrogram().linear_to_mel_weight_matrix(**{**arguments, "upper_edge_hertz": 40.0, **changed})


def file(**arguments: Any) -> str:
    return utils.get_file(**{"origin": "file:///none", **arguments})


def images(**arguments: Any) -> Any:
    return utils.image_dataset_from_directory("none", **arguments)


Space = utils.FeatureSpace

REFUSED: dict[str, list[tuple[Callable[[], Any], str]]] = {
    "utils": [
        (lambda: frozen().update(a=2), "call unfreeze()"),
        (lambda: frozen().pop("a"), "call unfreeze()"),
        (lambda: frozen().__setitem__("a", 2), "call unfreeze()"),
        (lambda: frozen().__delitem__("a"), "call unfreeze()"),
        (lambda: setattr(frozen(), "a", 2), "call unfreeze()"),
        (lambda: delattr(frozen(), "a"), "call unfreeze()"),
        (lambda: file(origin=3), "`origin`"),
        (lambda: file(hash_algorithm="sha1"), "`hash_algorithm`"),
        (lambda: file(archive_format="rar"), "`archive_format`"),
        (lambda: file(cache_subdir=3), "`cache_subdir`"),
        (lambda: file(force_download="no"), "`force_download`"),
        (lambda: file(extract="no"), "`extract`"),
        (lambda: file(untar=1), "`untar`"),
        (lambda: images(format="a"), "`format`"),
        (lambda: images(color_mode="cmyk"), "`color_mode`"),
        (lambda: images(interpolation="lanczos"), "`interpolation`"),
        (lambda: images(data_format="first"), "`data_format`"),
        (lambda: images(crop_to_aspect_ratio="no"), "`crop_to_aspect_ratio`"),
        (lambda: images(crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "`pad_to_aspect_ratio`"),
        (lambda: utils.text_dataset_from_directory("none", format="a"), "`format`"),
        (lambda: utils.text_dataset_from_directory("none", max_length=0), "`max_length`"),
        (lambda: utils.split_dataset(ROW, 0.5, shuffle="no"), "`shuffle`"),
        (lambda: utils.split_dataset(ROW, 0.5, shuffle=True, seed=-1), "`seed`"),
        (lambda: portanet.device(3).__enter__(), "`device_name`"),
        (lambda: portanet.remat(3), "`f`"),
        (lambda: portanet.name_scope("a", deduplicate="no"), "`deduplicate`"),
        (lambda: portanet.name_scope("a", override_parent=3), "`override_parent`"),
        (lambda: tree.map_structure(3, [1]), "`func`"),
        (lambda: tree.map_structure_up_to([1], 3, [1]), "`func`"),
        (lambda: tree.map_shape_structure(3, (1, 2)), "`func`"),
        (lambda: tree.traverse(3, [1]), "`func`"),
        (lambda: Space.float_discretized(0), "`num_bins`"),
        (lambda: Space.feature("float32", 3, "int"), "`preprocessor`"),
        (lambda: Space.feature(3, layers.Rescaling(1.0), "int"), "`dtype`"),
        (lambda: Space.feature("float32", layers.Rescaling(1.0), "none"), "`output_mode`"),
        (lambda: Space.cross(("a", "b"), 0), "`crossing_dim`"),
        (lambda: Space.cross(("a", "b"), 3, "float"), "`output_mode`"),
        (lambda: utils.pad_sequences([[0.5]]), "dtype 'int32'"),
        (lambda: utils.pad_sequences([[1]], value=0.5), "dtype 'int32'"),
    ],
    "layers": [
        (lambda: layers.PReLU()(ROW), "(batch, ...)"),
        (lambda: layers.PositionEmbedding(3)(ROW), "(..., time, features)"),
        (lambda: layers.TransformerEncoder(4, 1)(X), "(batch, time, features)"),
        (lambda: layers.Attention()([SERIES, SERIES], mask=[X > 0, None]), "mask"),
        (lambda: layers.MultiHeadAttention(1, 2, attention_axes=(1, 2))(IMAGES, IMAGES[:1]), "number of examples"),
        (lambda: layers.StringLookup(vocabulary=["a"])(np.asarray([1])), "takes strings"),
        (lambda: layers.IntegerLookup(vocabulary=[1])(np.asarray(["a"])), "takes integers"),
        (lambda: layers.StringLookup().adapt(np.asarray([1])), "takes strings"),
        (lambda: layers.IntegerLookup().adapt(np.asarray(["a"])), "takes integers"),
        (lambda: layers.TextVectorization().adapt(np.asarray([1])), "strings"),
        (lambda: layers.InputSpec(shape="a"), "`shape`"),
        (lambda: layers.InputSpec(ndim=-1), "`ndim`"),
        (lambda: layers.InputSpec(max_ndim="a"), "`max_ndim`"),
        (lambda: layers.InputSpec(min_ndim=0.5), "`min_ndim`"),
        (lambda: layers.InputSpec(ndim=2, axes={2: 3}), "`axes`"),
        (lambda: layers.Input((3,), dtype="foo"), "`dtype`"),
        (lambda: layers.Lambda(np.sin, output_shape="a"), "`output_shape`"),
        (lambda: layers.Attention()([SERIES, SERIES], use_causal_mask="no"), "`use_causal_mask`"),
        (lambda: layers.MultiHeadAttention(1, 2)(SERIES, SERIES, return_attention_scores="no"), "`return_attention_sc"),
        (lambda: layers.ReversibleEmbedding(3, 2)(np.ones((2, 2)), reverse="no"), "`reverse`"),
        (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": -1.0}), "rmax"),
        (lambda: layers.Normalization(axis=2).adapt(X), "`axis`"),
        (lambda: layers.Discretization(num_bins=0), "`num_bins`"),
        (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=["a"]), "`idf_weights`"),
        (lambda: mel(num_mel_bins=0), "`num_mel_bins`"),
        (lambda: mel(num_spectrogram_bins=1), "`num_spectrogram_bins`"),
        (lambda: mel(sampling_rate=0), "`sampling_rate`"),
        (lambda: mel(lower_edge_hertz=-1.0), "`lower_edge_hertz`"),
        (lambda: mel(upper_edge_hertz=1.0), "`upper_edge_hertz`"),
        (lambda: layers.STFTSpectrogram(data_format="first"), "`data_format`"),
        (lambda: layers.Flatten(data_format="first"), "`data_format`"),
        (lambda: layers.ConvLSTM1D(2, 2, data_format="first"), "`data_format`"),
        (lambda: layers.SimpleRNN(2).get_initial_state(0), "`batch_size`"),
        (lambda: layers.CategoryEncoding(3)(np.asarray([0.5])), "holds integers"),
        (lambda: layers.Embedding(3, 2)(np.asarray([0.5])), "holds integers"),
        (lambda: models.Sequential().add(layers.Dense(1), rebuild="no"), "`rebuild`"),
        (lambda: layers.Layer().add_weight(name=3), "`name`"),
    ],
    "ops": [
        (lambda: ops.scan(lambda c, x: (c, x), 0.0, ROW, unroll=0), "`unroll`"),
        (lambda: ops.associative_scan(np.add, ROW, axis=1), "`axis`"),
        (lambda: ops.rearrange(X, "a (b c) -> a b c", b="x"), "`b`"),
        (lambda: ops.one_hot([0], 3, sparse="no"), "`sparse`"),
        (lambda: ops.image.gaussian_blur(IMAGES, kernel_size=(0, 3)), "`kernel_size`"),
        (lambda: ops.take(X, [0], axis=2), "`axis`"),
        (lambda: ops.repeat(ROW, [1, -1, 1]), "`repeats`"),
        (lambda: ops.repeat(ROW, -1), "`repeats`"),
        (lambda: ops.split(ROW, [0.5]), "`indices_or_sections`"),
        (lambda: ops.image.elastic_transform(IMAGES, interpolation="cubic"), "`interpolation`"),
        (lambda: ops.image.elastic_transform(IMAGES, fill_mode="none"), "`fill_mode`"),
        (lambda: ops.image.elastic_transform(IMAGES, alpha="a"), "`alpha`"),
        (lambda: ops.image.elastic_transform(IMAGES, sigma=0.0), "`sigma`"),
        (lambda: ops.reshape(X, (-2,)), "`newshape`"),
        (lambda: random.categorical(X, -1), "`num_samples`"),
        (lambda: random.dropout(X, 1.5), "`rate`"),
        (lambda: random.shuffle(X, axis=2), "`axis`"),
        (lambda: random.SeedGenerator(1, name=3), "`name`"),
        (lambda: streams.bernoulli(1, np.asarray(0.5), 1.0, (2,)), "`step` of a draw"),
    ],
    "training": [
        (lambda: built().pop(rebuild="no"), "`rebuild`"),
        (lambda: losses.CTC()(np.ones((2, 2), "int32"), X), "logits of shape (batch, time, classes)"),
        (lambda: metrics.AUC(num_labels=2), "`num_labels`"),
        (lambda: metrics.AUC(multi_label=True)(ROW, ROW), "(batch, labels)"),
        (lambda: metrics.AUC(multi_label=True, num_labels=2)(X, X), "(batch, 2)"),
        (lambda: metrics.AUC(label_weights=[1.0, 2.0], multi_label=True)(X, X), "(batch, 2)"),
        (lambda: metrics.Precision(class_id=3)(X, X), "`class_id`"),
        (lambda: metrics.Precision(class_id=0)(ROW, ROW), "`class_id`"),
        (lambda: losses.CategoricalFocalCrossentropy(alpha=[0.5, 0.5])(X, X), "3 classes"),
        (lambda: losses.circle([0, 1], X[:1]), "shape"),
        (lambda: losses.circle([0, 1], X, [0], X), "shape"),
        (lambda: optimizers.SGD().set_weights([]), "after build(variables)"),
        (lambda: optimizers.bisect(np.cos, np.zeros(1), np.full(1, 3.0, "float32")), "dtype of `a`"),
        (lambda: optimizers.bisect(np.cos, np.zeros(1), np.full(2, 3.0)), "shape and dtype of `a`"),
        (lambda: optimizers.bisect(np.cos, np.zeros(1), np.ones(1)), "opposite signs"),
        (lambda: optimizers.bisect(np.cos, np.full(1, 2.0), np.full(1, 3.0)), "opposite signs"),
        (lambda: optimizers.bisect(lambda x: x - 1.0, np.zeros(1), np.full(1, np.inf)), "finite"),
        (lambda: optimizers.MultiOptimizer(optimizers.Lookahead("sgd")), "Received"),
        (lambda: metrics.Mean().add_weight(name=3), "`name`"),
        (lambda: metrics.Mean().add_weight(shape=(-1,)), "`shape`"),
        (lambda: optimizers.SGD().add_variable((2,), name=3), "`name`"),
        (lambda: optimizers.SGD().add_variable((-1,)), "`shape`"),
        (lambda: optimizers.SGD().add_variable_from_reference(portanet.Variable(ROW), 3), "`name`"),
        (lambda: optimizers.OptimizerMap(optimizers.SGD()).__setitem__(3, optimizers.SGD()), "`key`"),
        (lambda: portanet.Variable(ROW, name=3), "`name`"),
        (lambda: built().get_state_tree("torch"), "`value_format`"),
        (lambda: built().set_state_tree(3), "`state_tree`"),
        (lambda: built().value_and_gradients(3), "`loss_fn`"),
        (lambda: built().value_and_gradients(lambda: 0.0, has_aux="no"), "`has_aux`"),
        (lambda: built().value_and_gradients(lambda: 0.0, variables=[ROW]), "`variables`"),
        (lambda: built().fit(X, X, verbose=0), "must be compiled first"),
        (lambda: built().evaluate(X, X, verbose=0), "must be compiled first"),
        (lambda: built().train_on_batch(X, X), "must be compiled first"),
        (lambda: metrics.CosineSimilarity(axis=2)(X, X), "`axis`"),
        (lambda: metrics.PearsonCorrelation(axis=2)(X, X), "`axis`"),
        (lambda: losses.CategoricalCrossentropy(axis=2)(X, X), "`axis`"),
        (lambda: losses.SparseCategoricalCrossentropy(axis=2)(np.ones(2, "int32"), X), "`axis`"),
        (lambda: metrics.BinaryAccuracy()(np.asarray([2.0]), np.asarray([0.5])), "from 0 to 1"),
        (lambda: metrics.AUC()(np.asarray([2.0]), np.asarray([0.5])), "from 0 to 1"),
        (lambda: metrics.Precision()(np.asarray([2.0]), np.asarray([0.5])), "from 0 to 1"),
        (lambda: metrics.SparseCategoricalAccuracy()(np.asarray([3]), np.ones((1, 3))), "class numbers from 0 to 2"),
        (
            lambda: metrics.SparseTopKCategoricalAccuracy()(np.asarray([3]), np.ones((1, 3))),
            "class numbers from 0 to 2",
        ),
        (lambda: metrics.MeanIoU(2)(np.asarray([2]), np.asarray([0])), "class numbers from 0 to 1"),
        (lambda: metrics.MeanIoU(2)(np.asarray([0]), np.asarray([2])), "of the predictions too"),
    ],
    "saving": [
        (lambda: saving.load_torch_state_dict(portanet.Sequential([layers.Dense(1)]), {}), "built"),
        (lambda: saving.load_keras_weights(portanet.Sequential([layers.Dense(1)]), {}), "built"),
        (lambda: saving.load_torch_state_dict(built(), {"a.weight": X}, batch_elements=1), "`batch_elements`"),
        (lambda: saving.load_torch_state_dict(built(), {"a.weight": X}, input_first=3), "`input_first`"),
        (lambda: saving.deserialize_keras_object({}, safe_mode="no"), "`safe_mode`"),
        (lambda: models.model_from_json(3), "`json_string`"),
        (lambda: saving.KerasFileEditor(3), "`filepath`"),
    ],
    "data": [
        (lambda: applications.MobileNet(depth_multiplier=2), "with weights='imagenet'"),
        (lambda: applications.MobileNet(alpha=0.6), "with weights='imagenet'"),
        (lambda: applications.MobileNetV2(alpha=0.6), "with weights='imagenet'"),
        (lambda: applications.MobileNetV3Small(alpha=0.6), "with weights='imagenet'"),
        (lambda: npdl.layers.MaxPooling((2, 2)).forward(np.ones((1, 1, 3, 4))), "divisible by pool_size"),
        (lambda: npdl.layers.MaxPooling((2, 2)).forward(np.ones((1, 1, 4, 3))), "divisible by pool_size"),
        (lambda: npdl.layers.MaxPooling((2, 2)).forward(np.ones((4, 4))), "3 or 4 axes"),
        (lambda: datasets.read_imdb(3), "`path`"),
        (lambda: datasets.read_imdb("none", max_bytes=0), "`max_bytes`"),
        (lambda: StandardScaler().fit(X).inverse_transform(X[:, :2]), "fitted to examples"),
        (lambda: MaxAbsScaler().fit(X).inverse_transform(X[:, :2]), "fitted to examples"),
        (lambda: applications.MobileNet(weights=None, name=3), "`name`"),
    ],
    "autodiff": [
        (lambda: vmap(3), "`f`"),
        (lambda: linearize(3, 1.0), "`f`"),
        (lambda: linearize(np.sin, ROW, has_aux="no"), "`has_aux`"),
        (lambda: linalg.lu_solve((X + 0.0, np.arange(2)), ROW[:2]), "square"),
        (lambda: linalg.solve_circulant(np.asarray(1.0), ROW), "vector"),
        (lambda: linalg.solve_triangular(X, ROW[:2]), "square"),
    ],
}


@pytest.mark.parametrize(("room", "i"), [(room, i) for room, rows in REFUSED.items() for i in range(len(rows))])
def test_the_argument_is_refused(room: str, i: int) -> None:
    function, text = REFUSED[room][i]
    with pytest.raises((TypeError, ValueError, RuntimeError), match=re.escape(text)) as caught:
        function()
    assert "Received" in str(caught.value) or text == "must be compiled first"


# What a layer is called with first, and what it refuses then.
BUILT: dict[str, tuple[Callable[[], Any], Any, Any, str]] = {
    "conv_axes": (lambda: layers.Conv1D(2, 2), SERIES, X, "(batch, steps, channels)"),
    "conv_channels": (lambda: layers.Conv1D(2, 2), SERIES, SERIES[..., :2], "3 features"),
    "attention": (lambda: layers.MultiHeadAttention(1, 2), [SERIES] * 2, [SERIES[..., :2]] * 2, "3 features"),
    "sines": (lambda: layers.SinePositionEncoding(), SERIES, ROW, "(..., time, features)"),
    "positions": (lambda: layers.PositionEmbedding(6), SERIES, SERIES[..., :1], "3 features"),
    "rotations": (lambda: layers.RotaryEmbedding(), SERIES[..., :2], ROW[:2], "(batch, time, ..., features)"),
    "bilinear": (lambda: layers.Bilinear(2), [X, X], [X[:, :1], X], "3 features"),
    "bilinear_second": (lambda: layers.Bilinear(2), [X, X], [X, X[:, :1]], "3 features"),
    "rbf": (lambda: layers.RBF(2), X, X[:, :1], "3 features"),
    "rbm": (lambda: layers.RBM(2), X, X[:, :1], "3 features"),
    "batch_normalization": (lambda: layers.BatchNormalization(), X, SERIES, "axes"),
    "group_axes": (lambda: layers.GroupNormalization(1), X, SERIES, "axes"),
    "group_channels": (lambda: layers.GroupNormalization(1), X, X[:, :1], "3 features"),
    "adaptive": (lambda: layers.AdaptiveAveragePooling1D(2), SERIES, X, "(batch, steps, channels)"),
    "pooling": (lambda: layers.MaxPooling1D(2), SERIES, X, "(batch, steps, channels)"),
    "global_average": (lambda: layers.GlobalAveragePooling1D(), SERIES, X, "(batch, steps, channels)"),
    "global_average_2d": (lambda: layers.GlobalAveragePooling2D(), IMAGES, X, "(batch, height, width, channels)"),
    "global_max": (lambda: layers.GlobalMaxPooling1D(), SERIES, X, "(batch, steps, channels)"),
    "global_max_2d": (lambda: layers.GlobalMaxPooling2D(), IMAGES, X, "(batch, height, width, channels)"),
    "sampling": (lambda: layers.UpSampling2D(), IMAGES, SERIES, "(batch, height, width, channels)"),
    "padding": (lambda: layers.ZeroPadding1D(), SERIES, X, "(batch, steps, channels)"),
    "permute": (lambda: layers.Permute((2, 1)), SERIES, X, "2 axes besides"),
    "rnn": (lambda: layers.SimpleRNN(2), SERIES, X, "(batch, time, features)"),
    "time_distributed": (lambda: layers.TimeDistributed(layers.Dense(2)), SERIES, X, "(batch, time, ...)"),
    "images": (lambda: layers.RandomFlip(), IMAGES, X, "images of shape"),
    "resizing": (lambda: layers.Resizing(2, 2), IMAGES, X, "images of shape"),
}


# Layers that are not built yet take any number of features, and normalization any number of axes.
FRESH = [name for name, row in BUILT.items() if row[3] not in ("3 features", "axes")]


@pytest.mark.parametrize(("name", "fresh"), [*((name, True) for name in FRESH), *((name, False) for name in BUILT)])
def test_the_input_is_refused(name: str, fresh: bool) -> None:
    make, good, bad, text = BUILT[name]
    layer = make()
    if not fresh:
        layer(*good) if name == "attention" else layer(good)
    with pytest.raises(ValueError, match=re.escape(text)):
        layer(*bad) if name == "attention" else layer(bad)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_that_leave_their_folder_are_refused(kind: str, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("pooch")
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../out.txt", "x")
    else:
        with tarfile.open(path, "w") as tar:
            tar.addfile(tarfile.TarInfo("../out.txt"), io.BytesIO(b""))
    with pytest.raises(ValueError, match="entries outside of its folder"):
        utils.get_file("b", path.as_uri(), extract=True, cache_dir=tmp_path / "cache")
    assert not list(tmp_path.rglob("out.txt"))


@pytest.mark.parametrize("name", ["PortanetClassifier", "SKLearnClassifier"])
def test_classifiers_refuse_numbers_as_classes(name: str) -> None:
    pytest.importorskip("sklearn")
    from portanet import estimators, wrappers

    model: Any = estimators.PortanetClassifier() if name[0] == "P" else wrappers.SKLearnClassifier(built())
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        model.fit(X, np.asarray([0.3, 1.7]))


@pytest.mark.parametrize(
    ("true", "pred"), [((2, 1), (2,)), ((2,), (2, 1)), ((2, 3), (2, 3)), ((2, 3, 1), (2, 3)), ((2, 3), (2, 3, 1))]
)
def test_a_last_axis_of_one_may_lack(true: tuple[int, ...], pred: tuple[int, ...]) -> None:
    assert float(losses.MeanSquaredError()(np.zeros(true), np.full(pred, 2.0))) == 4.0


def test_bounds_that_are_met() -> None:
    """Ends at which the function is 0 are roots, and steps may be all of one size."""
    for a, b in ((0.0, 2.0), (-2.0, 0.0), (2.0, 0.0), (0.0, -2.0)):
        root = optimizers.bisect(lambda x: 2 * x, np.full(1, a), np.full(1, b))
        assert abs(float(root.x[0])) < 1e-6
    assert optimizers.Rprop(min_step=0.5, max_step=0.5).max_step == 0.5
