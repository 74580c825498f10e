"""What notify refuses: kinds of error with a code and a sentence."""

from __future__ import annotations

from shared.kit.errors import Invalid, NotFound


class NoSuchNotice(NotFound):
    """There is none with this id in this person's inbox."""

    code = "no-such-notice"
    title = "No such notice"


class PaceNotPossible(Invalid):
    """That kind over that channel does not come at that pace."""

    code = "pace-not-possible"
    title = "Not at that pace"


class AlwaysSent(Invalid):
    """The kind is sent whatever anybody chooses."""

    code = "always-sent"
    title = "This is always sent"
