"""Preprocessing of images, and the names of classes."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.applications import densenet, efficientnet, mobilenet, vgg16
from portanet.applications.imagenet_utils import decode_predictions, preprocess_input
from tests.support import asarray, assert_close

IMAGE = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3))
EXPECTED = {
    "tf": IMAGE / 127.5 - 1,
    "torch": (IMAGE / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    "caffe": IMAGE[..., ::-1] - [103.939, 116.779, 123.68],
}


@pytest.mark.parametrize("mode", EXPECTED)
def test_preprocessing(mode: str, xp: Any) -> None:
    x, expected = IMAGE.astype("float32"), EXPECTED[mode]
    assert_close(preprocess_input(asarray(x), mode=mode), expected, atol=1e-5)
    assert_close(preprocess_input(asarray(x[0]), mode=mode), expected[0], atol=1e-5)
    first = preprocess_input(asarray(x.transpose(0, 3, 1, 2)), "channels_first", mode)
    assert_close(first, expected.transpose(0, 3, 1, 2), atol=1e-5)
    whole = asarray(IMAGE.astype("int32"))
    assert_close(preprocess_input(whole, mode="tf"), IMAGE.astype("int32") / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize("mode", EXPECTED)
def test_numpy_arrays_stay_numpy_arrays_and_are_not_changed(mode: str, xp: Any) -> None:
    for dtype in ("float64", "float32", "uint8"):
        x = IMAGE.astype(dtype)
        result = preprocess_input(x, mode=mode)
        assert type(result) is np.ndarray
        assert result.dtype == ("float32" if dtype == "uint8" else dtype)
        np.testing.assert_array_equal(x, IMAGE.astype(dtype))
    np.testing.assert_allclose(preprocess_input(IMAGE, mode=mode), EXPECTED[mode])


def test_preprocessing_in_a_graph(xp: Any) -> None:
    x = layers.Input((4, 5, 3))
    for module, mode in ((vgg16, "caffe"), (densenet, "torch"), (mobilenet, "tf")):
        model = portanet.Model(x, module.preprocess_input(x))
        np.testing.assert_allclose(
            model.predict(IMAGE.astype("float32"), verbose=0), EXPECTED[mode], rtol=1e-4, atol=1e-4
        )
    assert efficientnet.preprocess_input(x) is x


def test_bad_images_are_refused() -> None:
    with pytest.raises(ValueError, match="an array of images with 3 channels"):
        preprocess_input(np.ones((2, 4, 5, 4)))
    with pytest.raises(ValueError, match="an array of images with 3 channels"):
        preprocess_input([1.0, 2.0])
    with pytest.raises(ValueError, match="`mode` of preprocess_input"):
        preprocess_input(IMAGE, mode="jax")


def test_predictions_are_named(tmp_path: pathlib.Path, xp: Any) -> None:
    file = tmp_path / "classes.json"
    file.write_text(json.dumps({str(i): [f"n{i}", name] for i, name in enumerate(["cat", "dog", "fox"])}))
    result = decode_predictions(asarray([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]]), 2, file)
    assert [[name for _, name, _ in row] for row in result] == [["fox", "dog"], ["cat", "dog"]]
    assert result[0][0][0] == "n2"
    assert float(result[0][0][2]) == pytest.approx(0.7)
    assert len(decode_predictions(np.ones((1, 3)), class_index=file)[0]) == 3
    with pytest.raises(ValueError, match=r"probabilities of shape \(batch, 3\)"):
        decode_predictions(np.ones((1, 4)), class_index=file)
    file.write_text("{}}")
    with pytest.raises(ValueError, match="has no classes"):
        decode_predictions(np.ones((1, 3)), class_index=file)


def test_the_file_of_classes_is_downloaded(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pooch")
    monkeypatch.setenv("PORTANET_HOME", str(tmp_path))
    monkeypatch.setattr("portanet.applications.imagenet_utils.URL", (tmp_path / "absent.json").as_uri())
    with pytest.raises(OSError, match=r"store the file as .*models.imagenet_class_index\.json"):
        decode_predictions(np.ones((1, 1000)))
