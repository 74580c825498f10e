"""Brings every service's database up to date, in one process: most of a migration's time goes into loading what it needs."""

from __future__ import annotations

import sys

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kit.failures import last_words
from shared.kit.migrate import migrate
from shared.kit.settings import from_environment


class MigrationSettings(BaseSettings):
    """What `foci up` tells it."""

    model_config = SettingsConfigDict(env_prefix="MIGRATIONS_", frozen=True, extra="ignore")

    urls: dict[str, SecretStr]
    """The database of each service, as JSON."""


def main() -> None:
    """Entry of the process; its log says where it has come to."""
    sys.excepthook = last_words
    for service, url in from_environment(MigrationSettings).urls.items():
        print(f"migrating {service}", flush=True)
        migrate(service, url.get_secret_value())


if __name__ == "__main__":
    main()
