"""Facts of directory."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import Audience, Fact, Language, Slug, Snapshot, described
from shared.contracts.directory.words import HubKind, Role, TokenPurpose


class _DirectoryFact(Fact):
    service = "directory"


class _HubProfile(_DirectoryFact):
    audience = Audience.PUBLIC

    name: str = described("The hub's name for people.")
    kind: HubKind
    municipality: str | None = described("Null for a hub that has no place.", default=None)
    region: str | None = None
    country: str | None = described("ISO 3166-1 alpha-2.", default=None)
    time_zone: str = described("IANA time zone; every rule of the hub is computed in it.")
    languages: tuple[Language, ...] = ()
    modules: tuple[Slug, ...] = described("Parts of Foci the hub has switched on.", default=())
    cell: Slug = described("The running stack the hub lives in.")


class HubRegisteredV1(_HubProfile):
    """A hub joined the federation."""

    fact = "hub-registered"


class HubProfileChangedV1(_HubProfile):
    """The hub's public profile reads like this now."""

    fact = "hub-profile-changed"


class HubSnapshotV1(_HubProfile, Snapshot):
    """The hub's public profile as it is; stated by `foci republish directory hubs`."""

    fact = "hub-snapshot"


class _Membership(_DirectoryFact):
    audience = Audience.HOSTS

    person: UUID


class MemberJoinedV1(_Membership):
    """A person joined the hub, as a member or with another role. `subject` is `<hub>/<person>`."""

    fact = "member-joined"

    role: Role


class RoleChangedV1(_Membership):
    """A person's role in the hub is another one now."""

    fact = "role-changed"

    role: Role
    previous: Role


class MemberLeftV1(_Membership):
    """A person left the hub; what they had booked ahead there is given back."""

    fact = "member-left"


class OrganisationRegisteredV1(_DirectoryFact):
    """An organisation (company, society, university) has a page at the hub."""

    fact = "organisation-registered"
    audience = Audience.PUBLIC

    organisation: UUID
    name: str


class SignInRequestedV1(_DirectoryFact):
    """Somebody, a guest too, wants to sign in by mail. `subject` is the sign-in; the link is made by who sends it."""

    fact = "sign-in-requested"
    audience = Audience.PERSONS

    sign_in: UUID
    person: UUID
    until: AwareDatetime = described("The link works until then, once.")


class _ApiToken(_DirectoryFact):
    audience = Audience.OPERATORS

    holder: UUID = described("Who acts with it: stands where a person's id would, and is the token's id.")
    purpose: TokenPurpose
    by: UUID = described("Which operator it was.")


class ApiTokenMadeV1(_ApiToken):
    """A hub's kiosk or system can prove itself with a token. `subject` is the token's id."""

    fact = "api-token-made"

    expires_at: AwareDatetime


class ApiTokenRevokedV1(_ApiToken):
    """A token counts no more. `subject` is the token's id."""

    fact = "api-token-revoked"


class PersonErasedV1(_DirectoryFact):
    """A person is erased: directory holds nothing of them any more, and every service that does forgets it and answers.

    Stated once for all hubs, after `member-left` for each of theirs, and stated again while a service has not answered.
    `subject` is the person; nothing but the id is said.
    """

    fact = "person-erased"
    audience = Audience.PERSONS

    person: UUID
