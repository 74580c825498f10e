"""What matching refuses, with a code and a sentence for the person."""

from __future__ import annotations

from shared.kit.errors import Conflict, Forbidden


class TooManyStatements(Conflict):
    """A profile offers, or needs, as much as one may."""

    code = "too-many-statements"
    title = "The profile says too much"


class TooManyOrganisations(Conflict):
    """Somebody keeps as many organisations' profiles as one may."""

    code = "too-many-organisations"
    title = "Nobody keeps more organisations"


class BelongsNowhere(Forbidden):
    """Only who belongs to a hub can be found by its people."""

    code = "belongs-nowhere"
    title = "Join a hub first"
