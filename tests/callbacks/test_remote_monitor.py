"""Logs sent to a server of this process."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers


class Server(http.server.HTTPServer):
    """Notes the requests, and answers with a status."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, bytes]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers, body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Nothing is shown."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def fit(monitor: callbacks.RemoteMonitor, epochs: int = 1) -> Any:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(portanet.optimizers.SGD(0.0), "mse")
    return model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=epochs, verbose=0, callbacks=[monitor])


def test_a_form(server: Server) -> None:
    fit(callbacks.RemoteMonitor(server.root), 2)
    assert [path for path, _, _ in server.seen] == ["/publish/epoch/end/"] * 2
    _, headers, body = server.seen[1]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    ((field, text),) = urllib.parse.parse_qsl(body.decode())
    assert (field, json.loads(text)) == ("data", {"epoch": 1, "loss": 1.0})


def test_json_with_headers_and_arrays(server: Server) -> None:
    monitor = callbacks.RemoteMonitor(server.root, "/here", headers={"Token": "x"}, send_as_json=True)
    monitor.on_epoch_end(3, {"loss": np.float32(0.5), "each": np.asarray([1.0, 2.0])})
    ((path, headers, body),) = server.seen
    assert (path, headers["Content-Type"], headers["Token"]) == ("/here", "application/json", "x")
    assert json.loads(body) == {"epoch": 3, "loss": 0.5, "each": [1.0, 2.0]}


def test_training_goes_on_without_a_server(server: Server) -> None:
    server.status = 500
    with pytest.warns(UserWarning, match=r"could not send epoch 0 to http://127.0.0.1:\d+: HTTP Error 500"):
        assert fit(callbacks.RemoteMonitor(server.root)).history == {"loss": [1.0]}
    with pytest.warns(UserWarning, match="could not send epoch 0 to http://127.0.0.1:1"):
        fit(callbacks.RemoteMonitor("http://127.0.0.1:1"))


def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def never(request: Any, timeout: float = 0) -> None:
        given.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", never)
    with pytest.warns(UserWarning, match="could not send epoch 2 to http://127.0.0.1:1: timed out"):
        callbacks.RemoteMonitor("http://127.0.0.1:1").on_epoch_end(2, {})
    assert 0 < given[0] < 60


def test_other_addresses_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`root` of RemoteMonitor must be an address that begins with http.*Received"):
        callbacks.RemoteMonitor("file:///etc/passwd")
