"""`DELETE /v1/me` and `/v1/me/erasure`: being erased, and the receipt of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import NOT_MODIFIED, PAGE, paged, refusals
from services.gateway.pages import page_response
from services.gateway.pages.links import refused
from services.gateway.pages.receipt import no_receipt, receipt_page
from services.gateway.pages.words import LANGUAGES
from services.gateway.responses import BY_FORM, answer
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Somebody,
    StrictRoute,
    language_among,
    said,
    wants_page,
)
from shared.contracts.directory.erasure import Confirmation, EraseMe, ErasureStep, GetReceipt, Receipt
from shared.kit.errors import FociError
from shared.kit.problems import RemoteProblem, of_error

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


@router.get(
    "/erasure/{number}",
    response_model=Receipt,
    responses=NOT_MODIFIED | paged(refusals()) | {200: {"content": PAGE}},
)
async def get_receipt(request: Request, ask: Ask, number: NumberInPath) -> Response:
    """What each part of Foci has erased, made anonymous or kept, and why. Needs no account; complete when all have answered.

    With `Accept: text/html` a page that says it in Swedish, Danish or English.
    """
    wanted = GetReceipt(number=number)
    if wants_page(request):
        return await _page(request, ask, wanted)
    return answer(request, await ask.ask(wanted, person=None), vary=BY_FORM)


async def _page(request: Request, ask: Errand, wanted: GetReceipt) -> Response:
    language = language_among(request, LANGUAGES)
    try:
        reply = await ask.ask(wanted, person=None)
    except FociError as error:
        found = error.document if isinstance(error, RemoteProblem) else of_error(error)
        missing = found["code"] == "no-such-receipt"
        page = no_receipt(language) if missing else refused(found["code"], LANGUAGES[language])
        return page_response(page, language, status=found["status"])
    return page_response(receipt_page(Receipt.model_validate_json(reply.body), language), language)
