"""Webhooks are their hub's operators' alone: who may, how many, and what one is told."""

from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.contracts.base import Request
from shared.contracts.directory.words import OPERATORS, Role
from shared.contracts.notify.webhooks import (
    AddWebhook,
    ChangeWebhook,
    GetDelivery,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    Redeliver,
    RemoveWebhook,
    RotateSecret,
    TryWebhook,
)
from tests.notify.webhooks.receiver import Receiver
from tests.notify.webhooks.world import HUB, OTHER_HUB, Hooks, Refused


def every_request(webhook: UUID, delivery: UUID, hub: str, url: str) -> list[Request]:  # type: ignore[type-arg]
    """One of each kind."""
    return [
        AddWebhook(hub=hub, url=url),
        ListWebhooks(hub=hub),
        GetWebhook(hub=hub, webhook=webhook),
        ChangeWebhook(hub=hub, webhook=webhook, version=1, name="x"),
        RotateSecret(hub=hub, webhook=webhook),
        TryWebhook(hub=hub, webhook=webhook),
        ListDeliveries(hub=hub, webhook=webhook),
        GetDelivery(hub=hub, webhook=webhook, delivery=delivery),
        Redeliver(hub=hub, webhook=webhook, delivery=delivery),
        RemoveWebhook(hub=hub, webhook=webhook),
    ]


async def test_nobody_but_operators_and_admins_may(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    await hooks.hear(hooks.fact())
    [delivery] = await hooks.log(webhook)
    requests = every_request(webhook.id, delivery.id, HUB, receiver.url)
    for role in [None, *(one for one in Role if one not in OPERATORS)]:
        for request in requests:
            with pytest.raises(Refused) as refused:
                await hooks.ask(request, role=role)
            assert refused.value.status == 403
    for request in requests:
        with pytest.raises(Refused) as refused:
            await hooks.ask(request, role=Role.OPERATOR, hub=OTHER_HUB)
        assert refused.value.status == 403
        await hooks.ask(request, role=Role.ADMIN)


async def test_another_hubs_webhook_is_not_found(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    await hooks.hear(hooks.fact())
    [delivery] = await hooks.log(webhook)
    requests = every_request(webhook.id, delivery.id, OTHER_HUB, receiver.url)
    for request in requests[2:]:
        with pytest.raises(Refused) as refused:
            await hooks.ask(request, hub=OTHER_HUB)
        assert refused.value.status == 404
    assert (await hooks.ask(ListWebhooks(hub=OTHER_HUB), hub=OTHER_HUB)).items == ()
    mixed = await hooks.add(receiver, hub=OTHER_HUB)
    for request in every_request(mixed.id, delivery.id, OTHER_HUB, receiver.url)[7:9]:
        with pytest.raises(Refused) as refused:
            await hooks.ask(request, hub=OTHER_HUB)
        assert refused.value.status == 404


async def test_a_hub_has_twenty_webhooks_at_most(hooks: Hooks, receiver: Receiver) -> None:
    made = [await hooks.add(receiver) for _ in range(20)]
    with pytest.raises(Refused) as refused:
        await hooks.add(receiver)
    assert (refused.value.code, refused.value.status) == ("too-many-webhooks", 409)
    await hooks.add(receiver, hub=OTHER_HUB)
    await hooks.ask(RemoveWebhook(hub=HUB, webhook=made[3].id))
    await hooks.add(receiver)
    page = await hooks.ask(ListWebhooks(hub=HUB, limit=15))
    rest = await hooks.ask(ListWebhooks(hub=HUB, limit=15, cursor=page.cursor))
    assert (len(page.items), len(rest.items), rest.cursor) == (15, 5, None)


async def test_a_hub_nobody_has_heard_of_has_none(hooks: Hooks, receiver: Receiver) -> None:
    with pytest.raises(Refused) as refused:
        await hooks.add(receiver, hub="nowhere")
    assert refused.value.status == 404


async def test_a_misspelt_type_is_refused(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    for wrong in (
        "foci.booking.booking-canceled.v1",
        "foci.booking.booking-snapshot.v1",
        "foci.events.venue-wanted.v1",
    ):
        with pytest.raises(Refused) as refused:
            await hooks.add(receiver, wrong)
        assert refused.value.code == "unknown-fact-type"
        with pytest.raises(Refused) as refused:
            await hooks.ask(ChangeWebhook(hub=HUB, webhook=webhook.id, version=1, types=(wrong,)))
        assert refused.value.code == "unknown-fact-type"
    with pytest.raises(ValidationError):
        AddWebhook(hub=HUB, url=receiver.url, types=("everything",))


async def test_a_change_of_what_has_changed_meanwhile_is_refused(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    changed = await hooks.ask(
        ChangeWebhook(
            hub=HUB, webhook=webhook.id, version=1, name="Till", types=("foci.booking.booking-held.v1",)
        )
    )
    assert (changed.name, changed.types, changed.version) == ("Till", ("foci.booking.booking-held.v1",), 2)
    with pytest.raises(Refused) as refused:
        await hooks.ask(ChangeWebhook(hub=HUB, webhook=webhook.id, version=1, name="Kassa"))
    assert refused.value.status == 412


async def test_the_same_order_twice_is_one_webhook_with_one_secret(hooks: Hooks, receiver: Receiver) -> None:
    order = AddWebhook(hub=HUB, url=receiver.url)
    first = await hooks.ask(order, key="once")
    second = await hooks.ask(order, key="once")
    assert (first.id, first.secret) == (second.id, second.secret)
    assert len((await hooks.ask(ListWebhooks(hub=HUB))).items) == 1


async def test_no_table_holds_a_secret_and_none_is_shown_again(hooks: Hooks, receiver: Receiver) -> None:
    order = AddWebhook(hub=HUB, url=receiver.url)
    webhook = await hooks.ask(order, key="a key")
    assert "secret" not in (await hooks.seen(webhook)).model_dump()
    rotation = RotateSecret(hub=HUB, webhook=webhook.id)
    rotated = await hooks.ask(rotation, key="another key")
    assert rotated.secret != webhook.secret
    assert rotated.previous_until is not None
    # Whoever repeats the order is told the same all the same.
    assert await hooks.ask(order, key="a key") == webhook
    assert await hooks.ask(rotation, key="another key") == rotated
    for table in ("webhook", "idempotency_key", "outbox"):
        rows = str(await hooks.rows(f"SELECT * FROM {table}"))
        assert "whsec_" not in rows
        assert webhook.secret.removeprefix("whsec_") not in rows
