"""What booking says no with: each a kind of error with a code and a sentence."""

from __future__ import annotations

from shared.kit.errors import Conflict, Forbidden


class SpaceTaken(Conflict):
    """Somebody else has it at that time."""

    code = "space-taken"
    title = "Taken at that time"


class Closed(Conflict):
    """The doors are shut at that time."""

    code = "closed"
    title = "Closed at that time"


class AgainstTheRules(Conflict):
    """The space's rules do not allow it; `code` says which one."""

    title = "Against the rules of the space"

    def __init__(self, code: str, detail: str, *, field: str) -> None:
        super().__init__(detail, field=field)
        self.code = code  # type: ignore[misc]  # one class, several codes


class SpaceExists(Conflict):
    """The hub has a space of that name."""

    code = "space-exists"
    title = "There is one already"


class AlreadyImported(Conflict):
    """A live booking carries that source already."""

    code = "already-imported"
    title = "That calendar entry is booked already"


class HoldExpired(Conflict):
    """The hold was not confirmed in time."""

    code = "hold-expired"
    title = "The hold has lapsed"


class WrongState(Conflict):
    """The booking is not in a state in which this can be done."""

    code = "wrong-state"
    title = "Not possible in this state"


class NotAMember(Forbidden):
    """Only those who belong to a hub book there."""

    code = "not-a-member"
    title = "Join the hub first"
