"""Generated books: vendors of many countries, the spellings of their names that documents print, orders and their bills."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

from anyascii import anyascii

from mappings.erp_data import BankAccount, Bill, OrderLine, Partner, PostedLine, PurchaseOrder
from mappings.names import name_core
from tests.samples.strangers import COUNTRIES, IDEOGRAPHIC, account, vat_id

ONSETS, VOWELS, CODAS = (
    ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "kr", "st", "tr"],
    ["a", "e", "i", "o", "u"],
    ["n", "r", "l", "s", "k", "m"],
)
HAN = "安邦晨成达德鼎东方丰海恒宏华汇嘉金景康乐联龙美明宁鹏启庆荣瑞盛顺泰天通万祥鑫兴旭雅毅永优裕元源云泽展振正志中"
CYRILLIC = [
    "ба",
    "бе",
    "ви",
    "го",
    "да",
    "до",
    "жи",
    "за",
    "зо",
    "ка",
    "ко",
    "ла",
    "ле",
    "ли",
    "ма",
    "ме",
    "ми",
    "на",
    "не",
    "но",
    "па",
    "по",
    "ра",
    "ре",
    "ро",
    "са",
    "се",
    "со",
    "та",
    "те",
    "ти",
    "ва",
    "во",
]
WITHOUT_VAT = ("US", "HK")


@dataclass(frozen=True)
class Vendor:
    """A vendor as Odoo has it, with its bank account and the country that its name is made for."""

    partner: Partner
    account: BankAccount
    country: str


def vendors(count: int, seed: int = 1) -> list[Vendor]:
    """Vendors with names that differ in more than their legal form; a third share their first word with another."""
    rng = Random(seed)
    countries = (*(c for c in COUNTRIES if len(c) == 2), "RU")
    found: list[Vendor] = []
    cores: set[str] = set()
    brands: dict[str, list[str]] = {}
    while len(found) < count:
        country = rng.choice(countries)
        known = brands.setdefault(country, [])
        brand = rng.choice(known) if known and rng.random() < 0.35 else _brand(rng, country)
        known.append(brand)
        name = _name(rng, country, brand)
        core = name_core(name)
        if core in cores:
            continue
        cores.add(core)
        number = 1000 + len(found)
        host = f"v{number}.example" if country in (*IDEOGRAPHIC, "RU") else f"{brand.lower()}{number}.example"
        partner = Partner(
            number,
            name,
            number,
            vat="" if country in (*WITHOUT_VAT, "RU") else vat_id(rng, country),
            country=country,
            email=f"post@{host}" if rng.random() < 0.5 else "",
            website=f"https://www.{host}" if rng.random() < 0.5 else "",
            supplier_rank=1,
        )
        paid = account(rng, "US" if country == "RU" else country)
        found.append(Vendor(partner, BankAccount(number, number, paid), country))
    return found


def _brand(rng: Random, country: str) -> str:
    if country in IDEOGRAPHIC:
        return "".join(rng.sample(HAN, 2))
    if country == "RU":
        return "".join(rng.choices(CYRILLIC, k=rng.randint(3, 4))).capitalize()
    syllables = [rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(2, 3))]
    return ("".join(syllables) + rng.choice(CODAS)).capitalize()


def _name(rng: Random, country: str, brand: str) -> str:
    if country == "RU":
        return f"ООО {brand} {rng.choice(('Сервис', 'Торг', 'Строй', 'Логистика'))}"
    made_of = COUNTRIES[country]
    parts = (brand, rng.choice(made_of.trades), rng.choice(made_of.forms))
    return ("" if country in IDEOGRAPHIC else " ").join(parts).replace(" ,", ",")


# -- how documents print a name ---------------------------------------------------------------------------------------

LONGER_FORMS = {
    "GmbH": ("G.m.b.H.", "Gesellschaft mbH", "gmbh"),
    "Ltd": ("Limited", "LTD.", "Ltd."),
    "Inc.": ("Incorporated", "Inc"),
    "Corp.": ("Corporation", "Corp"),
    "S.A.": ("SA", "S. A."),
    "SARL": ("S.A.R.L.", "S.à r.l."),
    "B.V.": ("BV", "b.v."),
    "S.r.l.": ("SRL", "s.r.l."),
    "Sp. z o.o.": ("Spółka z o.o.", "SP. Z O.O."),
    "Pvt. Ltd.": ("Private Limited", "Pvt Ltd"),
    "有限公司": ("有限责任公司",),
    "AB": ("Ab", "A.B."),
}
MISREAD = {
    "l": "1",
    "o": "0",
    "i": "l",
    "m": "rn",
    "e": "c",
    "a": "o",
    "n": "ri",
    "u": "v",
    "B": "8",
    "S": "5",
    "rn": "m",
}
BRANCHES = (
    ", Niederlassung Wien",
    " - Succursale de Lyon",
    ", Zweigniederlassung Basel",
    " Madrid Branch",
    " (Deutschland)",
)
OLD = (" (vormals {0} Handels GmbH)", " formerly {0} Trading Ltd", " (anciennement {0} SARL)")

Spelling = Callable[[Random, str], str]


def _form(rng: Random, name: str) -> str:
    for form, others in LONGER_FORMS.items():
        if name.endswith(form):
            return name.removesuffix(form) + rng.choice(others)
    return name.replace("&", "und") if "&" in name else name


def _without_form(_: Random, name: str) -> str:
    return next((name.removesuffix(form).strip(" ,") for form in LONGER_FORMS if name.endswith(form)), name)


def _punctuated(rng: Random, name: str) -> str:
    head, _, tail = name.rpartition(" ")
    return rng.choice(
        (name.replace(" ", "  "), name.replace(" ", "-", 1), f"{head}, {tail}" if head else name, f"»{name}«")
    )


def _abbreviated(_: Random, name: str) -> str:
    words = name.split(" ")
    longest = max(range(1, len(words)), key=lambda i: len(words[i]), default=0)
    if longest and len(words[longest]) > 7:
        words[longest] = words[longest][: len(words[longest]) * 2 // 3] + "."
    return " ".join(words)


def _misread(rng: Random, name: str) -> str:
    places = [i for i, letter in enumerate(name) if letter in MISREAD]
    if not places:
        return name
    place = rng.choice(places)
    return name[:place] + MISREAD[name[place]] + name[place + 1 :]


def _without_accents(_: Random, name: str) -> str:
    return name.translate(
        str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "ł": "l", "ó": "o", "ç": "c"})
    )


def _turned(_: Random, name: str) -> str:
    words = name.split(" ")
    return " ".join([words[1], words[0], *words[2:]]) if len(words) > 2 else name


def _latin(_: Random, name: str) -> str:
    """Spelt out; a Chinese legal form becomes the English one that is usual for it."""
    if name.isascii() or any("À" <= letter <= "ž" for letter in name):
        return name
    han = re.sub(r"(科技)?(股份)?有限公司$|企業.*$", "", name)
    return f"{anyascii(han)} Co., Ltd." if han != name else anyascii(name)


SPELLINGS: dict[str, Spelling] = {
    "as in Odoo": lambda _, name: name,
    "upper case": lambda _, name: name.upper(),
    "lower case": lambda _, name: name.lower(),
    "legal form spelt otherwise": _form,
    "without legal form": _without_form,
    "punctuation": _punctuated,
    "abbreviated": _abbreviated,
    "misread letter": _misread,
    "accents spelt out": _without_accents,
    "words turned": _turned,
    "another alphabet": _latin,
    "branch": lambda rng, name: name + rng.choice(BRANCHES),
    "old name beside it": lambda rng, name: name + rng.choice(OLD).format("Wendelin"),
}


# -- orders and the bills for them ------------------------------------------------------------------------------------


@dataclass
class Delivery:
    """A bill for orders of one vendor: its rows as a document prints them, and the order line that each is for."""

    vendor: Vendor
    rows: list[dict[str, str]] = field(default_factory=list)
    truth: list[OrderLine | None] = field(default_factory=list)
    reference: str = ""


SIZES = (
    "20 × 30 mm",
    "40 × 60 mm",
    "M8 × 40",
    "M8 × 60",
    "24 V",
    "12 V",
    "500 ml",
    "DN 50",
    "2,5 mm²",
    "A4",
    "Typ B",
    "blau",
    "rot",
)


def orders(rng: Random, of: list[Vendor], count: int) -> list[PurchaseOrder]:
    """Confirmed orders, received in whole or in part, of goods that differ in a size or a word; some are repeated."""
    found: list[PurchaseOrder] = []
    for number in range(count):
        if found and rng.random() < 0.05:
            found.append(_repeated(rng.choice(found), number))
            continue
        vendor = rng.choice(of)
        goods = COUNTRIES.get(vendor.country, COUNTRIES["DE"]).goods
        names: dict[str, None] = {}
        for _ in range(rng.randint(1, 9)):
            names[f"{rng.choice(goods)} {rng.choice(SIZES)}"] = None
        lines: list[OrderLine] = []
        for position, name in enumerate(names):
            quantity = Decimal(rng.choice((1, 2, 5, 10, 12, 20, 24, 50, 100, 250)))
            code = f"[{rng.choice('ABCDEF')}{rng.randint(100, 9999)}] " if rng.random() < 0.6 else ""
            received = quantity if rng.random() < 0.8 else (quantity / 2).to_integral_value()
            price = Decimal(rng.randint(50, 30000)) / 100
            place = number * 100 + position + 1
            planned = datetime(2026, 9, 1, tzinfo=UTC)
            lines.append(
                OrderLine(
                    place,
                    number + 1,
                    code + name,
                    None,
                    quantity,
                    price,
                    qty_received=received,
                    date_planned=planned,
                )
            )
        currency = 1
        found.append(
            PurchaseOrder(
                number + 1,
                f"P{number + 1:05d}",
                vendor.partner.id,
                1,
                currency,
                "purchase",
                lines=tuple(lines),
            )
        )
    return found


def _repeated(order: PurchaseOrder, number: int) -> PurchaseOrder:
    """The same order once more."""
    lines = tuple(
        replace(line, id=number * 100 + place + 1, order_id=number + 1)
        for place, line in enumerate(order.lines)
    )
    return replace(order, id=number + 1, name=f"P{number + 1:05d}", lines=lines)


def goods_of(order: PurchaseOrder) -> list[tuple[str, Decimal, Decimal]]:
    """What is ordered, by which an order and its repetition are the same."""
    return [(line.name, line.product_qty, line.price_unit) for line in order.lines]


def delivery(rng: Random, vendor: Vendor, order: PurchaseOrder) -> Delivery:
    """A bill for some or all lines of an order, in any order, spelt by the vendor; sometimes in lots, with freight."""
    billed = rng.sample(order.lines, rng.randint(max(1, len(order.lines) // 2), len(order.lines)))
    made = Delivery(vendor)
    for line in billed:
        code, name = line.name[1:].split("] ") if line.name.startswith("[") else ("", line.name)
        quantity = line.qty_received if line.qty_received and rng.random() < 0.8 else line.product_qty
        price = (
            line.price_unit
            if rng.random() < 0.9
            else (line.price_unit * Decimal("1.08")).quantize(Decimal("0.01"))
        )
        row = {"item_name": _spelt(rng, name), "net_price": str(price), "vat_rate": "19"}
        row |= {"item_seller_id": code} if code and rng.random() < 0.7 else {}
        for lot in _lots(rng, quantity):
            amount = (lot * price).quantize(Decimal("0.01"))
            made.rows.append(row | {"quantity": str(lot), "line_net_amount": str(amount)})
            made.truth.append(line)
    if rng.random() < 0.15:
        made.rows.append({"item_name": "Fracht und Verpackung", "line_net_amount": "12.50", "vat_rate": "19"})
        made.truth.append(None)
    number = order.name[1:].lstrip("0")
    forms = (
        order.name,
        order.name,
        f"PO {order.name}",
        f"Bestellung {order.name.lower()}",
        f"P-{number}",
        order.name[1:],
    )
    made.reference = rng.choice(forms) if rng.random() < 0.75 else ""
    return made


def _lots(rng: Random, quantity: Decimal) -> list[Decimal]:
    """The quantity in one line, or in two as it was delivered."""
    if quantity < 2 or rng.random() >= 0.08:
        return [quantity]
    first = Decimal(rng.randint(1, int(quantity) - 1))
    return [first, quantity - first]


def _spelt(rng: Random, name: str) -> str:
    match rng.randint(0, 5):
        case 0:
            return name.upper()
        case 1:
            return _misread(rng, name)
        case 2:
            words = name.split(" ")
            return " ".join([*words[1:], words[0]])
        case 3:
            return f"{name}, gemäß Angebot vom 3. August"
        case _:
            return name


# -- a past to look back on -------------------------------------------------------------------------------------------


def history(rng: Random, of: list[Vendor], lines: int) -> tuple[list[PostedLine], list[Bill]]:
    """Posted lines, and a bill for every four of them."""
    posted: list[PostedLine] = []
    bills: list[Bill] = []
    for number in range(lines):
        vendor = of[number % len(of)]
        goods = COUNTRIES.get(vendor.country, COUNTRIES["DE"]).goods
        name, day = (
            f"{rng.choice(goods)} {rng.choice(SIZES)}",
            date(2026, rng.randint(1, 8), rng.randint(1, 28)),
        )
        posted.append(
            PostedLine(
                vendor.partner.id,
                1,
                name,
                rng.choice((499, 500, 501)),
                tax_ids=(10,),
                date=day,
                id=number + 1,
            )
        )
        if number % 4 == 0:
            total = Decimal(rng.randint(1000, 90000)) / 100
            bills.append(
                Bill(
                    number + 1,
                    vendor.partner.id,
                    1,
                    "in_invoice",
                    "posted",
                    f"R-{number:06d}",
                    day,
                    total,
                    1,
                    f"BILL/{number}",
                )
            )
    return posted, bills
