"""What a delivery is signed with: secrets derived from the service's key, signatures as Standard Webhooks has them."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from standardwebhooks import Webhook

SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64 bytes."""
BOTH_VALID = timedelta(hours=24)
"""How long after a rotation deliveries carry a signature with the secret before it, too."""
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
USER_AGENT = "Foci-Webhooks/1"


def secret_of(key: str, webhook: UUID, generation: int) -> str:
    """The secret of a webhook as its operator is shown it, `whsec_` and base64.

    Derived (HKDF, RFC 5869) from the service's key, so that none is kept: who reads the database cannot sign. Another
    webhook and another generation have another one.
    """
    info = b"foci webhook " + webhook.bytes + generation.to_bytes(4, "big")
    derived = HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info).derive(key.encode())
    return "whsec_" + b64encode(derived).decode()


def signed_headers(
    message: UUID,
    body: str,
    *,
    key: str,
    webhook: UUID,
    generation: int,
    previous_until: datetime | None,
    now: datetime,
) -> dict[str, str]:
    """The headers of one try; the id stays the same at every try, the time and so the signatures do not.

    Until `previous_until` there are two signatures, the newer secret's first: a receiver takes either.
    """
    generations = [generation]
    if previous_until is not None and now < previous_until and generation > 1:
        generations.append(generation - 1)
    signatures = [Webhook(secret_of(key, webhook, one)).sign(str(message), now, body) for one in generations]
    return {
        "webhook-id": str(message),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "content-type": CONTENT_TYPE,
        "user-agent": USER_AGENT,
        # The answer's body is thrown away: nothing is unpacked.
        "accept-encoding": "identity",
    }
