"""One database and one role per service: a role owns its own database and can connect to no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kit.settings import from_environment


class DatabaseSettings(BaseSettings):
    """What the job of deploy/compose.yaml is told."""

    model_config = SettingsConfigDict(env_prefix="DATABASES_", frozen=True, extra="ignore")

    admin_url: SecretStr
    passwords: dict[str, SecretStr]
    """The password of each service's role, as JSON."""


async def _say(connection: asyncpg.Connection[Any], template: str, *words: str) -> None:
    """Execute a statement that takes no parameters, quoted by the server: %I identifiers, %L literals."""
    places = ", ".join(f"${number}::text" for number in range(2, len(words) + 2))
    statement = await connection.fetchval(f"SELECT format($1, {places})", template, *words)
    await connection.execute(statement)


async def make_role(admin: asyncpg.Connection[Any], role: str, password: str) -> None:
    """A role that may sign in and nothing else; an existing one gets the password anew."""
    if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await _say(admin, "CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE", role)
        # An administrator who is no superuser must be a member to make databases the role owns.
        if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            await _say(admin, "GRANT %I TO CURRENT_USER", role)
    await _say(admin, "ALTER ROLE %I LOGIN PASSWORD %L", role, password)
    # A long writing transaction anywhere in the cluster holds every relay back; migrations lift it for themselves.
    await _say(admin, "ALTER ROLE %I SET transaction_timeout = '5s'", role)
    await _say(admin, "ALTER ROLE %I SET idle_in_transaction_session_timeout = '5s'", role)


async def make_databases(
    admin_url: str, passwords: Mapping[str, str], *, whole_server: bool = False
) -> list[str]:
    """Make what is missing for each service; says what it made. Other databases change only on a server all ours."""
    made = []
    admin = await asyncpg.connect(admin_url)
    try:
        for service, password in passwords.items():
            await make_role(admin, service, password)
            if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", service):
                await _say(
                    admin, "CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING 'UTF8'", service, service
                )
                made.append(service)
            await _say(admin, "REVOKE ALL ON DATABASE %I FROM PUBLIC", service)
        if whole_server:
            for name in ("postgres", "template1"):
                await _say(admin, "REVOKE ALL ON DATABASE %I FROM PUBLIC", name)
    finally:
        await admin.close()
    return made


def main() -> None:
    """Entry of the job."""
    settings = from_environment(DatabaseSettings)
    passwords = {service: password.get_secret_value() for service, password in settings.passwords.items()}
    asyncio.run(make_databases(settings.admin_url.get_secret_value(), passwords, whole_server=True))


if __name__ == "__main__":
    main()
