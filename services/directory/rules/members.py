"""The rules of memberships: who may let whom in and make whom what."""

from __future__ import annotations

from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.kit.errors import Conflict, Forbidden

BY_ONESELF = frozenset({Role.VISITOR, Role.MEMBER})
"""Roles anybody may take in a hub: joining is open, the hub reacts afterwards."""
_STEPS = {
    Role.VISITOR: 0,
    Role.MEMBER: 1,
    Role.HOST: 2,
    # Beside each other: a coordinator changes no spaces and rules, an operator answers for one hub.
    Role.OPERATOR: 3,
    Role.COORDINATOR: 3,
    Role.ADMIN: 4,
}


class EmailTaken(Conflict):
    """Another account has that address."""

    code = "email-taken"
    title = "The address belongs to another account"


class AlreadyMember(Conflict):
    """The person belongs to the hub with a role already."""

    code = "already-a-member"
    title = "Belongs to the hub already"


def is_more(role: Role, than: Role) -> bool:
    """Whether one role has every right of the other, and more."""
    return _STEPS[role] > _STEPS[than]


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
