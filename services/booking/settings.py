"""Settings of booking, from the environment with the prefix BOOKING_."""

from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything booking is told from outside."""

    model_config = SettingsConfigDict(env_prefix="BOOKING_", frozen=True, extra="ignore")
