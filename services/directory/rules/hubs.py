"""The rules of hubs: their names and zones, and what a search looks at."""

from __future__ import annotations

import re
import unicodedata
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contracts.directory.requests import HubProfile
from shared.kit.errors import Conflict, Invalid

MOST_WORDS = 8
"""A search looks for so many words; who writes more is looking for a sentence."""
_LITERALLY, _ESCAPED = re.compile(r"[\\%_]"), r"\\\g<0>"


class HubExists(Conflict):
    """The slug is taken, for ever."""

    code = "hub-exists"
    title = "There is such a hub already"


class OrganisationExists(Conflict):
    """The hub has an organisation of that name."""

    code = "organisation-exists"
    title = "There is such an organisation already"


def check_zone(name: str) -> None:
    """Invalid when there is no such IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"{name!r} is no IANA time zone; write for example Europe/Stockholm.", field="time_zone"
        ) from None


def words_of(profile: HubProfile) -> str:
    """What text search looks in, folded for comparison."""
    places = (profile.name, profile.municipality, profile.region, profile.address)
    return _folded(" ".join(word for word in (*places, *profile.offers, profile.about) if word))


def _folded(text: str) -> str:
    # Some keyboards and files write å as a and a ring.
    return unicodedata.normalize("NFC", text).casefold()


def search_patterns(q: str) -> list[str]:
    """LIKE patterns, every one of which must match: each word, folded like what is searched in, as itself."""
    return [f"%{_LITERALLY.sub(_ESCAPED, word)}%" for word in _folded(q).split()[:MOST_WORDS]]
