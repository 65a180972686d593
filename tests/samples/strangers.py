"""Invented companies and goods in several languages; tax ids and IBANs carry valid check digits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import NamedTuple

from stdnum import luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10, mod_97_10

from tests.samples.bill import Party
from tests.samples.company import bic, registration


class Country(NamedTuple):
    """What companies and goods of one country are made of."""

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


COUNTRIES = {
    "DE": Country(
        "de_DE", "EUR", ("Weidenbruch", "Aalbek", "Torfhagen", "Steinlaub", "Hollerwiese", "Kranichau"),
        ("Metallbau", "Bürobedarf", "Elektrotechnik", "Verpackung", "Werkzeuge", "Druck", "Reinigung"),
        ("GmbH", "AG", "GmbH & Co. KG", "e. K."), ("Am Mühlgraben", "Gerberweg", "Ziegelstraße", "Alter Hof"),
        (("04109", "Leipzig"), ("33098", "Paderborn"), ("24937", "Flensburg"), ("97070", "Würzburg")),
        ("Uferbank", "Bank am Tor", "Gewerbebank Süd"), ("19", "7"),
        ("Kabelkanal", "Schaltschrank", "Flachdichtung", "Kopierpapier", "Winkelverbinder", "Schutzhandschuhe", "Wartung der Anlage", "Getriebeöl", "Etiketten", "Federring"),
        ("40 × 60 mm", "verzinkt", "Typ B, mit Montageplatte", "Karton zu 50 Stück", "gemäß Angebot", "RAL 7035, pulverbeschichtet, inklusive Befestigungsmaterial"), "49",
    ),
    "AT": Country(
        "de_DE", "EUR", ("Gamsreith", "Zirbental", "Lärchkogel", "Innfeld"), ("Spedition", "Holzbau", "Technik"),
        ("GmbH", "OG", "AG"), ("Marktgasse", "Bergweg", "Im Gewerbepark"),
        (("6020", "Innsbruck"), ("8010", "Graz"), ("4020", "Linz")), ("Talbank", "Gasteiner Handelsbank"),
        ("20", "10"), ("Transport", "Lattung", "Hydraulikschlauch", "Montage", "Schmierfett"),
        ("Graz–Wien", "Lärche, gehobelt", "2 m, beidseitig verpresst", "pauschal"), "43",
    ),
    "FR": Country(
        "fr_FR", "EUR", ("Malaucourt", "Ferrandière", "Brévigny", "Castelorne", "Saulnoy"),
        ("Fournitures", "Mécanique", "Imprimerie", "Électricité", "Emballages"), ("SARL", "SAS", "SA", "EURL"),
        ("rue des Forges", "avenue du Canal", "chemin des Vignes", "place du Marché"),
        (("33000", "Bordeaux"), ("59000", "Lille"), ("35000", "Rennes"), ("67000", "Strasbourg")),
        ("Banque des Quais", "Crédit Lanterne"), ("20", "10", "5.5"),
        ("Câble souple", "Joint torique", "Ramette de papier", "Gants de protection", "Main-d'œuvre atelier", "Bride à souder", "Étiquettes", "Huile de coupe"),
        ("diamètre 12 mm", "boîte de 100", "acier zingué", "suivant devis accepté", "haute température, livré avec certificat de conformité"), "33",
    ),
    "GB": Country(
        "en_GB", "GBP", ("Quarrybank", "Fenwick Moss", "Harrowgate", "Tidewell", "Ashlock"),
        ("Castings", "Engineering", "Office Supplies", "Print", "Fixings"), ("Ltd", "PLC", "LLP"),
        ("Foundry Lane", "Station Road", "Canal Wharf", "Mill Street"),
        (("LS1 4AP", "Leeds"), ("BS1 6QF", "Bristol"), ("NG1 5FS", "Nottingham")),
        ("Moorland Bank", "Severn Commercial Bank"), ("20", "5", "0"),
        ("Bracket", "Gasket sheet", "Cable gland", "Copier paper", "Safety gloves", "Site labour", "Cutting oil", "Spring washer"),
        ("zinc plated", "M20, brass", "box of 100", "as per quotation", "heavy duty, supplied with certificate of conformity"), "44",
    ),
    "US": Country(
        "en_US", "USD", ("Copperline", "Larkspur", "Ridgefield", "Ironwood", "Tallgrass"),
        ("Instruments", "Software", "Supply", "Packaging", "Services"), ("Inc.", "LLC", "Corp."),
        ("Commerce Drive", "Elm Street", "Industrial Parkway"),
        (("97205", "Portland, OR"), ("53703", "Madison, WI"), ("27601", "Raleigh, NC")),
        ("Prairie State Bank", "Union Valley Bank"), ("0", "6", "7", "8.25"),
        ("Pressure gauge", "Annual license", "Shipping carton", "Consulting", "Cable assembly", "Filter cartridge"),
        ("0-100 psi", "up to 25 users", "24 x 18 x 12 in", "remote, per statement of work", "shielded, 10 ft, with strain relief and gold-plated contacts"), "1",
    ),
    "NL": Country(
        "nl_NL", "EUR", ("Kerkvoort", "Waterloop", "Hazepad", "Molenzicht"), ("Techniek", "Drukwerk", "Handel"),
        ("B.V.", "N.V.", "V.O.F."), ("Havenstraat", "Molenweg", "Industriekade"),
        (("3511 AB", "Utrecht"), ("5611 EM", "Eindhoven"), ("9711 LM", "Groningen")), ("Deltabank", "Grachtenbank"),
        ("21", "9"), ("Vouwdoos", "Afdichtring", "Kopieerpapier", "Montage", "Kabelgoot"),
        ("per 50 stuks", "verzinkt", "volgens offerte", "400 × 300 mm, dubbelgolf, bedrukt in één kleur"), "31",
    ),
    "CN": Country(
        "zh_CN", "CNY", ("苏州市云汀", "杭州青岚", "广州市南芷", "无锡锦澜"), ("电子", "五金", "包装材料", "仪器"),
        ("有限公司", "科技有限公司"), ("建设路88号", "科技园东路12号", "工业大道301号"),
        (("215000", "苏州市"), ("310000", "杭州市"), ("510000", "广州市")), ("江湾银行营业部", "岭东银行支行"),
        ("13", "9", "6"), ("继电器", "接线端子", "轴承", "纸箱", "传感器", "技术服务费"),
        ("24V", "不锈钢", "标准型", "五层瓦楞", "带安装支架及说明书"), "86",
    ),
}  # fmt: skip
UNITS = ("C62", "C62", "C62", "C62", "KGM", "MTR", "HUR")


def party(rng: Random, country: str) -> Party:
    """An invented company of that country."""
    made_of = COUNTRIES[country]
    zip_code, city = rng.choice(made_of.towns)
    chinese, british = country == "CN", country in ("GB", "US")
    parts = (rng.choice(made_of.names), rng.choice(made_of.trades), rng.choice(made_of.forms))
    name = "".join(parts) if chinese else " ".join(parts)
    street = rng.choice(made_of.streets)
    if not chinese:
        number = rng.randint(1, 180)
        street = f"{number} {street}" if british or country == "FR" else f"{street} {number}"
    bank = rng.choice(made_of.banks)
    host = f"vendor{rng.randint(100, 999)}.example" if chinese else _host(parts[0] + "-" + parts[1])
    stranger = Party(
        name=name, street=street, zip=zip_code, city=city, country=country, bank=bank,
        registration=registration(name, country), email=f"accounts@{host}", website=f"https://{host}",
        phone=f"+{made_of.dial} {rng.randint(20, 99)} 5550 {rng.randint(100, 999)}",
        account=account(rng, country), bic="" if country in ("US", "CN") else bic(bank, country),
        routing=_digits(rng, 9) if country == "US" else _digits(rng, 12) if chinese else "",
        currency=made_of.currency, language=made_of.language, payment_days=rng.choice((7, 14, 30, 30, 45, 60)),
    )  # fmt: skip
    if country == "US":
        return replace(stranger, tax_id=f"{rng.randint(10, 98)}-{_digits(rng, 7)}")
    return replace(stranger, vat_id=vat_id(rng, country))


def item(rng: Random, country: str) -> str:
    """The name of something sold there."""
    made_of = COUNTRIES[country]
    kinds = rng.sample(made_of.kinds, rng.choice((0, 1, 1, 2)))
    joint = " " if country == "CN" else ", "
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
    if bban is None:
        return _digits(rng, 10 if country == "US" else 19)
    number = bban()
    return f"{country}{mod_97_10.calc_check_digits(number + country)}{number}"


def _digits(rng: Random, count: int) -> str:
    return "".join(str(rng.randint(0, 9)) for _ in range(count))


def _host(words: str) -> str:
    plain = words.lower().translate(
        str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "é": "e", "É": "e", "è": "e"})
    )
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in plain).split()) + ".example"
