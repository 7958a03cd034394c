"""Networks with weights of PyTorch, from files with the names of torchvision, against PyTorch."""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import applications

torch = pytest.importorskip("torch")
nets = importlib.import_module("tests.oracles.torch_networks")  # imports PyTorch

CASES: dict[str, tuple[Callable[[], Any], int]] = {
    "ResNet50": (lambda: nets.ResNet((3, 4, 6, 3), 5), 64),
    "VGG16": (lambda: nets.VGG((2, 2, 3, 3, 3), 5, 2), 64),
    "DenseNet121": (lambda: nets.DenseNet((6, 12, 24, 16), 5), 35),
    "MobileNetV2": (lambda: nets.MobileNetV2(5), 33),
}


@pytest.mark.parametrize("name", CASES)
def test_weights_of_torchvision_compute_what_they_compute_there(name: str, tmp_path: pathlib.Path) -> None:
    from safetensors.torch import save_file

    make, size = CASES[name]
    torch.manual_seed(0)
    module = make().eval()
    for key, values in module.state_dict().items():
        if key.endswith("running_var"):
            values.uniform_(0.5, 1.5)
        elif key.endswith("running_mean"):
            values.normal_(0.0, 0.1)
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    x = torch.randn(2, 3, size, 32 if name == "VGG16" else size + 3)
    with torch.no_grad():
        expected = module(x).numpy()
    images = x.permute(0, 2, 3, 1).numpy()
    options: Any = {"weights": tmp_path / "net.safetensors", "input_shape": images.shape[1:]}
    with portanet.use_backend("numpy"):
        model = getattr(applications, name)(classes=5, classifier_activation=None, **options)
        np.testing.assert_allclose(
            model.predict(images, verbose=0), expected, rtol=1e-3, atol=1e-4 * abs(expected).max()
        )
        features = getattr(applications, name)(include_top=False, **options)
        assert features.predict(images, verbose=0).ndim == 4
        if name == "MobileNetV2":
            with pytest.raises(ValueError, match=r"'predictions/kernel': expected shape \(1280, 7\), got \(1280, 5\)"):
                getattr(applications, name)(classes=7, **options)
