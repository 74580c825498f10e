"""`/v1/asyncapi.json`: the machine-readable description of what goes over the bus."""

from __future__ import annotations

from functools import cache

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import refusals
from shared.contracts.asyncapi import asyncapi_document

router = APIRouter(prefix="/v1", tags=["documents"])


@cache
def _asyncapi(server_url: str) -> bytes:
    return orjson.dumps(asyncapi_document(server_url))


@router.get("/asyncapi.json", responses=refusals())
async def get_asyncapi(request: Request) -> Response:
    """AsyncAPI 3.0: the facts, and the occupancy stream that operators subscribe to."""
    return Response(
        _asyncapi(request.app.state.settings.operators_nats_url),
        media_type="application/json",
        headers={"Cache-Control": "no-cache"},
    )
