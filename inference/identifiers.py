"""Identifiers found in text and proved by their check digits: VAT ids, IBAN, BIC, Chinese credit codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple, cast

import stdnum.br.cnpj as _cnpj
import stdnum.br.cpf as _cpf
import stdnum.cn.uscc as _uscc
import stdnum.eu.vat as _eu_vat
import stdnum.iban as _iban
import stdnum.in_.gstin as _gstin
from stdnum.util import get_cc_module


class Scheme(StrEnum):
    """What an identifier is."""

    VAT = "vat"
    IBAN = "iban"
    BIC = "bic"
    USCC = "uscc"
    LOCAL_TAX = "local_tax"


class Identifier(NamedTuple):
    """An identifier in a text: its compact value, where it stands, its country, whether its check digits hold.

    `valid` is None where the scheme has no check digits that we can compute.
    """

    scheme: Scheme
    value: str
    start: int
    end: int
    country: str
    valid: bool | None


_VAT_SHAPES = {
    "AT": r"U\d{8}", "BE": r"[01]?\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}",
    "LT": r"(?:\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d{2}", "PL": r"\d{10}",
    "PT": r"\d{9}", "RO": r"\d{4,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}", "GB": r"(?:\d{9}|\d{12})",
    "XI": r"\d{9}", "CHE": r"\d{9}(?:MWST|TVA|IVA)?", "NO": r"\d{9}MVA", "EU": r"\d{9}", "GR": r"\d{9}",
}  # fmt: skip
_VAT_CHECK = re.compile("|".join(f"(?:{cc}{shape})" for cc, shape in _VAT_SHAPES.items()))
_VAT_FIND = re.compile(
    r"(?<![A-Za-z0-9])(?:" + "|".join(_VAT_SHAPES) + r")(?:[ .\-]{0,2}[A-Z0-9+*]){7,14}(?![A-Za-z0-9])"
)
_IBAN_FIND = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\s?\d{2}(?:[ \-]{0,3}[A-Z0-9]){11,30}")
_BIC_FIND = re.compile(r"(?<![A-Za-z0-9])[A-Z]{4}\s?[A-Z]{2}\s?[A-Z0-9]{2}\s?(?:[A-Z0-9]{3})?(?![A-Za-z0-9])")
_USCC_FIND = re.compile(r"(?<![A-Za-z0-9])[0-9A-HJ-NP-RTUWXY]{2}\d{6}[0-9A-HJ-NP-RTUWXY]{10}(?![A-Za-z0-9])")
_CNPJ_FIND = re.compile(
    r"(?<!\d)\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}(?!\d)|(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)"
)
_MVA_FIND = re.compile(r"(?<![A-Za-z0-9])(?<!NO[ -])(?<!NO)\d{3}[ .]?\d{3}[ .]?\d{3} ?MVA(?![A-Za-z0-9])")
_GSTIN_FIND = re.compile(r"(?<![A-Z0-9])\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9](?![A-Z0-9])")


def find_vat_ids(text: str) -> Iterator[Identifier]:
    """VAT ids with their country prefix, spaced or not, and national company tax ids of fixed form."""
    for found in _VAT_FIND.finditer(text):
        if vat := _longest_vat(found.group()):
            value, length = vat
            yield Identifier(
                Scheme.VAT, value, found.start(), found.start() + length, value[:2], vat_valid(value)
            )
    for found in _CNPJ_FIND.finditer(text):
        module: Any = _cnpj if "/" in found.group() else _cpf
        value = _compact(found.group())
        yield Identifier(Scheme.VAT, value, *found.span(), "BR", _valid(module, value))
    for found in _MVA_FIND.finditer(text):
        value = _compact(found.group())
        yield Identifier(Scheme.VAT, value, *found.span(), "NO", vat_valid("NO" + value))
    for found in _GSTIN_FIND.finditer(text):
        yield Identifier(Scheme.VAT, found.group(), *found.span(), "IN", _valid(_gstin, found.group()))
    yield from _named_ids(text)


class _Named(NamedTuple):
    """A tax id that only the word before it tells: words, form, country, and its module of python-stdnum."""

    words: str
    form: str
    country: str
    module: str


_NAMED = (
    _Named(r"R\.?U\.?C\.?", r"\d{13}", "EC", "ruc"),
    _Named(r"R\.?U\.?C\.?", r"(?:10|15|17|20)\d{9}", "PE", "ruc"),
    _Named(r"C\.?U\.?I\.?T\.?", r"\d{2}-?\d{8}-?\d", "AR", "cuit"),
    _Named(r"N\.?I\.?T\.?", r"\d{3}[. ]?\d{3}[. ]?\d{3}-?\d", "CO", "nit"),
    _Named(r"N\.?I\.?T\.?", r"\d{2,7}-?[\dK]", "GT", "nit"),
    _Named(r"R\.?U\.?T\.?", r"\d{1,2}\.?\d{3}\.?\d{3}-[\dkK]", "CL", "rut"),
    _Named(r"R\.?F\.?C\.?", r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}", "MX", "rfc"),
    _Named(r"VAT", r"\d{3} ?\d{4} ?\d{2}|\d{3} \d{3} \d{3}", "GB", "vat"),
    _Named(r"A\.?B\.?N\.?", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "AU", "abn"),
    _Named(r"TRN|TIN", r"\d{15}", "AE", ""),
    _Named(r"OIB", r"\d{11}", "HR", "oib"),
    _Named(r"PIB|ПИБ", r"\d{9}", "RS", "pib"),
    _Named(r"ad[oó]sz[aá]ma?", r"\d{8}-\d-\d{2}", "HU", ""),
    _Named(r"Y-?tunnus|FO-nummer", r"\d{7}-\d", "FI", "ytunnus"),
    _Named(r"ΑΦΜ|Α\.Φ\.Μ\.?|AFM", r"\d{9}", "GR", "vat"),
    _Named(r"VKN|Vergi (?:No|Numarası|Kimlik No)", r"\d{10}", "TR", "vkn"),
    _Named(r"C\.?U\.?I\.?|C\.?I\.?F\.?", r"\d{6,10}", "RO", "cui"),
    _Named(r"NIP", r"\d{3}[ -]?\d{3}[ -]?\d{2}[ -]?\d{2}", "PL", "nip"),
    _Named(r"P\.? ?IVA|Partita IVA", r"\d{11}", "IT", "iva"),
    _Named(r"NIF|NIPC", r"[125689]\d{2} ?\d{3} ?\d{3}", "PT", "nif"),
)
_NAMED_FIND = tuple(
    re.compile(
        rf"(?<![^\W_])(?:{named.words})(?:[ .]?(?:Reg\.?|No|Nr|N[°º]|Number|code|ID|#))*[ .:#]{{0,8}}"
        rf"(?P<id>{named.form})(?![\w.,/-]*[\w])",
        re.IGNORECASE,
    )
    for named in _NAMED
)


def _named_ids(text: str) -> Iterator[Identifier]:
    """Tax ids without a country's prefix, told by the word before them ("RUC:1790016919001").

    Of several countries with one word, the one whose check digits hold is it; where none do, it may be of another
    country with that word, and `valid` is None.
    """
    found: dict[tuple[int, int], Identifier] = {}
    for named, pattern in zip(_NAMED, _NAMED_FIND, strict=True):
        for match in pattern.finditer(text):
            value = _compact(match["id"])
            module: Any = get_cc_module(named.country.lower(), named.module) if named.module else None
            valid = (_valid(module, value) or None) if module else None
            place = match.span("id")
            if place not in found or (valid and not found[place].valid):
                found[place] = Identifier(Scheme.VAT, value, *place, named.country, valid)
    yield from found.values()


def _longest_vat(text: str) -> tuple[str, int] | None:
    """The longest start of the text that has the shape of a VAT id, and how far it reaches."""
    for end in range(len(text), 6, -1):
        if text[end - 1] in " .-" or (end < len(text) and text[end] not in " .-"):
            continue
        value = _compact(text[:end])
        if _VAT_CHECK.fullmatch(value):
            return value, end
    return None


def vat_valid(value: str) -> bool | None:
    """Whether the check digits of a VAT id hold; None for a country whose rule is not known."""
    compact = _compact(value)
    if compact.startswith("CHE"):
        return _valid(get_cc_module("ch", "uid"), compact[:12])
    country = compact[:2].lower()
    if country in _eu_vat.MEMBER_STATES or country in ("el", "xi"):
        return _valid(_eu_vat, compact)
    module: Any = get_cc_module(country, "vat")
    return _valid(module, compact[2:] if country == "gb" else compact) if module else None


def find_ibans(text: str) -> Iterator[Identifier]:
    """IBANs, spaced or not; cut to the length that their check digits prove, where one does."""
    for found in _IBAN_FIND.finditer(text):
        raw = found.group()
        ends = [end for end in range(len(raw), 14, -1) if raw[end - 1].isalnum()]
        proved = next((end for end in ends if iban_valid(raw[:end])), None)
        if proved:
            value = _compact(raw[:proved])
            yield Identifier(Scheme.IBAN, value, found.start(), found.start() + proved, value[:2], True)
        elif len(_compact(raw)) >= 15 and not raw.isalpha():
            value = _compact(raw)[:34]
            yield Identifier(Scheme.IBAN, value, *found.span(), value[:2], False)


def iban_valid(value: str) -> bool:
    """Whether the length and the check digits of an IBAN hold (ISO 13616; no national rules)."""
    is_valid = cast("Callable[..., bool]", _iban.is_valid)
    return is_valid(value, check_country=False)


def find_bics(text: str) -> Iterator[Identifier]:
    """BICs (ISO 9362) by their shape; ordinary words in capitals have it too, so ask for a label beside."""
    for found in _BIC_FIND.finditer(text):
        value = _compact(found.group())
        if len(value) in (8, 11):
            yield Identifier(Scheme.BIC, value, *found.span(), value[4:6], None)


def find_credit_codes(text: str) -> Iterator[Identifier]:
    """Chinese unified social credit codes (GB 32100-2015), 18 characters."""
    for found in _USCC_FIND.finditer(text):
        value = found.group()
        yield Identifier(Scheme.USCC, value, *found.span(), "CN", uscc_valid(value))


def uscc_valid(value: str) -> bool:
    """Whether the check character of a Chinese unified social credit code holds."""
    return _valid(_uscc, value)


def _compact(text: str) -> str:
    return re.sub(r"[^A-Z0-9+*]", "", text.upper())


def _valid(module: Any, value: str) -> bool:
    is_valid = cast("Callable[[str], bool]", module.is_valid)
    return is_valid(value)
