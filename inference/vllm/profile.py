"""What each vision model needs: one TOML file a model, in `profiles/`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DEFAULT = "glm-4v-9b"
COMPATIBLE = "openai-compatible"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImagePolicy(_Part):
    """How a page becomes an image: padded to a `square` of that many pixels a side, or of any shape up to
    `longest_edge` (the processor's own measure: two times width times height). `tokens` is what a page of A4 takes.
    """

    square: int = 0
    longest_edge: int = 0
    tokens: int


class Memory(_Part):
    """Parameters that online quantisation makes small and those that it leaves; bytes of cache per token (bfloat16)."""

    language_parameters: float
    other_parameters: float
    cache_bytes_per_token: int


class Licence(_Part):
    """The model's licence; `attribution` must be shown to users, `condition` be acknowledged once by the owner."""

    name: str
    url: str
    attribution: str = ""
    condition: str = ""


class Profile(_Part):
    """One model: how it is served, how it is asked, what it may see.

    `backend` is the engine for structured output; `chat_template` is given to the server where the model brings none;
    `chat_options` go with every request as `chat_template_kwargs`.
    """

    name: str
    title: str
    model: str
    context: int
    images_per_prompt: int
    backend: str
    image: ImagePolicy
    memory: Memory | None = None
    licence: Licence | None = None
    chat_template: str = ""
    trust_remote_code: bool = False
    hf_overrides: dict[str, Any] = Field(default_factory=dict)
    chat_options: dict[str, Any] = Field(default_factory=dict)


@cache
def profile_names() -> tuple[str, ...]:
    """The known profiles, the default first."""
    names = sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml"))
    return (DEFAULT, *(name for name in names if name != DEFAULT))


@cache
def load_profile(name: str = DEFAULT) -> Profile:
    """The profile of that name. Raises ValueError with the known names."""
    if name not in profile_names():
        raise ValueError(f"There is no model profile “{name}”. Choose one of {', '.join(profile_names())}.")
    text = _folder().joinpath(f"{name}.toml").read_text("utf-8")
    return Profile.model_validate({"name": name, **tomllib.loads(text)})


def _folder() -> Any:
    return files("inference.vllm") / "profiles"
