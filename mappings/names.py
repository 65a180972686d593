"""Company names folded so that spellings of one company meet: legal forms, case, alphabets, branches, old names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz import fuzz

from mappings.folding import plain

_NOT_ALNUM = re.compile(r"[\W_]+")
_INNER_DOT = re.compile(r"(?<=\w)\.(?=\w)")

# Legal forms carry no identity. Those of the second set are words or initials too: they go unless they come first.
_LEGAL = frozenset(
    [
        "gmbh",
        "mbh",
        "gmbhco",
        "cokg",
        "kgaa",
        "ohg",
        "gbr",
        "haftungsbeschrankt",
        "gesmbh",
        "sarl",
        "sarlu",
        "sas",
        "sasu",
        "eurl",
        "scop",
        "snc",
        "sca",
        "sprl",
        "bvba",
        "scrl",
        "asbl",
        "ltd",
        "limited",
        "llc",
        "llp",
        "plc",
        "inc",
        "incorporated",
        "corp",
        "corporation",
        "pty",
        "pte",
        "pvt",
        "private",
        "srl",
        "srls",
        "spa",
        "sapa",
        "slu",
        "slne",
        "sll",
        "sau",
        "sadecv",
        "sderldecv",
        "sapidecv",
        "unipessoal",
        "eireli",
        "ltda",
        "lda",
        "bv",
        "nv",
        "vof",
        "oyj",
        "oy",
        "aps",
        "asa",
        "sro",
        "spzoo",
        "zoo",
        "doo",
        "dooel",
        "kft",
        "zrt",
        "nyrt",
        "eood",
        "ood",
        "sdnbhd",
        "bhd",
        "tbk",
        "ooo",
        "oao",
        "zao",
        "pao",
        "tov",
        "хк",
        "ооо",
        "оао",
        "зао",
        "пао",
        "тов",
        "еоод",
        "оод",
        "жшс",
        "επε",
        "ικε",
        "μεπε",
        "gk",
        "kk",
        "kabushiki",
        "kaisha",
        "yugen",
    ]
)
_LEGAL_UNLESS_FIRST = frozenset(
    [
        "ag",
        "kg",
        "ug",
        "ek",
        "ev",
        "eg",
        "se",
        "co",
        "cie",
        "company",
        "und",
        "and",
        "et",
        "the",
        "y",
        "e",
        "i",
        "a",
        "fils",
        "sa",
        "sl",
        "as",
        "ab",
        "is",
        "ans",
        "hf",
        "ehf",
        "cv",
        "sc",
        "sca",
        "sp",
        "zo",
        "jsc",
        "pjsc",
        "oü",
        "ou",
        "as",
        "uab",
        "sia",
        "ad",
        "dd",
        "pt",
        "cc",
        "scs",
        "ао",
        "ип",
        "ад",
        "αε",
        "ае",
        "de",
        "rl",
        "sk",
        "spk",
        "sj",
        "hb",
        "kb",
        "publ",
    ]
)
_LEGAL_HAN = re.compile(
    r"(股份有限公司|有限责任公司|有限責任公司|有限公司|集团|集團|株式会社|有限会社|合同会社|주식회사|유한회사|企業社|公司)+$"
)
_LEGAL_HAN_FIRST = re.compile(r"^(株式会社|有限会社|合同会社|주식회사|유한회사|㈜)+")

_SHORT = {
    "intl": "international", "int'l": "international", "mfg": "manufacturing", "bros": "brothers", "gebr": "gebruder",
    "svcs": "services", "mgmt": "management", "ind": "industries", "ets": "etablissements", "st": "saint",
}  # fmt: skip

# What a Chinese company name says in words that are translated, not spelt out, when it is written in Latin letters.
_WORDS_HAN = {
    "进出口": "import export", "电子": "electronics", "科技": "technology", "技术": "technology", "贸易": "trading",
    "五金": "hardware", "机械": "machinery", "国际": "international", "實業": "industrial", "实业": "industrial",
    "工业": "industry", "塑料": "plastic", "包装": "packaging", "物流": "logistics", "设备": "equipment",
    "材料": "materials", "电器": "electric", "电气": "electric", "金属": "metal", "化工": "chemical",
    "纺织": "textile", "服装": "garment", "汽车": "automotive", "医疗": "medical", "食品": "food", "软件": "software",
    "信息": "information", "网络": "network", "仪器": "instruments", "精密": "precision", "电力": "power",
}  # fmt: skip
_PLACE_HAN = re.compile(r"(?<=[\u4e00-\u9fff]{2})[市省]")

_OLD = re.compile(
    r"\b(?:formerly(?: known as)?|previously|f/?k/?a|d/?b/?a|a/?k/?a|t/a|trading as|doing business as|"
    r"vormals|vorm\.|ehemals|ehem\.|früher|anciennement|già|antes|voorheen|tidigare|tidligere|dawniej)(?=\W)|原名|曾用名",
    re.IGNORECASE,
)
_BRANCH = re.compile(
    r"\b(?:zweig)?niederlassung\b.*|\bfiliale\b.*|\bgeschäftsstelle\b.*|\bsuccursale\b.*|\bsucursal\b.*|"
    r"\bfilial\b.*|\b\w+ branch$|\bbranch (?:office )?.*|\bestablecimiento permanente\b.*|"
    r"(?<=公司)\S{2,6}分公司$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]*[)）\]]")

OLD_NAME, WITHOUT_PART, SPELT_OUT = 0.97, 0.97, 0.97


class Variant(NamedTuple):
    """One form of a name, folded, and how much of a match with it counts (0–1)."""

    text: str
    weight: float


@lru_cache(maxsize=65536)
def name_core(name: str) -> str:
    """A company name without legal form and punctuation; the folded name where nothing else would be left."""
    core = _without_form(name)
    # What is left may read as a legal form itself: "A:B公司" leaves two letters in a row.
    while (again := _without_form(core)) != core:
        core = again
    return core


def _without_form(name: str) -> str:
    text = _INNER_DOT.sub("", unicodedata.normalize("NFKC", name))
    words = _joined(_NOT_ALNUM.sub(" ", plain(text)).split())
    own = [unicodedata.normalize("NFKC", _SHORT.get(word, word)) for word in words]
    own = [_LEGAL_HAN_FIRST.sub("", _LEGAL_HAN.sub("", word)) for word in own]
    own = [word for word in own if word and word not in _LEGAL]
    left = own[:1] + [word for word in own[1:] if word not in _LEGAL_UNLESS_FIRST]
    return " ".join(left) or " ".join(words)


def _joined(words: list[str]) -> list[str]:
    """Single letters in a row as one word: `S. p. A.` is `spa`."""
    found: list[str] = []
    row = False
    for word in words:
        single = len(word) == 1 and word.isalpha() and word.isascii()
        if single and row:
            found[-1] += word
        else:
            found.append(word)
        row = single
    return found


@lru_cache(maxsize=65536)
def name_variants(name: str) -> tuple[Variant, ...]:
    """The forms under which a name may be met: as it is, in Latin letters, without branch or brackets, an old one."""
    main, *old = _OLD.split(unicodedata.normalize("NFKC", name))
    main = main.strip(" ,;-(（")
    forms: dict[str, float] = {}
    for text, weight in (
        (name if not old else main, 1.0),
        *((_closed(text), OLD_NAME) for text in old),
        (_BRANCH.sub("", main), WITHOUT_PART),
        (_BRACKETS.sub("", main), WITHOUT_PART),
    ):
        core = name_core(text)
        for form, counts in ((core, weight), (_spelt_out(text, core), weight * SPELT_OUT)):
            if form:
                forms[form] = max(counts, forms.get(form, 0.0))
    return tuple(Variant(form, weight) for form, weight in forms.items())


def _closed(text: str) -> str:
    return text.strip(" ,;:.-)）")


def _spelt_out(name: str, core: str) -> str:
    """A name of another alphabet in Latin letters; a Chinese one with its common words in English."""
    if core.isascii():
        return core
    text = _PLACE_HAN.sub("", _LEGAL_HAN.sub("", unicodedata.normalize("NFKC", name)))
    for word, english in _WORDS_HAN.items():
        text = text.replace(word, f" {english} ")
    if not any("\u2e80" <= letter <= "\uffef" for letter in text):
        return name_core(anyascii(core))
    words = (anyascii(word).casefold() for word in text.split())
    return name_core(" ".join(words))


def name_similarity(one: str, other: str) -> float:
    """0–1: how alike two company names are in their nearest forms, legal forms and word order aside."""
    pairs = ((a, b) for a in name_variants(one) for b in name_variants(other))
    return max((a.weight * b.weight * likeness(a.text, b.text) for a, b in pairs), default=0.0)


def likeness(one: str, other: str) -> float:
    """0–1: how alike two folded names are, in any order of words."""
    forms = [{text, " ".join(sorted(text.split()))} for text in (one, other)]
    return max(fuzz.ratio(a, b) for a in forms[0] for b in forms[1]) / 100
