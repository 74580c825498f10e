"""The rules of directory: who may let whom in and make whom what, and what a search looks at."""

from __future__ import annotations

import re
import unicodedata
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contracts.directory.requests import HubProfile
from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.kit.errors import Conflict, Forbidden, Invalid

MOST_WORDS = 8
"""A search looks for so many words; who writes more is looking for a sentence."""
_LITERALLY, _ESCAPED = re.compile(r"[\\%_]"), r"\\\g<0>"

BY_ONESELF = frozenset({Role.VISITOR, Role.MEMBER})
"""Roles anybody may take in a hub: joining is open, the hub reacts afterwards."""


class HubExists(Conflict):
    """The slug is taken, for ever."""

    code = "hub-exists"
    title = "There is such a hub already"


class OrganisationExists(Conflict):
    """The hub has an organisation of that name."""

    code = "organisation-exists"
    title = "There is such an organisation already"


class EmailTaken(Conflict):
    """Another account has that address."""

    code = "email-taken"
    title = "The address belongs to another account"


class AlreadyMember(Conflict):
    """The person belongs to the hub with a role already."""

    code = "already-a-member"
    title = "Belongs to the hub already"


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


def check_may_admit(own_role: str | None, wanted: Role, *, for_self: bool) -> None:
    """Forbidden unless one may take this role, or give it to somebody else."""
    if for_self and wanted in BY_ONESELF:
        return
    if own_role in OPERATORS and (wanted != Role.ADMIN or own_role == Role.ADMIN):
        return
    if not for_self and own_role in STAFF and wanted in BY_ONESELF:
        return
    raise Forbidden(f"Becoming {wanted} in this hub is for its operators and admins to grant.", field="role")


def check_may_end(own_role: str | None, present: Role) -> None:
    """Forbidden when an operator would put out an admin; who may end a membership at all was asked before."""
    if present == Role.ADMIN and own_role != Role.ADMIN:
        raise Forbidden("Only an admin ends an admin's membership.")


def check_may_change_role(own_role: str | None, present: Role, wanted: Role) -> None:
    """Forbidden unless the one who asks is an operator or admin; only admins make and unmake admins."""
    if own_role not in OPERATORS:
        raise Forbidden("Roles are changed by the hub's operators and admins.")
    if Role.ADMIN in (present, wanted) and own_role != Role.ADMIN:
        raise Forbidden("Only an admin makes somebody an admin, or takes it back.", field="role")
