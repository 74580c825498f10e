"""Requests in about mail that came back."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.bounces import report_bounce
from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.contracts.notify.notices import BounceTaken, ReportBounce
from shared.kit.ids import Ids
from shared.kit.rpc import Call, Handler


def handlers(settings: Settings, _: Ids) -> dict[type[Request[Any]], Handler]:
    """What is answered here. Who may report is the gateway's to check: nobody else can ask."""

    async def report(session: AsyncSession, request: ReportBounce, call: Call) -> BounceTaken:
        stopped = await report_bounce(session, request, settings.mail_domain, now=call.now)
        return BounceTaken(stopped=stopped)

    return {ReportBounce: report}
