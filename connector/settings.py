"""All settings, in one typed object: from `vouch.toml` and `VOUCH_*` variables; secrets never from the file."""

from __future__ import annotations

import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from connector.errors import SettingsError
from inference.page import Limits
from inference.vllm.profile import DEFAULT, profile_names
from mappings.case import Tolerance
from mappings.field_map import FieldMap, MappingError, default_map, user_map
from mappings.line_styles import LineStyle, LineStyles

NO_BACKEND = (
    "No Odoo is set. Add a [backends.NAME] section to vouch.toml, or the variables VOUCH_BACKENDS__NAME__URL, "
    "…__DATABASE and …__API_KEY; see docs/settings.md."
)
SECRETS = frozenset({"api_key", "password"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Variables of the file itself, the tests and the development Odoo.
OTHERS = ("config", "cache", "test_", "odoo_", "demo_")


def _known_profiles() -> str:
    return ", ".join(f"`{name}`" for name in profile_names())


class Section(BaseModel):
    """A part of the settings: unknown names are errors, so that a typing slip is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    schedule: ScheduleSettings = Field(default=ScheduleSettings(), description="When this Odoo is polled.")

    @model_validator(mode="after")
    def _needs_a_secret(self) -> BackendSettings:
        if not any((self.api_key, self.api_key_file, self.password, self.password_file)):
            raise ValueError(
                "no secret: set VOUCH_BACKENDS__NAME__API_KEY, or api_key_file (or the same for password)"
            )
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

    def secret(self) -> SecretStr:
        """The API key if there is one, else the password. Raises SettingsError when its file cannot be read."""
        if self.api_key or self.api_key_file:
            return self.api_key or _read_secret(self.api_key_file)
        return self.password or _read_secret(self.password_file)


class ReadingSettings(Section):
    """How documents are opened and read."""

    reader: Literal["auto", "einvoice", "layout", "vlm"] = Field(
        default="auto",
        description="`auto` takes embedded data first, then the page, with the model where `vlm.url` is set.",
    )
    max_megabytes: float = Field(default=40, gt=0, description="Larger files are not read.")
    max_pages: int = Field(default=50, ge=1, description="Documents with more pages are not read.")
    max_megapixels: float = Field(default=50, gt=0, description="Larger pictures are not read.")
    max_seconds: float = Field(default=180, gt=0, description="Reading that takes longer is given up.")
    max_memory_megabytes: int = Field(
        default=4000,
        ge=1000,
        description="Address space of a process that reads; recognition takes 2000, and 800 of that in memory.",
    )
    processes: int = Field(
        default=1, ge=1, le=16, description="Processes that read documents at once, each on two cores."
    )

    @property
    def limits(self) -> Limits:
        """What a document may ask of us."""
        return Limits(
            self.max_megabytes,
            self.max_pages,
            self.max_megapixels,
            self.max_seconds,
            self.max_memory_megabytes,
        )


class VlmSettings(Section):
    """The model server (vLLM) that reads page images; see docs/vllm.md. Without `url` no model is asked."""

    url: HttpUrl | None = Field(
        default=None, description="Address of the model server, for example `http://127.0.0.1:8000`."
    )
    profile: str = Field(default=DEFAULT, description="The model's profile: " + _known_profiles() + ".")
    model: str = Field(
        default="", description="Name that the server knows the model by, where not the profile's."
    )
    api_key: SecretStr | None = Field(default=None, description="Key of the server. Only from a variable.")
    api_key_file: Path | None = Field(default=None, description="File that holds the server's key.")
    timeout_seconds: float = Field(default=30, gt=0, description="How long to wait for one answer.")
    document_seconds: float = Field(
        default=180,
        gt=0,
        description="The longest that the model may take for one document; pages left over send it to a person.",
    )
    in_flight: int = Field(default=8, ge=1, le=256, description="Pages asked about at once.")
    fallback: Literal["wait", "layout"] = Field(
        default="wait",
        description="While the server is away documents `wait`, or are read by `layout` alone.",
    )
    second_look: bool = Field(
        default=True,
        description="Ask again about doubtful values, at full resolution, twice a document at most.",
    )
    answers_megabytes: float = Field(
        default=256, ge=0, description="Room for answers that need not be asked for again; 0 keeps none."
    )
    acknowledge_licence: bool = Field(
        default=False,
        description="You have read the model's licence and meet its conditions (`vouch doctor` shows them).",
    )

    @field_validator("profile")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in profile_names():
            raise ValueError(f"there is no profile “{name}”: choose one of {', '.join(profile_names())}")
        return name

    def key(self) -> str:
        """The server's key, or nothing. Raises SettingsError when its file cannot be read."""
        if self.api_key is None and self.api_key_file is None:
            return ""
        return (self.api_key or _read_secret(self.api_key_file)).get_secret_value()


class PolicySettings(Section):
    """What is sure enough to be written without a person."""

    fill_confidence: float = Field(
        default=0.90,
        ge=0.5,
        le=1,
        description="A bill is filled only when every value is at least this sure.",
    )
    fill_sure_header: bool = Field(
        default=False,
        description="On a doubtful bill, write the header values that are sure before asking a person.",
    )
    error_budget: float | None = Field(
        default=None,
        ge=0.001,
        le=0.2,
        description="Share of filled bills that may be wrong, such as 0.01; nothing is filled until posted bills prove "
        "it. Empty: `fill_confidence` alone decides.",
    )
    budget_confidence: float = Field(
        default=0.95, ge=0.5, le=0.999, description="How sure the error budget must be proven."
    )
    shadow_bills: int = Field(
        default=0, ge=0, description="New vendors are in shadow mode for so many posted bills; 0: not at all."
    )
    require_replay: bool = Field(
        default=True,
        description="Another version, model or prompt fills nothing before `vouch replay` held it against posted bills.",
    )
    price_tolerance_percent: Decimal = Field(
        default=Decimal(2),
        ge=0,
        le=100,
        description="A bill's price may be so many percent off the order's without a person being asked.",
    )
    quantity_tolerance_percent: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=100,
        description="A bill may ask for so many percent more than is received, or ordered, and not billed yet.",
    )

    line_style: LineStyle = Field(
        default=LineStyle.AUTO,
        description="`detailed`: every printed line; `per_tax`: one line per tax; `order`: lines only where they are an "
        "order's; `auto`: as the vendor's posted bills are booked.",
    )
    vendor_line_styles: dict[str, LineStyle] = Field(
        default_factory=dict, description="The same for single vendors, by tax id or name."
    )

    @property
    def line_styles(self) -> LineStyles:
        """How vendors' bills are booked."""
        return LineStyles(self.line_style, self.vendor_line_styles)

    @property
    def tolerance(self) -> Tolerance:
        """How far a bill may be from its order."""
        return Tolerance(self.price_tolerance_percent, self.quantity_tolerance_percent)


class LearningSettings(Section):
    """Learning from the bills that people post; see docs/learning.md."""

    enabled: bool = Field(
        default=True, description="Read posted bills back and learn from what people changed."
    )
    interval_minutes: int = Field(
        default=15, ge=1, description="Minutes between two looks; `vouch sync --once` looks each time."
    )


class InsightSettings(Section):
    """The insight page; see docs/review.md."""

    minutes_by_hand: float | None = Field(
        default=None,
        gt=0,
        le=120,
        description="Minutes that entering a bill by hand takes in your books; the hours saved are reckoned with it. "
        "Empty: they are not.",
    )


class RetentionSettings(Section):
    """How long documents and what they say are kept; see docs/retention.md."""

    documents_days: int | None = Field(
        default=None,
        ge=1,
        description="Documents are deleted so many days after they were settled; empty: never. Odoo keeps its own.",
    )
    readings_days: int | None = Field(
        default=None,
        ge=1,
        description="So many days after they were settled what was read, proposed and written is emptied; empty: never.",
    )


class TrainingSettings(Section):
    """Approved bills as examples to fine-tune a model on; see docs/training.md."""

    allow_export: bool = Field(
        default=False, description="`vouch export training` may write bills and their pages to a folder."
    )
    redact: bool = Field(
        default=True,
        description="Black out payment accounts, e-mail addresses, telephone numbers and names of persons in it.",
    )
    without_vendors: tuple[str, ...] = Field(
        default=(), description="Vendors, by tax id or name, whose bills are left out."
    )


class WebSettings(Section):
    """The web server with the review queue and the API."""

    enabled: bool = Field(default=True, description="Serve the review queue in `vouch run`.")
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on; any but a loopback one needs `web.sign_in` and `web.url`.",
    )
    port: int = Field(default=8170, ge=1, le=65535, description="Port to listen on.")
    url: str = Field(
        default="", description="Address that people use, where a proxy stands before the server."
    )
    proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"),
        description="Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    sign_in: bool = Field(default=True, description="People sign in with their login of Odoo.")
    idle_minutes: int = Field(
        default=60, ge=1, le=1440, description="A person who does nothing for so long is signed out."
    )
    session_hours: int = Field(
        default=12, ge=1, le=168, description="After so long a person has to sign in again in any case."
    )
    recheck_minutes: int = Field(
        default=5,
        ge=1,
        le=60,
        description="Minutes between two looks whether a person who is signed in still has their rights in Odoo.",
    )

    allow_posting: bool = Field(
        default=False,
        description="People may post a bill in Odoo with the approval; Vouch's user needs the right.",
    )
    requests_per_minute: int = Field(
        default=1200,
        ge=60,
        description="Requests that one person, one API token, or one address that is not signed in may make in a minute.",
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")):
            raise ValueError("must be like https://vouch.example.com, without a path")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _is_guarded(self) -> WebSettings:
        if self.host in LOOPBACK:
            return self
        if not self.sign_in:
            raise ValueError(f"without sign_in the server listens on this machine only, not on {self.host}")
        if not self.url:
            raise ValueError(f"url is needed where the server listens on {self.host}: the address people use")
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which people reach the server, besides the loopback ones."""
        name = urlsplit(self.url).hostname if self.url else None
        return (name,) if name else ()


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


def load_settings(path: Path | None = None) -> Settings:
    """Read `vouch.toml` (of `path`, of VOUCH_CONFIG, or of the current folder) and the variables.

    Raises SettingsError that names the setting and the remedy.
    """
    given = path or (Path(os.environ["VOUCH_CONFIG"]) if os.environ.get("VOUCH_CONFIG") else None)
    if given is not None and not given.exists():
        raise SettingsError(f"There is no settings file {given}. Check the path, or leave it out.")
    file = given or Path("vouch.toml")
    content = _read_toml(file) if file.exists() else {}
    _refuse_unknown_variables()
    try:
        return Settings(**content)
    except ValidationError as error:
        raise SettingsError(_explain(error, file if content else None)) from error


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


def _read_secret(file: Path | None) -> SecretStr:
    if file is None:
        raise SettingsError("No secret is set.")
    try:
        return SecretStr(file.expanduser().read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The secret file {file} cannot be read: {error}. Check its path and rights."
        ) from error
