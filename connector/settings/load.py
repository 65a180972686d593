"""Settings from `vouch.toml` and `VOUCH_*` variables, with errors that name the remedy."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connector.errors import SettingsError
from connector.settings.whole import Settings

NO_BACKEND = (
    "No Odoo is set. Add a [backends.NAME] section to vouch.toml, or the variables VOUCH_BACKENDS__NAME__URL, "
    "…__DATABASE and …__API_KEY; see docs/settings.md."
)
SECRETS = frozenset({"api_key", "password"})
# Variables of the file itself, the tests and the development Odoo.
OTHERS = ("config", "cache", "test_", "odoo_", "demo_")


def load_settings(path: Path | None = None) -> Settings:
    """Read `vouch.toml` (of `path`, of VOUCH_CONFIG, or of the current folder) and the variables.

    Raises SettingsError that names the setting and the remedy.
    """
    file = settings_file(path)
    content = _read_toml(file) if file else {}
    _refuse_unknown_variables()
    try:
        return Settings(**content)
    except ValidationError as error:
        # Not chained: pydantic's error holds what was given, and that may be a secret.
        raise SettingsError(_explain(error, file if content else None)) from None


def settings_file(path: Path | None = None) -> Path | None:
    """The settings file that is read; None where there is none. Raises SettingsError for a named one that is not there."""
    given = path or (Path(os.environ["VOUCH_CONFIG"]) if os.environ.get("VOUCH_CONFIG") else None)
    if given is not None and not given.exists():
        raise SettingsError(f"There is no settings file {given}. Check the path, or leave it out.")
    file = given or Path("vouch.toml")
    return file if file.exists() else None


def chosen_backend(settings: Settings, name: str | None) -> str:
    """The Backend of that name, or the only one. Raises SettingsError where that is not clear."""
    if not settings.backends:
        raise SettingsError(NO_BACKEND)
    if name is None and len(settings.backends) == 1:
        return next(iter(settings.backends))
    if name is not None and name in settings.backends:
        return name
    raise SettingsError(f"Say which Odoo with --backend: one of {', '.join(settings.backends)}.")


def _refuse_unknown_variables() -> None:
    # A misspelt variable would otherwise be a silent default.
    for variable in os.environ:
        name = variable.removeprefix("VOUCH_").split("__")[0].lower()
        if variable.startswith("VOUCH_") and not (name in Settings.model_fields or name.startswith(OTHERS)):
            raise SettingsError(
                f"There is no setting {variable}. Correct its name or unset it; see docs/settings.md."
            )


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{file} cannot be read: {error}. Mend it or leave it out.") from error
    for name, backend in content.get("backends", {}).items():
        if isinstance(backend, dict) and (found := SECRETS & backend.keys()):
            secret = min(found)
            raise SettingsError(
                f"{file} holds a secret: backends.{name}.{secret}. Move it to the variable "
                f"VOUCH_BACKENDS__{name.upper()}__{secret.upper()} or to a file named by {secret}_file."
            )
    vlm = content.get("vlm")
    if isinstance(vlm, dict) and SECRETS & vlm.keys():
        raise SettingsError(
            f"{file} holds a secret: vlm.api_key. Move it to the variable VOUCH_VLM__API_KEY or to a file named by "
            "vlm.api_key_file."
        )
    return content


def _explain(error: ValidationError, file: Path | None) -> str:
    where = f"{file} and the VOUCH_* variables" if file else "the VOUCH_* variables"
    wrong = [
        f"{'.'.join(str(part) for part in one['loc']) or 'settings'}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    ]
    return f"The settings in {where} are not right. " + "; ".join(wrong) + ". See docs/settings.md."
