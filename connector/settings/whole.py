"""The whole of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connector.settings.backend import BackendSettings
from connector.settings.keeping import RetentionSettings, TrainingSettings
from connector.settings.policy import InsightSettings, LearningSettings, PolicySettings
from connector.settings.reading import ReadingSettings, VlmSettings
from connector.settings.web import WebSettings


class Settings(BaseSettings):
    """Everything Vouch can be told. Variables win over the file: `VOUCH_POLICY__FILL_CONFIDENCE=0.95`."""

    model_config = SettingsConfigDict(
        env_prefix="VOUCH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Field(
        default=Path("~/.local/share/vouch"), description="Folder of the ledger and of the documents read."
    )
    ledger_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of the ledger; SQLite in `data_dir` when empty. May hold a password.",
    )
    workers: int = Field(default=2, ge=1, le=32, description="Documents worked on at once.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level logged."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="How log lines look on stderr."
    )
    backends: dict[str, BackendSettings] = Field(
        default_factory=dict, description="The Odoo databases, each under a short name of yours."
    )
    reading: ReadingSettings = Field(default=ReadingSettings(), description="How documents are read.")
    vlm: VlmSettings = Field(default=VlmSettings(), description="The model server that reads page images.")
    policy: PolicySettings = Field(
        default=PolicySettings(), description="What may be written without a person."
    )
    learning: LearningSettings = Field(
        default=LearningSettings(), description="What is learned from posted bills."
    )
    insight: InsightSettings = Field(default=InsightSettings(), description="The insight page.")
    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="How long documents are kept."
    )
    training: TrainingSettings = Field(
        default=TrainingSettings(), description="Examples to fine-tune a model on."
    )
    web: WebSettings = Field(default=WebSettings(), description="The web server.")

    @field_validator("ledger_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if not url or not url.get_secret_value():
            return url
        # Here, since most commands that read a file alone have no ledger: it takes long to load.
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            make_url(url.get_secret_value())
        except (ArgumentError, ValueError):
            # Not chained: what it says may be a part of the password.
            raise ValueError(
                "must be like postgresql+psycopg2://user@host/database; in a password, @ : / are written %40 %3A %2F"
            ) from None
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables first, then what `load_settings` read from the file."""
        return env_settings, init_settings

    @property
    def folder(self) -> Path:
        """`data_dir` with `~` resolved."""
        return self.data_dir.expanduser()

    @property
    def ledger(self) -> str:
        """The SQLAlchemy URL of the ledger."""
        if self.ledger_url:
            return self.ledger_url.get_secret_value()
        return f"sqlite:///{self.folder / 'ledger.db'}"

    @property
    def web_url(self) -> str:
        """The address of the review queue."""
        host = f"[{self.web.host}]" if ":" in self.web.host else self.web.host
        return self.web.url or f"http://{host}:{self.web.port}"
