"""What a notebook shows of training while it runs, and what its file keeps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.support import PATIENCE

RUN = """
import json, nbclient, nbformat, sys
cells = [nbformat.v4.new_code_cell(source) for source in json.loads(sys.argv[1])]
notebook = nbformat.v4.new_notebook(cells=cells)
seen = []
client = nbclient.NotebookClient(notebook, timeout=None, startup_timeout={PATIENCE}, kernel_name="python3")
client.on_notebook_complete = None
process = client.process_message

def watch(message, cell, index):
    if message["msg_type"] in ("display_data", "update_display_data"):
        seen.append(message["content"]["data"]["text/plain"])
    return process(message, cell, index)

client.process_message = watch
client.execute()
print(json.dumps([[cell.outputs for cell in notebook.cells], seen]))
"""
MODEL = """
import time
import numpy as np, portanet
from portanet import layers
model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
model.compile("sgd", "mse", metrics=["accuracy"])
slow = portanet.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.25))
"""
FIT = "_ = model.fit(np.ones((40, 2)), np.ones((40, 1)), 4, epochs=2, validation_split=0.5, callbacks=[slow])"
QUICK = "_ = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2)"


def run(*sources: str) -> tuple[list[list[Any]], list[str]]:
    """The outputs of each cell in the file, and the texts that were displayed meanwhile."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    command = [sys.executable, "-c", RUN.replace("{PATIENCE}", str(PATIENCE)), json.dumps(sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    outputs, seen = json.loads(done.stdout.splitlines()[-1])
    return outputs, seen


def test_a_saved_notebook_has_the_numbers_of_every_epoch_and_no_bar() -> None:
    outputs, seen = run(MODEL, FIT, QUICK)
    for kept in outputs[1:]:
        text = "".join(output["text"] for output in kept if output["output_type"] == "stream")
        lines = text.splitlines()
        assert [line[:9] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
        assert all(re.search(r"s - loss: [\d.e-]+ - accuracy: [\d.]+", line) for line in lines)
        assert {output["name"] for output in kept if output["output_type"] == "stream"} == {"stdout"}
    assert all(" - val_accuracy: " in output["text"] for output in outputs[1] if output["output_type"] == "stream")
    displayed = [output for kept in outputs for output in kept if output["output_type"] == "display_data"]
    assert {output["data"]["text/plain"] for output in displayed} == {""}
    assert any(re.match(r"Epoch \d/2 +\d+%.*, loss: [\d.e-]+, accuracy: [\d.]+\]", text) for text in seen)
