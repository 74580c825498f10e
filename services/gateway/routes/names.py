"""Names of people whom the matching service says to name: put in from the directory at the moment of showing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson

from services.gateway.client import Errand
from shared.contracts.directory.requests import NamePeople
from shared.kit.errors import Unavailable
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Reply


async def named(ask: Errand, person: UUID, hub: str | None, reply: Reply, what: str) -> Reply:
    """The answer, a page or one object, with names where it says `named`; `hub` is where it is asked in if nothing else says.

    `what` is the kind of list, for those who ask who has looked at their data.
    """
    view = orjson.loads(reply.body)
    items: list[dict[str, Any]] = view.get("items", [view])
    unnamed = [one for one in items if one["named"] and one["person"] is not None and one["name"] is None]
    if not unnamed:
        return reply
    where = hub or unnamed[0]["hub"]
    wanted = NamePeople(hub=where, people=tuple({UUID(one["person"]) for one in unnamed}), what=what)
    try:
        answer = await ask.ask_in(where, wanted, person=person)
    except (Unavailable, RemoteProblem):
        # What there is without the name is better than nothing; the next look has it.
        return reply
    known = {one["person"]: one["name"] for one in orjson.loads(answer.body)["items"]}
    for one in unnamed:
        one["name"] = known.get(one["person"])
    return replace(reply, body=orjson.dumps(view))
