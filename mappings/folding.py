"""Spellings folded so that the same thing compares equal: tax ids, accounts, register numbers, references, domains."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

# A description that another one contains is like it, but not the same.
SUBSET = 0.95
_NOT_ALNUM = re.compile(r"[\W_]+")
_VAT_SUFFIX = re.compile(r"(MWST|TVA|IVA|VAT)+$")
_VAT_LABEL = re.compile(r"^(USTIDNR|USTID|UIDNR|UID|VATNO|VATID|VAT|TVA|BTW|NIF|CIF|EIN)+(?=[A-Z]{0,3}\d)")
_GERMAN_REGISTER = re.compile(r"(HRA|HRB|GNR|PR|VR)0*(\d{1,6})")
SHORTEST_REGISTER, SIRET = 6, 14
_RUN = re.compile(r"\d+|[^\W\d_]+")
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """Case, accents, width and surrounding space removed; umlauts as one letter, so `Müller` is `Mueller`."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    bare = re.sub(r"(?<=[bcdfghklmnprstvwxz])(a|o|u)e(?!e)", r"\1", bare)
    return _SPACE.sub(" ", bare).strip()


def alnum(text: str) -> str:
    """Letters and digits only, upper case, full-width forms made plain."""
    return _NOT_ALNUM.sub("", unicodedata.normalize("NFKC", text)).upper()


def fold_tax_id(text: str) -> str:
    """A tax id without label, separators and tax word: `USt-IdNr. DE 374.639.463` is `DE374639463`."""
    folded = _VAT_SUFFIX.sub("", _VAT_LABEL.sub("", alnum(text)))
    # Greece is EL in tax ids and GR everywhere else.
    return re.sub(r"^GR(?=\d{9}$)", "EL", folded)


def bare_tax_id(folded: str) -> str:
    """The id without its two-letter country prefix, itself where there is none."""
    return folded[2:] if folded[:2].isalpha() and any(c.isdigit() for c in folded[2:]) else folded


def registry_keys(text: str) -> frozenset[str]:
    """Keys under which spellings of a register number meet: `Amtsgericht Berlin, HRB 12345 B` and `HRB12345`, a French
    SIRET and the SIREN in it, digits without the words beside them."""
    whole = re.sub(r"[^0-9A-Z]", "", alnum(text))
    keys = {whole} | {f"{kind}{int(number)}" for kind, number in _GERMAN_REGISTER.findall(whole)}
    digits = "".join(re.findall(r"\d+", whole))
    if len(digits) >= SHORTEST_REGISTER and not any(key.startswith("HR") for key in keys):
        keys |= {digits} | ({digits[:9]} if len(digits) == SIRET else set())
    return frozenset(keys - {""})


def registry_of_tax_id(folded: str) -> str:
    """The register number within a tax id: the SIREN of a French one, else the id without its country."""
    bare = bare_tax_id(folded)
    return bare[2:] if folded.startswith("FR") and len(bare) == 11 else bare


def domain_parents(domain: str) -> list[str]:
    """The domain and those it lies in, nearest first: `mail.acme.example`, `acme.example`."""
    labels = domain.split(".")
    return [".".join(labels[i:]) for i in range(len(labels) - 1)]


def fold_account(text: str) -> str:
    """An IBAN or account number without separators and label."""
    return re.sub(r"^(IBAN|ACCOUNT|ACCT|KONTO)", "", alnum(text))


def domain_of(address: str) -> str:
    """The domain of an e-mail address or website, without `www.`; empty where there is none or anybody has it."""
    text = address.strip().casefold().rpartition("@")[2]
    host = re.sub(r"^[a-z]+://", "", text).split("/")[0].split(":")[0].removeprefix("www.")
    return host if "." in host and host not in PUBLIC_DOMAINS else ""


# Where anybody has an address: such a domain tells nothing about a company.
PUBLIC_DOMAINS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "yahoo.com",
        "yahoo.fr",
        "yahoo.de",
        "gmx.de",
        "gmx.net",
        "gmx.at",
        "web.de",
        "t-online.de",
        "freenet.de",
        "icloud.com",
        "me.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "orange.fr",
        "free.fr",
        "wanadoo.fr",
        "laposte.net",
        "libero.it",
        "qq.com",
        "163.com",
        "126.com",
        "sina.com",
        "foxmail.com",
        "mail.com",
    ]
)


def text_similarity(one: str, other: str) -> float:
    """0–1: how alike two descriptions are; words one has more than the other count little."""
    return plain_similarity(plain(one), plain(other))


def plain_similarity(a: str, b: str) -> float:
    """`text_similarity` of descriptions that are `plain` already."""
    if not a or not b:
        return 0.0
    return max(fuzz.ratio(a, b), fuzz.token_sort_ratio(a, b), SUBSET * fuzz.token_set_ratio(a, b)) / 100


def most_similar(text: str, plain_texts: Sequence[str], cutoff: float) -> dict[int, float]:
    """`text_similarity` with each of many descriptions, given `plain`: position and score, from `cutoff` (0–1) up."""
    query = plain(text)
    found: dict[int, float] = {}
    for scorer, weight in ((fuzz.ratio, 1.0), (fuzz.token_sort_ratio, 1.0), (fuzz.token_set_ratio, SUBSET)):
        limit = 100 * cutoff / weight
        if limit > 100:
            continue  # out of this scorer's reach
        hits = process.extract(query, plain_texts, scorer=scorer, limit=None, score_cutoff=limit)
        for _, score, position in hits:
            found[position] = max(found.get(position, 0.0), weight * score / 100)
    return found if query else {}


# Letters of other alphabets that look like Latin ones (Unicode Technical Standard 39, confusables).
_TWINS = str.maketrans(
    {
        **dict(zip("АВЕЅІЈКМНОРСТУХԚԜЗ", "ABESIJKMHOPCTYXQW3", strict=True)),
        **dict(zip("авеѕіјкмнорстухԛԝһӏ", "abesijkmhopctyxqwhl", strict=True)),
        **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
        **dict(zip("αικνορτυχγ", "aikvoptuxy", strict=True)),
        **dict(zip("ɑɡıⅼ", "agil", strict=True)),
    }
)


def skeleton(text: str) -> str:
    """The text with every letter replaced by the Latin one that it looks like."""
    return unicodedata.normalize("NFKC", text).translate(_TWINS)


@lru_cache(maxsize=65536)
def reference_keys(reference: str) -> frozenset[str]:
    """Keys under which two spellings of a document number meet: `RE 0817/26`, `re-817-26` and `RE081726` do."""
    found = _RUN.findall(_as_seen(reference))
    runs = [run.lstrip("0") or "0" for run in found]
    joined = "".join(found).lstrip("0")
    return frozenset(("-".join(runs), joined)) if joined else frozenset()


# Letters that are misread for digits, and the digits for them.
_MISREAD = str.maketrans("oqdilszb", "00011528")


def misread_key(reference: str) -> str:
    """The letters and digits of a number with those that are misread for each other made one: `2O26-I7` is `202617`."""
    return "".join(_RUN.findall(_as_seen(reference))).translate(_MISREAD)


def _as_seen(reference: str) -> str:
    """`plain` without what nobody sees, with Latin letters and digits for those that look or count like them."""
    if reference.isascii():
        return plain(reference)
    shown = (char for char in reference if unicodedata.category(char) != "Cf")
    digits = (str(unicodedata.decimal(char, char)) for char in shown)
    return plain(skeleton("".join(digits)))


def order_keys(reference: str) -> frozenset[tuple[str, int]]:
    """The `(letters, number)` pairs of an order number: `Bestellung P-00101/A` holds `("P", 101)`."""
    found = re.findall(
        r"([A-Z]{0,4})[\s\-/.#:°]*0*(\d{1,12})", unicodedata.normalize("NFKC", reference).upper()
    )
    return frozenset((letters, int(number)) for letters, number in found)


def one_line(text: str) -> str:
    """A description on one line: words split by a hyphen at the line's end joined again, spaces collapsed."""
    joined = re.sub(r"(?<=[^\W\d_])-\s*\n\s*(?=[a-zà-ÿ])", "", text)
    return _SPACE.sub(" ", joined).strip(" \t\n;|")
