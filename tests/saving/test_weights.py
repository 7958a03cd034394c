"""Weight files: names, mismatches, transfer."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import LoadError, load_weights, save_weights
from tests.support import asarray

read = pytest.importorskip("safetensors.numpy")


def network(units: int = 4, seed: int = 0, extra: bool = False) -> portanet.Sequential:
    portanet.random.set_seed(seed)
    more = [layers.Dense(2, name="extra")] if extra else []
    body = [layers.Dense(units, name="body"), layers.Dropout(0.5), layers.BatchNormalization(name="norm")]
    return portanet.Sequential([layers.Input((3,)), *body, layers.Dense(2, name="head"), *more])


@pytest.fixture
def saved(backend, tmp_path):
    path = tmp_path / "weights.safetensors"
    network().save_weights(path)
    return path


def test_any_reader_finds_them_under_their_names(saved):
    result, model = read.load_file(saved), network()
    assert set(result) == {p for p, v in model.named_variables().items() if not v.counter}
    assert {"body/kernel", "norm/moving_variance"} < set(result)
    for path, values in result.items():
        np.testing.assert_array_equal(values, model.named_variables()[path].numpy())


def test_weights_are_restored(saved):
    model = network(seed=1)
    result = model.load_weights(saved)
    assert result.matching == [v.path for v in model.weights]
    assert (result.missing, result.unexpected, result.mismatched) == ([], [], {})
    for ours, theirs in zip(model.get_weights(), network().get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_files_of_others_are_read(tmp_path, backend):
    path, model = tmp_path / "other.safetensors", network(seed=1)
    values = {v.path: np.full(v.shape, 2.0, dtype="float64") for v in model.weights}
    read.save_file(values, path)
    model.load_weights(path)
    assert all((w == 2).all() and w.dtype == np.float32 for w in model.get_weights())


def test_all_that_does_not_fit_is_listed_and_nothing_changes(tmp_path, backend):
    path, model = tmp_path / "other.safetensors", network(seed=1)
    values = {v.path: v.numpy() for v in model.weights}
    del values["body/bias"], values["norm/beta"]
    values |= {"head/kernel": np.zeros((4, 9), "float32"), "other/kernel": np.zeros(1), "head/bias": np.zeros(2, int)}
    read.save_file(values, path)
    before = model.get_weights()
    with pytest.raises(LoadError) as caught:
        model.load_weights(path)
    for part in (
        str(path),
        "2 missing from the file:\n  'body/bias'\n  'norm/beta'",
        "1 only in the file:\n  'other/kernel'",
        "'head/kernel': expected float32 (4, 2), the file has float32 (4, 9)",
        "'head/bias': expected float32 (2,), the file has int64 (2,)",
        "nothing was changed",
    ):
        assert part in str(caught.value)
    with pytest.raises(LoadError, match=r"2 of different shapes or kinds"):
        model.load_weights(path, strict=False)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    result = model.load_weights(path, strict=False, skip_mismatch=True)
    assert result.missing == ["body/bias", "norm/beta"]
    assert result.unexpected == ["other/kernel"]
    assert list(result.mismatched) == ["head/kernel", "head/bias"]
    assert "body/kernel" in result.matching


def test_parts_are_transferred_by_pattern(saved):
    model, source = network(seed=1, extra=True), network()
    head = model.named_variables()["head/kernel"].numpy()
    assert model.load_weights(saved, pattern="^body/").matching == ["body/kernel", "body/bias"]
    np.testing.assert_array_equal(
        model.named_variables()["body/kernel"].numpy(), source.named_variables()["body/kernel"].numpy()
    )
    np.testing.assert_array_equal(model.named_variables()["head/kernel"].numpy(), head)
    assert len(model.load_weights(saved, pattern=["^body/", "norm/moving"]).matching) == 4
    with pytest.raises(LoadError, match=r"2 missing from the file:\n  'extra/kernel'"):
        model.load_weights(saved, pattern="extra|body")
    with pytest.raises(LoadError, match=r"no weight of 'sequential' has a name that matches. Received: pattern='tail'"):
        model.load_weights(saved, pattern="tail")


def test_a_saved_model_is_a_source_of_weights(tmp_path, backend):
    path, model = tmp_path / "model.safetensors", network(seed=1)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    model.save(path)
    other = network(seed=2)
    assert other.load_weights(path).unexpected == []
    for ours, theirs in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_alone_can_be_saved(tmp_path, backend):
    path, layer, other = tmp_path / "layer.safetensors", layers.GRU(3), layers.GRU(3)
    x = asarray(np.ones((2, 4, 2)))
    expected = layer(x), other(x)
    save_weights(layer, path)
    load_weights(other, path)
    assert bool(backend.xp.all(other(x) == expected[0]))
    assert not bool(backend.xp.all(expected[1] == expected[0]))


def test_half_precision_keeps_its_bits(tmp_path, backend):
    for dtype in ("float16", "bfloat16", "float64"):
        if not hasattr(backend.xp, dtype):
            continue
        with portanet.use_backend(backend.name, backend.device, dtype):
            model, path = network(), tmp_path / f"{dtype}.safetensors"
            model.save_weights(path)
            other = network(seed=1)
            other.load_weights(path)
            assert {backend.dtype_name(v.dtype) for v in other.weights} == {dtype}
        for ours, theirs in zip(other.weights, model.weights, strict=True):
            assert bool(backend.xp.all(ours.value == theirs.value))
        header = path.read_bytes()[:4000]
        assert {"float16": b'"F16"', "bfloat16": b'"BF16"', "float64": b'"F64"'}[dtype] in header


def test_a_model_without_weights_yet_is_refused(tmp_path):
    model = portanet.Sequential([layers.Dense(2)])
    for call in (model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match="has no weights yet: give the model an Input"):
            call(tmp_path / "x.safetensors")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        network().load_weights(tmp_path / "none.safetensors")


def test_a_mapping_names_layers_not_the_cells_in_them() -> None:
    model = portanet.Sequential([layers.Input((3, 2)), layers.GRU(2, name="reader")])
    doubled = {path: 2 * variable.numpy() for path, variable in model.named_variables().items()}
    weights = {path.replace("reader/gru_cell", "gru_3/cell_9"): values for path, values in doubled.items()}
    assert doubled.keys().isdisjoint(weights)
    portanet.saving.load_keras_weights(model, weights, {"reader": "gru_3"})
    for path, variable in model.named_variables().items():
        np.testing.assert_array_equal(variable.numpy(), doubled[path])
