"""Networks and preprocessing against Keras: structure, values, and weights in files."""

from __future__ import annotations

import importlib
import pathlib

import numpy as np
import pytest

import portanet
from portanet import applications
from portanet.backends import Backend
from tests.applications.structures import create, known, structure

keras = pytest.importorskip("keras")
networks = importlib.import_module("tests.keras.networks")  # imports Keras

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_network_computes_what_that_of_keras_computes(backend: Backend) -> None:
    pair = networks.create_pair("MobileNet .25")
    assert networks.differences(*pair) == []
    assert networks.deviation(*pair) < 1e-5


@pytest.mark.parametrize("case", ["MobileNetV3Small", "ResNet50V2", "EfficientNetB0", "ConvNeXtTiny"])
def test_networks_compute_what_those_of_keras_compute(case: str) -> None:
    with portanet.use_backend("numpy"):
        pair = networks.create_pair(case)
        assert networks.differences(*pair) == []
        assert networks.deviation(*pair) < 1e-5


def test_the_table_is_that_of_keras() -> None:
    keras.backend.clear_session()
    assert structure(create(keras.applications, "MobileNetV2 .35")) == known()["MobileNetV2 .35"]


@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".keras"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_weights_in_files_of_keras(ending: str, tmp_path: pathlib.Path) -> None:
    ours, theirs = networks.create_pair("MobileNet .25", classes=3)
    path = tmp_path / f"net{ending}"
    (theirs.save_weights if ending == ".weights.h5" else theirs.save)(path)
    loaded = create(applications, "MobileNet .25", classes=3, weights=path)
    for own, other in zip(loaded.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    if ending != ".h5":
        (ours.save_weights if ending == ".weights.h5" else ours.save)(tmp_path / f"back{ending}")
        theirs.set_weights([np.zeros_like(values) for values in theirs.get_weights()])
        theirs.load_weights(tmp_path / f"back{ending}")
        for own, other in zip(loaded.get_weights(), theirs.get_weights(), strict=False):
            np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_preprocessing(mode: str, data_format: str) -> None:
    x = np.random.default_rng(0).uniform(0, 255, (3, 3, 3)).astype("float32")
    for images in (x, x[None]):
        theirs = keras.applications.imagenet_utils.preprocess_input(images.copy(), data_format, mode)
        ours = portanet.applications.imagenet_utils.preprocess_input(images, data_format, mode)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
