"""Networks: their structure is that of Keras's, and what their arguments do."""

from __future__ import annotations

import importlib
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import applications, layers, ops
from portanet.applications.base import Network, application
from portanet.applications.pretrained import pretrained_weights
from portanet.backends import Backend
from portanet.config import set_image_data_format
from portanet.variables import allocate_for_loading
from tests.applications.structures import create, known, structure

PARAMETERS = {
    "ConvNeXtTiny": 28_589_128, "ConvNeXtSmall": 50_223_688, "ConvNeXtBase": 88_591_464,
    "ConvNeXtLarge": 197_767_336, "ConvNeXtXLarge": 350_196_968,
    "DenseNet121": 8_062_504, "DenseNet169": 14_307_880, "DenseNet201": 20_242_984, "EfficientNetB0": 5_330_571,
    "EfficientNetB1": 7_856_239, "EfficientNetB2": 9_177_569, "EfficientNetB3": 12_320_535,
    "EfficientNetB4": 19_466_823, "EfficientNetB5": 30_562_527, "EfficientNetB6": 43_265_143,
    "EfficientNetB7": 66_658_687, "EfficientNetV2B0": 7_200_312, "EfficientNetV2S": 21_612_360,
    "EfficientNetV2M": 54_431_388, "EfficientNetV2L": 119_027_848, "InceptionV3": 23_851_784,
    "InceptionResNetV2": 55_873_736, "NASNetLarge": 88_949_818, "NASNetMobile": 5_326_716, "MobileNet": 4_253_864,
    "MobileNetV2": 3_538_984, "ResNet50": 25_636_712, "ResNet101": 44_707_176, "ResNet152": 60_419_944,
    "ResNet50V2": 25_613_800, "ResNet101V2": 44_675_560, "ResNet152V2": 60_380_648, "Xception": 22_910_480,
}  # fmt: skip
"""Of networks whose number of weights does not depend on the size of images; from Keras's documentation and papers."""

Tiny = application(
    "Tiny",
    "A network with one convolution.",
    Network(
        lambda x: layers.Conv2D(4, 3, name="conv")(x),
        lambda x, classes, activation: layers.Dense(classes, activation)(layers.GlobalAveragePooling2D()(x)),
        "tiny",
        size=40,
        channels_first=False,
    ),
)


@pytest.mark.parametrize("case", known())
def test_layers_and_weights_are_those_of_keras(case: str) -> None:
    with portanet.use_backend("numpy"), allocate_for_loading(10**9):
        assert structure(create(applications, case)) == known()[case]


def test_numbers_of_parameters_are_documented_ones() -> None:
    assert {name: known()[name].parameters for name in PARAMETERS} == PARAMETERS


def test_every_network_is_in_the_table() -> None:
    networks = {name for name in applications.__all__ if name[0].isupper()}
    assert networks == {case for case in known() if " " not in case}
    for name in networks:
        assert getattr(applications, name).__name__ == name
        assert "Args:" in getattr(applications, name).__doc__


def test_a_network_is_imported_when_it_is_used() -> None:
    code = (
        "import sys, portanet; assert 'portanet.applications' not in sys.modules; from portanet import applications; "
        "assert not any(name.startswith('portanet.applications.') for name in sys.modules); applications.MobileNet; "
        "assert 'portanet.applications.mobilenet' in sys.modules; "
        "assert 'portanet.applications.resnet' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_network_learns(backend: Backend) -> None:
    if backend.name == "jax":
        pytest.skip("JAX compiles its step for a minute")
    model = applications.MobileNet((32, 32, 3), alpha=0.1, weights=None, classes=2, dropout=0.0)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    x, y = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32"), np.asarray([0, 1, 0, 1])
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=1, batch_size=4, verbose=0)
    assert np.isfinite(before)
    assert model.predict(x, verbose=0).shape == (4, 2)


def test_channels_first_gives_the_same(xp: Any) -> None:
    x = np.random.default_rng(0).standard_normal((1, 33, 32, 3)).astype("float32")
    last = applications.MobileNetV2((33, 32, 3), alpha=0.35, weights=None, classes=3)
    set_image_data_format("channels_first")
    try:
        first = applications.MobileNetV2((3, 33, 32), alpha=0.35, weights=None, classes=3)
        assert first.name == "mobilenetv2_0.35_33"
        with pytest.raises(ValueError, match="Tiny takes images with channels last"):
            Tiny(weights=None)
    finally:
        set_image_data_format("channels_last")
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(
        first.predict(x.transpose(0, 3, 1, 2), verbose=0), last.predict(x, verbose=0), rtol=1e-4, atol=1e-6
    )


def test_tops_pooling_and_names() -> None:
    assert Tiny(weights=None).input_shape == (None, 40, 40, 3)
    assert Tiny(weights=None).output_shape == (None, 1000)
    assert Tiny(weights=None, include_top=False).output_shape == (None, None, None, 4)
    for pooling in ("avg", "max"):
        model = Tiny(weights=None, include_top=False, pooling=pooling, name="own")
        assert (model.output_shape, model.layers[-1].name, model.name) == ((None, 4), f"{pooling}_pool", "own")
    logits = Tiny(weights=None, classifier_activation=None, classes=2)
    assert logits.layers[-1].get_config()["activation"] == "linear"


def test_the_input_may_be_an_array_of_a_graph() -> None:
    x = layers.Input((64, 64, 3))
    model = Tiny(weights=None, include_top=False, input_tensor=ops.clip(layers.Rescaling(1 / 255)(x), 0.0, 1.0))
    assert model.inputs == [x]
    assert model.output_shape == (None, 62, 62, 4)
    assert applications.MobileNetV2(alpha=0.35, include_top=False, weights=None, input_tensor=x).name == (
        "mobilenetv2_0.35_None"
    )


def test_a_network_is_saved_and_loaded(tmp_path: pathlib.Path) -> None:
    with portanet.use_backend("numpy"):
        model = applications.MobileNetV3Small((32, 32, 3), alpha=0.1, weights=None, classes=2)
        x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
        model.save(tmp_path / "model.safetensors")
        loaded = portanet.load_model(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("name", ["w.safetensors", "w.weights.h5", "w.keras"])
def test_weights_from_files(name: str, tmp_path: pathlib.Path) -> None:
    if name != "w.safetensors":
        pytest.importorskip("h5py")
    with portanet.use_backend("numpy"):
        model = Tiny(weights=None, classes=3)
        (model.save if name == "w.keras" else model.save_weights)(tmp_path / name)
        loaded = Tiny(weights=tmp_path / name, classes=3)
        for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        with pytest.raises(
            portanet.saving.LoadError, match=r"expected float32 \(4, 2\), the file has float32 \(4, 3\)"
        ):
            Tiny(weights=tmp_path / name, classes=2)


def test_arguments_are_checked(tmp_path: pathlib.Path) -> None:
    small = {"weights": None, "input_shape": (32, 32, 3)}
    with pytest.raises(ValueError, match=r"`input_shape` of Tiny must be images of at least 32 pixels .*\(31, 32, 3\)"):
        Tiny(weights=None, input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match="three sizes"):
        Tiny(weights=None, input_shape=(32, 32))
    with pytest.raises(ValueError, match="include_top=False"):
        Tiny(weights=None, input_shape=(None, None, 3))
    with pytest.raises(ValueError, match="there is no such file"):
        Tiny(weights=tmp_path / "absent.h5")
    with pytest.raises(ValueError, match="`classes` of Tiny must be 1000 with weights='imagenet'"):
        Tiny(classes=3)
    with pytest.raises(ValueError, match=r"must be \(40, 40, 3\), which the pretrained top takes"):
        Tiny(input_shape=(32, 32, 3))
    with pytest.raises(ValueError, match="must be None or 'softmax' with loaded weights"):
        Tiny(classifier_activation="relu")
    with pytest.raises(ValueError, match="`input_tensor` of Tiny must be a symbolic array"):
        Tiny(weights=None, input_tensor=np.ones((1, 32, 32, 3)))
    with pytest.raises(ValueError, match=r"one of 0\.25, 0\.5, 0\.75, 1\.0 with weights='imagenet'"):
        applications.MobileNet(alpha=0.3)
    with pytest.warns(UserWarning, match="1 or 3 channels"):
        Tiny(weights=None, input_shape=(32, 32, 2))
    with pytest.raises(ValueError, match="a file of Keras or portanet"):
        Tiny(weights=_safetensors(tmp_path))
    assert Tiny(**small).output_shape == (None, 1000)


def _safetensors(folder: pathlib.Path) -> pathlib.Path:
    from safetensors.numpy import save_file

    save_file({"conv.weight": np.ones((4, 3, 3, 3), "float32")}, folder / "torch.safetensors")
    return folder / "torch.safetensors"


def test_without_network_the_error_says_where_to_store_the_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pooch")
    monkeypatch.setenv("PORTANET_HOME", str(tmp_path))
    monkeypatch.setattr("portanet.applications.pretrained.STORE", "https://nowhere.invalid/")
    monkeypatch.setattr(
        "portanet.applications.pretrained.FOLDERS", {"vgg16": (tmp_path.as_uri() + "/", "{}_weights", "_notop")}
    )
    with pytest.raises(OSError, match=r"store the file as .*models/vgg16_weights_notop\.h5"):
        applications.VGG16(include_top=False)


SIDES = {"MobileNet": (128, 160, 192, 224), "MobileNetV2": (96, 128, 160, 192, 224)}
ALPHAS = {"MobileNet": {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}}
ALPHAS["MobileNetV2"] = {alpha: str(alpha) for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)}
FILES = {
    "MobileNet": "mobilenet/mobilenet_{alpha}_{side}_tf{end}.h5",
    "MobileNetV2": "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{side}{end}.h5",
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_all_sizes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each width and size of images there is one; of other sizes, that of 224 pixels."""
    module = importlib.import_module(applications.__name__ + (".mobilenet" if name == "MobileNet" else ".mobilenet_v2"))
    keys, asked = [], []
    monkeypatch.setattr(module, "create_model", lambda of, network, *others: keys.append(network.pretrained))
    monkeypatch.setattr("portanet.applications.pretrained.fetch", lambda url, *others: asked.append(url) or "file")
    for alpha, width in ALPHAS[name].items():
        for side in (*SIDES[name], 95, 97, 223):
            for include_top, end in ((True, ""), (False, "_no_top")):
                getattr(applications, name)((side, side, 3), alpha=alpha, include_top=include_top)
                pretrained_weights(keys.pop(), include_top)
                known = side if side in SIDES[name] else 224
                expected = FILES[name].format(alpha=width, side=known, end=end)
                assert asked.pop() == f"https://storage.googleapis.com/tensorflow/keras-applications/{expected}"
    for shape in ((128, 160, 3), None, (None, None, 3)):
        getattr(applications, name)(shape)
        assert "_224" in keys.pop()
