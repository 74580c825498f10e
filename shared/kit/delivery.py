"""A fact as it came from the stream, and whether this release can tell what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson
from nats.aio.msg import Msg
from pydantic import ValidationError

from shared.contracts import streams
from shared.contracts.base import Fact
from shared.contracts.catalogue import fact_class
from shared.kit.errors import Conflict, Invalid


class Unreadable(Invalid):
    """The message's body is not the fact its subject names."""

    code = "unreadable-fact"
    title = "The fact cannot be read"


class FromALaterRelease(Conflict):
    """A later release has its consumer hear this fact; while releases change, its replicas are there too."""

    code = "fact-of-a-later-release"
    title = "This release does not hear this fact yet"


@dataclass(frozen=True)
class Delivery:
    """A fact as it came from the stream, before anything is known to be right about it."""

    subject: str
    body: bytes
    headers: Mapping[str, str]
    attempt: int

    @classmethod
    def of(cls, raw: Msg) -> Delivery:
        """From a JetStream message."""
        return cls(raw.subject, raw.data, raw.headers or {}, raw.metadata.num_delivered or 1)

    @property
    def text(self) -> str:
        """The body as PostgreSQL can keep it, whatever it is."""
        return self.body.decode("utf-8", "replace").replace("\x00", "\ufffd")

    @property
    def fact_id(self) -> UUID | None:
        """The fact's id as the message or, without headers, the body says; None when neither does."""
        try:
            given = self.headers.get("Nats-Msg-Id") or orjson.loads(self.body)["id"]
            return UUID(str(given).partition("+")[0])
        except (ValueError, TypeError, KeyError):
            return None

    @property
    def key(self) -> str:
        """What failures are counted under: the fact's id, or else what the message looks like."""
        known = self.fact_id
        return str(known) if known else hashlib.blake2b(self.body, digest_size=16).hexdigest()

    def fact(self) -> Fact | None:
        """The parsed fact, or None when this release does not know its class; Unreadable when it is nonsense."""
        known = fact_class(self.subject)
        try:
            return None if known is None else known.model_validate_json(self.body)
        except ValidationError as error:
            raise Unreadable(f"{error.error_count()} fields are not as declared.") from error

    def is_declared_for(self, durable: str) -> bool:
        """Whether this release's consumer of that name is one for messages on this subject."""
        stands, _, rest = self.subject.split(".", 2)
        return f"{stands}.*.{rest}" in streams.consumer(durable).filters
