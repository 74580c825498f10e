"""Settings of matching, from the environment with the prefix MATCHING_."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything matching is told from outside."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_", frozen=True, extra="ignore")

    vectors: Path | None = None
    """Folder that keeps what the encoder has made of the vocabulary. Without it, or without the extra `meaning`, skills are
    found by their letters only; the first start with it takes some minutes of one core until they are found by both."""
    introduction_days: int = 14
    """So long an introduction waits for two yeses."""
    most_introductions: int = 10
    """So many may wait for one person's answer, or the others' answers to them."""
    figures_every_s: float = 86_400
    """Seconds between two counts of what is offered and needed in a region; the more rarely, the less a change tells."""
