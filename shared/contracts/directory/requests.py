"""Requests directory answers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, EmailStr, Field, StringConstraints

from shared.contracts.base import Body, Language, Line, Page, Plain, Prose, Request, Slug, View, described
from shared.contracts.directory.words import HubKind, Role

TimeZone = Annotated[Plain, StringConstraints(min_length=1, max_length=64)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class HubProfile(View):
    """What everybody may know about a hub."""

    id: Slug = described("The hub's slug; it never changes.")
    name: Line
    kind: HubKind
    address: Line | None = described("Null for a hub that has no place; such a hub is valid.", default=None)
    municipality: Line | None = None
    region: Line | None = None
    country: Country | None = described("ISO 3166-1 alpha-2.", default=None)
    time_zone: TimeZone = described("IANA time zone, for example `Europe/Stockholm`.")
    languages: tuple[Language, ...] = described("Languages spoken there, most used first.", default=())
    modules: tuple[Slug, ...] = described("Parts of Foci that are switched on.", default=())
    offers: tuple[Line, ...] = described("Public service catalogue: what we offer.", default=())
    about: Prose | None = None


class HubView(HubProfile):
    """A hub as the directory shows it."""

    cell: Slug = described("The running stack the hub lives in.")
    version: int


class HubPage(Page):
    """Hubs in order of their slug."""

    items: tuple[HubView, ...]


class ListHubs(Request[HubPage]):
    """Find hubs by place and text; open to everybody."""

    service = "directory"
    operation = "list-hubs"
    reply = HubPage

    q: Annotated[Plain, StringConstraints(max_length=100)] | None = described(
        "Words in name, place or offer.", default=None
    )
    municipality: Plain | None = Field(default=None, max_length=100)
    region: Plain | None = Field(default=None, max_length=100)
    country: Country | None = None
    kind: HubKind | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class GetHub(Request[HubView]):
    """One hub's public profile; open to everybody."""

    service = "directory"
    operation = "get-hub"
    reply = HubView

    hub: Slug


class _ProfileOfHub(Request[HubView]):
    service = "directory"
    reply = HubView
    changes = True
    admin = True

    profile: HubProfile


class RegisterHub(_ProfileOfHub):
    """A new hub joins the federation in this cell."""

    operation = "register-hub"
    created = True


class ChangeHubProfile(_ProfileOfHub):
    """Replace a hub's public profile; the slug stays."""

    operation = "change-hub-profile"


class AccessView(View):
    """What the gateway needs to let one person act in one hub."""

    person: UUID
    hub: Slug
    cell: Slug = described("Where requests for this hub go.")
    role: Role | None = described("Null when the person has no role there.", default=None)


class GetAccess(Request[AccessView]):
    """Which role does this person have in this hub, and where does the hub live?"""

    service = "directory"
    operation = "get-access"
    reply = AccessView

    person: UUID | None = described("Null asks only where the hub lives.", default=None)
    hub: Slug


class MembershipView(View):
    """A person's role in a hub."""

    hub: Slug
    person: UUID
    role: Role
    since: AwareDatetime
    version: int


class _OneMembership(Request[MembershipView]):
    service = "directory"
    reply = MembershipView

    hub: Slug
    person: UUID


class GetMembership(_OneMembership):
    """What somebody is in a hub; for themselves and for the hub's staff."""

    operation = "get-membership"


class PersonView(View):
    """A person as they see themselves."""

    id: UUID
    name: Line
    email: EmailStr | None = None
    language: Language
    time_zone: TimeZone
    guest: bool = described("True for somebody a host has registered and who has no account.")
    memberships: tuple[MembershipView, ...] = ()


class GetMe(Request[PersonView]):
    """The signed-in person, with their roles."""

    service = "directory"
    operation = "get-me"
    reply = PersonView


class Guest(View):
    """Somebody without an account: a first-time visitor."""

    name: Line
    email: EmailStr | None = None
    language: Language = "en"


class NewMember(Body):
    """Who joins a hub, and as what."""

    person: UUID | Guest | None = described("Null means the person who asks.", default=None)
    role: Role = Role.MEMBER


class AddMember(NewMember, Request[MembershipView]):
    """Join a hub oneself, or let somebody in as staff: an existing person or a guest."""

    service = "directory"
    operation = "add-member"
    reply = MembershipView
    changes = True
    created = True

    hub: Slug


class NewRole(Body):
    """The role somebody shall have."""

    role: Role


class ChangeRole(NewRole, _OneMembership):
    """Give a member of the hub another role; operators and admins do this."""

    operation = "change-role"
    changes = True

    version: int | None = described("The version the change was decided on.", default=None)


class LeaveHub(_OneMembership):
    """Leave a hub, or end somebody's membership as an operator."""

    operation = "leave-hub"
    changes = True


class EnsurePerson(Request[PersonView]):
    """The person of that name, made if missing, with that role in the hub (demo data, development tokens)."""

    service = "directory"
    operation = "ensure-person"
    reply = PersonView
    changes = True
    admin = True

    hub: Slug
    name: Line
    role: Role
    email: EmailStr | None = None
    language: Language = "en"


class OpenAccount(Request[PersonView]):
    """The account with this address, opened if missing, with that role in the hub; how a hub gets its first admin."""

    service = "directory"
    operation = "open-account"
    reply = PersonView
    changes = True
    admin = True

    hub: Slug
    name: Line
    email: EmailStr
    role: Role
    language: Language = "en"


class RegisterGuest(Request[PersonView]):
    """The guest of that name and address, made if missing; no member, and never somebody with an account."""

    service = "directory"
    operation = "register-guest"
    reply = PersonView
    changes = True

    hub: Slug
    name: Line
    email: EmailStr
    language: Language = "en"


class NamedPerson(View):
    """What a person is called; a guest's address for those who run what they come to."""

    person: UUID
    name: Line
    email: EmailStr | None = None
    guest: bool


class NamedPeople(View):
    """Names for a list whose owner has decided who sees it."""

    items: tuple[NamedPerson, ...]


class NamePeople(Request[NamedPeople]):
    """Names for ids. The gateway asks after the list's owner has answered; people nobody knows are left out.

    An order: it notes for each of them that the viewer was shown them.
    """

    service = "directory"
    operation = "name-people"
    reply = NamedPeople
    changes = True

    hub: Slug
    people: tuple[UUID, ...] = Field(max_length=200)
    contact: bool = described("With the addresses of guests.", default=False)
    what: Slug = described("In which list they are shown, for `GET /v1/me/looks`.", default="names")


class Whom(View):
    """A person at a hub."""

    hub: Slug
    person: UUID


class Contact(Whom):
    """How a person is reached, said for one message and kept by nobody."""

    name: Line
    email: str | None = described("As directory has it, where it was checked.", default=None)
    language: Language
    time_zone: TimeZone
    guest: bool
    left_at: AwareDatetime | None = described(
        "When they left the hub, while they do not belong to it.", default=None
    )


class Contacts(View):
    """Those of the people asked for whom directory knows."""

    items: tuple[Contact, ...]


class GetContacts(Request[Contacts]):
    """How to reach these people; asked by notify at the moment of sending, and by nobody else."""

    service = "directory"
    operation = "get-contacts"
    reply = Contacts
    asked_by = "notify"

    people: tuple[Whom, ...] = Field(max_length=500)


class OrganisationView(View):
    """A company, society or university that has a page at a hub."""

    id: UUID
    hub: Slug
    name: Line
    kind: Line
    website: Line | None = None


class RegisterOrganisation(Request[OrganisationView]):
    """An organisation gets its page at a hub; one name stands once per hub."""

    service = "directory"
    operation = "register-organisation"
    reply = OrganisationView
    changes = True
    created = True
    admin = True

    hub: Slug
    name: Line
    kind: Line = "company"
    website: Line | None = None
