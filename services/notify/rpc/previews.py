"""Requests in about what messages look like."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.rules.samples import shown
from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.contracts.notify.notices import Preview, PreviewNotices, Previews
from shared.kit.ids import Ids
from shared.kit.rpc import Call, Handler


def handlers(settings: Settings, ids: Ids) -> dict[type[Request[Any]], Handler]:  # noqa: ARG001  # as every part is asked
    """Who answers."""
    return {PreviewNotices: _preview}


async def _preview(_: AsyncSession, request: PreviewNotices, __: Call) -> Previews:
    return Previews(
        items=tuple(
            Preview(
                news=one.sample.news,
                kind=one.sample.kind,
                language=one.rendered.language,
                subject=one.rendered.subject,
                text=one.rendered.text,
                html=one.rendered.html,
                source=one.mail.content.decode(),
            )
            for one in shown(request.kind)
        )
    )
