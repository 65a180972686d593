"""The words of bills, read from `lexicon.toml` and folded for comparison."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple, cast

WEAK = 0.45
"""The weight of a label marked weak; a strong one weighs 1."""


class Meaning(NamedTuple):
    """What a phrase stands for, and how surely (0–1)."""

    term: str
    weight: float


class Piece(NamedTuple):
    """A run of letters or of digits, a single ideograph, "#" or "%", folded; with its place in the text."""

    folded: str
    start: int
    end: int


Phrases = dict[str, tuple[Meaning, ...]]


@dataclass(frozen=True)
class Lexicon:
    """Folded phrases and their meanings: of labels and party headings, of titles, of table columns.

    `signs` are wordings that tell of what type a document is without being its title, `exemptions` those that say
    why no VAT is charged, by their category code. `pay` are beginnings of words for paying, `until` words between
    them and the last day for it, `deduct` beginnings of words for a discount for paying early.
    `buyer_words` and `seller_words` say before an identifier's label whose it is.
    """

    labels: Phrases
    titles: Phrases
    columns: Phrases
    signs: Phrases
    exemptions: Phrases
    carried: frozenset[str]
    compound_titles: tuple[str, ...]
    not_compound: tuple[str, ...]
    legal_forms: frozenset[str]
    company: frozenset[str]
    streets: frozenset[str]
    pay: tuple[str, ...]
    until: frozenset[str]
    deduct: tuple[str, ...]
    buyer_words: frozenset[str]
    seller_words: frozenset[str]
    amount_words: Mapping[str, frozenset[str]]
    longest: int


_RUN = re.compile(r"[^\W\d_]+|\d+|[#%]")
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def fold(text: str) -> str:
    """The text without case, accents, spaces and punctuation; "n°" and "№" become "no"."""
    return "".join(piece.folded for piece in pieces(text))


@lru_cache(maxsize=20_000)
def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut into its folded runs."""
    found: list[Piece] = []
    for run in _RUN.finditer(_plain(text)):
        chars = run.group()
        if _IDEOGRAPHS.search(chars):
            found += [Piece(c.casefold(), run.start() + i, run.start() + i + 1) for i, c in enumerate(chars)]
        else:
            found.append(Piece(chars.casefold(), run.start(), run.end()))
    return tuple(found)


def _plain(text: str) -> str:
    """Accents removed, one character for each of the text, so that places stay."""
    text = re.sub(r"(?<=[nN])[°º˚]|(?<=[nN]\.)[°º˚]", "o", text).replace("№", "#")
    if text.isascii():
        return text
    return "".join(_base(c) for c in text)


_TRADITIONAL = (
    "發號碼開單稅額銷買賣營業統編項數價規寫計總應帳賬貨訂購採報確認華國聯電話傳真銀戶擔當備註環節結餘樓廠臺灣區縣鄉鎮"
    "費運輸雜優讓減還實給領據對證書執禮產類門間圓萬億貳參陸題關於與車資訊識別納登記現繳憑無質裝條約員繫絡負責時鐘內寶貴廣務"
    "學機構製藥補貼軟體網兩個雙張層來處從後務際規範貿銹鋼紙盒機電線軸證聯絡項轉頁"
)
_SIMPLIFIED = (
    "发号码开单税额销买卖营业统编项数价规写计总应账账货订购采报确认华国联电话传真银户担当备注环节结余楼厂台湾区县乡镇"
    "费运输杂优让减还实给领据对证书执礼产类门间圆万亿贰叁陆题关于与车资讯识别纳登记现缴凭无质装条约员系络负责时钟内宝贵广务"
    "学机构制药补贴软体网两个双张层来处从后务际规范贸锈钢纸盒机电线轴证联络项转页"
)
_ALIKE = {"ß": "s", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O"} | dict(
    zip(_TRADITIONAL, _SIMPLIFIED, strict=True)
)
"""Letters that Unicode does not decompose, and traditional ideographs of bills in their simplified form."""


def _base(char: str) -> str:
    char = _ALIKE.get(char, char)
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isalnum() or char in "°º" else char


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon of the package, read once."""
    source = files("inference.readers.layout").joinpath("lexicon.toml").read_text("utf-8")
    tables = cast("dict[str, dict[str, dict[str, list[str]]]]", tomllib.loads(source))
    labels = _abridged(_phrases(tables["labels"]))
    for name, meanings in _phrases(
        {f"party_{role}": words for role, words in tables["parties"].items()}
    ).items():
        labels[name] = labels.get(name, ()) + meanings
    words = cast("dict[str, list[str]]", tables["words"])
    groups = cast("dict[str, list[str]]", tables["amounts"])
    titles, columns, signs, exemptions = (
        _phrases(tables[name]) for name in ("titles", "columns", "signs", "exemptions")
    )
    return Lexicon(
        labels,
        titles,
        columns,
        signs,
        exemptions,
        frozenset(map(fold, words["carried"])),
        tuple(map(fold, words["compound_titles"])),
        tuple(map(fold, words["not_compound"])),
        frozenset(map(fold, words["legal_forms"])),
        frozenset(map(fold, words["company"])),
        frozenset(map(fold, words["streets"])),
        tuple(map(fold, words["pay"])),
        frozenset(map(fold, words["until"])),
        tuple(map(fold, words["deduct"])),
        frozenset(map(fold, words["buyer"])),
        frozenset(map(fold, words["seller"])),
        {name: frozenset(map(fold, group)) for name, group in groups.items()},
        max(len(key) for key in (*labels, *titles, *columns, *signs, *exemptions)),
    )


_ABRIDGED = {"number": "no", "nummer": "nr", "numero": "no", "numer": "nr"}


def _abridged(phrases: Phrases) -> Phrases:
    """With what a label is called where its word for "number" is cut short: whoever knows "routing number" knows
    "routing no."."""
    found = dict(phrases)
    for key, meanings in phrases.items():
        for word, short in _ABRIDGED.items():
            if key.endswith(word) and len(key) >= len(word) + 4:
                found.setdefault(key.removesuffix(word) + short, meanings)
    return found


def _phrases(terms: dict[str, dict[str, list[str]]]) -> Phrases:
    found: dict[str, dict[str, float]] = {}
    for term, languages in terms.items():
        for phrases in languages.values():
            for phrase in phrases:
                weak = phrase.startswith("?") and len(phrase) > 1
                key = fold(phrase.lstrip("?") if weak else phrase)
                if not key:
                    continue
                weight = WEAK if weak else 1.0
                meanings = found.setdefault(key, {})
                meanings[term] = max(weight, meanings.get(term, 0.0))
    return {key: tuple(Meaning(t, w) for t, w in terms_.items()) for key, terms_ in found.items()}
