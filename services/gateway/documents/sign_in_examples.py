"""Examples of signing in for the published document, in the same made-up small town."""

from __future__ import annotations

from typing import Any

_SESSION = "01981f0e-5a00-7000-8000-000000000091"
_NEW_TOKEN = {"name": "Kiosk at the door", "purpose": "kiosk", "days": 90}
_TOKEN = {
    "id": "01981f0e-5a00-7000-8000-0000000000cc",
    "hub": "nordviken",
    "name": "Kiosk at the door",
    "purpose": "kiosk",
    "created_by": "01981f0e-5a00-7000-8000-0000000000a1",
    "created_at": "2027-03-01T08:00:00Z",
    "expires_at": "2027-05-30T08:00:00Z",
    "revoked_at": None,
}
_PROVIDER = {"name": "nordviken", "issuer": "https://id.nordviken.example", "client_id": "foci"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "SignInWish": {"email": "nora.nyvik@people.example", "hub": "nordviken"},
    "SignInAsked": {"minutes": 15},
    "SignInView": {
        "purpose": "sign-in",
        "hub": "nordviken",
        "until": "2027-03-01T08:15:00Z",
        "used": False,
    },
    "Grant": {
        "access_token": "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl",
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": None,
        "session": _SESSION,
        "person": "01981f0e-5a00-7000-8000-0000000000a1",
        "ends_at": "2027-03-31T08:05:00Z",
    },
    "SessionView": {
        "id": _SESSION,
        "started_at": "2027-03-01T08:05:00Z",
        "seen_at": "2027-03-01T09:10:00Z",
        "ends_at": "2027-03-31T09:10:00Z",
        "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "via": "link",
    },
    "SignedOut": {"sessions": 1},
    "Providers": {"items": [_PROVIDER]},
    "Beginning": {
        "nonce": "foci_no_n-0S6_WzA2MjA2YjQ1ZGY5Y2QwZTQ1ZGY5Y2QwZTQ",
        "until": "2027-03-01T08:10:00Z",
        "authorization_endpoint": "https://id.nordviken.example/authorize",
        "client_id": "foci",
        "scope": "openid profile email",
    },
    "IdToken": {"id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl", "cookie": True},
    "NewApiToken": _NEW_TOKEN,
    "ApiTokenView": _TOKEN,
    "ApiTokenSecretView": {**_TOKEN, "token": "foci_at_J5fX0m1yS8m8mS2mV8q8rHq0n0J1y2m3o4p5q6r7s8t"},
    "PublishedKeys": {
        "keys": [
            {
                "kid": "x7Kq0vZtLr1h",
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }
        ]
    },
}
