"""What every part of the settings is made of."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from connector.errors import SettingsError


class Section(BaseModel):
    """A part of the settings: unknown names are errors, so that a typing slip is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_secret(file: Path | None) -> SecretStr:
    """The secret that the file holds. Raises SettingsError where there is none."""
    if file is None:
        raise SettingsError("No secret is set.")
    try:
        return SecretStr(file.expanduser().read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The secret file {file} cannot be read: {error}. Check its path and rights."
        ) from error
