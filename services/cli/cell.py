"""The operator's way into a running cell: a NATS connection as `admin`, with the seed FOCI_HOME keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import BaseModel, ValidationError

from deploy.local.home import Home
from deploy.local.probes import connect_once
from deploy.local.settings import LocalSettings
from shared.contracts.base import Request
from shared.contracts.users import ADMIN, inbox_prefix
from shared.kit.errors import FociError
from shared.kit.ids import utc_now
from shared.kit.requester import Requester

DEADLINE_S = 10.0


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say why on standard error and end; standard output stays clean for programs that read it."""
    typer.secho(sentence, err=True)
    raise typer.Exit(code)


def settings() -> LocalSettings:
    """The FOCI_ variables, or a sentence about the one that is wrong."""
    try:
        return LocalSettings()
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = "FOCI_" + "_".join(str(part) for part in fault["loc"]).upper()
        fail(f"{name}: {fault['msg']}", 2)


def nats_url(local: LocalSettings) -> str:
    """Where the running stack's NATS is."""
    url = local.nats_url or Home(local.home).state().get("urls", {}).get("nats")
    if url is None:
        fail(f"Nothing has been started from {local.home} yet; start it with `make run`, or set FOCI_HOME.")
    return str(url)


async def connect(local: LocalSettings) -> Client:
    """A connection as `admin`, or a NATS error."""
    seed: dict[str, Any] = {} if local.nats_url else {"nkeys_seed_str": Home(local.home).seed(ADMIN)}
    return await connect_once(nats_url(local), inbox_prefix=inbox_prefix(ADMIN), **seed)


@asynccontextmanager
async def admin(local: LocalSettings) -> AsyncIterator[Client]:
    """The connection for the length of a command; what goes wrong is said in a sentence."""
    try:
        client = await connect(local)
    except (OSError, NatsError, TimeoutError) as error:
        fail(
            f"NATS does not answer at {nats_url(local)} ({error or type(error).__name__}). Is the stack running?"
        )
    try:
        yield client
    except FociError as error:
        fail(error.detail)
    finally:
        await client.close()


async def ask(
    client: Client, local: LocalSettings, request: Request[Any], service: str | None = None
) -> BaseModel:
    """The answer to an admin request."""
    reply = await Requester(client, utc_now).send(
        request, cell=local.cell, seconds=DEADLINE_S, service=service
    )
    return request.reply.model_validate_json(reply.body)
