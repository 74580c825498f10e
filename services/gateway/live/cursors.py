"""How far a reader has got: a place in each stream, written so that any replica can go on from it."""

from __future__ import annotations

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from shared.kit.errors import Invalid

_FORM = 1
_HEAD = struct.Struct(">B4s8s")
_PLACE = struct.Struct(">4sQ4s")
_TEXT = re.compile(r"[A-Za-z0-9_-]{1,400}")
UNMARKED = bytes(4)
NO_FIGURES = bytes(8)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in one stream: which stream it was, the message that was told last, and which that was.

    The mark is of the last fact told at or before the sequence: numbers alone would not show that a stream has been
    filled anew with other messages under the same numbers.
    """

    made: bytes
    sequence: int
    mark: bytes = UNMARKED


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a reader was told last: of which view, with which public figures, and up to where in each of its streams."""

    view: bytes
    places: tuple[Position, ...]
    figures: bytes = NO_FIGURES

    def __str__(self) -> str:
        head = _HEAD.pack(_FORM, self.view, self.figures)
        places = (_PLACE.pack(one.made, one.sequence, one.mark) for one in self.places)
        return urlsafe_b64encode(head + b"".join(places)).rstrip(b"=").decode()


def read(text: str) -> Cursor | None:
    """The cursor in a `Last-Event-ID`; None when it is none of today's, Invalid when it can never have been one."""
    if _TEXT.fullmatch(text) is None:
        raise Invalid("This is no cursor: send the last `id` as it came.", field="Last-Event-ID")
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        form, view, figures = _HEAD.unpack_from(raw)
        places = tuple(Position(*found) for found in _PLACE.iter_unpack(raw[_HEAD.size :]))
    except (ValueError, struct.error):
        return None
    return Cursor(view, places, figures) if form == _FORM else None


def view_mark(hub: str, topics: Sequence[str], *, exact: bool) -> bytes:
    """Tells apart what different readers follow; a cursor of one says nothing about another."""
    return blake2b(f"{hub} {','.join(sorted(topics))} {exact}".encode(), digest_size=4).digest()


def stream_mark(made_at: datetime | None) -> bytes:
    """Tells a stream from one of the same name that was made in its place."""
    return blake2b(str(made_at).encode(), digest_size=4).digest()


def cursor_of(
    view: bytes, streams: Sequence[str], places: Mapping[str, Position], figures: bytes = NO_FIGURES
) -> Cursor:
    """A cursor at these places of the view's streams."""
    return Cursor(view, tuple(places[stream] for stream in streams), figures)
