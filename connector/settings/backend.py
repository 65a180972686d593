"""One Odoo: where it is, Vouch's login there, and when it is polled."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl, SecretStr, model_validator

from connector.errors import SettingsError
from connector.settings.section import Section, read_secret
from mappings.field_map import FieldMap, MappingError, default_map, user_map


class ScheduleSettings(Section):
    """When a Backend is polled. Give `cron` (five fields, local time) or `interval_seconds`."""

    interval_seconds: int = Field(default=60, ge=1, description="Seconds between two polls.")
    cron: str | None = Field(
        default=None, description="Five cron fields in local time; overrides `interval_seconds`."
    )
    jitter_seconds: int = Field(default=5, ge=0, description="Each poll is moved by up to so many seconds.")


class BackendSettings(Section):
    """One Odoo database and the login that Vouch uses there."""

    url: HttpUrl = Field(description="Address of Odoo, with a path prefix where there is one.")
    database: str = Field(description="Name of the database.")
    login: str = Field(
        "", description="Login of Vouch's own user. JSON-RPC needs it; an API key with JSON-2 does not."
    )
    api_key: SecretStr | None = Field(default=None, description="API key of that user. Only from a variable.")
    api_key_file: Path | None = Field(default=None, description="File that holds the API key.")
    password: SecretStr | None = Field(
        default=None, description="Password of that user. Only from a variable."
    )
    password_file: Path | None = Field(default=None, description="File that holds the password.")
    protocol: Literal["auto", "json2", "jsonrpc"] = Field(
        default="auto",
        description="`auto` takes JSON-2 where Odoo has it (19 and later) and an API key is given.",
    )
    timeout_seconds: float = Field(default=30, gt=0, description="How long to wait for one answer of Odoo.")
    longest_request_seconds: float = Field(
        default=150,
        gt=0,
        description="Longer than Odoo works on one request (its `limit_time_real`, 120 by default): after a broken "
        "write Vouch waits so long before it looks whether the write happened.",
    )
    verify_tls: bool = Field(default=True, description="Check the server's certificate. Leave it on.")
    ca_file: Path | None = Field(
        default=None, description="Certificates to trust, for a certificate authority of your own."
    )
    reviewer: str = Field(
        default="",
        description="Login of the person who gets the activities; else the record's own responsible, else nobody "
        "but Vouch's own user.",
    )
    companies: tuple[int, ...] = Field(
        default=(), description="Ids of the companies to work for; empty means all the user has."
    )
    mapping: Path | None = Field(
        default=None,
        description="File that says which business term goes to which field, beside the defaults; see docs/mapping.md.",
    )
    key_warning_days: int = Field(
        default=14, ge=1, le=60, description="The end of the API key is told so many days before."
    )
    rotate_key: bool = Field(
        default=False,
        description="Renew the API key in `api_key_file` before it ends, where Odoo lets its user do so.",
    )
    schedule: ScheduleSettings = Field(default=ScheduleSettings(), description="When this Odoo is polled.")

    @model_validator(mode="after")
    def _needs_a_secret(self) -> BackendSettings:
        if not any((self.api_key, self.api_key_file, self.password, self.password_file)):
            raise ValueError(
                "no secret: set VOUCH_BACKENDS__NAME__API_KEY, or api_key_file (or the same for password)"
            )
        if self.rotate_key and (self.api_key or not self.api_key_file):
            raise ValueError("rotate_key needs the key in api_key_file, and not in a variable")
        return self

    def field_map(self) -> FieldMap:
        """The declared mapping. Raises SettingsError for a file that cannot be read or used."""
        if self.mapping is None:
            return default_map()
        path = self.mapping.expanduser()
        try:
            return user_map(path.read_text("utf-8"), path.name)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"The mapping {path} cannot be read: {error}") from error
        except MappingError as error:
            raise SettingsError(f"The mapping does not fit: {error}") from error

    @property
    def secret_file(self) -> Path | None:
        """The file that the secret is read from; None where a variable holds it."""
        if self.api_key or (self.password and not self.api_key_file):
            return None
        return self.api_key_file or self.password_file

    def secret(self) -> SecretStr:
        """The API key if there is one, else the password. Raises SettingsError when its file cannot be read."""
        if self.api_key or self.api_key_file:
            return self.api_key or read_secret(self.api_key_file)
        return self.password or read_secret(self.password_file)
