"""`/v1/openapi.json` and `/v1/asyncapi.json`: the machine-readable descriptions of the door and of the bus."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import static
from services.gateway.routes.parts import StrictRoute
from shared.contracts.asyncapi import asyncapi_document

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["documents"])

Document = dict[str, Any]


@cache
def _asyncapi(server_url: str | None) -> bytes:
    return orjson.dumps(asyncapi_document(server_url))


@router.get("/asyncapi.json", response_model=Document, responses=NOT_MODIFIED | refusals())
async def get_asyncapi(request: Request) -> Response:
    """AsyncAPI 3.0: the facts, and the occupancy stream that operators subscribe to."""
    return static(request, _asyncapi(request.app.state.settings.operators_nats_url or None))


@router.get("/openapi.json", response_model=Document, responses=NOT_MODIFIED | refusals())
async def get_openapi(request: Request) -> Response:
    """OpenAPI 3.1: this document."""
    return static(request, orjson.dumps(request.app.openapi()))
