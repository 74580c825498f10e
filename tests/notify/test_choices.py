"""Choices: defaults, every hub and one, what cannot be chosen, and that they act on what waits."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.notify.rules import kinds
from shared.contracts.notify.notices import (
    ChangeMyChoices,
    ChoicesView,
    GetMyChoices,
    GetUnsubscribe,
    NewChoice,
    QuietHours,
    Unsubscribe,
)
from shared.contracts.notify.words import ALWAYS, Channel, NoticeKind, Pace
from tests.notify.world import HUB, TUESDAY, World

EMAIL, INBOX = Channel.EMAIL, Channel.INBOX


def choice(
    kind: NoticeKind, when: Pace | None, channel: Channel = EMAIL, hub: str | None = None
) -> NewChoice:
    """One choice."""
    return NewChoice(hub=hub, kind=kind, channel=channel, when=when)


async def change(world: World, *choices: NewChoice, **more: Any) -> ChoicesView:
    """Ann chooses."""
    known = await world.ask(GetMyChoices())
    return await world.ask(ChangeMyChoices(choices=choices, version=known.version, **more))


def pace_of(view: ChoicesView, kind: NoticeKind, channel: Channel = EMAIL, hub: str | None = None) -> Pace:
    """What is shown for a kind."""
    [found] = [one for one in view.choices if (one.hub, one.kind, one.channel) == (hub, kind, channel)]
    return found.when


async def test_who_has_chosen_nothing_sees_the_defaults(world: World) -> None:
    view = await world.ask(GetMyChoices())
    assert not any(one.chosen for one in view.choices)
    assert {(one.kind, one.channel): one.when for one in view.choices} == {
        place: pace for place, pace in kinds.DEFAULTS.items() if place[0] not in ALWAYS
    }
    assert pace_of(view, NoticeKind.PROGRAMME) is Pace.WEEKLY
    assert pace_of(view, NoticeKind.PROGRAMME, INBOX) is Pace.OFF
    assert (view.quiet.start, view.quiet.end, view.digest_at) == (time(21), time(7), time(7, 30))
    assert (view.remind_minutes, view.mail_stopped, view.version) == (1440, None, 1)
    assert await world.rows("SELECT * FROM habit") == [], "looking leaves no trace"


async def test_a_choice_for_a_hub_stands_before_one_for_every_hub(world: World) -> None:
    view = await change(
        world,
        choice(NoticeKind.BOOKING, Pace.DAILY),
        choice(NoticeKind.BOOKING, Pace.NOW, hub=HUB),
        quiet=QuietHours(start=time(22, 15, 30), end=time(6)),
        digest_at=time(18),
        remind_minutes=60,
    )
    assert pace_of(view, NoticeKind.BOOKING) is Pace.DAILY
    assert pace_of(view, NoticeKind.BOOKING, hub=HUB) is Pace.NOW
    assert [one.hub for one in view.choices if one.chosen] == [None, HUB]
    assert (view.quiet.start, view.quiet.end) == (time(22, 15), time(6))
    assert (view.digest_at, view.remind_minutes, view.version) == (time(18), 60, 2)
    back = await change(world, choice(NoticeKind.BOOKING, None), choice(NoticeKind.BOOKING, None, hub=HUB))
    assert pace_of(back, NoticeKind.BOOKING) is Pace.NOW
    assert not any(one.chosen for one in back.choices)
    assert (back.digest_at, back.version) == (time(18), 3)


async def test_choosing_what_is_chosen_changes_nothing(world: World) -> None:
    first = await change(world, choice(NoticeKind.EVENT, Pace.OFF), digest_at=time(9))
    again = await change(world, choice(NoticeKind.EVENT, Pace.OFF), digest_at=time(9))
    assert again == first
    both = await change(world, choice(NoticeKind.EVENT, Pace.NOW), choice(NoticeKind.EVENT, Pace.OFF))
    assert both == first, "the last word counts"


async def test_a_change_from_what_is_not_any_more_is_refused(world: World) -> None:
    await change(world, choice(NoticeKind.EVENT, Pace.OFF))
    stale = ChangeMyChoices(choices=(choice(NoticeKind.EVENT, Pace.NOW),), version=1)
    refused = await world.refusal(stale)
    assert (refused.status, refused.code) == (412, "version-mismatch")
    assert pace_of(await world.ask(GetMyChoices()), NoticeKind.EVENT) is Pace.OFF
    ahead = await world.refusal(ChangeMyChoices(version=7), "bo")
    assert ahead.code == "version-mismatch"


@pytest.mark.parametrize("kind", sorted(ALWAYS))
@pytest.mark.parametrize("when", [Pace.OFF, Pace.NOW, None])
async def test_what_is_always_sent_cannot_be_chosen(
    world: World, kind: NoticeKind, when: Pace | None
) -> None:
    refused = await world.refusal(ChangeMyChoices(choices=(choice(kind, when),), version=1))
    assert (refused.status, refused.code, refused.problem["field"]) == (
        422,
        "always-sent",
        "kind",
    )


@pytest.mark.parametrize(
    ("kind", "channel", "when"),
    [
        (NoticeKind.OFFER, EMAIL, Pace.DAILY),
        (NoticeKind.REMINDER, EMAIL, Pace.WEEKLY),
        (NoticeKind.BOOKING, INBOX, Pace.DAILY),
        (NoticeKind.PROGRAMME, INBOX, Pace.WEEKLY),
    ],
)
async def test_what_has_a_deadline_and_the_inbox_know_no_digests(
    world: World, kind: NoticeKind, channel: Channel, when: Pace
) -> None:
    refused = await world.refusal(ChangeMyChoices(choices=(choice(kind, when, channel),), version=1))
    assert (refused.status, refused.code) == (422, "pace-not-possible")
    assert refused.problem["possible"] == ["now", "off"]
    assert await world.rows("SELECT * FROM choice") == []


async def test_a_hub_nobody_knows_and_a_time_with_an_offset_are_refused(world: World) -> None:
    nowhere = ChangeMyChoices(choices=(choice(NoticeKind.EVENT, Pace.OFF, hub="nowhere"),), version=1)
    assert (await world.refusal(nowhere)).status == 404
    offset = ChangeMyChoices(version=1, digest_at=time.fromisoformat("07:30+01:00"))
    refused = await world.refusal(offset)
    assert (refused.status, refused.code) == (422, "invalid")


async def test_nobody_in_particular_has_no_choices(world: World) -> None:
    for request in (
        GetMyChoices(),
        ChangeMyChoices(version=1),
        Unsubscribe(hub=HUB, kinds=(NoticeKind.EVENT,)),
    ):
        assert (await world.refusal(request, None)).status == 401


async def test_choices_are_each_ones_own(world: World) -> None:
    await change(world, choice(NoticeKind.EVENT, Pace.OFF))
    assert not any(one.chosen for one in (await world.ask(GetMyChoices(), "bo")).choices)


async def test_unsubscribing_switches_mail_off_at_one_hub_and_twice_changes_nothing(world: World) -> None:
    wanted = (NoticeKind.PROGRAMME, NoticeKind.EVENT)
    # Who follows a link is known as a person, in no role.
    assert not (await world.ask(GetUnsubscribe(hub=HUB, kinds=wanted), "ann", None)).done
    for _ in range(2):
        done = await world.ask(Unsubscribe(hub=HUB, kinds=wanted), "ann", None)
        assert (done.done, done.kinds, done.hub, done.channel) == (True, wanted, HUB, EMAIL)
        view = await world.ask(GetMyChoices())
        assert view.version == 2
    assert pace_of(view, NoticeKind.EVENT, hub=HUB) is Pace.OFF
    assert pace_of(view, NoticeKind.EVENT) is Pace.NOW
    assert [one.channel for one in view.choices if one.chosen] == [EMAIL, EMAIL]
    always = await world.ask(Unsubscribe(hub=HUB, kinds=(NoticeKind.SAFETY,)))
    assert not always.done
    assert (await world.ask(GetMyChoices())).version == 2


async def test_a_change_is_acted_on_by_what_waits_for_a_digest_or_the_morning(world: World) -> None:
    fresh, digested, asleep = world.booked(), world.booked(), world.booked()
    await world.hear(fresh, digested, asleep)
    later = world.now + timedelta(hours=10)
    async with world.database.transaction() as session:
        for thing, pace in ((digested.subject, "daily"), (asleep.subject, None)):
            moved = {"thing": thing, "pace": pace, "later": later}
            await session.execute(text(_PUT_OFF), moved)
    await change(world, digest_at=time(9))
    notices = {str(one.thing): one for one in await world.notices() if one.about == "booking"}
    assert notices[fresh.subject].due_at == world.now + timedelta(seconds=20), "it gathers on"
    assert notices[digested.subject].due_at == notices[asleep.subject].due_at == world.now
    assert notices[digested.subject].digest is None
    assert {one.due_at for one in await world.notices() if one.about == "reminder"} == {
        TUESDAY - timedelta(days=1)
    }


_PUT_OFF = """
    UPDATE notice SET digest = :pace, due_at = :later WHERE thing = CAST(:thing AS uuid) AND about = 'booking'
"""


async def test_mail_that_came_back_is_shown_and_can_be_tried_again(world: World) -> None:
    async with world.database.transaction() as session:
        for address in (b"old", b"new"):
            await session.execute(
                text(_MAILED), {"id": world.ids(), "person": world.person("ann"), "hash": address}
            )
            await session.execute(text(_STOPPED), {"hash": address, "now": world.now})
    assert (await world.ask(GetMyChoices())).mail_stopped == "bounced"
    assert (await world.ask(GetMyChoices(), "bo")).mail_stopped is None
    view = await change(world, mail_again=True)
    assert (view.mail_stopped, view.version) == (None, 1)
    assert await world.rows("SELECT * FROM stopped_address") == []


_MAILED = """
    INSERT INTO message (id, person, hub, channel, kinds, items, created_at, sent_at, address_hash)
    VALUES (:id, :person, 'nordviken', 'email', '{booking}', '[]', now(), now(), :hash)
"""
_STOPPED = "INSERT INTO stopped_address (address_hash, because, since) VALUES (:hash, 'bounced', :now)"


def test_everything_that_can_be_chosen_has_a_default_that_is_allowed() -> None:
    for place, pace in kinds.DEFAULTS.items():
        assert pace in kinds.ALLOWED[place]
    assert set(kinds.DEFAULTS) == set(kinds.ALLOWED)
    for kind in ALWAYS:
        off = {(HUB, kind, EMAIL): Pace.OFF, (kinds.EVERYWHERE, kind, EMAIL): Pace.OFF}
        assert kinds.resolve(off, HUB, kind, EMAIL) is Pace.NOW, (
            "nobody can switch it off, not even by mistake"
        )
