"""Data sets of files in folders, and of windows of time series."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, utils

pytest.importorskip("PIL")


@pytest.fixture
def images(tmp_path: pathlib.Path) -> pathlib.Path:
    for i, name in enumerate(("cat", "ant")):
        (tmp_path / name).mkdir()
        for j in range(3 + i):
            utils.save_img(tmp_path / name / f"{j}.png", np.full((4, 6, 3), 40 * i + j, "float32"), scale=False)
    (tmp_path / "ant" / "notes.md").write_text("none")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def values(data: Any) -> list[float]:
    return [float(image[0, 0, 0]) for x, _ in data for image in x]


def test_images_in_order(images: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = utils.image_dataset_from_directory(images, image_size=(4, 6), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 7 files belonging to 2 classes.\n"
    assert data.class_names == ["ant", "cat"]
    assert [pathlib.Path(p).parent.name for p in data.file_paths] == ["ant"] * 4 + ["cat"] * 3
    assert (len(data), [x.shape for x, _ in data]) == (2, [(4, 4, 6, 3), (3, 4, 6, 3)])
    assert values(data) == [40, 41, 42, 43, 0, 1, 2]
    assert [y.tolist() for _, y in data] == [[0, 0, 0, 0], [1, 1, 1]]
    assert data[0][0].dtype == "float32"


@pytest.mark.parametrize(
    ("mode", "expected"), [("int", [0, 1]), ("binary", [[0.0], [1.0]]), ("categorical", [[1.0, 0.0], [0.0, 1.0]])]
)
def test_labels(mode: str, expected: list[Any], images: pathlib.Path) -> None:
    data = utils.image_dataset_from_directory(images, label_mode=mode, batch_size=7, shuffle=False, verbose=False)
    assert data[0][1][3:5].tolist() == expected
    given = utils.image_dataset_from_directory(
        images, [5, 6, 5, 6, 5, 6, 5], batch_size=7, shuffle=False, verbose=False
    )
    assert (given[0][1].tolist(), given.class_names) == ([5, 6, 5, 6, 5, 6, 5], ["5", "6"])
    chosen = utils.image_dataset_from_directory(
        images, class_names=["cat", "ant"], batch_size=7, shuffle=False, verbose=False
    )
    assert chosen[0][1].tolist() == [0, 0, 0, 1, 1, 1, 1]
    alone = utils.image_dataset_from_directory(images, None, batch_size=None, shuffle=False, verbose=False)
    assert (len(alone), alone[0].shape, alone.class_names) == (7, (256, 256, 3), None)


def test_shuffled_as_in_keras(images: pathlib.Path) -> None:
    data = utils.image_dataset_from_directory(images, image_size=(4, 6), batch_size=2, seed=3, verbose=False)
    order = np.arange(7)
    np.random.RandomState(3).shuffle(order)
    assert values(data) == [[40, 41, 42, 43, 0, 1, 2][i] for i in order]
    assert [int(label) for _, y in data for label in y] == [[0, 0, 0, 0, 1, 1, 1][i] for i in order]
    before = values(data)
    data.on_epoch_end()
    assert values(data) == [before[i] for i in order]
    still = utils.image_dataset_from_directory(images, image_size=(4, 6), shuffle=False, verbose=False)
    still.on_epoch_end()
    assert values(still) == [40, 41, 42, 43, 0, 1, 2]
    train, validation = utils.image_dataset_from_directory(
        images, image_size=(4, 6), seed=3, validation_split=0.3, subset="both", verbose=False
    )
    assert values(train) + values(validation) == [[40, 41, 42, 43, 0, 1, 2][i] for i in order]
    assert len(values(validation)) == 2
    for subset, same in (("training", train), ("validation", validation)):
        part = utils.image_dataset_from_directory(
            images, image_size=(4, 6), seed=3, validation_split=0.3, subset=subset, verbose=False
        )
        assert values(part) == values(same)


def test_a_model_learns_from_images(images: pathlib.Path) -> None:
    data = utils.image_dataset_from_directory(images, label_mode="binary", image_size=4, batch_size=2, verbose=False)
    model = portanet.Sequential([layers.Input((4, 4, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(data, epochs=2, verbose=0).history["loss"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [1]}, "`labels` of image_dataset_from_directory must be one number for each of 7 files"),
        ({"class_names": ["dog"]}, r"must be names of the folders \['ant', 'cat'\]"),
        ({"validation_split": 0.3}, "are given together"),
        ({"validation_split": 0.3, "subset": "both"}, "`seed` of .* must be a number"),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "No files for"),
        ({"label_mode": "binary", "class_names": ["ant"]}, "another one for 1 classes"),
        ({"image_size": (0, 3)}, "must be a height and a width"),
        ({"labels": "given"}, "`labels` .* must be 'inferred', None or a list"),
        ({"label_mode": "text"}, "`label_mode` .* must be one of"),
        ({"labels": [0] * 7, "class_names": ["ant", "cat"]}, "`class_names` .* must be None unless labels='inferred'"),
        ({"labels": None, "class_names": ["ant", "cat"]}, "`class_names` .* must be None unless labels='inferred'"),
        ({"batch_size": 0}, "`batch_size` .* must be a positive integer"),
        ({"shuffle": 1}, "`shuffle` .* must be"),
        ({"follow_links": 1}, "`follow_links` .* must be"),
        ({"subset": "test", "validation_split": 0.3, "seed": 1}, "`subset` .* must be one of"),
        ({"subset": "both", "validation_split": 0, "seed": 1}, r"`validation_split` .* must be .*\(0, 1\)"),
        ({"subset": "both", "validation_split": 1, "seed": 1}, r"`validation_split` .* must be .*\(0, 1\)"),
        ({"subset": "both", "validation_split": "half", "seed": 1}, "`validation_split` .* must be"),
        ({"subset": "both"}, "are given together"),
        ({"seed": -1}, "`seed` .* must be"),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str, images: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(images, verbose=False, **options)


def test_no_folder(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="needs a folder"):
        utils.text_dataset_from_directory(tmp_path / "none")


def test_texts(tmp_path: pathlib.Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text(f"grüße {name}", encoding="utf-8")
    data = utils.text_dataset_from_directory(tmp_path, max_length=4, shuffle=False, verbose=False)
    assert (data[0][0].tolist(), data[0][1].tolist()) == (["grüß", "grüß"], [0, 1])
    with pytest.raises(IndexError, match="has 1 batches"):
        data[1]


def test_windows() -> None:
    series = np.arange(20.0).reshape(10, 2)
    data = utils.timeseries_dataset_from_array(series, np.arange(10), 3, 2, 2, batch_size=2)
    assert [y.tolist() for _, y in data] == [[0, 2], [4]]
    np.testing.assert_array_equal(data[1][0], [series[[4, 6, 8]]])
    part = utils.timeseries_dataset_from_array(list(range(10)), None, 3, batch_size=None, start_index=2, end_index=7)
    assert [x.tolist() for x in part] == [[2, 3, 4], [3, 4, 5], [4, 5, 6]]
    mixed = utils.timeseries_dataset_from_array(series, None, 2, shuffle=True, seed=1)
    order = np.arange(9)
    np.random.RandomState(1).shuffle(order)
    np.testing.assert_array_equal(mixed[0][:, 0, 0], 2 * order)
    with pytest.raises(ValueError, match="finds no window"):
        utils.timeseries_dataset_from_array(series, None, 11)
    with pytest.raises(ValueError, match="start_index < end_index"):
        utils.timeseries_dataset_from_array(series, None, 2, start_index=5, end_index=4)


# Images


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_as_arrays(channels: int, tmp_path: pathlib.Path) -> None:
    x = np.linspace(0, 255, 4 * 6 * channels).reshape(4, 6, channels).astype("uint8").astype("float32")
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    utils.save_img(tmp_path / "x.png", x, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / "x.png", mode)), x)
    first = np.transpose(x, (2, 0, 1))
    image = utils.array_to_img(first, "channels_first", scale=False)
    np.testing.assert_array_equal(utils.img_to_array(image, "channels_first"), first)
    assert np.asarray(utils.array_to_img(x / 1000 - 3)).max() == 255
    assert utils.load_img(tmp_path / "x.png", mode, target_size=(2, 5)).size == (5, 2)
    assert utils.load_img(tmp_path / "x.png", mode, (3, 3), "bilinear", keep_aspect_ratio=True).size == (3, 3)


def test_jpeg_has_no_transparency(tmp_path: pathlib.Path) -> None:
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        utils.save_img(tmp_path / "x.jpg", np.ones((4, 4, 4)))
    with pytest.raises(ValueError, match=r"`x` of array_to_img must be an array of one image"):
        utils.array_to_img(np.ones((4, 4, 2)))
