"""Whatever a mail server does, and whenever a process dies: nothing is lost, and nothing goes twice that need not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.notify.commands.lanes import Rates, slots
from services.notify.duties.housekeeping import forget_what_is_over
from services.notify.rules.addresses import lane_of
from services.notify.rules.mail import message_id_of
from services.notify.senders import people as sending
from services.notify.senders.people import People
from shared.contracts.booking import facts as booking
from shared.contracts.notify.notices import GetMyChoices, QuietHours, ReportBounce
from shared.contracts.notify.words import Channel, Hindrance, NoticeKind, Pace
from shared.kit.ids import utc_now
from tests.notify.mailing import LEASE, Crash, Mailing, make_mailing
from tests.notify.post_office import CUT, CUT_AFTER, HANG
from tests.notify.world import MONDAY, SECRET, World
from tests.waiting import eventually

ANN = "ann@example.org"


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, whose people are sent mail; Ann has just booked."""
    async with make_mailing(world) as made:
        made.knows("ann")
        await world.hear(world.booked())
        yield made


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("MAIL", "451 4.3.0 x"),
        ("RCPT", "450 4.2.0 x"),
        ("DATA", CUT),
        ("DATA", "421 4.3.2 x"),
        ("END", "452 x"),
    ],
)
async def test_what_is_surely_not_taken_goes_later_once(mailing: Mailing, step: str, said: str) -> None:
    mailing.office.say(step, "" if step == "MAIL" else ANN, said)
    assert await mailing.gathered() == []
    assert await mailing.messages() == [], "nothing stands between the facts and what is told later"
    assert await mailing.send(seconds=29) == []
    assert len(await mailing.send(seconds=1)) == 1
    assert await mailing.left() == {}
    assert await mailing.send(hours=5) == []


async def test_facts_overtake_what_was_not_taken(mailing: Mailing) -> None:
    world = mailing.world
    (thing,) = [row.thing for row in await mailing.world.notices() if row.about == "booking"]
    mailing.office.say("RCPT", ANN, "450 4.2.0 x")
    assert await mailing.gathered() == []
    await world.hear(world.booked(booking.BookingCancelledV1, thing))
    assert await mailing.send(minutes=5) == []
    assert await mailing.left() == {}


@pytest.mark.parametrize("said", [CUT, CUT_AFTER, HANG])
async def test_what_may_have_been_taken_goes_again_as_the_very_same(mailing: Mailing, said: str) -> None:
    mailing.office.say("END", ANN, said)
    first = await mailing.gathered()
    (row,) = await mailing.messages()
    assert await mailing.send(seconds=29) == [], "it is left alone for a while"
    (again,) = await mailing.send(seconds=1)
    assert again.message_id == message_id_of(row.id, "foci.example")
    assert [one.raw for one in first] == [again.raw] * (said == CUT_AFTER)
    assert await mailing.left() == {}
    assert await mailing.send(hours=5) == []


async def test_a_process_that_dies_after_the_250_sends_the_very_same_once_more(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sending, "mark", _dies)
        with pytest.raises(Crash):
            await mailing.gathered()
    (first,) = mailing.office.taken
    assert await mailing.send() == []
    (again,) = await mailing.send(seconds=LEASE.total_seconds())
    assert (again.message_id, again.raw) == (first.message_id, first.raw)
    assert await mailing.send(hours=5) == []
    assert await mailing.left() == {}


async def _dies(*_: Any, **__: Any) -> None:
    raise Crash


@pytest.mark.parametrize("where", ["_compose", "_send"])
async def test_a_process_that_dies_before_it_sends_costs_time_and_no_mail(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(People, where, _dies)
        with pytest.raises(Crash):
            await mailing.gathered()
    assert await mailing.send() == []
    assert len(await mailing.send(seconds=LEASE.total_seconds())) == 1
    assert await mailing.send(hours=5) == []
    assert len(await mailing.messages(Channel.INBOX)) == 1
    assert await mailing.left() == {}


async def test_a_mail_of_unknown_fate_is_not_sent_again_in_the_night(mailing: Mailing) -> None:
    mailing.world.now = datetime(2027, 3, 1, 19, 59, tzinfo=UTC)
    mailing.office.say("END", ANN, CUT_AFTER)
    assert len(await mailing.send()) == 1
    assert await mailing.send(minutes=10) == []
    mailing.world.now = datetime(2027, 3, 2, 6, 0, tzinfo=UTC)
    assert len(await mailing.send()) == 1
    assert await mailing.left() == {}


@pytest.mark.parametrize("since", ["erased", "left", "stopped", "off"])
async def test_a_mail_of_unknown_fate_nobody_wants_any_more_does_not_go_again(
    mailing: Mailing, since: str
) -> None:
    mailing.office.say("END", ANN, CUT_AFTER)
    assert len(await mailing.gathered()) == 1
    if since == "erased":
        mailing.forget("ann")
    elif since == "left":
        mailing.knows("ann", left_at=mailing.world.now + timedelta(seconds=1))
    elif since == "stopped":
        (row,) = await mailing.messages()
        await mailing.world.ask(
            ReportBounce(message_id=message_id_of(row.id, "foci.example"), status="5.1.1"), None
        )
    else:
        await mailing.choose("ann", NoticeKind.BOOKING, Pace.OFF)
    assert await mailing.send(minutes=5) == []
    assert await mailing.left() == {}
    assert [row.problem for row in await mailing.messages()] == ([] if since == "erased" else [since])


async def test_a_mail_refused_for_good_is_over_and_the_address_is_not(mailing: Mailing) -> None:
    world = mailing.world
    mailing.office.say("END", ANN, "554 5.7.1 <ann@example.org> looks like spam")
    assert await mailing.gathered() == []
    (row,) = await mailing.messages()
    assert (row.problem, row.sent_at) == ("end 554 5.7.1", None)
    await world.hear(world.booked())
    assert len(await mailing.gathered()) == 1
    assert await mailing.left() == {}


async def test_an_address_that_never_existed_is_not_tried_again_until_somebody_says_so(
    mailing: Mailing,
) -> None:
    world = mailing.world
    mailing.office.always["RCPT", ANN] = f"550 5.1.1 <{ANN}> nobody"
    assert await mailing.gathered() == []
    tried = mailing.office.connections
    await world.hear(world.booked())
    sender = mailing.sender()
    assert await mailing.send(sender, minutes=1) == []
    assert mailing.office.connections == tried, "nobody was asked"
    assert (await world.ask(GetMyChoices())).mail_stopped is Hindrance.REFUSED
    del mailing.office.always["RCPT", ANN]
    await mailing.change("ann", mail_again=True)
    await world.hear(world.booked())
    assert len(await mailing.gathered()) == 1
    assert (await world.ask(GetMyChoices())).mail_stopped is None


async def test_mail_that_comes_back_for_good_stops_mail_to_that_address_and_to_no_other(
    mailing: Mailing,
) -> None:
    world = mailing.world
    (mail,) = await mailing.gathered()
    bounced = ReportBounce(message_id=mail.message_id, status="5.1.1")
    later = bounced.model_copy(update={"status": "4.2.2"})
    assert not (await world.ask(later, None)).stopped
    assert (await world.ask(bounced, None)).stopped
    assert (await world.ask(bounced, None)).stopped, "twice is once"
    assert (await world.ask(later, None)).stopped
    await world.hear(world.booked())
    assert await mailing.gathered() == []
    assert (await world.ask(GetMyChoices())).mail_stopped is Hindrance.BOUNCED
    mailing.knows("ann", email="ann.new@example.org")
    await world.hear(world.booked())
    assert [one.to for one in await mailing.gathered()] == ["ann.new@example.org"]
    assert await mailing.left() == {}


@pytest.mark.parametrize(
    "strange",
    ["<1@foci.example>", "hello", "<00000000-0000-7000-8000-000000000099@foci.example>", "<@>", "a@b"],
)
async def test_reports_of_what_we_have_not_sent_stop_nothing(mailing: Mailing, strange: str) -> None:
    await mailing.gathered()
    assert not (await mailing.world.ask(ReportBounce(message_id=strange, status="5.1.1"), None)).stopped
    foreign = f"{(await mailing.messages())[0].id}@elsewhere.example"
    assert not (await mailing.world.ask(ReportBounce(message_id=foreign, status="5.1.1"), None)).stopped
    assert await mailing.world.rows("SELECT * FROM stopped_address") == []


async def test_what_the_server_never_takes_is_given_up_after_three_days(mailing: Mailing) -> None:
    mailing.office.always["RCPT", ANN] = "450 4.2.0 not now"
    began = mailing.world.now
    sender = mailing.sender()
    while (await mailing.left()).get("notices"):
        assert await mailing.send(sender, minutes=15) == []
        mailing.world.now = max(mailing.world.now, datetime(2027, 3, 1, 8, tzinfo=UTC))
        assert mailing.world.now - began < timedelta(days=8)
    assert mailing.world.now - began > timedelta(days=3)
    (row,) = await mailing.messages()
    assert row.failed_at is not None
    assert row.problem == "rcpt 450 4.2.0"


async def test_a_mail_that_waited_for_days_because_nobody_was_there_to_send_it_still_goes(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(People, "_send", _dies)
        with pytest.raises(Crash):
            await mailing.gathered()
    assert len(await mailing.send(days=5)) == 1
    assert await mailing.left() == {}


async def test_a_mail_server_that_is_away_for_a_while_loses_nothing(mailing: Mailing) -> None:
    port = mailing.office.port
    for name in ("bo", "olle"):
        mailing.knows(name)
        await mailing.world.hear(mailing.world.booked(who=name))
    settings = mailing.settings.model_copy(update={"smtp_port": 1})
    assert await mailing.send(mailing.sender(settings=settings), minutes=1) == []
    assert mailing.settings.smtp_port == port
    assert len(await mailing.send(minutes=5)) == 3
    assert await mailing.left() == {}


async def test_going_on_by_itself_it_sends_what_is_due_survives_errors_and_ends_well(
    mailing: Mailing,
) -> None:
    asked = 0

    async def ask(places: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RuntimeError("unforeseen")
        return await mailing.ask(places)

    mailing.world.later(minutes=1)
    sender = mailing.sender(ask=ask)
    running = asyncio.create_task(sender.run())
    await eventually(lambda: asked == 1)
    mailing.world.later(minutes=1)
    await eventually(lambda: len(mailing.office.taken) == 1)
    await mailing.world.hear(mailing.world.booked())
    mailing.world.later(minutes=1)
    mailing.office.say("END", ANN, HANG)
    sender.kick()
    await eventually(lambda: not mailing.office.answers["END", ANN])
    await sender.stop()
    assert not running.done()
    (row,) = [one for one in await mailing.messages() if one.sent_at is None]
    assert row.problem == "end SMTPReadTimeoutError", "what was begun has been marked"
    running.cancel()
    await asyncio.wait((running,))


async def test_pace_of_the_server_and_of_a_domain_over_two_who_send(world: World) -> None:
    """60 mails a second altogether, 25 to one domain: never more in any second, whoever sends."""
    async with make_mailing(world, mail_rate=60, mail_domain_rate=25) as mailing:
        for number in range(50):
            mailing.knows(f"p{number}", email=f"p{number}@{'big' if number % 2 else f'd{number}'}.example")
        world.now = utc_now() - timedelta(minutes=1)
        mailing.world.now = world.now
        # In the day, whenever the test runs: nobody has quiet hours.
        await asyncio.gather(
            *(
                world.hear(world.booked(who=f"p{number}", start=world.now + timedelta(days=8)))
                for number in range(50)
            )
        )
        await _no_quiet_hours(mailing, 50)
        one, two = (mailing.sender(clock=utc_now, pause=asyncio.sleep) for _ in range(2))
        while len(mailing.office.taken) < 50:
            await asyncio.gather(one.round(), two.round())
        _assert_paced([mail.at for mail in mailing.office.taken], 60)
        _assert_paced([mail.at for mail in mailing.office.taken if mail.to.endswith("big.example")], 25)


async def _no_quiet_hours(mailing: Mailing, people: int) -> None:

    for number in range(people):
        await mailing.change(f"p{number}", quiet=QuietHours(start=time(0), end=time(0)))


def _assert_paced(moments: list[float], rate: float) -> None:
    # A mail can be held up on the way by the machine, so some of a moment may arrive together.
    slack = 5
    ordered = sorted(moments)
    for first in range(len(ordered)):
        within = [moment for moment in ordered[first:] if moment - ordered[first] < 0.5]
        assert len(within) <= rate * 0.5 + slack
    assert ordered[-1] - ordered[0] >= (len(ordered) - slack) / rate


async def test_lanes_nobody_has_used_for_an_hour_are_forgotten(mailing: Mailing) -> None:
    world = mailing.world
    mailing.knows("bo", email="bo@example.com")
    await mailing.gathered()
    await world.hear(world.booked(who="bo"))
    await mailing.send(minutes=50)
    assert len(await world.rows("SELECT * FROM lane")) == 3
    world.later(minutes=30)
    async with world.database.transaction() as session:
        await forget_what_is_over(session, "", world.now)
    names = [row.name for row in await world.rows("SELECT name FROM lane ORDER BY name")]
    assert names == ["", lane_of("bo@example.com", SECRET)]
    assert "example" not in names[1]


def test_slots_are_in_turn_for_domains_and_never_closer_than_the_pace() -> None:
    free = {"": MONDAY, "a": MONDAY, "b": MONDAY}
    taken, after = slots(["a"] * 30 + ["b"] * 3, free, now=MONDAY, rates=Rates(10, 2))
    known = sorted(slot for slot in taken if slot)
    assert min(later - one for one, later in itertools.pairwise(known)) >= timedelta(seconds=0.1)
    assert [slot for slot in taken[30:] if slot and slot - MONDAY < timedelta(seconds=2)] == taken[30:]
    assert taken.count(None) == 30 - 21, "a domain's slots end where patience does"
    assert after["a"] - MONDAY == timedelta(seconds=10.5)
