"""The web server: its address, who gets in, what they may do."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connector.settings.section import Section

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


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
        more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or more):
            raise ValueError("must be like https://vouch.example.com, without a login, a path or more")
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
