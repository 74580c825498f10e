"""Introductions: the two are told that they might meet, that both want to, and nothing of each other."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from services.notify.commands.following import OLD
from services.notify.commands.following_introductions import ASKED_AFTER
from services.notify.commands.forgetting import THINGS_KEPT, forget
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    IntroductionAgreedV1,
    IntroductionDeclinedV1,
    IntroductionLapsedV1,
    IntroductionMetV1,
    IntroductionSnapshotV1,
    IntroductionSuggestedV1,
    IntroductionWithdrawnV1,
    OutcomeSaidV1,
)
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.notices import GetMyChoices, ListMyNotices, NoticeView
from shared.contracts.notify.words import Channel, News, NoticeKind, Pace
from tests.notify.mailing import Mailing, make_mailing, subjects
from tests.notify.world import GATHER, World

ORDERS = list(itertools.permutations(range(3)))
ENDINGS = (IntroductionDeclinedV1, IntroductionLapsedV1, IntroductionWithdrawnV1)
TWO = ("ann@example.org", "quentin@example.org")
SUGGESTED = "Somebody at Nordviken may be able to help you, or you them"
AGREED = "Both of you said yes: see who it is, and write to them"
OVER = "An introduction at Nordviken came to nothing"
WANTED = "What came of your introduction at Nordviken?"


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, where Ann and Quentin might help each other."""
    async with make_mailing(world) as made:
        made.knows("ann")
        made.knows("quentin")
        yield made


def introduced(world: World, kind: type[Fact], thing: UUID, **said: Any) -> Fact:
    """A fact about Ann's and Quentin's introduction."""
    one, other = sorted((world.person("ann"), world.person("quentin")))
    values = {"introduction": thing, "one": one, "other": other, "lapses_at": world.now + timedelta(days=14)}
    known: dict[str, Any] = {
        name: value for name, value in (values | said).items() if name in kind.model_fields
    }
    return world.fact(kind, thing, **known)


async def hear(mailing: Mailing, kind: type[Fact], thing: UUID, **said: Any) -> None:
    """Notify hears it."""
    await mailing.world.hear(introduced(mailing.world, kind, thing, **said))


async def inbox(mailing: Mailing, name: str = "ann", language: str = "en") -> Sequence[NoticeView]:
    """What is in somebody's, newest first."""
    return (await mailing.world.ask(ListMyNotices(language=language), name)).items


async def test_both_are_told_until_when_to_answer_and_not_who_it_is(mailing: Mailing) -> None:
    thing = mailing.world.ids()
    await hear(mailing, IntroductionSuggestedV1, thing)
    mails = await mailing.gathered()
    assert subjects(mails) == [(to, SUGGESTED) for to in TWO]
    for mail, other in zip(sorted(mails, key=lambda one: one.to), ("quentin", "ann"), strict=True):
        assert "before Monday, 15 March 2027 at 09:00" in mail.text
        assert "http://127.0.0.1:8080/v1/me/introductions\n" in mail.text.replace("\r\n", "\n")
        assert other.title() not in str(mail.message)
        assert other.title() not in mail.text
    for message in await mailing.messages():
        (unnamed,) = {mailing.world.person("ann"), mailing.world.person("quentin")} - {message.person}
        assert str(unnamed) not in str(message.items)
    (notice,) = await inbox(mailing, "quentin")
    assert (notice.title, notice.items[0].thing, notice.items[0].kind) == (SUGGESTED, thing, "introduction")
    assert await mailing.left() == {}


async def test_who_asked_hears_nothing_of_the_asking_and_all_of_what_comes_of_it(mailing: Mailing) -> None:
    ann = mailing.world.person("ann")
    agreed, declined = mailing.world.ids(), mailing.world.ids()
    for thing in (agreed, declined):
        await hear(mailing, IntroductionSuggestedV1, thing, by_host=False, asked_by=ann)
    assert subjects(await mailing.gathered()) == [("quentin@example.org", SUGGESTED)] * 2
    assert await inbox(mailing) == ()
    await hear(mailing, IntroductionAgreedV1, agreed)
    await hear(mailing, IntroductionDeclinedV1, declined)
    assert subjects(await mailing.gathered()) == [(to, AGREED) for to in TWO]
    assert {one.title for one in await inbox(mailing)} == {AGREED, OVER}


async def test_who_asked_is_told_of_a_yes_that_is_heard_of_before_the_asking(mailing: Mailing) -> None:
    thing, ann = mailing.world.ids(), mailing.world.person("ann")
    suggested = introduced(mailing.world, IntroductionSuggestedV1, thing, by_host=False, asked_by=ann)
    agreed = introduced(mailing.world, IntroductionAgreedV1, thing)
    for fact in (agreed, suggested, agreed):
        await mailing.world.hear(fact)
    assert subjects(await mailing.gathered()) == [(to, AGREED) for to in TWO]


async def test_it_is_said_when_those_who_run_the_hub_suggested_it(mailing: Mailing) -> None:
    await hear(mailing, IntroductionSuggestedV1, mailing.world.ids(), by_host=True)
    mail, _ = await mailing.gathered()
    assert "Those who run Nordviken think that you two should meet." in mail.text


async def test_both_are_told_when_both_have_said_yes_and_a_week_later_asked_what_came_of_it(
    mailing: Mailing,
) -> None:
    thing = mailing.world.ids()
    await hear(mailing, IntroductionSuggestedV1, thing)
    await mailing.gathered()
    await hear(mailing, IntroductionAgreedV1, thing)
    agreed_at = mailing.world.now
    assert subjects(await mailing.gathered()) == [(to, AGREED) for to in TWO]
    assert await mailing.left() == {}
    await hear(mailing, IntroductionMetV1, thing)
    mailing.world.now = agreed_at + ASKED_AFTER - timedelta(seconds=1)
    assert await mailing.send() == []
    assert subjects(await mailing.send(seconds=1)) == [(to, WANTED) for to in TWO]
    assert [one.title for one in await inbox(mailing)] == [WANTED, AGREED, SUGGESTED]
    await hear(mailing, OutcomeSaidV1, thing)
    assert await mailing.send(days=2) == []
    assert await mailing.left() == {}


async def test_nobody_is_asked_what_has_been_said_or_can_not_be(mailing: Mailing) -> None:
    for kind in (OutcomeSaidV1, *ENDINGS):
        thing = mailing.world.ids()
        await hear(mailing, IntroductionAgreedV1, thing)
        await mailing.gathered()
        await hear(mailing, kind, thing)
    assert await mailing.send(days=8) == []
    assert await mailing.world.notices() == []


async def test_that_it_came_to_nothing_is_in_the_inbox_only_and_however_it_ended_in_the_same_words(
    mailing: Mailing,
) -> None:
    words, kept = set(), set()
    for kind in ENDINGS:
        thing = mailing.world.ids()
        await hear(mailing, IntroductionSuggestedV1, thing)
        assert len(await mailing.gathered()) == 2
        await hear(mailing, kind, thing)
        assert await mailing.gathered() == []
        assert await mailing.left() == {}
        for name in ("ann", "quentin"):
            newest, *_ = await inbox(mailing, name)
            assert newest.items[0].thing == thing
            words.add((newest.title, newest.items[0].text))
        states = await mailing.world.rows("SELECT state::text AS state FROM told WHERE thing = :t", t=thing)
        kept |= {row.state for row in states}
    assert [title for title, _ in words] == [OVER]
    assert len({state for state in kept if '"over"' in state}) == 1, "nor does notify know more"


async def test_a_suggestion_that_is_overtaken_before_it_is_told_is_dropped(mailing: Mailing) -> None:
    for kind in (*ENDINGS, IntroductionMetV1, OutcomeSaidV1):
        thing = mailing.world.ids()
        await hear(mailing, IntroductionSuggestedV1, thing)
        await hear(mailing, kind, thing)
    assert await mailing.gathered() == []
    assert await inbox(mailing) == await inbox(mailing, "quentin") == ()
    assert await mailing.left() == {}


async def test_a_mail_that_waits_for_the_morning_does_not_go_when_it_came_to_nothing_at_night(
    mailing: Mailing,
) -> None:
    mailing.world.now = datetime(2027, 3, 1, 21, 30, tzinfo=UTC)  # 22:30 in Stockholm
    thing = mailing.world.ids()
    await hear(mailing, IntroductionSuggestedV1, thing)
    assert await mailing.gathered() == []
    await hear(mailing, IntroductionWithdrawnV1, thing)
    assert await mailing.send(hours=12) == []
    assert [one.title for one in await inbox(mailing)] == [OVER, SUGGESTED], "of that one it was told"


async def test_one_that_was_told_by_mail_and_agreed_at_night_is_not_mailed_as_over(mailing: Mailing) -> None:
    thing = mailing.world.ids()
    await hear(mailing, IntroductionSuggestedV1, thing)
    assert len(await mailing.gathered()) == 2
    mailing.world.now = datetime(2027, 3, 2, 21, 30, tzinfo=UTC)
    await hear(mailing, IntroductionAgreedV1, thing)
    await mailing.gathered()
    await hear(mailing, IntroductionWithdrawnV1, thing)
    assert await mailing.send(hours=12) == []
    assert [one.title for one in await inbox(mailing)] == [OVER, AGREED, SUGGESTED]


async def test_it_can_wait_for_a_digest_which_says_what_is_still_to_be_answered(mailing: Mailing) -> None:
    for name in ("ann", "quentin"):
        await mailing.choose(name, NoticeKind.INTRODUCTION, Pace.WEEKLY)
    first, second, third = (mailing.world.ids() for _ in range(3))
    await hear(mailing, IntroductionSuggestedV1, first)
    await hear(mailing, IntroductionSuggestedV1, second)
    await hear(mailing, IntroductionSuggestedV1, third, lapses_at=mailing.world.now + timedelta(days=2))
    assert await mailing.gathered() == []
    await hear(mailing, IntroductionDeclinedV1, second)
    assert subjects(await mailing.send(days=8)) == [(to, SUGGESTED) for to in TWO]
    assert await mailing.left() == {}


async def test_who_left_and_who_was_erased_hear_nothing(mailing: Mailing) -> None:
    await hear(mailing, IntroductionSuggestedV1, mailing.world.ids())
    mailing.forget("ann")
    mailing.knows("quentin", left_at=mailing.world.now + GATHER)
    assert await mailing.gathered() == []
    assert await inbox(mailing) == await inbox(mailing, "quentin") == ()
    assert await mailing.left() == {}


@pytest.mark.parametrize(
    ("last", "order"),
    [(IntroductionMetV1, (2, 1, 0)), *((IntroductionWithdrawnV1, order) for order in ORDERS)],
)
async def test_an_introduction_is_as_its_newest_fact_says_whatever_the_order(
    world: World, last: type[Fact], order: tuple[int, ...]
) -> None:
    thing = world.ids()
    facts = [introduced(world, kind, thing) for kind in (IntroductionSuggestedV1, IntroductionAgreedV1, last)]
    for number in order:
        await world.hear(facts[number])
        await world.hear(facts[number])
    await world.hear(*(facts[number] for number in order))
    [row] = await world.rows("SELECT * FROM introduction")
    assert (row.version, row.standing) == (3, "met" if last is IntroductionMetV1 else "over")
    world.later(minutes=3)
    assert await world.tell() == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_both_yeses_are_told_once_whatever_comes_first_and_how_often(
    world: World, order: tuple[int, ...]
) -> None:
    thing = world.ids()
    facts = [introduced(world, kind, thing) for kind in (IntroductionSuggestedV1, IntroductionAgreedV1)]
    everybody = sorted((world.person(name), channel) for name in ("ann", "quentin") for channel in Channel)
    for expected in (everybody, []):
        for number in order:
            await world.hear(facts[number])
        world.later(minutes=3)
        told = await world.tell()
        assert sorted((one.person, one.channel) for one in told) == expected
        assert {one.news for one in told} <= {News.INTRODUCTION_AGREED}


async def test_what_is_old_is_nobodys_news_and_nobody_hears_that_it_came_to_nothing(mailing: Mailing) -> None:
    thing, other = mailing.world.ids(), mailing.world.ids()
    old = mailing.world.now - OLD - timedelta(seconds=1)
    await hear(mailing, IntroductionSuggestedV1, thing, occurred_at=old)
    await hear(mailing, IntroductionAgreedV1, other, occurred_at=old)
    assert await mailing.gathered() == []
    await hear(mailing, IntroductionLapsedV1, thing)
    assert await mailing.gathered() == []
    assert await inbox(mailing) == ()
    mailing.world.now = old + ASKED_AFTER
    assert subjects(await mailing.send()) == [(to, WANTED) for to in TWO], "asked it is all the same"


async def test_what_nothing_was_said_of_for_long_is_forgotten_with_what_was_told(mailing: Mailing) -> None:
    world = mailing.world
    ended, goes_on = world.ids(), world.ids()
    await hear(mailing, IntroductionSuggestedV1, ended)
    await mailing.gathered()
    await hear(mailing, IntroductionDeclinedV1, ended)
    said_at = world.now
    world.later(seconds=2)
    await hear(mailing, IntroductionAgreedV1, goes_on)
    await mailing.send(days=8)
    for at, left in ((said_at + THINGS_KEPT, 2), (said_at + THINGS_KEPT + timedelta(seconds=1), 1)):
        world.now = at
        async with world.database.transaction() as session:
            await forget(session, now=at)
        assert len(await world.rows("SELECT id FROM introduction")) == left
    told = await world.rows("SELECT DISTINCT thing, about FROM told ORDER BY about")
    assert [(row.thing, row.about) for row in told] == [(goes_on, "introduction"), (goes_on, "outcome")]


async def test_everybody_can_choose_how_they_hear_of_introductions(mailing: Mailing) -> None:
    chosen = {
        one.channel: (one.when, one.chosen)
        for one in (await mailing.world.ask(GetMyChoices())).choices
        if one.kind is NoticeKind.INTRODUCTION
    }
    assert chosen == {Channel.EMAIL: (Pace.NOW, False), Channel.INBOX: (Pace.NOW, False)}
    await mailing.choose("ann", NoticeKind.INTRODUCTION, Pace.OFF)
    await hear(mailing, IntroductionSuggestedV1, mailing.world.ids())
    assert subjects(await mailing.gathered()) == [("quentin@example.org", SUGGESTED)]
    assert [one.title for one in await inbox(mailing)] == [SUGGESTED]


async def test_what_is_stated_again_fills_what_was_lost_and_is_no_news(mailing: Mailing) -> None:
    world = mailing.world
    lost, known = world.ids(), world.ids()

    async def stated_again(thing: UUID, standing: Standing) -> None:
        now = introduced(world, IntroductionSnapshotV1, thing, standing=standing, by_host=False)
        await world.hear(now.model_copy(update={"subject_version": 1}))

    await stated_again(lost, Standing.SUGGESTED)
    assert await mailing.gathered() == []
    await hear(mailing, IntroductionAgreedV1, lost)
    assert subjects(await mailing.gathered()) == [(to, AGREED) for to in TWO]
    await hear(mailing, IntroductionSuggestedV1, known)
    assert subjects(await mailing.gathered()) == [(to, SUGGESTED) for to in TWO]
    for standing in (Standing.SUGGESTED, Standing.OVER):
        await stated_again(known, standing)
    rows = await world.rows("SELECT standing FROM introduction WHERE id = :id", id=known)
    assert [row.standing for row in rows] == ["suggested"], "what is known already stays as it was heard"
    assert await mailing.gathered() == []
