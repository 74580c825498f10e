"""`…/offers/{concept}` and `…/needs/{concept}`: the same for whoever says it, a person or an organisation they keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.gateway.documents import refusals
from services.gateway.responses import BY_LANGUAGE, answer
from services.gateway.routes.parts import Ask, ConceptId, Somebody, Tongue
from shared.contracts.matching.profiles import NewStatement, ProfileView, State, TakeBack
from shared.contracts.matching.words import Side
from shared.kit.requester import Reply

Whose = Callable[..., UUID | None]
"""A dependency: the organisation the address names, or none for one's own profile."""


@dataclass(frozen=True)
class Named:
    """What the two routes of one side are called, and how they are described."""

    side: Side
    put: tuple[str, str]
    delete: tuple[str, str]


def shown(request: Request, reply: Reply) -> Response:
    """A profile with its version; whether a consent counts, and in which language skills are named, may change without."""
    return answer(request, reply, counted=True, vary=BY_LANGUAGE)


def statements(
    router: APIRouter, path: str, whose: Whose, sides: Iterable[Named], refused: tuple[int, ...] = ()
) -> None:
    """Add the routes below `path`; `refused` are the statuses that both may answer besides."""
    for one in sides:
        url = f"{path}/{one.side}s/{{concept}}"
        for method, endpoint, (name, words), more in (
            ("PUT", _states(one.side, whose), one.put, (409,)),
            ("DELETE", _takes_back(one.side, whose), one.delete, ()),
        ):
            router.add_api_route(
                url,
                endpoint,
                methods=[method],
                name=name,
                description=words,
                response_model=ProfileView,
                responses=refusals(*refused, *more),
            )


def _states(side: Side, whose: Whose) -> Callable[..., object]:
    named: Any = Depends(whose)

    async def state(
        request: Request,
        ask: Ask,
        person: Somebody,
        language: Tongue,
        concept: ConceptId,
        body: NewStatement | None = None,
        organisation: UUID | None = named,
    ) -> Response:
        said = (body or NewStatement()).model_dump()
        wanted = State(organisation=organisation, side=side, concept=concept, language=language, **said)
        return shown(request, await ask.ask(wanted, person=person))

    return state


def _takes_back(side: Side, whose: Whose) -> Callable[..., object]:
    named: Any = Depends(whose)

    async def take_back(
        request: Request,
        ask: Ask,
        person: Somebody,
        language: Tongue,
        concept: ConceptId,
        organisation: UUID | None = named,
    ) -> Response:
        wanted = TakeBack(organisation=organisation, side=side, concept=concept, language=language)
        return shown(request, await ask.ask(wanted, person=person))

    return take_back
