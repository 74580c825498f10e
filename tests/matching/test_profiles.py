"""What people say of themselves: offers, needs, words; and what of it is refused."""

from __future__ import annotations

from datetime import date

import pytest

from shared.contracts.matching.facts import ProfileChangedV1
from shared.contracts.matching.profiles import (
    MOST_STATEMENTS,
    ChangeMyProfile,
    EraseMyProfile,
    GetMyProfile,
    ListMyOrganisations,
    MakeOrganisation,
    State,
    TakeBack,
)
from shared.contracts.matching.words import Level, OwnerKind, ProfileChange, Side, Visibility
from tests.matching.world import HUB, World

OFFER = State(side=Side.OFFER, concept="bookkeeping", level=Level.EXPERT, words="Bokslut för små bolag")


async def test_before_anything_is_said_the_profile_is_empty_and_seen_by_nobody(world: World) -> None:
    await world.member("ann")
    profile = await world.profile("ann")
    assert (profile.id, profile.version, profile.visibility) == (world.person("ann"), 1, Visibility.NOBODY)
    assert (*profile.offers, *profile.needs, *profile.consents) == ()
    assert await world.rows("SELECT 1 FROM profile") == []


async def test_an_offer_is_kept_with_level_words_and_last_day_and_named_in_the_readers_language(
    world: World,
) -> None:
    await world.member("ann")
    said = OFFER.model_copy(update={"until": date(2027, 6, 1)})
    for language, label in (
        ("sv", "bokföring"),
        ("da-DK", "bogføring"),
        ("fi", "bookkeeping"),
        (None, "bookkeeping"),
    ):
        profile = await world.ask(said.model_copy(update={"language": language}), "ann")
        (offer,) = profile.offers
        assert (offer.concept, offer.label, offer.level) == ("bookkeeping", label, Level.EXPERT)
        assert (offer.words, offer.until) == ("Bokslut för små bolag", date(2027, 6, 1))


async def test_saying_the_same_again_changes_nothing(world: World) -> None:
    await world.member("ann")
    first = await world.ask(OFFER, "ann")
    again = await world.ask(OFFER, "ann")
    assert again == first
    assert len(await world.facts(ProfileChangedV1)) == 1
    other = await world.ask(OFFER.model_copy(update={"level": Level.BEGINNER}), "ann")
    assert other.version == first.version + 1
    assert [offer.level for offer in other.offers] == [Level.BEGINNER]


async def test_what_is_taken_back_is_gone_and_taking_it_back_twice_changes_nothing(world: World) -> None:
    await world.member("ann")
    await world.ask(OFFER, "ann")
    gone = await world.ask(TakeBack(side=Side.OFFER, concept="bookkeeping"), "ann")
    assert gone.offers == ()
    assert await world.ask(TakeBack(side=Side.OFFER, concept="bookkeeping"), "ann") == gone
    # Offering and needing the same are two things.
    await world.needs("ann", "bookkeeping")
    assert (await world.ask(TakeBack(side=Side.OFFER, concept="bookkeeping"), "ann")).needs != ()


async def test_facts_say_which_part_changed_and_nothing_of_what_it_says(world: World) -> None:
    await world.member("ann")
    await world.ask(OFFER, "ann")
    await world.needs("ann", "photography")
    await world.change("ann", about="Hej, jag heter Ann", visibility=Visibility.HUB, paused=True)
    facts = await world.facts_about(world.person("ann"))
    assert [fact.change for fact in facts if isinstance(fact, ProfileChangedV1)] == [
        ProfileChange.OFFERS,
        ProfileChange.NEEDS,
        ProfileChange.PAUSED,
        ProfileChange.PROFILE,
        ProfileChange.VISIBILITY,
    ]
    told = "".join(row.body for row in await world.rows("SELECT body FROM outbox"))
    assert not any(word in told for word in ("Bokslut", "bookkeeping", "photography", "Hej"))


async def test_what_is_no_skill_is_not_offered(world: World) -> None:
    await world.member("ann")
    refused = await world.refusal(State(side=Side.OFFER, concept="asdf-qwerty"), "ann")
    assert (refused.status, refused.problem["field"]) == (404, "concept")
    assert await world.rows("SELECT 1 FROM profile") == [], "what is refused makes no profile"


async def test_a_day_that_is_over_is_refused(world: World) -> None:
    await world.member("ann")
    over = OFFER.model_copy(update={"until": date(2027, 2, 28)})
    assert (await world.refusal(over, "ann")).problem["field"] == "until"


async def test_the_hundred_and_first_offer_is_refused_while_needs_have_room(world: World) -> None:
    """Who sends ten thousand is told so at the hundred and first."""
    await world.member("ann")
    many = {f"skill-{number}": {"en": f"skill {number}"} for number in range(MOST_STATEMENTS + 1)}
    await world.vocabulary(many)
    await world.offers("ann", "skill-0")
    await world.write(
        "INSERT INTO statement (id, person, side, concept, level, created_at) "
        "SELECT gen_random_uuid(), :person, 'offer', 'skill-' || n, 'expert', now() FROM generate_series(1, 99) n",
        person=world.person("ann"),
    )
    refused = await world.refusal(State(side=Side.OFFER, concept="skill-100"), "ann")
    assert (refused.code, refused.status) == ("too-many-statements", 409)
    await world.ask(State(side=Side.OFFER, concept="skill-7", level=Level.BEGINNER), "ann")
    await world.ask(State(side=Side.NEED, concept="skill-100"), "ann")
    assert len((await world.profile("ann")).offers) == MOST_STATEMENTS


async def test_a_change_must_know_the_version_it_was_decided_on(world: World) -> None:
    await world.member("ann")
    await world.ask(ChangeMyProfile(version=1, about="first"), "ann")
    refused = await world.refusal(ChangeMyProfile(version=1, about="second"), "ann")
    assert refused.status == 412
    assert (await world.profile("ann")).about == "first"


async def test_what_is_not_named_stays_and_what_is_said_twice_is_said_once(world: World) -> None:
    await world.member("ann")
    await world.change("ann", languages=("sv", "da", "sv"), talk_about=("boats",), fields=("finance",))
    changed = await world.change("ann", about="new words")
    assert (changed.languages, changed.talk_about, changed.fields) == (("sv", "da"), ("boats",), ("finance",))
    with pytest.raises(ValueError, match="cannot be null"):
        ChangeMyProfile(version=1, about=None)


async def test_who_belongs_nowhere_is_told_to_join_first(world: World) -> None:
    assert (await world.refusal(OFFER, "stranger")).code == "belongs-nowhere"
    assert (await world.profile("stranger")).version == 1


async def test_an_erased_profile_is_gone_with_all_its_traces_and_can_be_begun_anew(world: World) -> None:
    await world.somebody("ann", offers=["bookkeeping"])
    await world.somebody("bo", offers=["photography"])
    ann, bo = world.person("ann"), world.person("bo")
    for table in ("shown", "blocked"):
        column = "last_at" if table == "shown" else "at"
        await world.write(
            f"INSERT INTO {table} (person, other, {column}) VALUES (:a, :b, now()), (:b, :a, now())",
            a=ann,
            b=bo,
        )
    emptied = await world.ask(EraseMyProfile(), "ann")
    assert emptied == await world.profile("ann")
    for table in ("profile", "consent", "statement", "shown", "blocked"):
        left = await world.rows(f"SELECT to_jsonb(t) AS row FROM {table} t")
        assert not [row for row in left if str(ann) in str(row.row)], table
    # Its facts go on being counted: a consumer that heard of the first profile must not drop those of the second.
    await world.offers("ann", "photography")
    changes = [fact.change for fact in await world.facts_about(ann) if isinstance(fact, ProfileChangedV1)]
    assert changes[-2:] == [ProfileChange.ERASED, ProfileChange.OFFERS]
    assert (await world.ask(EraseMyProfile(), "stranger")).version == 1


async def test_an_organisation_has_a_profile_that_who_made_it_keeps(world: World) -> None:
    await world.member("ann")
    await world.member("bo")
    made = await world.ask(MakeOrganisation(hub=HUB, name="Nordviken Redovisning"), "ann")
    assert (made.kind, made.name, made.visibility) == (
        OwnerKind.ORGANISATION,
        "Nordviken Redovisning",
        Visibility.NOBODY,
    )
    offered = await world.ask(OFFER.model_copy(update={"organisation": made.id}), "ann")
    assert [one.concept for one in offered.offers] == ["bookkeeping"]
    assert (await world.profile("ann")).offers == (), "what it offers is not what its keeper offers"
    assert [one.id for one in (await world.ask(ListMyOrganisations(), "ann")).items] == [made.id]
    for request in (GetMyProfile(organisation=made.id), OFFER.model_copy(update={"organisation": made.id})):
        assert (await world.refusal(request, "bo")).status == 404
    elsewhere = MakeOrganisation(hub="elsewhere", name="Elsewhere AB")
    assert (await world.refusal(elsewhere, "ann")).status == 404
    await world.ask(EraseMyProfile(organisation=made.id), "ann")
    assert (await world.ask(ListMyOrganisations(), "ann")).items == ()


async def test_nobody_keeps_more_than_twenty_organisations(world: World) -> None:
    await world.member("ann")
    for number in range(20):
        await world.ask(MakeOrganisation(hub=HUB, name=f"Company {number}"), "ann")
    refused = await world.refusal(MakeOrganisation(hub=HUB, name="One more"), "ann")
    assert refused.code == "too-many-organisations"
