"""Settings of directory, from the environment with the prefix DIRECTORY_."""

from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything directory is told from outside."""

    model_config = SettingsConfigDict(env_prefix="DIRECTORY_", frozen=True, extra="ignore")
