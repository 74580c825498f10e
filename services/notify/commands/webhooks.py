"""A hub's webhooks: added, changed, paused, resumed, given a new secret, removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.deliveries import hand_on
from services.notify.commands.noticing import Look, look_at
from services.notify.rules.envelopes import handed_on_types
from services.notify.rules.signing import BOTH_VALID
from services.notify.rules.targets import TooManyWebhooks, UnknownFactType, WebhookNotActive
from services.notify.tables import Webhook
from shared.contracts.directory.words import OPERATORS
from shared.contracts.notify.facts import WebhookPausedV1, WebhookResumedV1
from shared.contracts.notify.webhooks import AddWebhook, ChangeWebhook
from shared.contracts.notify.words import About, WebhookState
from shared.kit.database import to_be_announced
from shared.kit.errors import NotFound, VersionMismatch
from shared.kit.ids import Ids
from shared.kit.outbox import emit

MOST_WEBHOOKS = 20
"""A hub has."""
BY_OPERATOR = "by-operator"
FAILING = "failing"
GONE = "gone"

F = TypeVar("F", WebhookPausedV1, WebhookResumedV1)

_HUB = text("SELECT 1 FROM hub WHERE slug = :hub FOR NO KEY UPDATE")
# What waited while it was paused has a day of its own again.
_GO_ON = text("""
    UPDATE delivery SET due_at = CAST(:now AS timestamptz), since = CAST(:now AS timestamptz)
    WHERE webhook = :webhook AND state = 'waiting'
""")
_FAIL_WAITING = text("""
    UPDATE delivery SET state = 'failed', due_at = NULL, claimed_until = NULL, last_problem = :problem
    WHERE webhook = :webhook AND state = 'waiting'
""")
_OPERATORS = text("SELECT person FROM member WHERE hub = :hub AND role = ANY(:roles) ORDER BY person")


async def add(
    session: AsyncSession, request: AddWebhook, url: str, *, by: UUID, now: datetime, ids: Ids
) -> Webhook:
    """Send the hub's facts to `url` from now on; NotFound where there is no such hub, TooManyWebhooks, UnknownFactType."""
    refuse_unknown(request.types)
    # Locked, so that two at once are counted one after the other.
    if (await session.execute(_HUB, {"hub": request.hub})).first() is None:
        raise NotFound(f"There is no hub {request.hub}.", field="hub")
    there_are = select(func.count()).where(Webhook.hub == request.hub)
    if (await session.scalar(there_are) or 0) >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"The hub has {MOST_WEBHOOKS} webhooks. Remove one that is not needed.")
    webhook = Webhook(
        id=ids(),
        hub=request.hub,
        url=url,
        name=request.name,
        types=sorted(set(request.types)),
        state=WebhookState.ACTIVE.value,
        because=None,
        created_by=by,
        created_at=now,
    )
    session.add(webhook)
    await session.flush()
    return webhook


def refuse_unknown(types: Sequence[str]) -> None:
    """UnknownFactType for a type no webhook is ever sent: a misspelt one would be silence."""
    unknown = sorted(set(types) - handed_on_types())
    if unknown:
        raise UnknownFactType(f"There is no type {unknown[0]} that webhooks are sent.", field="types")


async def load(session: AsyncSession, hub: str, webhook: UUID) -> Webhook:
    """The webhook, locked for a change; NotFound when the hub has none of that id."""
    wanted = select(Webhook).where(Webhook.id == webhook, Webhook.hub == hub)
    found = await session.scalar(
        wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if found is None:
        raise no_such_webhook(webhook)
    return found


async def load_active(session: AsyncSession, hub: str, webhook: UUID) -> Webhook:
    """The webhook; WebhookNotActive while nothing is sent to it."""
    found = await load(session, hub, webhook)
    if found.state != WebhookState.ACTIVE:
        raise WebhookNotActive(f"The webhook is {found.state} ({found.because}). Make it active first.")
    return found


def no_such_webhook(webhook: UUID) -> NotFound:
    """Said alike when there is none and when it is another hub's."""
    return NotFound(f"There is no webhook {webhook} here.")


async def change(
    session: AsyncSession, request: ChangeWebhook, url: str | None, *, now: datetime, ids: Ids
) -> Webhook:
    """Change what is named, pause or resume; VersionMismatch, NotFound, UnknownFactType."""
    webhook = await load(session, request.hub, request.webhook)
    if webhook.version != request.version:
        raise VersionMismatch(f"The webhook is at version {webhook.version} now. Read it again, then decide.")
    if request.types is not None:
        refuse_unknown(request.types)
        webhook.types = sorted(set(request.types))
    if url is not None and url != webhook.url:
        webhook.url = url
        webhook.failing_since = None
    webhook.name = request.name or webhook.name
    webhook.version += 1
    is_active = webhook.state == WebhookState.ACTIVE
    if request.active is False and is_active:
        await pause(session, webhook, because=BY_OPERATOR, now=now, ids=ids)
    if request.active is True and not is_active:
        await _resume(session, webhook, now=now, ids=ids)
    await session.flush()
    return webhook


async def pause(session: AsyncSession, webhook: Webhook, *, because: str, now: datetime, ids: Ids) -> None:
    """Send nothing to it any more, and say so; its operators are told unless one of them did it.

    A target that is gone gets nothing of what waits either. Otherwise what waits is put off, and goes out when the
    webhook is made active within a day.
    """
    webhook.state = (WebhookState.GONE if because == GONE else WebhookState.PAUSED).value
    webhook.because = because
    webhook.version += 1
    await _state(session, WebhookPausedV1, webhook, now=now, ids=ids, because=because)
    if because == GONE:
        problem = "The target is gone: it answered 410."
        await session.execute(_FAIL_WAITING, {"webhook": webhook.id, "problem": problem})
    if because != BY_OPERATOR:
        await _tell_operators(session, webhook, now=now, ids=ids)


async def _resume(session: AsyncSession, webhook: Webhook, *, now: datetime, ids: Ids) -> None:
    told = webhook.because != BY_OPERATOR
    webhook.state = WebhookState.ACTIVE.value
    webhook.because = None
    webhook.failing_since = None
    await session.execute(_GO_ON, {"webhook": webhook.id, "now": now})
    to_be_announced(session)
    await _state(session, WebhookResumedV1, webhook, now=now, ids=ids)
    if told:
        # There is nothing to tell them now; but when it is paused once more, that is news.
        await _tell_operators(session, webhook, now=now, ids=ids)


async def _state(
    session: AsyncSession, fact: type[F], webhook: Webhook, *, now: datetime, ids: Ids, **more: str
) -> None:
    webhook.stated += 1
    await session.flush()
    stated = fact.model_validate(
        {
            "id": ids(),
            "hub": webhook.hub,
            "occurred_at": now,
            "subject": str(webhook.id),
            "subject_version": webhook.stated,
            "webhook": webhook.id,
        }
        | more
    )
    await emit(session, stated)
    # Notify hears nothing of its own: what it states is handed on where it arises.
    await hand_on(session, [stated], now=now, ids=ids)


async def _tell_operators(session: AsyncSession, webhook: Webhook, *, now: datetime, ids: Ids) -> None:
    asked = {"hub": webhook.hub, "roles": [role.value for role in OPERATORS]}
    people = (await session.execute(_OPERATORS, asked)).scalars().all()
    looks = [Look(person, webhook.hub, About.WEBHOOK, webhook.id) for person in people]
    await look_at(session, looks, now=now, gather=timedelta(0), ids=ids)


async def rotate(session: AsyncSession, hub: str, webhook: UUID, *, now: datetime) -> Webhook:
    """Give it the next secret; for a day messages are signed with the one before as well."""
    found = await load(session, hub, webhook)
    found.generation += 1
    found.previous_until = now + BOTH_VALID
    found.version += 1
    await session.flush()
    return found


async def remove(session: AsyncSession, hub: str, webhook: UUID) -> Webhook:
    """Forget it and its deliveries; as it was."""
    found = await load(session, hub, webhook)
    await session.delete(found)
    await session.flush()
    return found
