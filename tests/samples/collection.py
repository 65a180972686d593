"""The sample documents: what each vendor sends to the demo company, and why a correct product fills it or asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.samples import company, strangers
from tests.samples.bill import Bill, Line, Party, cents
from tests.samples.random_bills import terms

D = Decimal
# Of each family of articles: the name, the code, the sizes and the lowest and highest price in cents.
CATALOGUE = (
    ("Schichtwiderstand {0} Ohm, 0,25 W, Toleranz 1 %, Metallfilm, gegurtet zu 1000 Stück auf Rolle", "NE-MF-", (47, 100, 220, 470, 1000, 4700, 10000, 22000, 47000), (890, 1240)),
    ("Keramikkondensator {0} nF, 50 V, X7R, Bauform 0805, Temperaturbereich −55 bis +125 °C, 100 Stück", "NE-KC-", (1, 10, 22, 33, 47, 68, 100, 220, 470), (180, 460)),
    ("Leiterplattenklemme {0}-polig, Raster 5,08 mm, grün, Nennstrom 16 A, mit Beschriftung", "NE-LK-", (2, 3, 4, 5, 6, 8, 10, 12, 16), (42, 310)),
    ("Gerätestecker M12, {0}-polig, A-codiert, gerade, Schraubanschluss, Schutzart IP67", "NE-M12-", (3, 4, 5, 8, 12), (560, 1390)),
    ("Schmelzsicherung 5 × 20 mm, {0} mA träge, Glasrohr, Packung mit 10 Stück", "NE-SI-", (100, 160, 200, 250, 315, 400, 500, 630, 800), (210, 340)),
    ("Aderendhülsen {0} mm², isoliert, nach DIN 46228-4, Beutel mit 100 Stück", "NE-AE-", (1, 4, 6, 10, 16, 25, 35, 50), (195, 1160)),
)  # fmt: skip


def posted_again(number: str, printed: str) -> Bill:
    """A bill that is booked already, with its number printed another way."""
    found = company.posted(number)
    seller = company.vendor(found.vendor)
    return _bill(seller, printed, found.issue_date, found.lines, "din5008", accent=4)


def english(today: date) -> Bill:
    """Born-digital, one rate."""
    seller = company.vendor("thornbeck")
    lines = (
        company.line("KW-4001", "thornbeck", 5),
        company.line("KW-4002", "thornbeck", 2),
        Line("Carriage and packing, next-day delivery to Berlin", D(1), "C62", D("24.50"), D(20)),
    )
    day = today - timedelta(days=4)
    return _bill(seller, "INV-11206", day, lines, "modern", delivery_date=day - timedelta(days=2), accent=6)


def german(today: date) -> Bill:
    """Born-digital, discounts on lines, two rates, cash discount terms."""
    seller = company.vendor("brunnhuber")
    paper = company.line("KW-5001", "brunnhuber", 30)
    folders = company.line("KW-5002", "brunnhuber", 48)
    lines = (
        replace(paper, discount_percent=D(10)),
        replace(folders, discount_percent=D(5)),
        Line("Fachbuch „Exportkontrolle in der Praxis“, 4. Auflage, gebunden", D(2), "C62", D("48.60"), D(7), "B-77120"),
        Line("Lieferung frei Verwendungsstelle", D(1), "C62", D("12.90"), D(19)),
    )  # fmt: skip
    words = "Zahlbar innerhalb von 14 Tagen ohne Abzug, bei Zahlung innerhalb von 7 Tagen 2 % Skonto."
    day = today - timedelta(days=6)
    return _bill(
        seller, "2026-1104", day, lines, "din5008", payment_terms=words, accent=4,
        delivery_date=day - timedelta(days=1),
    )  # fmt: skip


def french(today: date) -> Bill:
    """Born-digital, a month of hosting."""
    seller = company.vendor("cormelan")
    lines = (
        Line("Serveur dédié CM-4, novembre 2026", D(2), "C62", D("89.00"), D(20), "SRV-CM4"),
        Line("Sauvegarde 2 To, novembre 2026", D(1), "C62", D("18.50"), D(20), "BCK-2T"),
        Line("Trafic sortant supplémentaire, au-delà du forfait, par tranche de 100 Go", D(14), "C62", D("1.25"), D(20), "TRF-100"),
    )  # fmt: skip
    day = today - timedelta(days=10)
    return _bill(
        seller, "FC-2026-004471", day, lines, "facture", payment_reference="FC4471-KESTREL", accent=5
    )


def chinese(today: date) -> Bill:
    """A digital VAT invoice."""
    names = ("*紧固件*六角螺栓 M8×40 不锈钢", "*紧固件*六角螺母 M8 不锈钢", "*金属制品*不锈钢合页 120mm")
    offered = (("KW-2001", 800), ("KW-2002", 800), ("KW-2005", 60))
    lines = tuple(
        replace(company.line(reference, "hailu", count), item_name=name, vat_rate=D(13))
        for (reference, count), name in zip(offered, names, strict=True)
    )
    seller = replace(company.vendor("hailu"), email="", website="", zip="")
    return Bill(
        "invoice", "26332000000418305572", today - timedelta(days=9), seller, company.buyer(), lines, "fapiao"
    )


def freight(today: date) -> Bill:
    """To be scanned."""
    lines = (
        Line("Fracht Hamburg–Berlin, 4 Paletten", D(1), "C62", D("386.00"), D(19)),
        Line("Dieselzuschlag 8 %", D(1), "C62", D("30.88"), D(19)),
        Line("Standzeit an der Entladestelle, je angefangene halbe Stunde", D(2), "C62", D("27.50"), D(19)),
    )
    day = today - timedelta(days=8)
    return _bill(
        company.vendor("fuhrwerk"), "FL-26-5127", day, lines, "din5008", accent=3, family="serif",
        wording=1, delivery_date=day - timedelta(days=3),
    )  # fmt: skip


def software(today: date) -> Bill:
    """To be photographed; a price with three decimals."""
    lines = (
        Line("Build service, team plan, November 2026", D(12), "C62", D("19.00"), D(0), "TEAM-M"),
        Line("Additional build minutes", D(4500), "C62", D("0.008"), D(0), "MIN-X"),
        Line("Priority support", D(1), "C62", D("75.00"), D(0), "SUP-P"),
    )
    return _bill(
        company.vendor("granite_hollow"),
        "GH-58344",
        today - timedelta(days=12),
        lines,
        "boxed",
        family="sans",
    )


def credit_german(today: date) -> Bill:
    """A credit note for relays sent back."""
    lines = (company.line("KW-1001", "nordlicht_elektronik", 8),)
    return _bill(
        company.vendor("nordlicht_elektronik"), "GS-260041", today - timedelta(days=5), lines, "dense",
        document_type="credit_note", preceding_invoice="NE-260588", due_date=None, payment_terms="",
        notes=("Gutschrift für zurückgesandte Ware; der Betrag wird mit der nächsten Rechnung verrechnet.",),
    )  # fmt: skip


def credit_english(today: date) -> Bill:
    """A credit note for one caliper sent back."""
    lines = (company.line("KW-4001", "thornbeck", 1),)
    return _bill(
        company.vendor("thornbeck"), "CN-2093", today - timedelta(days=7), lines, "modern", accent=6,
        document_type="credit_note", preceding_invoice="INV-10877", due_date=None, payment_terms="",
        notes=("Credit for one item returned faulty. The amount will be refunded to your account.",),
    )  # fmt: skip


def wholesale(today: date) -> Bill:
    """Three pages, totals carried forward."""
    rng = Random(11)
    lines: list[Line] = []
    for number in range(54):
        name, code, sizes, cheap_and_dear = CATALOGUE[number % len(CATALOGUE)]
        size = sizes[number // len(CATALOGUE) % len(sizes)]
        article = f"{code}{size}" + ("" if number < len(CATALOGUE) * len(sizes) else "-B")
        price = D(rng.randint(*cheap_and_dear)).scaleb(-2)
        discount = D(rng.choice((0, 0, 0, 5, 10)))
        count = D(rng.choice((2, 5, 10, 20, 25, 50)))
        lines.append(Line(name.format(size), count, "C62", price, D(19), article, discount))
    day = today - timedelta(days=3)
    return _bill(
        company.vendor("nordlicht_elektronik"), "NE-260914", day, tuple(lines), "dense",
        delivery_date=day - timedelta(days=1),
    )  # fmt: skip


def transport(today: date) -> Bill:
    """To carry its data as Factur-X; two rates, a discount on a line."""
    day = today - timedelta(days=5)
    lines = (
        Line(
            "Transport Salzburg–Berlin, Teilladung 6,5 Lademeter",
            D(1),
            "C62",
            D("540.00"),
            D(20),
            "TR-LTL",
            D(5),
        ),
        Line("Maut", D(1), "C62", D("68.40"), D(20), "MAUT"),
        Line("Begleitperson, Personenbeförderung", D(2), "HUR", D("38.00"), D(10), "PB-01"),
    )
    return _bill(
        company.vendor("alpenrand"), "AR26-3318", day, lines, "compact", accent=5, wording=2, family="lato",
        delivery_date=day - timedelta(days=4), payment_reference="AR263318",
    )  # fmt: skip


def reverse_charged(today: date) -> Bill:
    """A service from abroad: no VAT on the bill, the buyer owes it."""
    day = today - timedelta(days=10)
    lines = (
        Line("Transport Salzburg–Berlin, Komplettladung", D(1), "C62", D("890.00"), D(0), "TR-FTL"),
        Line("Maut", D(1), "C62", D("71.20"), D(0), "MAUT"),
    )
    return _bill(
        company.vendor("alpenrand"), "AR26-3341", day, lines, "compact", accent=5, wording=2, family="lato",
        delivery_date=day - timedelta(days=1),
        notes=("Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge).",),
    )  # fmt: skip


TRADE_NAME = "FLL Transporte Nord"


def under_trade_name(today: date, number: str, days: int, lines: tuple[Line, ...]) -> Bill:
    """The freight company under a trade name that Odoo does not have, with nothing else that tells who it is."""
    known = company.vendor("fuhrwerk")
    seller = replace(
        known, name=TRADE_NAME, vat_id="", registration="", account="", bic="", bank="",
        email="buero@fll-transporte.example", website="https://fll-transporte.example", phone="",
    )  # fmt: skip
    return _bill(
        seller, number, today - timedelta(days=days), lines, "din5008", accent=2, family="carlito", wording=2
    )


def taught(today: date) -> tuple[Bill, ...]:
    """Three bills under one trade name: who sends them is learned from the first two."""
    services = (
        ("FTN-731", 26, "Fracht Bremen–Berlin, 2 Paletten", "218.00"),
        ("FTN-771", 16, "Fracht Bremen–Berlin, 6 Paletten", "574.00"),
        ("FTN-811", 6, "Fracht Bremen–Berlin, 4 Paletten", "396.00"),
    )
    lift = Line("Hebebühne, Zustellung frei Lager", D(1), "C62", D("35.00"), D(19))
    return tuple(
        under_trade_name(today, number, days, (Line(name, D(1), "C62", D(price), D(19)), lift))
        for number, days, name, price in services
    )


def other_account(today: date) -> Bill:
    """An ordinary bill, but to be paid to an account that nobody has seen."""
    number = strangers.account(Random(77), "DE")
    seller = replace(
        company.vendor("fuhrwerk"), account=number, bank="Bank am Tor", bic=company.bic("Bank am Tor", "DE")
    )
    lines = (
        Line("Fracht Hamburg–Berlin, 3 Paletten", D(1), "C62", D("312.00"), D(19)),
        Line("Dieselzuschlag 8 %", D(1), "C62", D("24.96"), D(19)),
    )
    return _bill(
        seller, "FL-26-5133", today - timedelta(days=2), lines, "din5008", accent=3, family="serif", wording=1,
        notes=("Bitte beachten Sie unsere neue Bankverbindung.",),
    )  # fmt: skip


def unreadable(today: date) -> Bill:
    """To be ruined."""
    lines = (
        Line("Transport Salzburg–Berlin", D(1), "C62", D("480.00"), D(20)),
        Line("Maut", D(1), "C62", D("61.30"), D(20)),
    )
    return _bill(
        company.vendor("alpenrand"), "AR26-3290", today - timedelta(days=11), lines, "compact", accent=5
    )


def ordered(today: date) -> Bill:
    """All of an order that was received: its number, quantities and prices."""
    order = company.order("P00103")
    return _bill(
        company.vendor(order.vendor), "DV-20261106", today - timedelta(days=9), order.lines, "compact",
        order_reference=order.name, delivery_date=today - timedelta(days=11), accent=1,
    )  # fmt: skip


def dearer(today: date) -> Bill:
    """What was received of an order, one price higher than ordered."""
    order = company.order("P00102")
    billed = [
        replace(line, quantity=count)
        for line, count in zip(order.lines, company.received(order.name), strict=True)
        if count
    ]
    billed[1] = replace(billed[1], net_price=D("36.20"))
    return _bill(
        company.vendor(order.vendor), "F26-01187", today - timedelta(days=6), tuple(billed), "facture",
        order_reference=order.name, accent=2, family="sans", wording=1,
    )  # fmt: skip


def overdue(today: date) -> Bill:
    """A dunning letter about a bill of summer."""
    found = company.posted("R-1093")
    return Bill(
        "reminder", "", today - timedelta(days=3), company.vendor(found.vendor), company.buyer(), found.lines,
        "reminder", due_date=today + timedelta(days=7), preceding_invoice=found.number, accent=1,
        extra={"invoice_date": found.issue_date.strftime("%d.%m.%Y"), "fee": "5.00"},
    )  # fmt: skip


def overdue_truth(bill: Bill) -> dict[str, Any]:
    """What a dunning letter says: it has no lines, no tax and no number of its own."""
    said = bill.truth()
    absent = {"total_without_vat", "total_vat", "total_with_vat"}
    fields = {name: value for name, value in said["fields"].items() if name not in absent}
    fields["amount_due"] = format(cents(bill.total_with_vat + D(bill.extra["fee"])), "f")
    return {"vendor": said["vendor"], "fields": fields, "lines": [], "vat_breakdown": []}


def confirmation(today: date) -> Bill:
    """A vendor's confirmation of a confirmed order, with a promised date on each line."""
    order = company.order("P00101")
    promised = (today + timedelta(days=9), today + timedelta(days=9), today + timedelta(days=23))
    lines = tuple(replace(line, delivery_date=day) for line, day in zip(order.lines, promised, strict=True))
    return _bill(
        company.vendor(order.vendor), "AB-260377", today - timedelta(days=2), lines, "dense",
        document_type="order_confirmation", order_reference=order.name, due_date=None,
        notes=("Wir danken für Ihre Bestellung und bestätigen sie wie folgt:",),
    )  # fmt: skip


def quotation(today: date) -> Bill:
    """A vendor's quotation, for an order that is still empty."""
    seller = company.vendor("blue_mesa")
    lines = (
        company.line("KW-6002", "blue_mesa", 4),
        company.line("KW-6001", "blue_mesa", 4),
        Line("Freight, insured, DAP Berlin", D(1), "C62", D("62.00"), D(0)),
    )
    return _bill(
        seller, "Q-7714", today - timedelta(days=1), lines, "modern", document_type="quotation", due_date=None,
        order_reference="P00105", accent=0, family="roboto", wording=1,
        notes=("Thank you for your inquiry. This quotation is valid for 30 days.",),
    )  # fmt: skip


def look_alike(today: date) -> Bill:
    """A bill of the electrician whose name is almost that of the electronics dealer."""
    lines = (
        company.line("KW-6003", "nordlicht_elektrik", "5.5"),
        Line("Anfahrt", D(1), "C62", D("45.00"), D(19)),
        company.line("KW-1005", "nordlicht_elektrik", 120),
    )
    day = today - timedelta(days=7)
    return _bill(
        company.vendor("nordlicht_elektrik"), "R-1168", day, lines, "din5008", accent=1, family="carlito",
        wording=2, delivery_date=day - timedelta(days=2),
    )  # fmt: skip


def stranger(today: date) -> Bill:
    """A bill of a vendor that Odoo does not know."""
    seller: Party = strangers.party(Random(5), "GB")
    lines = (
        Line("Pattern equipment, one-off charge", D(1), "C62", D("240.00"), D(20), "PAT-01"),
        Line(
            "Bearing housing, grey iron, machined to drawing KW-88", D(12), "C62", D("31.75"), D(20), "BH-88"
        ),
    )
    return _bill(seller, "26/0481", today - timedelta(days=5), lines, "boxed", family="caladea", wording=1)


def _bill(seller: Party, number: str, day: date, lines: tuple[Line, ...], design: str, **more: Any) -> Bill:
    """An invoice due and payable as the vendor usually has it."""
    usual: dict[str, Any] = {
        "document_type": "invoice",
        "due_date": day + timedelta(days=seller.payment_days),
        "payment_terms": terms(seller.language, seller.payment_days),
    }
    return Bill(
        number=number, issue_date=day, seller=seller, buyer=company.buyer(), lines=lines, design=design,
        **(usual | more),
    )  # fmt: skip
