"""Any object that has a config, through a file and back."""

from __future__ import annotations

import json
import pathlib
import tempfile
from typing import Any
from unittest import mock

from portanet.saving import config, registry
from portanet.saving.archive import open_archive, write_archive
from portanet.saving.config import Decoder, Encoder


def from_file(thing: Any) -> Any:
    """An object restored from its description in a file; classes and functions of tests need no registration."""
    known: dict[str, Any] = {}

    def name_of(part: Any) -> str:
        result = registry.name_of(part)
        if result is None:
            result = next((name for name, other in known.items() if other is part), f"tests>{len(known)}")
            known[result] = part
        return result

    with mock.patch.object(config, "name_of", name_of), tempfile.TemporaryDirectory() as folder:
        encoder, again = Encoder(), Encoder()
        node = encoder.encode(thing, "thing")
        path = pathlib.Path(folder) / "thing"
        write_archive(path, {"thing": node}, encoder.tensors)
        with open_archive(path) as archive:
            assert archive.document is not None
            made = Decoder(archive, known).decode(archive.document["thing"])
        assert json.dumps(again.encode(made, "thing")) == json.dumps(node), "the configuration is another"
    return made
