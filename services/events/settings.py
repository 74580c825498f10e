"""Settings of events, from the environment with the prefix EVENTS_."""

from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything events is told from outside."""

    model_config = SettingsConfigDict(env_prefix="EVENTS_", frozen=True, extra="ignore")

    line_slots: int = 1024
    """Sign-ups taken in at once: they wait for each other in lines, not for the database. As many again wait."""
