"""Who may do what with profiles, consents and organisations: the rows of the table for their routes."""

from __future__ import annotations

from typing import Any

from tests.gateway.cell import Cell
from tests.gateway.matching_things import heard_of, match_for, opened, pair_for, target_for, vocabulary
from tests.gateway.rows import BELONG, HUB, OPERATORS, PEOPLE, STAFF, VERSION, Row, headers_of

PROFILE = "/v1/me/profile"
OFFER, NEED = f"{PROFILE}/offers/{{concept}}", f"{PROFILE}/needs/{{concept}}"
CONSENT = "/v1/me/consents/{hub}"
ORGANISATIONS = "/v1/me/organisations"
ORGANISATION = f"{ORGANISATIONS}/{{organisation}}"


def known(cell: Cell, role: str) -> None:
    """Wait until matching has heard of whoever sends this."""
    if role == "stranger":
        heard_of(cell, "elsewhere", cell.person("elsewhere", "member", "A Stranger"))
    elif role in BELONG:
        heard_of(cell, "here", cell.person("here", role))


def _known(cell: Cell, _: str, role: str) -> dict[str, Any]:
    known(cell, role)
    return {}


def _statement(cell: Cell, _: str, role: str) -> dict[str, Any]:
    known(cell, role)
    return {"json": {"level": "expert", "words": "Bokslut för små bolag"}}


def _profile(cell: Cell, _: str, role: str) -> dict[str, Any]:
    known(cell, role)
    body = {"json": {"about": "Hej", "languages": ["sv"], "visibility": "hub"}}
    seen = cell.http.get(PROFILE, headers=headers_of(cell, role))
    return body | ({"headers": {"If-Match": seen.headers["etag"]}} if seen.status_code == 200 else VERSION)


def _organisation(cell: Cell, hub: str, role: str) -> dict[str, Any]:
    known(cell, role)
    return {
        "json": {"hub": "elsewhere" if role == "stranger" else "here", "name": f"Company of {role} {hub}"}
    }


# Everything is one's own; the organisation the address names is another person's, so to everybody it is not there.
PROFILE_TABLE: dict[tuple[str, str], Row] = {
    ("GET", PROFILE): Row(200, 0, PEOPLE),
    ("PATCH", PROFILE): Row(200, 0, PEOPLE, ask=_profile),
    ("DELETE", PROFILE): Row(200, 0, PEOPLE),
    ("PUT", OFFER): Row(200, 0, PEOPLE, ask=_statement),
    ("DELETE", OFFER): Row(200, 0, PEOPLE, ask=_known),
    ("PUT", NEED): Row(200, 0, PEOPLE, ask=_statement),
    ("DELETE", NEED): Row(200, 0, PEOPLE, ask=_known),
    ("PUT", CONSENT): Row(200, 404, BELONG, ask=_known),
    ("DELETE", CONSENT): Row(200, 0, PEOPLE, ask=_known),
    ("GET", ORGANISATIONS): Row(200, 0, PEOPLE),
    ("POST", ORGANISATIONS): Row(201, 0, PEOPLE, ask=_organisation),
    ("GET", ORGANISATION): Row(200, 404, ()),
    ("PATCH", ORGANISATION): Row(200, 404, (), ask=lambda *_: {"json": {"about": "Hej"}, **VERSION}),
    ("DELETE", ORGANISATION): Row(200, 404, ()),
    ("PUT", f"{ORGANISATION}/offers/{{concept}}"): Row(200, 404, (), ask=_statement),
    ("DELETE", f"{ORGANISATION}/offers/{{concept}}"): Row(200, 404, ()),
    ("PUT", f"{ORGANISATION}/needs/{{concept}}"): Row(200, 404, (), ask=_statement),
    ("DELETE", f"{ORGANISATION}/needs/{{concept}}"): Row(200, 404, ()),
    ("PUT", f"{ORGANISATION}/consents/{{hub}}"): Row(200, 404, ()),
    ("DELETE", f"{ORGANISATION}/consents/{{hub}}"): Row(200, 404, ()),
}
MATCHES = "/v1/me/matches"
# The id the address names stands for somebody towards another person: towards everybody else for nobody.
MATCH_TABLE: dict[tuple[str, str], Row] = {
    ("GET", MATCHES): Row(200, 0, PEOPLE),
    ("POST", f"{MATCHES}/{{match}}/stop"): Row(200, 404, ()),
}
INTRODUCTIONS = "/v1/me/introductions"
INTRODUCTION = f"{INTRODUCTIONS}/{{introduction}}"
NOBODY = "5b0d3f6e-8f5c-4d2a-9a63-2f0c6f1f7d11"


def _match(cell: Cell, hub: str, role: str) -> dict[str, Any]:
    """Whom the operator finds; for everybody else an id that is nobody's."""
    if (hub, role) != ("here", "operator"):
        return {"json": {"match": NOBODY}}
    asker = opened(cell, hub, role)
    return {"json": {"match": match_for(cell, hub, asker, "Wanted")}}


def _pair(cell: Cell, hub: str, role: str) -> dict[str, Any]:
    if hub == "here" and role in STAFF:
        return {"json": pair_for(cell, hub)}
    return {"json": {"one": NOBODY, "other": NOBODY}}


def _target(cell: Cell, *_: str) -> dict[str, Any]:
    vocabulary(cell)
    return {"json": {"wanted": 3}}


def _wanted(cell: Cell, hub: str, _: str) -> dict[str, Any]:
    target_for(cell, hub)  # others may have taken it off the list
    return {}


# The introduction the address names is another person's, so to everybody it is not there.
INTRODUCTION_TABLE: dict[tuple[str, str], Row] = {
    ("GET", INTRODUCTIONS): Row(200, 0, PEOPLE),
    ("POST", INTRODUCTIONS): Row(201, 404, (), ask=_match, besides={"operator": 201}),
    ("GET", INTRODUCTION): Row(200, 404, ()),
    ("POST", f"{INTRODUCTION}/reply"): Row(200, 404, (), ask=lambda *_: {"json": {"answer": "yes"}}),
    ("POST", f"{INTRODUCTION}/met"): Row(200, 404, ()),
    ("POST", f"{INTRODUCTION}/outcome"): Row(200, 404, (), ask=lambda *_: {"json": {"outcome": "help"}}),
    ("POST", f"{HUB}/introductions"): Row(202, 403, STAFF, ask=_pair),
}
# Figures are everybody's, what the hub wants is its operators', and only its members find its members.
TOWN_TABLE: dict[tuple[str, str], Row] = {
    ("GET", f"{HUB}/members"): Row(200, 403, ("member", *STAFF)),
    ("GET", f"{HUB}/skills-missing"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", f"{HUB}/outcomes"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", f"{HUB}/targets"): Row(200, 403, OPERATORS),
    ("GET", f"{HUB}/targets/{{concept}}"): Row(200, 403, OPERATORS, ask=_wanted),
    ("PUT", f"{HUB}/targets/{{concept}}"): Row(200, 403, OPERATORS, ask=_target),
    ("DELETE", f"{HUB}/targets/{{concept}}"): Row(200, 403, OPERATORS),
}
SKILLS = "/v1/skills"
# The vocabulary is everybody's who has signed in.
SKILL_TABLE: dict[tuple[str, str], Row] = {
    ("GET", SKILLS): Row(200, 0, PEOPLE, ask=lambda *_: {"params": {"text": "hjälp med bokföring"}}),
    ("GET", f"{SKILLS}/{{concept}}"): Row(200, 0, PEOPLE),
}
MATCHING_TABLE: dict[tuple[str, str], Row] = {
    **PROFILE_TABLE,
    **MATCH_TABLE,
    **INTRODUCTION_TABLE,
    **TOWN_TABLE,
    **SKILL_TABLE,
}
