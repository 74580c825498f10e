"""`DELETE /v1/me` and `/v1/me/erasure`: being erased, and the receipt of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import answer
from services.gateway.routes.parts import SIGN_IN, Ask, Somebody, StrictRoute, said
from shared.contracts.directory.erasure import Confirmation, EraseMe, ErasureStep, GetReceipt, Receipt

router = APIRouter(route_class=StrictRoute, prefix="/v1/me", tags=["me"])

NumberInPath = Annotated[
    str, Path(pattern="^[A-Za-z0-9_-]{32}$", description="The number the erasure was confirmed with.")
]


@router.delete("", response_model=ErasureStep, responses=refusals(409), dependencies=SIGN_IN)
async def erase_me(
    request: Request, ask: Ask, person: Somebody, body: Confirmation | None = None
) -> Response:
    """Have everything erased that Foci holds of me. Asked once, nothing is erased: the answer is a number, good for 15 minutes.

    Asked again with that number as `confirmation` it is done, at once and for good: what I have booked ahead is free again,
    and my token does nothing any more. What stays, without me in it, is told by the receipt at `/v1/me/erasure/{number}`.
    """
    return answer(request, await ask.ask(EraseMe(**said(body)), person=person))


@router.get("/erasure/{number}", response_model=Receipt, responses=NOT_MODIFIED | refusals())
async def get_receipt(request: Request, ask: Ask, number: NumberInPath) -> Response:
    """What each part of Foci has erased, made anonymous or kept, and why. Needs no account; complete when all have answered."""
    return answer(request, await ask.ask(GetReceipt(number=number), person=None))
