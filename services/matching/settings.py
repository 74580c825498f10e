"""Settings of matching, from the environment with the prefix MATCHING_."""

from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything matching is told from outside."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_", frozen=True, extra="ignore")
