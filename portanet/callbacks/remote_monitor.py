"""Events for a server."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from portanet import checks
from portanet.callbacks.base import Callback, Logs

TIMEOUT = 10.0
"""Seconds to wait for the server."""


class RemoteMonitor(Callback):
    """Sends the epoch and its logs to a server by HTTP POST; as `keras.callbacks.RemoteMonitor`.

    A server that does not answer, or answers with an error, is warned of; training goes on.

    Args:
        root: Address of the server.
        path: Path on the server.
        field: Name of the field of the form that holds the JSON.
        headers: Further HTTP headers.
        send_as_json: Whether to send the JSON itself rather than a form.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> monitor = portanet.callbacks.RemoteMonitor("http://localhost:9000", send_as_json=True)
        >>> model.fit(np.ones((8, 3)), np.ones((8, 1)), callbacks=[monitor])  # doctest: +SKIP
    """

    first_process_only = True

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        self.root = checks.text("root", root, type(self))
        if not root.startswith(("http://", "https://")):
            raise checks.invalid("root", root, "an address that begins with http:// or https://", type(self))
        self.path = checks.text("path", path, type(self))
        if not path.startswith("/"):
            raise checks.invalid("path", path, "a path that begins with /", type(self))
        self.field = checks.text("field", field, type(self))
        self.headers = None if headers is None else dict(checks.mapping("headers", headers, type(self)))
        self.send_as_json = checks.boolean("send_as_json", send_as_json, type(self))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        import urllib.parse
        import urllib.request

        values = {name: np.asarray(value).tolist() for name, value in (logs or {}).items()}
        text = json.dumps({"epoch": epoch, **values})
        if self.send_as_json:
            kind, data = "application/json", text
        else:
            kind, data = "application/x-www-form-urlencoded", urllib.parse.urlencode({self.field: text})
        headers: dict[str, Any] = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, data.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT):
                pass
        except OSError as error:
            warnings.warn(f"RemoteMonitor could not send epoch {epoch} to {self.root}: {error}", stacklevel=2)
