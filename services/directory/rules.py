"""The rules of directory: who may let whom in and make whom what, and what a search looks at."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contracts.directory.requests import HubProfile
from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.kit.errors import Conflict, Forbidden, Invalid

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
    return " ".join(word for word in (*places, *profile.offers, profile.about) if word).casefold()


def check_may_admit(own_role: str | None, wanted: Role, *, for_self: bool) -> None:
    """Forbidden unless one may take this role, or give it to somebody else."""
    if for_self and wanted in BY_ONESELF:
        return
    if own_role in OPERATORS and (wanted != Role.ADMIN or own_role == Role.ADMIN):
        return
    if not for_self and own_role in STAFF and wanted in BY_ONESELF:
        return
    raise Forbidden(f"Becoming {wanted} in this hub is for its operators and admins to grant.", field="role")


def check_may_change_role(own_role: str | None, present: Role, wanted: Role) -> None:
    """Forbidden unless the one who asks is an operator or admin; only admins make and unmake admins."""
    if own_role not in OPERATORS:
        raise Forbidden("Roles are changed by the hub's operators and admins.")
    if Role.ADMIN in (present, wanted) and own_role != Role.ADMIN:
        raise Forbidden("Only an admin makes somebody an admin, or takes it back.", field="role")
