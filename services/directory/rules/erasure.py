"""Rules of erasing a person: numbers, terms, adding up what services tell."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import timedelta

from shared.contracts.forgetting import Deed, Told
from shared.kit.errors import Conflict, NotFound

NUMBER_BYTES = 24
CONFIRM_WITHIN = timedelta(minutes=15)
OVERDUE_AFTER = timedelta(minutes=10)
"""A service that has not answered by then is asked again, and said aloud; and so on, as often."""
RECEIPT_KEPT = timedelta(days=400)
"""Longer than backups are, from which what was erased could come back."""


class ConfirmationLapsed(Conflict):
    """The number confirms nothing: another was given since, or it is too late."""

    code = "confirmation-lapsed"
    title = "This confirms nothing any more"


class NoSuchReceipt(NotFound):
    """There is no erasure of that number, or not any more."""

    code = "no-such-receipt"
    title = "No such receipt"


def number_of(chance: bytes) -> str:
    """The number of an erasure as people are given it."""
    return urlsafe_b64encode(chance).decode()


def hash_of(number: str) -> bytes:
    """What is kept of a number."""
    return hashlib.blake2b(number.encode(), digest_size=32, person=b"foci-erasure").digest()


def added_up(*answers: Iterable[Told]) -> list[Told]:
    """What several answers tell together: one line for each kind of thing and what became of it."""
    lines: dict[tuple[str, Deed, str | None], Told] = {}
    for one in (one for answer in answers for one in answer):
        key = (one.what, one.deed, one.because)
        before = lines.get(key)
        # What is kept is there however often it is told.
        if before is not None and one.deed is not Deed.KEPT:
            one = one.model_copy(update={"count": (before.count or 0) + (one.count or 0)})  # noqa: PLW2901  # the sum
        lines[key] = one
    return [*lines.values()]
