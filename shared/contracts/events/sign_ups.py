"""Requests events answers about taking part."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.base import Body, Plain, Reply, Request, Slug, described
from shared.contracts.events.views import ArrivalView, GuestAnswer, LinkView, SignUpPage, SignUpView
from shared.contracts.events.words import SignUpStatus, Way
from shared.contracts.links import LinkPurpose


class _AboutEvent(Request[Reply]):
    service = "events"

    hub: Slug
    event: UUID


class NewSignUp(Body):
    """How to take part; what has places is chosen when it is not said, the room first."""

    way: Way | None = None


class SignUp(NewSignUp, _AboutEvent[SignUpView]):
    """Sign up: attend, or stand in line."""

    operation = "sign-up"
    reply = SignUpView
    changes = True
    created = True


class SignUpGuest(NewSignUp, _AboutEvent[GuestAnswer]):
    """Note that a guest wants to come; they hold no place until they have followed the link."""

    operation = "sign-up-guest"
    reply = GuestAnswer
    changes = True

    guest: UUID


class _OneSignUp(_AboutEvent[SignUpView]):
    reply = SignUpView

    sign_up: UUID


class GetSignUp(_OneSignUp):
    """One sign-up, for its person and those who run the event."""

    operation = "get-sign-up"


class _FromLink(_OneSignUp):
    version: int | None = described("From a link: the version it was made for.", default=None)


class ConfirmSignUp(_FromLink):
    """A guest follows the link: now they sign up."""

    operation = "confirm-sign-up"
    changes = True


class AcceptOffer(_FromLink):
    """Take the offered place."""

    operation = "accept-offer"
    changes = True


class DeclineOffer(_FromLink):
    """Leave the offered place to the next."""

    operation = "decline-offer"
    changes = True


class GiveBackPlace(_OneSignUp):
    """Not come after all; the place is free at once. Twice changes nothing."""

    operation = "give-back-place"
    changes = True


class ListSignUps(_AboutEvent[SignUpPage]):
    """Who comes and who waits; for those who run the event."""

    operation = "list-sign-ups"
    reply = SignUpPage

    status: tuple[SignUpStatus, ...] = Field(default=(), max_length=7)
    way: Way | None = None
    limit: int = Field(default=100, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class GetLink(_AboutEvent[LinkView]):
    """What a link would do, for the person it is for."""

    operation = "get-link"
    reply = LinkView

    sign_up: UUID
    purpose: LinkPurpose


class Arrival(Body):
    """Somebody is there: by code, from the list, or people without names (negative to correct)."""

    code: Annotated[Plain, StringConstraints(max_length=20)] | None = None
    sign_up: UUID | None = None
    walk_ins: int | None = Field(default=None, ge=-1000, le=1000)

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(one is not None for one in (self.code, self.sign_up, self.walk_ins)) != 1:
            raise ValueError("say one of code, sign_up and walk_ins")
        return self


class RegisterArrival(Arrival, _AboutEvent[ArrivalView]):
    """Check somebody in; anybody who runs the event may. Twice changes nothing."""

    operation = "register-arrival"
    reply = ArrivalView
    changes = True
