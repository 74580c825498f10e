"""Reading the profiles somebody keeps: their own and their organisations'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.labels import label_of
from shared.contracts.matching.profiles import ConsentView, OrganisationPage, ProfileView, StatementView
from shared.contracts.matching.words import OwnerKind, Side, Visibility
from shared.kit.errors import NotFound

FIRST_VERSION = 1
"""Of the profile of somebody who has said nothing."""

_PROFILES = text("""
    SELECT p.* FROM profile p WHERE p.person = ANY(:people) OR (:kept AND p.kept_by = :keeper) ORDER BY p.name, p.person
""")
_STATEMENTS = text(f"""
    SELECT s.person, s.side, s.concept, {label_of("s.concept")} AS label, s.level, s.words, s.until
    FROM statement s WHERE s.person = ANY(:people) ORDER BY s.person, s.side, label, s.concept
""")  # noqa: S608  # constants
_CONSENTS = text("""
    SELECT c.person, c.hub, c.given_at, m.person IS NOT NULL AS counts
    FROM consent c JOIN profile p ON p.person = c.person
    LEFT JOIN membership m ON m.person = coalesce(p.kept_by, p.person) AND m.hub = c.hub AND m.left_at IS NULL
    WHERE c.person = ANY(:people) AND c.withdrawn_at IS NULL ORDER BY c.person, c.hub
""")


def no_such_organisation(organisation: UUID) -> NotFound:
    """What is answered when somebody does not keep it, whether it is there or not."""
    return NotFound(f"You keep no organisation {organisation}.", field="organisation")


async def get_profile(
    session: AsyncSession, by: UUID, organisation: UUID | None, language: str | None
) -> ProfileView:
    """The person's profile, empty before anything has been said, or an organisation's that they keep."""
    wanted = organisation or by
    known = {"people": [wanted], "keeper": by, "kept": False}
    row = (await session.execute(_PROFILES, known)).first()
    if organisation is not None and (row is None or row.kept_by != by):
        raise no_such_organisation(organisation)
    if row is None:
        return empty_profile(by)
    return (await _views(session, [row], language))[0]


async def list_organisations(session: AsyncSession, by: UUID, language: str | None) -> OrganisationPage:
    """The profiles of organisations the person keeps, by name."""
    rows = (await session.execute(_PROFILES, {"people": [], "keeper": by, "kept": True})).all()
    return OrganisationPage(items=tuple(await _views(session, rows, language)))


async def _views(session: AsyncSession, rows: Sequence[Any], language: str | None) -> list[ProfileView]:
    people = {"people": [row.person for row in rows]}
    statements = (await session.execute(_STATEMENTS, people | {"language": language})).all()
    consents = (await session.execute(_CONSENTS, people)).all()

    def said(person: UUID, side: Side) -> tuple[StatementView, ...]:
        found = (one for one in statements if one.person == person and one.side == side)
        return tuple(StatementView.model_validate(one, from_attributes=True) for one in found)

    return [
        ProfileView(
            id=row.person,
            kind=row.owner_kind,
            name=row.name,
            about=row.about,
            talk_about=tuple(row.talk_about),
            fields=tuple(row.fields),
            languages=tuple(row.languages),
            visibility=row.visibility,
            paused=row.paused,
            offers=said(row.person, Side.OFFER),
            needs=said(row.person, Side.NEED),
            consents=tuple(
                ConsentView(hub=one.hub, given_at=one.given_at, counts=one.counts)
                for one in consents
                if one.person == row.person
            ),
            changed_at=row.changed_at,
            version=row.version,
        )
        for row in rows
    ]


def empty_profile(person: UUID, kind: OwnerKind = OwnerKind.PERSON) -> ProfileView:
    """A profile that says nothing, as it is before anything was said and after it was erased."""
    return ProfileView(
        id=person,
        kind=kind,
        about="",
        talk_about=(),
        fields=(),
        languages=(),
        visibility=Visibility.NOBODY,
        paused=False,
        offers=(),
        needs=(),
        consents=(),
        version=FIRST_VERSION,
    )
