"""What an operator of the server can set, over `core.settings`: where it listens and how much it takes on."""

from __future__ import annotations

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

VERSION = "0.1.0"


class ServerSettings(BaseSettings):
    """Settings with their defaults; `WHENCE_SERVER_<NAME>` in the environment changes each."""

    model_config = SettingsConfigDict(
        env_prefix="WHENCE_SERVER_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    host: str = Field(default="127.0.0.1", validation_alias=AliasChoices("HOST", "WHENCE_SERVER_HOST"))
    """Address that the server listens on."""
    port: int = Field(
        default=8080, ge=0, le=65_535, validation_alias=AliasChoices("PORT", "WHENCE_SERVER_PORT")
    )
    """Port that the server listens on."""
    max_body_bytes: int = Field(default=8_000_000, ge=1)
    """A larger request is answered 413 before it is read whole."""
    max_queued: int = Field(default=64, ge=1)
    """So many requests may wait for the model; the next is answered 429."""
    request_seconds: float = Field(default=300.0, gt=0)
    """A request that waits and runs longer is stopped and answered 503."""
    drain_seconds: float = Field(default=20.0, ge=0)
    """What requests in flight get to finish after SIGTERM; then they are answered 503."""
    max_new_tokens: int | None = Field(default=None, ge=1, le=32_768)
    """Longest answer of `/predict`, whose wire has no field for it, and the default of `/v1/generate`; unset: read
    from the kind of prompt."""
    memory_bytes: int = Field(default=64_000_000, ge=0)
    """What the newest matrices and answers may hold in memory; the rest is read from disk."""
    remembered_answers: int = Field(default=1_000, ge=0)
    """So many written answers keep their token ids, so that `/salience` explains what was really written."""
