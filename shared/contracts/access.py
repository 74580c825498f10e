"""What each NATS user may do: computed from the contracts, so that a new fact or request needs no second list."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.catalogue import REQUESTS
from shared.contracts.live import LIVE_STREAMS
from shared.contracts.streams import CONSUMERS, FOLLOWED, OCCUPANCY, STREAMS, stream_of
from shared.contracts.users import ADMIN, GATEWAY, OPERATOR, SERVICES, follows, inbox_prefix

_CREATE = "$JS.API.CONSUMER.CREATE"


@dataclass(frozen=True)
class Permissions:
    """Subjects a NATS user may publish to and subscribe to; everything else is refused by the server.

    `allow_responses` lets it answer a request on the reply subject the request carries, once, and nowhere
    else.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    allow_responses: bool = False

    @property
    def not_publish(self) -> tuple[str, ...]:
        """What `publish` would allow and must not: who may make consumers of its own by any name could make, and so change,
        a declared one, which is another service's."""
        return tuple(
            f"{_CREATE}.{consumer.stream}.{consumer.durable}{rest}"
            for consumer in CONSUMERS
            if any(subject.startswith(f"{_CREATE}.{consumer.stream}.*") for subject in self.publish)
            for rest in ("", ".>")
        )


def _service(service: str, cell: str) -> Permissions:
    own_streams = [stream for stream in STREAMS if stream.owner == service]
    listens = [consumer for consumer in CONSUMERS if consumer.service == service]
    publish = [f"hubs.*.{service}.>", f"kick.{cell}.{service}"]
    publish += [
        subject for stream in own_streams for subject in stream.subjects if stream.name != stream_of(service)
    ]
    publish += [
        request.subject_for(cell)
        for requests in REQUESTS.values()
        for request in requests
        if request.asked_by == service
    ]
    for stream in own_streams:
        # The relay looks at the end of its own streams to know what has arrived.
        publish += [f"$JS.API.STREAM.INFO.{stream.name}", f"$JS.API.STREAM.MSG.GET.{stream.name}"]
    for consumer in listens:
        name = f"{consumer.stream}.{consumer.durable}"
        publish += [f"$JS.API.CONSUMER.INFO.{name}", f"$JS.API.CONSUMER.MSG.NEXT.{name}", f"$JS.ACK.{name}.>"]
        # A database that went back in time has to hear again what it had acknowledged.
        publish.append(f"$JS.API.CONSUMER.RESET.{name}")
    if service in FOLLOWED:
        # The filter stands in the API subject: of its own facts, and no consumer that the service has by another name.
        publish.append(f"$JS.API.CONSUMER.CREATE.{stream_of(service)}.*.{follows(service)}")
    return Permissions(
        publish=tuple(publish),
        subscribe=(
            f"{inbox_prefix(service)}.>",
            f"rpc.{cell}.{service}.>",
            f"kick.{cell}.{service}",
            "$SRV.>",
        ),
        allow_responses=True,
    )


def _gateway(cell: str) -> Permissions:
    # One token after the service: `rpc.<cell>.<service>.admin.<operation>` is out of the gateway's reach.
    publish = [f"rpc.{cell}.{service}.*" for service in SERVICES]
    for stream in STREAMS:
        if stream.name in LIVE_STREAMS:
            publish.append(f"$JS.API.STREAM.INFO.{stream.name}")
            publish += [f"$JS.API.CONSUMER.CREATE.{stream.name}.*.{one}" for one in stream.subjects]
    return Permissions(
        publish=tuple(publish),
        subscribe=(f"{inbox_prefix(GATEWAY)}.>",),
    )


def _admin(cell: str) -> Permissions:
    return Permissions(
        publish=("$JS.API.>", "$JS.ACK.>", "$SRV.>", f"rpc.{cell}.*.admin.*"),
        subscribe=(f"{inbox_prefix(ADMIN)}.>", "$JS.EVENT.>"),
    )


def operator(name: str, hubs: tuple[str, ...] = ()) -> Permissions:
    """A read-only user for an operator's own systems: occupancy of the named hubs, or of all.

    It may make ephemeral consumers on the OCCUPANCY stream; the filter stands in the API subject, so the
    server itself refuses another hub's figures.
    """
    filters = [f"occupancy.{hub}.>" for hub in hubs] or ["occupancy.>"]
    return Permissions(
        publish=(
            f"$JS.API.STREAM.INFO.{OCCUPANCY}",
            *(f"$JS.API.CONSUMER.CREATE.{OCCUPANCY}.*.{subject}" for subject in filters),
            f"$JS.API.CONSUMER.INFO.{OCCUPANCY}.*",
            f"$JS.API.CONSUMER.DELETE.{OCCUPANCY}.*",
            f"$JS.API.CONSUMER.MSG.NEXT.{OCCUPANCY}.*",
            f"$JS.ACK.{OCCUPANCY}.>",
            "$JS.FC.>",
        ),
        subscribe=(f"{inbox_prefix(f'{OPERATOR}_{name}')}.>", *filters),
    )


def permissions(user: str, cell: str) -> Permissions:
    """What `user` (a service, `gateway` or `admin`) may do in `cell`."""
    if user == GATEWAY:
        return _gateway(cell)
    if user == ADMIN:
        return _admin(cell)
    if user in SERVICES:
        return _service(user, cell)
    raise LookupError(f"no NATS user {user!r}; known: {', '.join((GATEWAY, ADMIN, *SERVICES))}")
