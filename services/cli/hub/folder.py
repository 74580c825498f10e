"""The files of an export: JSON Lines, one per kind of thing, and a manifest that is written last."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shared.contracts.base import Slug
from shared.contracts.users import SERVICES

FORMAT = "foci-hub"
VERSION = 1
MANIFEST = "manifest.json"


class Unusable(Exception):
    """The folder or file cannot be used; the message says why."""


class Part(BaseModel):
    """One file of an export."""

    model_config = ConfigDict(frozen=True)

    path: str
    service: str
    entity: str
    count: int
    sha256: str
    says: str
    passing: bool = False
    """What it tells of may be gone when it is taken in, such as a timer."""


class Manifest(BaseModel):
    """What an export holds; without it an export is not finished."""

    model_config = ConfigDict(frozen=True)

    format: str = FORMAT
    version: int = VERSION
    hub: Slug
    cell: str
    release: str
    exported_at: AwareDatetime
    files: tuple[Part, ...]


class Outbound:
    """An export being written: readable by its owner alone, for it holds names and addresses."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise Unusable(f"{folder} is not empty; name a folder that is new.")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._parts: list[Part] = []

    def begin(self) -> None:
        """Write anew what was written before."""
        self._parts.clear()

    def write(self, service: str, entity: str, says: str, rows: Sequence[Any], *, passing: bool) -> None:
        """One file, a row on each line."""
        path = f"{service}/{entity}.jsonl"
        content = b"".join(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in rows)
        self.put(path, content)
        self._parts.append(
            Part(
                path=path, service=service, entity=entity, count=len(rows), says=says, passing=passing,
                sha256=hashlib.sha256(content).hexdigest(),
            )
        )  # fmt: skip

    def put(self, path: str, content: bytes) -> None:
        """A file that is not counted: the same once more in another format."""
        file = self.folder / path
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content)

    def finish(self, *, hub: str, cell: str, release: str, at: datetime) -> Manifest:
        """The manifest, by which the export is whole."""
        manifest = Manifest(hub=hub, cell=cell, release=release, exported_at=at, files=tuple(self._parts))
        self.put(MANIFEST, orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n")
        return manifest


def zipped(folder: Path, target: Path) -> None:
    """The folder as one file."""
    target.touch(mode=0o600)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())


class Inbound:
    """An export to be taken in, from a folder or a zip file; looked through before anything is done with it."""

    def __init__(self, place: Path) -> None:
        if not place.exists():
            raise Unusable(f"{place} is not there.")
        try:
            self._root: Path | zipfile.Path = (
                place if place.is_dir() else zipfile.Path(zipfile.ZipFile(place))
            )
        except zipfile.BadZipFile as error:
            raise Unusable(f"{place} is neither a folder nor a zip file.") from error
        self.manifest = self._manifest()
        for part in self.manifest.files:
            self._check(part)

    def _manifest(self) -> Manifest:
        file = self._root / MANIFEST
        if not file.is_file():
            raise Unusable("There is no manifest.json: the export was not finished. Export again.")
        try:
            manifest = Manifest.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise Unusable(f"manifest.json is not that of a hub: {error.error_count()} faults.") from error
        if (manifest.format, manifest.version) != (FORMAT, VERSION):
            raise Unusable(f"This is {manifest.format} {manifest.version}; known is {FORMAT} {VERSION}.")
        return manifest

    def _check(self, part: Part) -> None:
        if part.path != f"{part.service}/{part.entity}.jsonl" or ".." in part.path:
            raise Unusable(f"manifest.json names a file that cannot be: {part.path}")
        if part.service not in SERVICES:
            raise Unusable(f"{part.path} is of a service that this release does not have.")
        file = self._root / part.path
        if not file.is_file():
            raise Unusable(f"{part.path} is missing.")
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise Unusable(f"{part.path} is not as it was exported: its checksum differs.")

    def rows(self, part: Part) -> Iterator[dict[str, Any]]:
        """The rows of one file."""
        for line in (self._root / part.path).read_bytes().splitlines():
            row: dict[str, Any] = orjson.loads(line)
            yield row
