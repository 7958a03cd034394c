"""Data that is no plain real array is refused with the remedy, wherever it comes in."""

import functools

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.training.data.intake import as_tree

X, Y = np.ones((4, 2), dtype="float32"), np.ones((4, 1), dtype="float32")
KINDS = {
    "masked": (lambda a: np.ma.masked_array(a, mask=a > 0), r"x\.filled\(0\)"),
    "matrix": (np.matrix, r"np\.asarray\(x\)"),
    "complex": (lambda a: a + 1j, "real and imaginary parts"),
    "sparse": (lambda a: pytest.importorskip("scipy.sparse").csr_matrix(a), r"x\.toarray\(\)"),
    "sparse tensors": (lambda a: pytest.importorskip("torch").tensor(a).to_sparse(), r"x\.to_dense\(\)"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_it_is_refused(backend, kind):
    make, remedy = KINDS[kind]
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    calls = [
        lambda: model.fit(make(X), Y, verbose=0),
        lambda: model.fit(X, make(Y), verbose=0),
        lambda: model.evaluate(make(X), Y, verbose=0),
        lambda: model.predict(make(X)),
    ]
    weights = make(Y[:, 0] + 0)
    calls += [
        lambda: model.fit(X, Y, sample_weight=weights, verbose=0),
        lambda: model.fit(X, Y, validation_data=(X, Y, weights), verbose=0),
        lambda: model.fit(iter([(X, Y, weights)]), verbose=0),
        lambda: model.evaluate(X, Y, sample_weight=weights, verbose=0),
        lambda: model.train_on_batch(X, Y, sample_weight=weights),
        lambda: model.test_on_batch(X, Y, sample_weight=weights),
        lambda: model.loss_and_gradients(X, Y, weights),
    ]
    before = model.get_weights()
    calls += [] if kind == "complex" else [lambda: portanet.asarray(make(X))]
    calls += [] if kind in ("complex", "sparse tensors") else [lambda: layers.Dense(1)(make(X))]
    for call in calls:
        with pytest.raises(TypeError, match=remedy):
            call()
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["masked", "complex"])
def test_weights_of_losses_and_metrics_are_plain(backend, kind):
    make, remedy = KINDS[kind]
    x, weights = portanet.asarray(X), make(np.ones(4, dtype="float32"))
    if kind == "complex":
        weights = portanet.asarray(weights)
    for compare in (portanet.losses.MeanSquaredError(), portanet.metrics.MeanSquaredError()):
        with pytest.raises(TypeError, match=remedy):
            compare(x, x, weights)


@pytest.mark.parametrize("weight", [1 + 0j, np.complex64(1), np.ma.masked, np.ones(2), "1", None, float("nan")])
def test_class_weights_are_plain_numbers(backend, weight):
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = np.asarray([0, 1, 2, 1])
    for call in (model.fit, model.train_on_batch):
        options = {"verbose": 0} if call == model.fit else {}
        with pytest.raises((ValueError, TypeError), match=r"`class_weight` must hold non-neg|x\.filled\(0\)"):
            call(X, labels, class_weight={0: 1.0, 1: weight}, **options)
        with pytest.raises(TypeError, match=r"complex"):
            call(X, labels + 0j, class_weight={0: 1.0}, **options)
        call(X, labels, class_weight={0: np.float64(2), np.int64(1): np.asarray(3)}, **options)


@pytest.mark.filterwarnings("ignore:.*in (beta|prototype) state", "ignore:The PyTorch API of nested tensors")
def test_sparse_and_nested_tensors():
    torch = pytest.importorskip("torch")
    tensors = {
        r"sparse_coo": torch.ones(2, 3).to_sparse(),
        r"sparse_csr": torch.ones(2, 3).to_sparse_csr(),
        r"nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    }
    for name in ("torch", "numpy"):
        with portanet.use_backend(name):
            for kind, tensor in tensors.items():
                for function in (portanet.asarray, portanet.to_host):
                    if name == "numpy" or function is portanet.asarray:
                        with pytest.raises(TypeError, match=f"plain arrays.*Received: a tensor of layout {kind}"):
                            function(tensor)


def test_lists_of_arrays_at_any_depth_are_trees():
    one, two = np.ones((2, 1)), np.zeros((2, 3))
    for tree in (
        [[one, two], two],
        [[one]],
        [None, [one, two]],
        [None, {"a": one}],
        {"a": [[one], two]},
        [[{"a": one}]],
    ):
        result = as_tree(tree)
        assert repr(result) == repr(tree)
    for numbers in ([[1.0, 2.0], [3.0, 4.0]], ((1, 2), (3, 4)), [1, 2, 3]):
        result = as_tree(numbers)
        assert isinstance(result, np.ndarray)
        np.testing.assert_array_equal(result, numbers)


@pytest.mark.filterwarnings("ignore:.*in (beta|prototype) state", "ignore:The PyTorch API of nested tensors")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_tensors_without_plain_values():
    torch = pytest.importorskip("torch")
    ones = torch.ones(4, 2)
    tensors = {
        r"x\.to_dense\(\)": ones.to_sparse(),
        r"x\.dequantize\(\)": torch.quantize_per_tensor(ones, 0.1, 0, torch.qint8),
        r"create it on a device": torch.empty((4, 2), device="meta"),
        r"pad the rows": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    }
    for name in ("torch", "numpy"):
        with portanet.use_backend(name):
            model = portanet.Sequential([layers.Input((2,)), layers.Dense(2)])
            model.compile("sgd", "mse")
            losses = [portanet.losses.MeanSquaredError(), portanet.metrics.MeanSquaredError()]
            for remedy, tensor in tensors.items():
                calls = [
                    portanet.asarray,
                    model.predict,
                    functools.partial(model.evaluate, X, verbose=0),
                    lambda x, model=model: model.set_weights([x, np.zeros(2)]),
                    *(functools.partial(loss, X) for loss in losses),
                ]
                for call in calls[:4] if tensor.is_nested else calls:
                    with pytest.raises(TypeError, match=remedy):
                        call(tensor)


def test_layers_name_the_sparse_tensor_that_they_cannot_take():
    torch = pytest.importorskip("torch")
    with portanet.use_backend("torch"):
        for layer in (layers.Flatten(), layers.ReLU(), layers.LayerNormalization()):
            with pytest.raises(TypeError, match=rf"Inputs of layer '{layer.name}' must be plain arrays.*to_dense"):
                layer(torch.ones(2, 3).to_sparse())


def test_weights_are_set_to_plain_arrays(backend):
    layer = layers.Dense(2)
    layer.build((None, 2))
    ones = np.ones((2, 2), dtype="float32")
    for wrong in (np.ma.masked_array(ones, mask=ones > 0), pytest.importorskip("scipy.sparse").csr_matrix(ones)):
        with pytest.raises(TypeError, match=r"Values of weight 'kernel' must be plain arrays"):
            layer.set_weights([wrong, ones[0]])
    layer.set_weights([portanet.asarray(ones), [1.0, 2.0]])
    np.testing.assert_array_equal(layer.get_weights()[0], ones)


def test_missing_values_of_frames():
    pandas = pytest.importorskip("pandas")
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    for dtype, value in (("Int64", 1), ("boolean", True), ("Float32", 0.5)):
        frame = pandas.DataFrame({"a": pandas.array([value, None, value, value], dtype=dtype)})
        with pytest.raises(ValueError, match=r"Argument `x` (of asarray )?holds (missing values; fill them|NaN)"):
            model.predict(frame)
        with pytest.raises(ValueError, match=r"Argument `y` holds (missing values; fill them|NaN)"):
            model.fit(X[:, :1], frame["a"], verbose=0)


def test_complex_numbers_in_lists(backend):
    for compare in (portanet.losses.MeanSquaredError(), portanet.metrics.MeanSquaredError()):
        for given in (([1j, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1j, 1.0]), ([1.0, 1.0], [1.0, 1.0], [1j, 1.0])):
            with pytest.raises(TypeError, match="real numbers"):
                compare(*given)
    with pytest.raises(TypeError, match="Argument `values` of Metric 'mean' must hold real numbers"):
        portanet.metrics.Mean().update_state([[1j, 2.0]])
    with pytest.raises(TypeError, match="real numbers"):
        portanet.metrics.Sum().update_state([1.0, 2.0], sample_weight=[1j, 1.0])


def test_dicts_of_keys_are_sparse_matrices():
    sparse = pytest.importorskip("scipy.sparse").dok_array(X)
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"Argument `x` must be plain arrays: sparse.*x\.toarray\(\)"):
        model.predict(sparse)
    with pytest.raises(TypeError, match=r"Argument `y` must be plain arrays: sparse.*x\.toarray\(\)"):
        model.fit(X, sparse, verbose=0)
