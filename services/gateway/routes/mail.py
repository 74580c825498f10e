"""`/v1/mail/bounces`: the cell's own mail server reports what became of messages."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPBearer
from pydantic import SecretStr
from starlette.responses import Response

from services.gateway.documents import documented, refusals
from services.gateway.documents.notify_examples import BOUNCES, RETURNED
from services.gateway.responses import answer
from services.gateway.routes.delivery_reports import ReportNotUnderstood, read_report
from services.gateway.routes.parts import Ask, StrictRoute, parsed
from shared.contracts.notify.notices import BounceReport, BounceTaken, ReportBounce
from shared.kit.principal import Unauthenticated

MESSAGE = ("message/rfc822", "message/global")
REPORT = "multipart/report"
FORMS = ("application/json", *MESSAGE, REPORT)
KEY = HTTPBearer(
    auto_error=False, scheme_name="MailServer", description="The gateway's bounce token, for the mail server."
)

router = APIRouter(route_class=StrictRoute, prefix="/v1/mail", tags=["mail"])


def _body() -> dict[str, Any]:
    """What the route takes, in OpenAPI's words."""
    extra = documented(BounceReport, BOUNCES)
    for form in (*MESSAGE, REPORT):
        extra["requestBody"]["content"][form] = {"schema": {"type": "string"}, "examples": RETURNED[form]}
    return {"requestBody": extra["requestBody"]}


async def mail_server(request: Request) -> None:
    """Whoever asks has the bounce token; Unauthenticated when not, or when there is none."""
    token: SecretStr | None = request.app.state.settings.bounce_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = b"" if token is None else token.get_secret_value().encode()
    # In the same time however much of it is right; latin-1 is how headers are decoded.
    same = hmac.compare_digest(known, given.strip().encode("latin-1"))
    if token is None or scheme.lower() != "bearer" or not same:
        raise Unauthenticated(
            "Only the mail server may report here: send `Authorization: Bearer <its token>`."
        )


@router.post(
    "/bounces",
    response_model=BounceTaken,
    responses=refusals(),
    dependencies=[Depends(KEY)],
    openapi_extra=_body(),
)
async def report_bounce(request: Request, ask: Ask, _: Annotated[None, Depends(mail_server)]) -> Response:
    """What became of a message: as JSON, or the report as it came back (RFC 3464).

    A final failure (5.x.x) stops mail to the address until the person asks for it again. The same report twice
    changes nothing.
    """
    said = _understood(request.headers.get("content-type", FORMS[0]), await request.body())
    wanted = ReportBounce(message_id=said.message_id, status=said.status)
    return answer(request, await ask.ask(wanted, person=None))


def _understood(content_type: str, raw: bytes) -> BounceReport:
    form = content_type.partition(";")[0].strip().lower()
    if form == FORMS[0]:
        return parsed(BounceReport, raw)
    if form not in FORMS:
        raise ReportNotUnderstood(f"Send it as one of {', '.join(FORMS)}.", field="Content-Type")
    # As the body of a request the report's own headers are the request's.
    head = b"" if form in MESSAGE else b"Content-Type: %s\r\n\r\n" % content_type.encode("latin-1")
    message_id, status = read_report(head + raw)
    return BounceReport(message_id=message_id, status=status)
