import csv
import json

import numpy as np
import pytest

from portanet.callbacks import CSVLogger, JSONLinesLogger
from tests.callbacks.scripted import Script, losses

EPOCHS = [{"loss": 1 / 3, "accuracy": 0.5}, {"loss": 0.25, "accuracy": 0.75}]


def test_csv_can_be_read_back(tmp_path):
    path = tmp_path / "runs" / "first" / "log.csv"
    Script().play(CSVLogger(path), EPOCHS)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [1 / 3, 0.25]
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert {row["val_loss"] for row in rows} == {"NA"}


def test_json_lines_can_be_read_back(tmp_path):
    path = tmp_path / "log.jsonl"
    epochs = [{"loss": 1 / 3}, {"loss": float("nan"), "by_class": np.asarray([0.5, np.inf], dtype="float32")}]
    Script().play(JSONLinesLogger(path), epochs)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"epoch": 0, "loss": 1 / 3},
        {"epoch": 1, "loss": None, "by_class": [0.5, None]},
    ]


@pytest.mark.parametrize("logger", [CSVLogger, JSONLinesLogger])
def test_a_second_run_replaces_or_adds(logger, tmp_path):
    path = tmp_path / "log"
    Script().play(logger(path), EPOCHS)
    once = path.read_text().splitlines()
    Script().play(logger(path), EPOCHS)
    assert path.read_text().splitlines() == once
    Script().play(logger(path, append=True), EPOCHS)
    assert path.read_text().splitlines() == once + once[-2:]


@pytest.mark.parametrize("logger", [CSVLogger, JSONLinesLogger])
@pytest.mark.parametrize("append", [False, True])
def test_a_resumed_run_writes_the_file_of_the_uninterrupted_one(logger, append, tmp_path):
    paths = [tmp_path / "whole", tmp_path / "pieces"]
    for path in paths:
        Script().play(logger(path), EPOCHS[:1])
    Script().play(logger(paths[0], append=append), EPOCHS * 2)
    first, log = Script(), logger(paths[1], append=append)
    first.play(log, EPOCHS)
    state = log.get_state()
    with paths[1].open("a") as file:
        file.write("an epoch after the checkpoint, and a torn li")
    second = Script()
    second.position = first.position
    second.play(logger(paths[1], append=append), EPOCHS, state)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_resumed_run_whose_file_is_gone_begins_another(tmp_path):
    Script().play(CSVLogger(tmp_path / "log"), losses(1), {"size": 1000})
    assert (tmp_path / "log").read_text().splitlines() == ["epoch,val_loss", "0,1"]


def test_other_columns_are_refused(tmp_path):
    Script().play(CSVLogger(tmp_path / "log"), losses(1, name="loss"))
    with pytest.raises(ValueError, match=r"whose columns are epoch, loss, val_loss, but the quantities are accuracy"):
        Script().play(CSVLogger(tmp_path / "log", append=True), losses(1, name="accuracy"))
