"""Invented companies and goods in several languages; tax ids and IBANs carry valid check digits."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from stdnum import luhn
from stdnum.be import vat as be_vat
from stdnum.br import cnpj
from stdnum.ch import uid
from stdnum.cn import uscc
from stdnum.dk import cvr
from stdnum.es import cif
from stdnum.in_ import gstin
from stdnum.iso7064 import mod_11_10, mod_97_10
from stdnum.it import iva
from stdnum.mx import rfc
from stdnum.no import orgnr
from stdnum.pl import nip
from stdnum.pt import nif
from stdnum.se import vat as se_vat
from stdnum.tw import ubn

from tests.samples.bill import Party
from tests.samples.company import bic, registration


class Country(NamedTuple):
    """What companies and goods of one country are made of; `order` says how an address runs, where it is not ours."""

    language: str
    currency: str
    names: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    banks: tuple[str, ...]
    rates: tuple[str, ...]
    goods: tuple[str, ...]
    kinds: tuple[str, ...]
    dial: str
    order: str = ""


def _countries() -> dict[str, Country]:
    source = (Path(__file__).parent / "countries.toml").read_text(encoding="utf-8")
    return {
        key: Country(**{name: _tuple(value) for name, value in node.items()})
        for key, node in tomllib.loads(source).items()
    }


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


COUNTRIES = _countries()
"""By the code of the country; "BE-fr" is the French-speaking part of Belgium."""
FIRST = ("DE", "AT", "FR", "GB", "US", "NL", "CN")
"""The countries among which `random_bill` chooses."""
UNITS = ("C62", "C62", "C62", "C62", "KGM", "MTR", "HUR")
IDEOGRAPHIC = ("CN", "TW", "HK")
WITHOUT_IBAN = ("US", "CN", "BR", "MX", "TW", "HK", "IN")

# Letters and digits at random until the check digits hold: "#" is a digit, "A" a letter; and how it is printed.
_TAX_IDS: Mapping[str, tuple[str, Any, tuple[str, ...]]] = {
    "ES": ("B########", cif, ("{0}", "ES{0}", "B-########")),
    "IT": ("0##########", iva, ("{0}", "{0}", "IT{0}", "IT {0}")),
    "PT": ("50#######", nif, ("{0}", "{0}", "PT{0}", "PT {0}")),
    "BR": ("########0001##", cnpj, ("##.###.###/####-##",)),
    "PL": ("##########", nip, ("{0}", "###-###-##-##", "PL{0}", "PL ##########", "###-##-##-###")),
    "BE": ("0#########", be_vat, ("BE{0}", "BE ####.###.###", "BE ####.###.###", "BE{0}")),
    "CH": ("CHE#########", uid, ("CHE-###.###.###", "CHE-###.###.### {vat}", "CHE-###.###.### {vat}")),
    "MX": ("AAA######AA#", rfc, ("{0}",)),
    "TW": ("########", ubn, ("{0}",)),
    "IN": ("27AAACA####A1Z#", gstin, ("{0}",)),
    "SE": ("55########01", se_vat, ("SE{0}", "SE{0}")),
    "DK": ("########", cvr, ("{0}", "DK{0}", "DK-{0}", "DK {0}")),
    "NO": ("9########", orgnr, ("NO ### ### ### MVA", "{0} MVA", "NO{0}MVA", "### ### ### MVA")),
}  # fmt: skip
_BBAN = {
    "ES": "#" * 20, "IT": "X" + "#" * 22, "PT": "#" * 21, "PL": "#" * 24, "BE": "#" * 12, "CH": "#" * 17,
    "SE": "#" * 20, "DK": "#" * 14, "NO": "#" * 11,
}  # fmt: skip
_LOCAL_ACCOUNTS = {
    "BR": ("#####-#", "####"), "MX": ("##################", ""), "TW": ("############", "###"),
    "HK": ("###-######-###", "###"), "IN": ("##############", "DCMB0######"),
}  # fmt: skip
_GIVEN: Mapping[str, tuple[str, ...]] = {
    "DE": ("Anke", "Jörg", "Renate"), "AT": ("Leopold", "Gerti"), "CH": ("Urs", "Beat", "Silvie"),
    "FR": ("Aurélie", "Bastien", "Odile"), "BE": ("Joris", "Lieve", "Thibault"), "NL": ("Sanne", "Bram", "Femke"),
    "GB": ("Gareth", "Imogen", "Nigel"), "US": ("Dwight", "Kayla", "Curtis"), "IN": ("Anil", "Priya", "Sunita"),
    "ES": ("Nuria", "Gonzalo", "Pilar"), "MX": ("Ximena", "Ramiro"), "IT": ("Ornella", "Fabrizio", "Ivo"),
    "PT": ("Inês", "Duarte", "Graça"), "BR": ("Thiago", "Luciana"), "PL": ("Zbigniew", "Halina", "Kinga"),
    "SE": ("Göran", "Linnea"), "DK": ("Søren", "Birgitte"), "NO": ("Sigrid", "Torbjørn"),
}  # fmt: skip
"""Given names by country."""
_REGISTERS = {"IT": "MI-#######", "PL": "0000######"}


def party(rng: Random, country: str) -> Party:
    """An invented company of that country, given by its key in `COUNTRIES`."""
    made_of, code = COUNTRIES[country], country[:2]
    zip_code, city = rng.choice(made_of.towns)
    ideographic, british = code in IDEOGRAPHIC, code in ("GB", "US")
    parts = (rng.choice(made_of.names), rng.choice(made_of.trades), rng.choice(made_of.forms))
    name = ("" if ideographic else " ").join(parts).replace(" ,", ",")
    street = rng.choice(made_of.streets)
    if not ideographic:
        number = rng.randint(1, 180)
        street = f"{number} {street}" if british or code == "FR" else f"{street} {number}"
    bank = rng.choice(made_of.banks)
    host = f"vendor{rng.randint(100, 999)}.example" if ideographic else _host(parts[0] + "-" + parts[1])
    stranger = Party(
        name=name, street=street, zip=zip_code, city=city, country=code, bank=bank,
        registration=registration(name, code), email=f"accounts@{host}", website=f"https://{host}",
        phone=f"+{made_of.dial} {rng.randint(20, 99)} 5550 {rng.randint(100, 999)}",
        account=account(rng, code), bic="" if code in WITHOUT_IBAN else bic(bank, code),
        routing=_routing(rng, code),
        currency=made_of.currency, language=made_of.language, payment_days=rng.choice((7, 14, 30, 30, 45, 60)),
    )  # fmt: skip
    if code in _REGISTERS:
        stranger = replace(stranger, registration=_filled(rng, _REGISTERS[code]))
    if code == "US":
        return replace(stranger, tax_id=f"{rng.randint(10, 98)}-{_digits(rng, 7)}")
    if code == "HK":
        return stranger
    return replace(stranger, vat_id=vat_id(rng, country))


def modest(rng: Random, who: Party, country: str) -> Party:
    """The party as a small business or a private person: without a legal form, or named after its owner."""
    made_of, given = COUNTRIES[country], _GIVEN.get(country[:2], ())
    forms = sorted(made_of.forms, key=len, reverse=True)
    bare = next(
        (who.name.removesuffix(form).rstrip(" ,") for form in forms if who.name.endswith(form)), who.name
    )
    owner = f"{rng.choice(given)} {rng.choice(made_of.names).split()[0]}" if given else bare
    name = rng.choice((bare, bare, owner, owner, bare.upper(), f"{owner} {rng.choice(made_of.trades)}"))
    return replace(who, name=name) if country[:2] not in IDEOGRAPHIC else who


def item(rng: Random, country: str) -> str:
    """The name of something sold there."""
    made_of = COUNTRIES[country]
    kinds = rng.sample(made_of.kinds, rng.choice((0, 1, 1, 2)))
    joint = " " if country in IDEOGRAPHIC else ", "
    return joint.join((rng.choice(made_of.goods), *kinds))


def rate(rng: Random, country: str) -> Decimal:
    """A VAT rate of that country, the first ones more often."""
    rates = COUNTRIES[country].rates
    return Decimal(rates[min(int(rng.expovariate(1.2)), len(rates) - 1)])


def vat_id(rng: Random, country: str) -> str:
    """A VAT id with valid check digits."""
    if country == "DE":
        digits = str(rng.randint(1, 9)) + _digits(rng, 7)
        return f"DE{digits}{mod_11_10.calc_check_digit(digits)}"
    if country == "AT":
        digits = _digits(rng, 7)
        doubled = sum(sum(divmod(int(d) * (2 if n % 2 else 1), 10)) for n, d in enumerate(digits))
        return f"ATU{digits}{(10 - (doubled + 4) % 10) % 10}"
    if country == "FR":
        digits = _digits(rng, 8)
        siren = digits + luhn.calc_check_digit(digits)
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if country == "GB":
        digits = str(rng.randint(1, 9)) + _digits(rng, 6)
        remainder = sum(int(d) * weight for d, weight in zip(digits, range(8, 1, -1), strict=True)) % 97
        return f"GB{digits}{97 - remainder:02d}"
    if country == "NL":
        while True:
            digits = _digits(rng, 8)
            check = sum(int(d) * weight for d, weight in zip(digits, range(9, 1, -1), strict=True)) % 11
            if check < 10:
                return f"NL{digits}{check}B01"
    if country != "CN":
        return _tax_id(rng, country)
    body = "91" + rng.choice(("320500", "330100", "440100")) + "MA" + _digits(rng, 7)
    return body + uscc.calc_check_digit(body)


def account(rng: Random, country: str) -> str:
    """An IBAN, or a national account number where there is none."""
    bban = {
        "DE": lambda: _digits(rng, 18),
        "AT": lambda: _digits(rng, 16),
        "FR": lambda: _digits(rng, 23),
        "GB": lambda: "MRLD" + _digits(rng, 14),
        "NL": lambda: "DLTB" + _digits(rng, 10),
    }.get(country)
    if country in _BBAN:
        number = _filled(rng, _BBAN[country])
    elif bban is not None:
        number = bban()
    elif country in _LOCAL_ACCOUNTS:
        return _filled(rng, _LOCAL_ACCOUNTS[country][0])
    else:
        return _digits(rng, 10 if country == "US" else 19)
    return f"{country}{mod_97_10.calc_check_digits(number + country)}{number}"


def _routing(rng: Random, country: str) -> str:
    """What names the bank beside a national account number."""
    if country in _LOCAL_ACCOUNTS:
        return _filled(rng, _LOCAL_ACCOUNTS[country][1])
    return _digits(rng, 9) if country == "US" else _digits(rng, 12) if country == "CN" else ""


def _tax_id(rng: Random, country: str) -> str:
    """A tax id whose check digits hold, in one of the forms in which it is printed."""
    shape, module, forms = _TAX_IDS[country[:2]]
    while not module.is_valid(value := _filled(rng, shape)):
        pass
    form = rng.choice(forms)
    if "#" in form:
        digits = iter(c for c in value if c.isdigit())
        form = "".join(next(digits) if c == "#" else c for c in form)
    return form.format(value, vat={"de_CH": "MWST", "fr_CH": "TVA"}.get(COUNTRIES[country].language, ""))


def _filled(rng: Random, shape: str) -> str:
    """The shape with a digit for each "#" and a letter for each "A" and "X"."""
    return "".join(
        str(rng.randint(0, 9)) if c == "#" else rng.choice("ABCDEFGHKLMNPRST") if c in "AX" else c
        for c in shape
    )


def _digits(rng: Random, count: int) -> str:
    return "".join(str(rng.randint(0, 9)) for _ in range(count))


def _host(words: str) -> str:
    plain = words.lower().translate(
        str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "é": "e", "É": "e", "è": "e"})
    )
    plain = unicodedata.normalize("NFKD", plain.replace("ł", "l").replace("ø", "o"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in plain).split()) + ".example"
