"""How documents are read: limits, readers, the model server."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl, SecretStr, field_validator

from connector.settings.section import Section, read_secret
from inference.page import Limits
from inference.vllm.profile import DEFAULT, profile_names


def _known_profiles() -> str:
    return ", ".join(f"`{name}`" for name in profile_names())


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
        default=2000,
        ge=1000,
        description="Memory of a process that reads; what takes more is not read. Recognition takes 800.",
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
    ca_file: Path | None = Field(
        default=None,
        description="Authority that signed the server's certificate, where it is none of the public ones.",
    )
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

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: HttpUrl | None) -> HttpUrl | None:
        # An address is told in messages and logs.
        if url and (url.username or url.password):
            raise ValueError("must not hold a login or a password: give the key in api_key_file")
        return url

    def key(self) -> str:
        """The server's key, or nothing. Raises SettingsError when its file cannot be read."""
        if self.api_key is None and self.api_key_file is None:
            return ""
        return (self.api_key or read_secret(self.api_key_file)).get_secret_value()
