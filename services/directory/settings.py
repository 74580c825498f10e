"""Settings of directory, from the environment with the prefix DIRECTORY_."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything directory is told from outside."""

    model_config = SettingsConfigDict(env_prefix="DIRECTORY_", frozen=True, extra="ignore")

    secret_key: Annotated[SecretStr, Field(min_length=32)]
    """Under which the keys of access tokens are sealed, and refresh tokens made; with another one a new key signs at once."""
    sign_ins_per_address: int = 5
    """Links that may be asked for one e-mail address in a quarter of an hour."""
    sign_ins_per_client: int = 30
    """The same from one place on the network; a hub's visitors may share one. Behind a proxy that the gateway was not told of
    (GATEWAY_TRUSTED_PROXIES) everybody does."""
    token_key_days: float = 30
    """After so many days access tokens are signed with a new key."""
