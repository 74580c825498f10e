"""Introductions: asked for and suggested, answered in any order, met, and what came of them; who said no is nobody's to know."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from services.matching.rules.introductions import NOT_AGAIN_FOR
from shared.contracts.directory.words import Role
from shared.contracts.matching.facts import (
    IntroductionAgreedV1,
    IntroductionDeclinedV1,
    IntroductionLapsedV1,
    IntroductionMetV1,
    IntroductionSuggestedV1,
    IntroductionWithdrawnV1,
    OutcomeSaidV1,
)
from shared.contracts.matching.introductions import (
    AskedBy,
    AskIntroduction,
    GetMyIntroduction,
    IntroductionView,
    ListMyIntroductions,
    ReplyToIntroduction,
    SayMet,
    SayOutcome,
    Standing,
    SuggestIntroduction,
)
from shared.contracts.matching.members import SearchMembers
from shared.contracts.matching.profiles import EraseMyProfile, MakeOrganisation
from shared.contracts.matching.words import Outcome, Reply, Visibility
from shared.kit.errors import NotFound
from tests.matching.kept import told_once
from tests.matching.world import HUB, World, begun

YES, NO = Reply.YES, Reply.NO


async def _town(world: World) -> None:
    """Ann needs what Ben offers; Cal and Dan are there, too."""
    await begun(world)
    await world.somebody("ann", needs=["photography"], offers=["bookkeeping"])
    await world.somebody("ben", offers=["photography"])
    await world.somebody("cal", offers=["carpentry"])
    await world.somebody("dan", needs=["carpentry"])


@pytest_asyncio.fixture
async def town(empty: World) -> World:
    """As it is told above."""
    return await told_once(empty, _town)


async def handle(world: World, by: str, whom: str, hub: str = HUB) -> UUID:
    """The id by which somebody knows another."""
    async with world.database.reading() as session:
        from services.matching.queries.handles import handles_for  # noqa: PLC0415  # what no request would tell

        return (await handles_for(session, world.person(by))).of(world.person(whom))


async def asks(world: World, by: str, whom: str, **more: Any) -> IntroductionView:
    """Somebody asks to meet another."""
    return await world.ask(AskIntroduction(match=await handle(world, by, whom)), by, **more)


async def sees(
    world: World, by: str, about: UUID | IntroductionView, language: str = "en"
) -> IntroductionView:
    """The introduction as one of the two sees it now."""
    one = about if isinstance(about, UUID) else about.id
    return await world.ask(GetMyIntroduction(introduction=one, language=language), by)


async def says(world: World, by: str, about: IntroductionView, reply: Reply) -> IntroductionView:
    """One of the two answers."""
    return await world.ask(ReplyToIntroduction(introduction=about.id, answer=reply), by)


async def suggested(
    world: World, one: str = "ann", other: str = "ben", *, by: str = "hanna"
) -> IntroductionView:
    """A host suggests that two people meet; as the first of them sees it."""
    wanted = SuggestIntroduction(hub=HUB, one=world.person(one), other=world.person(other))
    made = await world.ask(wanted, by, Role.HOST)
    return await sees(world, one, made.id)


async def kinds(world: World, about: IntroductionView) -> list[type]:
    """What has been stated of the introduction, in order."""
    return [type(fact) for fact in await world.facts_about(about.id)]


async def first_said(world: World, about: IntroductionView) -> IntroductionSuggestedV1:
    """What has been stated of the introduction when it began."""
    fact, *_ = await world.facts_about(about.id)
    assert isinstance(fact, IntroductionSuggestedV1)
    return fact


async def test_what_is_said_of_it_names_who_asked_and_who_speaks_for_an_organisation(town: World) -> None:
    by_ann = await asks(town, "ann", "ben")
    fact = await first_said(town, by_ann)
    assert (fact.asked_by, fact.by_host) == (town.person("ann"), False)
    assert {fact.one, fact.other} == {town.person("ann"), town.person("ben")}
    by_host = await suggested(town, "cal", "dan")
    fact = await first_said(town, by_host)
    assert (fact.asked_by, fact.by_host) == (None, True)
    firm = await town.ask(MakeOrganisation(hub=HUB, name="Nordviken Varv"), "dan")
    await town.open_to("dan", organisation=firm.id)
    town.people["firm"] = firm.id
    of_firm = await asks(town, "ben", "firm")
    fact = await first_said(town, of_firm)
    assert {fact.one, fact.other} == {town.person("ben"), town.person("dan")}, (
        "never the firm, whom nobody can write to"
    )


async def test_two_meet_and_something_comes_of_it(town: World) -> None:
    asked = await asks(town, "ann", "ben")
    assert (asked.status, asked.asked_by, asked.i_said) == (Standing.SUGGESTED, AskedBy.ME, YES)
    mine = await sees(town, "ann", asked)
    assert (mine.named, mine.person, mine.reasons) == (False, None, ("offers photography, which you need",))
    his = await sees(town, "ben", asked, "sv")
    assert (his.asked_by, his.i_said, his.person) == (AskedBy.OTHER, None, None)
    assert his.reasons == ("söker fotografering, som du erbjuder",)
    agreed = await says(town, "ben", asked, YES)
    assert (agreed.status, agreed.named, agreed.person) == (Standing.AGREED, True, None)
    assert (await sees(town, "ann", asked)).person == town.person("ben")
    assert (await sees(town, "ben", asked)).person == town.person("ann")
    met = await town.ask(SayMet(introduction=asked.id), "ben")
    assert (met.status, met.met_at) == (Standing.MET, town.now)
    assert (await town.ask(SayMet(introduction=asked.id), "ann")).version == met.version
    for name, outcome in (("ann", Outcome.COLLABORATION), ("ben", Outcome.HELP), ("ben", Outcome.HELP)):
        said = await town.ask(SayOutcome(introduction=asked.id, outcome=outcome), name)
        assert (said.status, said.outcome) == (Standing.CLOSED, outcome)
    assert (await sees(town, "ann", asked)).outcome is Outcome.COLLABORATION
    assert await kinds(town, asked) == [
        IntroductionSuggestedV1,
        IntroductionAgreedV1,
        IntroductionMetV1,
        OutcomeSaidV1,
        OutcomeSaidV1,
    ]
    rows = await town.rows("SELECT person, outcome FROM outcome ORDER BY outcome")
    assert [tuple(row) for row in rows] == [
        (town.person("ann"), "collaboration"),
        (town.person("ben"), "help"),
    ]


@pytest.mark.parametrize("who", ["ann", "ben"])
async def test_a_no_from_either_side_is_nobodys_in_particular(town: World, who: str) -> None:
    about = await suggested(town)
    before = await sees(town, "ben" if who == "ann" else "ann", about)
    ended = await says(town, who, about, NO)
    assert (ended.status, ended.i_said) == (Standing.OVER, NO)
    other = await sees(town, "ben" if who == "ann" else "ann", about)
    assert (other.status, other.i_said, other.reasons, other.person) == (Standing.OVER, None, (), None)
    assert other.asked_by is before.asked_by is AskedBy.HOST
    [*_, fact] = await town.facts_about(about.id)
    assert isinstance(fact, IntroductionDeclinedV1)
    assert "by" not in fact.model_dump()
    # A no twice changes nothing, a yes comes too late, and the other's no tells nothing more.
    for name in ("ann", "ben"):
        assert (await says(town, name, about, NO)).version == ended.version
        late = ReplyToIntroduction(introduction=about.id, answer=YES)
        assert (await town.refusal(late, name)).code == "introduction-over"


async def test_no_silence_and_going_look_the_same_to_the_other(town: World) -> None:
    seen = []
    for how in ("no", "silence", "going"):
        about = await suggested(town, "ann", "ben")
        await says(town, "ann", about, YES)
        if how == "no":
            await says(town, "ben", about, NO)
        elif how == "going":
            await town.close_to("ben")
        await town.let_time_pass(days=15)
        view = await sees(town, "ann", about)
        seen.append(view.model_dump(exclude={"id", "created_at"}))
        assert (await town.refusal(AskIntroduction(match=await handle(town, "ann", "ben")))).code in (
            "cannot-introduce",
            "not-found",  # nobody is found who has closed their profile
        )
        await town.open_to("ben")
        assert (await town.refusal(AskIntroduction(match=await handle(town, "ann", "ben")))).code == (
            "cannot-introduce"
        )
        await town.let_time_pass(days=NOT_AGAIN_FOR.days)
    assert seen[0] == seen[1] == seen[2]
    kinds_of_end = [type(fact) for fact in await town.facts() if type(fact) is not IntroductionSuggestedV1]
    ends = [IntroductionDeclinedV1, IntroductionLapsedV1, IntroductionWithdrawnV1]
    assert [kind for kind in kinds_of_end if kind in ends] == ends


async def test_it_lapses_after_two_weeks_unless_both_have_said_yes(town: World) -> None:
    silent, agreed = await asks(town, "ann", "ben"), await asks(town, "cal", "dan")
    assert silent.lapses_at == town.now + timedelta(days=14)
    await says(town, "dan", agreed, YES)
    await town.let_time_pass(days=14, seconds=-1)
    assert (await sees(town, "ben", silent)).status is Standing.SUGGESTED
    await town.let_time_pass(seconds=1)
    assert (await sees(town, "ben", silent)).status is Standing.OVER
    assert (await sees(town, "cal", agreed)).status is Standing.AGREED
    assert await kinds(town, silent) == [IntroductionSuggestedV1, IntroductionLapsedV1]


async def test_a_yes_after_the_time_is_too_late_before_the_timer_has_come_round(town: World) -> None:
    about = await asks(town, "ann", "ben")
    town.now += timedelta(days=14)
    late = ReplyToIntroduction(introduction=about.id, answer=YES)
    assert (await town.refusal(late, "ben")).code == "introduction-over"


async def test_two_who_ask_for_each_other_have_both_said_yes(town: World) -> None:
    first, second = await asyncio.gather(asks(town, "ann", "ben"), asks(town, "ben", "ann"))
    assert first.id == second.id
    assert (await sees(town, "ann", first)).status is Standing.AGREED
    assert await kinds(town, first) == [IntroductionSuggestedV1, IntroductionAgreedV1]


async def test_both_answer_at_once_and_twice(town: World) -> None:
    about = await suggested(town)
    await asyncio.gather(*(says(town, name, about, YES) for name in ("ann", "ben", "ann", "ben")))
    assert await kinds(town, about) == [IntroductionSuggestedV1, IntroductionAgreedV1]
    other = await suggested(town, "cal", "dan")
    yes = ReplyToIntroduction(introduction=other.id, answer=YES)
    no = ReplyToIntroduction(introduction=other.id, answer=NO)
    await asyncio.gather(town.answer(yes, town.principal("cal")), town.answer(no, town.principal("dan")))
    assert await kinds(town, other) == [IntroductionSuggestedV1, IntroductionDeclinedV1]


async def test_asking_again_is_the_same_introduction_also_under_a_key(town: World) -> None:
    first = await asks(town, "ann", "ben", key="k1")
    assert await asks(town, "ann", "ben", key="k1") == first
    assert (await asks(town, "ann", "ben")).id == first.id
    assert len(await town.rows("SELECT 1 FROM introduction")) == 1


async def test_what_is_said_in_the_wrong_order_is_refused(town: World) -> None:
    about = await asks(town, "ann", "ben")
    for order in (SayMet(introduction=about.id), SayOutcome(introduction=about.id, outcome=Outcome.HELP)):
        assert (await town.refusal(order, "ben")).code == "wrong-state"
    await says(town, "ben", about, YES)
    no = ReplyToIntroduction(introduction=about.id, answer=NO)
    assert (await town.refusal(no, "ann")).code == "wrong-state"
    closed = await town.ask(SayOutcome(introduction=about.id, outcome=Outcome.NOTHING), "ann")
    assert (closed.status, closed.met_at) == (Standing.CLOSED, None)
    met = await town.ask(SayOutcome(introduction=about.id, outcome=Outcome.HELP), "ben")
    assert met.status is Standing.CLOSED


async def test_others_introductions_are_not_there(town: World) -> None:
    about = await asks(town, "ann", "ben")
    for order in (
        GetMyIntroduction(introduction=about.id),
        ReplyToIntroduction(introduction=about.id, answer=YES),
        SayMet(introduction=about.id),
        SayOutcome(introduction=about.id, outcome=Outcome.HELP),
    ):
        assert (await town.refusal(order, "cal")).status == NotFound.status
    assert (await town.ask(ListMyIntroductions(), "cal")).items == ()


async def test_whom_one_may_not_see_one_cannot_ask_for(town: World) -> None:
    await town.member("eve")
    unknown = AskIntroduction(match=await handle(town, "ann", "eve"))
    refused = await town.refusal(unknown)
    await town.close_to("ben")
    await town.change("cal", paused=True)
    for name in ("ben", "cal", "nobody at all"):
        same = await town.refusal(AskIntroduction(match=await handle(town, "ann", name)))
        assert same.problem == refused.problem
    assert (await town.refusal(AskIntroduction(match=town.person("dan")))).problem == refused.problem
    assert (
        await town.refusal(AskIntroduction(match=await handle(town, "dan", "cal")))
    ).problem == refused.problem


async def test_who_is_not_open_cannot_ask_others(town: World) -> None:
    await town.member("eve")
    hidden = AskIntroduction(match=await handle(town, "eve", "ben"))
    assert (await town.refusal(hidden, "eve")).code == "not-open-yourself"


async def test_nobody_is_buried_in_introductions(town: World) -> None:
    for number in range(10):
        await town.somebody(f"guest {number}", offers=["photography"])
        await asks(town, "ann", f"guest {number}")
    assert (await town.refusal(AskIntroduction(match=await handle(town, "ann", "ben")))).code == (
        "too-many-introductions"
    )
    asking = AskIntroduction(match=await handle(town, "ben", "ann"))
    assert (await town.refusal(asking, "ben")).code == "cannot-introduce"
    wanted = SuggestIntroduction(hub=HUB, one=town.person("ben"), other=town.person("ann"))
    assert (await town.refusal(wanted, "hanna", Role.HOST)).code == "cannot-introduce"
    await says(town, "guest 3", await asks(town, "ann", "guest 3"), NO)
    assert (await asks(town, "ann", "ben")).status is Standing.SUGGESTED


async def test_only_staff_suggests_and_only_whom_the_hub_may_see(town: World) -> None:
    wanted = SuggestIntroduction(hub=HUB, one=town.person("ann"), other=town.person("ben"))
    for role in (None, Role.VISITOR, Role.MEMBER):
        assert (await town.refusal(wanted, "cal", role)).status == 403
    await town.hub("elsewhere")
    await town.somebody("eve", "elsewhere", offers=["photography"], visibility=Visibility.FEDERATION)
    await town.member("finn")
    for name in ("eve", "finn", "nobody"):
        other = SuggestIntroduction(hub=HUB, one=town.person("ann"), other=town.person(name))
        assert (await town.refusal(other, "hanna", Role.HOST)).status == 404
    same = SuggestIntroduction(hub=HUB, one=town.person("ann"), other=town.person("ann"))
    assert (await town.refusal(same, "hanna", Role.HOST)).status == 422


@pytest.mark.parametrize("how", ["consent", "visibility", "leaving", "erasing"])
@pytest.mark.parametrize("agreed", [False, True])
async def test_whoever_goes_ends_it_at_once(town: World, how: str, agreed: bool) -> None:
    about = await asks(town, "ann", "ben")
    if agreed:
        await says(town, "ben", about, YES)
    if how == "consent":
        await town.close_to("ben")
    elif how == "visibility":
        await town.change("ben", visibility=Visibility.NOBODY)
    elif how == "leaving":
        await town.hear(town.left("ben"))
    else:
        await town.ask(EraseMyProfile(), "ben")
    hers = await sees(town, "ann", about)
    assert (hers.status, hers.named, hers.person, hers.reasons) == (Standing.OVER, False, None, ())
    assert (await kinds(town, about))[-1] is IntroductionWithdrawnV1
    assert (await town.rows("SELECT 1 FROM timer WHERE kind = 'introduction-lapses'")) == []


async def test_before_the_row_says_so_who_has_gone_is_gone(town: World) -> None:
    about = await asks(town, "ann", "ben")
    await says(town, "ben", about, YES)
    await town.write("UPDATE consent SET withdrawn_at = now() WHERE person = :ben", ben=town.person("ben"))
    hers = await sees(town, "ann", about)
    assert (hers.status, hers.named, hers.person) == (Standing.OVER, False, None)
    assert (await town.refusal(SayMet(introduction=about.id))).code == "introduction-over"


async def test_what_came_of_it_outlives_an_erased_person_who_does_not(town: World) -> None:
    about = await asks(town, "ann", "ben")
    await says(town, "ben", about, YES)
    for name in ("ann", "ben"):
        await town.ask(SayOutcome(introduction=about.id, outcome=Outcome.COMPANY), name)
    await town.ask(EraseMyProfile(), "ben")
    hers = await sees(town, "ann", about)
    assert (hers.status, hers.outcome, hers.named) == (Standing.CLOSED, Outcome.COMPANY, False)
    rows = await town.rows("SELECT one, other, suggested_by FROM introduction")
    assert town.person("ben") not in tuple(rows[0])
    assert town.person("ann") in tuple(rows[0])
    assert (await sees(town, "ann", about)).i_said is YES
    assert len(await town.rows("SELECT 1 FROM outcome WHERE outcome = 'company'")) == 2


async def test_an_answer_kept_for_a_repeat_tells_nothing_of_the_other(town: World) -> None:
    about = await asks(town, "ann", "ben", key="ask")
    await says(town, "ben", about, YES)
    met = SayMet(introduction=about.id)
    await town.ask(met, "ann", key="met")
    kept = " ".join(row.answer for row in await town.rows("SELECT answer FROM idempotency_key"))
    assert str(town.person("ben")) not in kept
    assert "photography" not in kept


async def test_the_list_is_mine_newest_first_in_pages(town: World) -> None:
    for name in ("ben", "cal", "dan"):
        await asks(town, "ann", name)
    first = await town.ask(ListMyIntroductions(limit=2))
    second = await town.ask(ListMyIntroductions(limit=2, cursor=first.cursor))
    everything = [*first.items, *second.items]
    assert [one.id for one in everything] == sorted((one.id for one in everything), reverse=True)
    assert len(everything) == 3
    assert second.cursor is None
    await says(town, "cal", await sees(town, "cal", everything[1]), NO)
    over = await town.ask(ListMyIntroductions(status=(Standing.OVER,)))
    assert [one.id for one in over.items] == [everything[1].id]
    assert (await town.refusal(ListMyIntroductions(cursor="x"))).status == 422


async def test_the_id_of_a_member_in_the_search_is_the_one_to_ask_by(town: World) -> None:
    page = await town.ask(SearchMembers(hub=HUB, text="photography", language="en"))
    [found] = page.items
    about = await town.ask(AskIntroduction(match=found.match))
    assert (await sees(town, "ben", about)).asked_by is AskedBy.OTHER
    assert found.match != (await town.ask(SearchMembers(hub=HUB, text="photography"), "cal")).items[0].match
