"""What mail servers report of mail they have taken: an address it comes back from is not mailed to any more."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands import marking
from shared.contracts.notify.notices import BounceReport
from shared.contracts.notify.words import Hindrance

_SENT_TO = text("""
    SELECT address_hash FROM message WHERE id = :message AND channel = 'email' AND address_hash IS NOT NULL FOR UPDATE
""")
_NOTE = text("UPDATE message SET problem = :problem WHERE id = :message")
_STOPPED = text("SELECT 1 FROM stopped_address WHERE address_hash = :hash")


async def report_bounce(
    session: AsyncSession, report: BounceReport, mail_domain: str, *, now: datetime
) -> bool:
    """Whether nothing is mailed any more to the address the message went to; false as well for a message not ours.

    A status of class 5 (RFC 3463) is for good and stops it; any other changes nothing. The same report twice is one.
    """
    message = message_of(report.message_id, mail_domain)
    if message is None:
        return False
    hashed = (await session.execute(_SENT_TO, {"message": message})).scalar()
    if hashed is None:
        return False
    if report.status.startswith("5."):
        await marking.stop(session, hashed, Hindrance.BOUNCED, now=now)
        await session.execute(_NOTE, {"message": message, "problem": f"bounced {report.status}"})
        return True
    return (await session.execute(_STOPPED, {"hash": hashed})).first() is not None


def message_of(message_id: str, mail_domain: str) -> UUID | None:
    """The message of a Message-ID, with or without angle brackets; None when it is none of ours."""
    local, at, domain = message_id.strip().removeprefix("<").removesuffix(">").rpartition("@")
    if not at or domain.casefold() != mail_domain.casefold():
        return None
    try:
        found = UUID(local)
    except ValueError:
        return None
    return found if str(found) == local.casefold() else None
