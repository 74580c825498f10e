"""The AsyncAPI 3.0 document: what a cell states on the bus and how an operator's system listens, from the contracts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts.base import ALL_SPACES, Fact
from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.catalogue import FACTS
from shared.contracts.examples import example, occupancy_example, plain
from shared.contracts.streams import CONSUMERS, OCCUPANCY, RETENTION, stream_of
from shared.contracts.users import OPERATOR, inbox_prefix

SPECIFICATION = "3.0.0"
RELEASE = "1.0.0"
"""Version of the published language as a whole; a new optional field or a new fact raises the second number."""
JSON = "application/json"
NATS_PORT = 4222

_ABOUT = f"""
What a Foci cell (one running stack that hosts one or many hubs) states on its NATS bus.

**An operator's system listens to occupancy.** `foci operator-credentials` makes a NATS user that may do this and
nothing else, and writes its address, nkey seed, inbox prefix, stream and subjects to a file. To listen:

1. Connect to the server with the seed (nkey challenge, Ed25519) and the inbox prefix of the credentials
   (`{inbox_prefix(f"{OPERATOR}_<name>")}`); the server refuses every other inbox.
2. On the JetStream stream `{OCCUPANCY}`, make an ephemeral consumer with one filter subject of the credentials,
   deliver policy `last_per_subject` and ack policy `none`. A client library's ordered consumer does just that.
3. First come the latest figures of every space (the consumer's `num_pending` says how many), then every change.
   After a lost connection make the consumer again: the snapshot makes up for what was missed.

Each message is a CloudEvent 1.0 in structured mode. `data.version` counts the changes of one space: keep the highest.

**Facts** are for the services of the cell. They are described here because they are the published language, which later
releases only add to; an operator's user may not subscribe to them.
"""

_HUB_PARAMETER = {
    "description": "The hub's slug; `*` in a filter means every hub.",
    "examples": ["nordviken"],
}
_HEADERS = {
    "type": "object",
    "properties": {
        "Nats-Msg-Id": {
            "type": "string",
            "format": "uuid",
            "description": "The message's id; a message that arrives twice has the same one.",
        },
        "Foci-Position": {
            "type": "string",
            "description": "Its place in the owner's outbox, for the relay only.",
            "examples": ["734.12"],
        },
        "traceparent": {"type": "string", "description": "W3C trace context of the act that caused it."},
    },
    "required": ["Nats-Msg-Id"],
}


def asyncapi_document(server_url: str | None) -> dict[str, Any]:
    """The document for a cell whose NATS server operators reach at `server_url`, or that tells nobody where (None).

    The same contracts give the same document.
    """
    facts = [
        fact for service in sorted(FACTS) for fact in sorted(FACTS[service], key=lambda one: one.__name__)
    ]
    return {
        "asyncapi": SPECIFICATION,
        "id": "urn:foci:cell",
        "info": {
            "title": "Foci: facts and occupancy",
            "version": RELEASE,
            "description": _ABOUT.strip(),
            "tags": [{"name": "occupancy"}, *({"name": service} for service in sorted(FACTS))],
        },
        "defaultContentType": JSON,
        "servers": {} if server_url is None else {"nats": _server(server_url)},
        "channels": _channels(facts, named=server_url is not None),
        "operations": {
            **_occupancy_operations(),
            **{f"state{fact.__name__}": _operation(fact) for fact in facts},
        },
        "components": {
            "securitySchemes": {
                "nkey": {
                    "type": "asymmetricEncryption",
                    "description": "NATS nkey: the client signs the server's nonce with its Ed25519 seed (`SU…`).",
                }
            },
            "messages": {
                OccupancyChangedV1.__name__: _occupancy_message(),
                **{fact.__name__: _message(fact) for fact in facts},
            },
            "schemas": _schemas([OccupancyChangedV1, *facts]),
        },
    }


def _channels(facts: list[type[Fact]], *, named: bool) -> dict[str, Any]:
    """All of them; where no server is `named`, none refers to it."""
    channels = {**_occupancy_channels(), **{_key(fact): _channel(fact) for fact in facts}}
    if named:
        return channels
    return {
        key: {name: part for name, part in one.items() if name != "servers"} for key, one in channels.items()
    }


def _server(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if ":" in host:
        host = f"[{host}]"  # IPv6
    return {
        "host": "{host}:{port}",
        "protocol": "nats",
        "description": "The cell's NATS server, with JetStream.",
        "variables": {
            "host": {"default": host, "description": "Where the server is reached."},
            "port": {"default": str(parts.port or NATS_PORT), "description": "Its client port."},
        },
        "security": [{"$ref": "#/components/securitySchemes/nkey"}],
    }


def _key(fact: type[Fact]) -> str:
    return fact.__name__[0].lower() + fact.__name__[1:]


def _sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n", 1)[0]


def _prose(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def consumers_of(fact: type[Fact]) -> list[str]:
    """The durable consumers that hear a fact."""
    return sorted(one.durable for one in CONSUMERS if fact.subject_for("*") in one.filters)


def _said_of(fact: type[Fact]) -> dict[str, Any]:
    return {
        "x-audience": fact.audience.value,
        "x-producer": fact.service,
        "x-consumers": consumers_of(fact),
        "x-version": fact.version,
    }


def _channel(fact: type[Fact]) -> dict[str, Any]:
    return {
        "address": fact.subject_for("{hub}"),
        "title": f"{fact.fact} v{fact.version}",
        "description": _prose(fact),
        "servers": [{"$ref": "#/servers/nats"}],
        "parameters": {"hub": _HUB_PARAMETER},
        "messages": {fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"}},
        "tags": [{"name": fact.service}],
        "x-stream": {"name": stream_of(fact.service), "keeps": f"{RETENTION.days} days"},
        **_said_of(fact),
    }


def _operation(fact: type[Fact]) -> dict[str, Any]:
    key = _key(fact)
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{key}"},
        "title": f"{fact.service} states {fact.fact}",
        "summary": _sentence(fact),
        "tags": [{"name": fact.service}],
        "bindings": {"nats": {"bindingVersion": "0.1.0"}},
        "messages": [{"$ref": f"#/channels/{key}/messages/{fact.__name__}"}],
    }


def _message(fact: type[Fact]) -> dict[str, Any]:
    return {
        "name": fact.__name__,
        "title": f"{fact.fact} v{fact.version}",
        "summary": _sentence(fact),
        "contentType": JSON,
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{fact.__name__}"},
        "examples": [
            {
                "name": fact.fact,
                "headers": {"Nats-Msg-Id": str(example(fact).id)},
                "payload": plain(example(fact)),
            }
        ],
        **_said_of(fact),
    }


def _occupancy_message() -> dict[str, Any]:
    shown = {"space": occupancy_example(), "hub": occupancy_example(ALL_SPACES)}
    return {
        "name": OccupancyChangedV1.__name__,
        "title": f"{OccupancyChangedV1.fact} v1",
        "summary": _sentence(OccupancyChangedV1),
        "description": _prose(OccupancyChangedV1),
        "contentType": OccupancyChangedV1.content_type,
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{OccupancyChangedV1.__name__}"},
        "examples": [
            {"name": name, "headers": {"Nats-Msg-Id": str(one.id)}, "payload": plain(one)}
            for name, one in shown.items()
        ],
        **_said_of_occupancy(),
    }


def _said_of_occupancy() -> dict[str, Any]:
    return {
        "x-audience": OccupancyChangedV1.audience.value,
        "x-producer": "booking",
        "x-consumers": [],
        "x-version": 1,
    }


def _occupancy_channels() -> dict[str, Any]:
    space = {
        "description": "The space's slug; `*` in a filter means every space and the hub as a whole.",
        "examples": ["quiet-corner"],
    }
    return {
        "spaceOccupancyV1": _occupancy_channel(
            OccupancyChangedV1.subject_for("{hub}", "{space}"),
            "Occupancy of one space",
            {"hub": _HUB_PARAMETER, "space": space},
        ),
        "hubOccupancyV1": _occupancy_channel(
            OccupancyChangedV1.subject_for("{hub}", ALL_SPACES),
            "Occupancy of a whole hub; each unit is counted once although spaces may share it",
            {"hub": _HUB_PARAMETER},
        ),
    }


def _occupancy_channel(address: str, title: str, parameters: dict[str, Any]) -> dict[str, Any]:
    name = OccupancyChangedV1.__name__
    return {
        "address": address,
        "title": title,
        "description": _prose(OccupancyChangedV1),
        "servers": [{"$ref": "#/servers/nats"}],
        "parameters": parameters,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "tags": [{"name": "occupancy"}],
        "x-stream": {
            "name": OCCUPANCY,
            "keeps": "the latest message per subject",
            "consumer": {
                "kind": "ephemeral",
                "deliver_policy": "last_per_subject",
                "ack_policy": "none",
                "filter_subject": "one of the credentials' `subjects`",
            },
        },
        **_said_of_occupancy(),
    }


def _occupancy_operations() -> dict[str, Any]:
    name = OccupancyChangedV1.__name__
    return {
        f"state{key[0].upper()}{key[1:]}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{key}"},
            "title": title,
            "summary": "The latest figures first, then every change.",
            "tags": [{"name": "occupancy"}],
            "bindings": {"nats": {"bindingVersion": "0.1.0"}},
            "messages": [{"$ref": f"#/channels/{key}/messages/{name}"}],
        }
        for key, title in (
            ("spaceOccupancyV1", "booking states how full a space is"),
            ("hubOccupancyV1", "booking states how full a hub is"),
        )
    }


def _schemas(models: list[type[BaseModel]]) -> dict[str, Any]:
    _, made = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    definitions: dict[str, Any] = made["$defs"]
    return {name: _wrapped(definitions[name]) for name in sorted(definitions)}


def _wrapped(schema: Any) -> Any:
    """In draft 7, which AsyncAPI's schemas extend, words beside `$ref` are ignored: put the reference in `allOf`."""
    if isinstance(schema, list):
        return [_wrapped(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _wrapped(value) for name, value in schema.items()}
    if "$ref" in inner and len(inner) > 1:
        inner["allOf"] = [{"$ref": inner.pop("$ref")}]
    return inner
