"""What bills look like in one language of one country: its words, dates, numbers and units, one TOML file each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Locale:
    """The usual forms of one language; where there are several, a vendor keeps to one.

    `dates` are patterns of CLDR, `money` has `{amount}` and perhaps `{sign}`, `numbers` names the CLDR locales by
    which numbers are written, `grouping` is the CLDR pattern of whole numbers, `labels` may have parts in braces.
    """

    dates: tuple[str, ...]
    money: tuple[str, ...]
    percent: str
    terms: tuple[str, ...]
    numbers: tuple[str, ...]
    grouping: str
    units: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, tuple[str, ...]]


@cache
def locale(language: str) -> Locale:
    """The Locale of that name, such as "pt_BR"; what its file leaves out comes from its base."""
    node = _node(language)
    return Locale(
        dates=tuple(node["dates"]),
        money=tuple(node["money"]),
        percent=node["percent"],
        terms=tuple(node["terms"]),
        numbers=tuple(node.get("numbers", (language,))),
        grouping=node.get("grouping", "#,##0"),
        units={code: tuple(words) for code, words in node["units"].items()},
        labels={key: tuple(words) for key, words in node["labels"].items()},
    )


def _node(language: str) -> dict[str, Any]:
    own = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    if "base" not in own:
        return own
    base = _node(own["base"])
    inherited = {key: value for key, value in base.items() if key != "numbers"}
    tables = {key: base[key] | own.get(key, {}) for key in ("units", "labels")}
    return inherited | own | tables
